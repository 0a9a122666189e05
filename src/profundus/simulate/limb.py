"""The limb beyond a hinge as a pendulum with a load in the hand: which moment a motion needs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from profundus.quantities import quantity

Floats = NDArray[np.float64]
GRAVITY = 9.80665  # m/s2


@dataclass(frozen=True)
class Limb:
    """What hangs from a hinge; an angle of zero is straight down. ``center`` and ``lever`` are distances from the hinge."""

    mass: float = quantity("kg", low=0.01, high=50.0)
    center: float = quantity("m", low=0.0, high=1.0, meaning="center of mass")
    inertia: float = quantity("kg.m2", low=0.0, high=10.0, meaning="moment of inertia about the hinge")
    lever: float = quantity("m", low=0.0, high=1.5, meaning="where a load is held")


ARM26_FOREARM = Limb(mass=1.534315, center=0.181236, inertia=0.0704997, lever=0.33)
"""Forearm and hand of Arm26 (OpenSim), upper arm hanging; about its elbow's axis, which is tilted by 3.5 deg."""


def limb_moment(limb: Limb, angle: Floats, acceleration: Floats, load_kg: Floats | float = 0.0) -> Floats:
    """Return the moment [N.m] about the hinge that muscles must make, flexion positive, of the shape of ``angle`` [rad].

    The upper segment does not move. The load is a point at the limb's lever.
    """
    inertia = limb.inertia + load_kg * limb.lever**2
    weight = GRAVITY * (limb.mass * limb.center + load_kg * limb.lever)
    return np.asarray(inertia * acceleration + weight * np.sin(angle))


def drawn_limb(limb: Limb, chance: np.random.Generator) -> Limb:
    """Return the limb of another person: mass within about 12 %, length within about 5 % (one standard deviation each)."""
    heavier, longer = np.exp(chance.normal(0.0, (0.12, 0.05)))
    return replace(
        limb,
        mass=limb.mass * heavier,
        center=limb.center * longer,
        inertia=limb.inertia * heavier * longer**2,
        lever=limb.lever * longer,
    )
