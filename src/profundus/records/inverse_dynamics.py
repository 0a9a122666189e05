"""What inverse dynamics is told about a trial whose joint moments are not recorded but computed."""

from __future__ import annotations

from dataclasses import dataclass, field

from profundus.records.table import Table


@dataclass(frozen=True)
class HeldLoad:
    """A mass [kg] welded to a body at ``position`` [m, in its frame]: a solid sphere of ``radius`` [m], a point where that is zero."""

    body: str
    mass: float
    position: tuple[float, float, float]
    radius: float = 0.0


@dataclass(frozen=True)
class ExternalForces:
    """Forces from outside: an ExternalLoads file of OpenSim, the file of the recorded forces, and the time [s] that these cover."""

    file: str
    data: str
    span: tuple[float, float]


@dataclass(frozen=True)
class InverseDynamics:
    """The motion of the whole body and what acts on it.

    ``posture`` has the coordinates of the model that were recorded [rad, m] on the clock of the motion; ``held`` stand still where
    the study says, ``at_default`` those that stand at the model's default. ``model`` is a path. ``low_pass_hz`` is the cut-off of OpenSim's
    own filter of the motion, None for none.
    """

    model: str
    posture: Table
    motion_types: dict[str, str]
    low_pass_hz: float | None
    held: dict[str, float] = field(default_factory=dict)
    at_default: tuple[str, ...] = ()
    load: HeldLoad | None = None
    external: ExternalForces | None = None
