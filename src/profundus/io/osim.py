"""What an OpenSim model file says of its muscles and coordinates, read without OpenSim."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from profundus.errors import FileFormatError, Problem
from profundus.io.study_names import is_name, shown
from profundus.io.xml import parse_xml
from profundus.records import Anatomy, CoordinateRange

KNOWN_MUSCLES = ("Thelen2003Muscle", "Millard2012EquilibriumMuscle", "DeGrooteFregly2016Muscle")


@dataclass(frozen=True)
class CoordinateSketch:
    """A coordinate as the file has it: range and default [rad, m], whether it is locked or a translation, which others it follows."""

    name: str
    low: float
    high: float
    default: float
    locked: bool = False
    translation: bool = False
    follows: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelSketch:
    """A model's muscles {name: class} and coordinates in file order, and its named groups {group: muscles}."""

    name: str
    file: str
    muscles: dict[str, str]
    coordinates: tuple[CoordinateSketch, ...]
    groups: dict[str, tuple[str, ...]]

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Return the muscles that a name, a pattern (``*_l``) or the name of a group means."""
        if pattern in self.groups:
            return tuple(muscle for muscle in self.groups[pattern] if muscle in self.muscles)
        return tuple(muscle for muscle in self.muscles if fnmatchcase(muscle, pattern))

    def outline(self) -> Anatomy:
        """Return an anatomy with names and ranges alone: parameters are NaN, and there are no paths."""
        unknown = np.full(len(self.muscles), np.nan)
        free = [CoordinateRange(c.name, c.low, c.high, c.default) for c in self.coordinates if not c.follows]
        groups = ("",) * len(self.muscles)
        return Anatomy(
            self.name, tuple(self.muscles), tuple(free), groups, unknown, unknown, unknown, unknown, unknown, paths=()
        )


def is_osim(model: str) -> bool:
    """Return whether a study's ``model`` is a file of OpenSim's."""
    return model.lower().endswith(".osim")


def read_sketch(path: str | Path) -> ModelSketch:
    """Return what an .osim file (any version) says of muscles, coordinates and groups.

    Raises as `parse_xml`, and FileFormatError for a file that is no model or has no muscles, coordinates or readable ranges.
    """
    root = parse_xml(path)
    model = root if root.tag == "Model" else root.find("Model")
    if root.tag not in {"OpenSimDocument", "Model"} or model is None:
        what = f"is no OpenSim model: its root is <{shown(root.tag)[1:-1]}>"
        raise FileFormatError(Problem("error", what, str(path), expected="<OpenSimDocument> with a <Model>"))
    for defaults in model.findall("defaults"):
        model.remove(defaults)
    muscles = {e.get("name", ""): e.tag for e in model.iter() if _is_muscle(e)}
    coordinates = tuple(_coordinates(model, str(path)))
    problems = [
        Problem("error", f"{kind} is called {shown(name)}", str(path), expected="a name of letters, digits and '_'")
        for kind, names in (("a muscle", muscles), ("a coordinate", [c.name for c in coordinates]))
        for name in names
        if not is_name(name)
    ]
    for kind, found in (("muscles", muscles), ("coordinates", coordinates)):
        if not found:
            problems.append(Problem("error", f"the model has no {kind}", str(path)))
    if problems:
        raise FileFormatError(problems)
    return ModelSketch(model.get("name", Path(path).stem), str(path), muscles, coordinates, _groups(model))


def _is_muscle(element: Element) -> bool:
    tag = element.tag.removesuffix("_Deprecated")
    return tag.endswith("Muscle") and element.get("name") is not None


def _coordinates(model: Element, file: str) -> Iterator[CoordinateSketch]:
    leaders = dict(_couplers(model))
    axes = [(e.get("name", ""), _words(e, "coordinates")) for e in model.iter("TransformAxis")]
    sliding, turning = (
        {name for axis, names in axes if axis.startswith(kind) for name in names}
        for kind in ("translation", "rotation")
    )
    sliders = {c.get("name") for joint in model.iter("SliderJoint") for c in joint.iter("Coordinate")}
    for element in model.iter("Coordinate"):
        name = element.get("name", "")
        low, high = _numbers(element, "range", (-np.inf, np.inf), file)
        (default,) = _numbers(element, "default_value", (0.0,), file)
        yield CoordinateSketch(
            name, low, high, default,
            locked=_is_true(element, "locked"),
            translation=name in sliding - turning or name in sliders,
            follows=leaders.get(name, ()),
        )  # fmt: skip


def _couplers(model: Element) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each coordinate that a CoordinateCouplerConstraint ties to others, and these."""
    for element in model.iter("CoordinateCouplerConstraint"):
        off = _is_true(element, "isDisabled") or (element.findtext("isEnforced") or "true").strip() == "false"
        dependent = (element.findtext("dependent_coordinate_name") or "").strip()
        if dependent and not off:
            yield dependent, _words(element, "independent_coordinate_names")


def _groups(model: Element) -> dict[str, tuple[str, ...]]:
    return {e.get("name", ""): _words(e, "members") for e in model.iter("ObjectGroup") if _words(e, "members")}


def _words(element: Element, key: str) -> tuple[str, ...]:
    return tuple((element.findtext(key) or "").split())


def _is_true(element: Element, key: str) -> bool:
    return (element.findtext(key) or "").strip().lower() == "true"


def _numbers(element: Element, key: str, default: tuple[float, ...], file: str) -> tuple[float, ...]:
    """Return the numbers of a property, or ``default`` where it is not there. Raises FileFormatError for what are not as many numbers."""
    words = _words(element, key)
    if not words:
        return default
    try:
        values = tuple(float(word) for word in words)
    except ValueError:
        values = ()
    if len(values) != len(default) or not np.all(np.isfinite(values)) or list(values) != sorted(values):
        what = f"coordinate {shown(element.get('name', ''))}: {key} is {shown(' '.join(words))}"
        raise FileFormatError(Problem("error", what, file, expected=f"{len(default)} numbers, the smaller first"))
    return values
