"""The forces that act on a body from outside, as an ExternalLoads file of OpenSim names them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from profundus.errors import FileFormatError, Problem
from profundus.io.study_names import nearest_name, shown
from profundus.io.xml import parse_xml
from profundus.records.table import Table

IDENTIFIERS = ("force_identifier", "point_identifier", "torque_identifier")


@dataclass(frozen=True)
class ExternalLoads:
    """Where the recorded forces stand, on which bodies they act, and how their columns begin."""

    file: str
    datafile: str
    bodies: tuple[str, ...]
    identifiers: tuple[str, ...]

    def disagreements(self, bodies: Collection[str], forces: Table) -> Iterator[Problem]:
        """Yield an error for each body that the model has not, and each force whose columns are not in the table."""
        for body in self.bodies:
            if body not in {*bodies, "ground"}:
                what = f"a force acts on {shown(body)}, a body that the model has not"
                yield Problem("error", what, self.file, remedy=nearest_name(body, bodies))
        for start in self.identifiers:
            if not any(label.startswith(start) for label in forces.labels):
                what = f"there is no column that begins with {shown(start)}"
                expected = "one of " + ", ".join(forces.labels[:40])
                yield Problem(
                    "error", what, forces.source, expected=expected, remedy=f"Correct the names in {self.file}"
                )


def read_external_loads(path: Path) -> ExternalLoads:
    """Return what an ExternalLoads file names. Raises as `parse_xml`, and FileFormatError for a file without forces or their data."""
    root = parse_xml(path)
    loads = root if root.tag == "ExternalLoads" else next(root.iter("ExternalLoads"), None)
    datafile = "" if loads is None else (loads.findtext("datafile") or "").strip()
    forces = [] if loads is None else list(loads.iter("ExternalForce"))
    if not datafile or not forces:
        expected = "an ExternalLoads file of OpenSim, with ExternalForces and a datafile"
        raise FileFormatError(Problem("error", "names no file of forces", str(path), expected=expected))
    bodies = [(force.findtext("applied_to_body") or "").strip() for force in forces]
    starts = [(force.findtext(key) or "").strip() for force in forces for key in IDENTIFIERS]
    return ExternalLoads(str(path), datafile, tuple(dict.fromkeys(bodies)), tuple(dict.fromkeys(filter(None, starts))))
