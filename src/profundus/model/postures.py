"""Moment arms in the postures of a recording, by a program that recordings of about one length share."""

from __future__ import annotations

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.padding import padded_count

Floats = NDArray[np.float64]
POSTURES = 256  # fewest that a program is compiled for


def recorded_moment_arms(model: MusculoskeletalModel, angle: Floats) -> Floats:
    """Return moment arms (time, coordinate, muscle) [m] at recorded angles (time, coordinate) [rad]."""
    count = len(angle)
    padded = np.pad(angle, [(0, padded_count(count, least=POSTURES) - count), (0, 0)], mode="edge")
    return np.asarray(_moment_arms(model, jax.device_put(padded)), dtype=float)[:count]


@eqx.filter_jit
def _moment_arms(
    model: MusculoskeletalModel, angle: Float[Array, "time coordinate"]
) -> Float[Array, "time coordinate muscle"]:
    return model.moment_arms(angle)
