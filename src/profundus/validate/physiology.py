"""What is known of muscles at work, to hold an estimate against: levels of activation, and the same of a reconstruction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from profundus.errors import InputError, Problem
from profundus.records import Reconstruction, TrialReconstruction
from profundus.records.trial import Flags

Way = Literal["any", "rising", "falling"]
MOVING = 0.1  # rad/s

FLEXORS_SHARE = (
    "Arm26 at 90 degrees, all flexors equally active and alone, against forearm, hand and load: 2.7 N.m + 3.2 N.m/kg"
)
CO_ACTIVATION = "range of published surface EMG of the triceps in dynamic elbow flexion, fraction of its own maximum"


@dataclass(frozen=True)
class KnownLevel:
    """A muscle's usual level, ``low`` to ``high`` (fractions of maximum; equal where one value is known), with its source.

    ``load_kg`` and ``angle`` [rad] are NaN where it holds for any; ``way`` is that of the angle, rising in flexion. A range for
    orientation and no bound: weak people reach 0.6 in brachialis at 4 kg.
    """

    muscle: str
    load_kg: float
    angle: float
    way: Way
    low: float
    high: float
    source: str


PHYSIOLOGY = (
    *(
        KnownLevel("BRA", load_kg, np.pi / 2, "any", level, level, FLEXORS_SHARE)
        for load_kg, level in ((0.0, 0.04), (2.0, 0.13), (4.0, 0.23))
    ),
    *(
        KnownLevel(muscle, np.nan, np.nan, "rising", 0.037, 0.12, CO_ACTIVATION)
        for muscle in ("TRIlong", "TRIlat", "TRImed")
    ),
)


def level_near(
    rec: Reconstruction,
    muscle: str,
    *,
    angle: float = np.pi / 2,
    width: float = np.radians(10.0),
    way: Way = "any",
    coordinate: str = "",
) -> dict[float, float]:
    """Return ``{load [kg]: mean excitation of a muscle}`` over the samples within ``width`` / 2 of an ``angle`` [rad].

    Trials of unknown load are left out, and so are loads at which the coordinate (default: the first) never came there. ``way``: only
    while the angle rises, or falls, faster than 0.1 rad/s. An angle of NaN takes all samples. Raises InputError for a muscle or a
    coordinate that a trial does not have, and for a width that is not above zero.
    """
    wrong = [Problem("error", f"width is {width:g} rad", expected="above zero")] if not width > 0.0 else []
    for trial in (part.trial for part in rec.trials):
        known = {
            "muscle": (muscle, trial.muscles),
            "coordinate": (coordinate or trial.coordinates[0], trial.coordinates),
        }
        wrong += [
            Problem("error", f"{trial.name}: there is no {kind} '{name}'", expected="one of " + ", ".join(names))
            for kind, (name, names) in known.items()
            if name not in names
        ]
    if wrong:
        raise InputError(wrong)
    found: dict[float, list[float]] = {}
    for part in rec.trials:
        at = part.trial.coordinates.index(coordinate) if coordinate else 0
        values = part.excitation[_there(part, at, angle, width, way), part.trial.muscles.index(muscle)]
        found.setdefault(part.trial.load_kg, []).extend(values[np.isfinite(values)])
    return {load: float(np.mean(values)) for load, values in sorted(found.items()) if values and not np.isnan(load)}


def _there(part: TrialReconstruction, at: int, angle: float, width: float, way: Way) -> Flags:
    """Return at which samples (time,) a coordinate is where it is asked for, on its way there."""
    position, speed = part.trial.angle[:, at], part.trial.velocity[:, at]
    near = np.abs(position - angle) <= width / 2 if not np.isnan(angle) else np.isfinite(position)
    if way == "any":
        return np.asarray(near)
    return np.asarray(near & (speed > MOVING if way == "rising" else speed < -MOVING))
