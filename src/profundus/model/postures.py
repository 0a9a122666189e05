"""What the muscles see of a recorded motion, by one program for recordings of any length."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.model.musculoskeletal import Geometry, MusculoskeletalModel
from profundus.model.padding import whole_blocks

Floats = NDArray[np.float64]
POSTURES = 512  # that the program is compiled for


class RecordedGeometry(NamedTuple):
    """`Geometry` of a recording, in NumPy: path length (time, muscle) [m], its rate [m/s], moment arms (time, coordinate, muscle) [m]."""

    path_length: Floats
    path_velocity: Floats
    moment_arm: Floats


def recorded_geometry(model: MusculoskeletalModel, angle: Floats, velocity: Floats | None = None) -> RecordedGeometry:
    """Return what the muscles see at recorded angles [rad] and velocities [rad/s] (time, coordinate); without velocities nothing moves."""
    moved = np.concatenate([angle, np.zeros_like(angle) if velocity is None else velocity], axis=1)
    blocks = [_geometry(model, *jax.device_put(np.split(block, 2, axis=1))) for block in whole_blocks(moved, POSTURES)]
    fields = (np.concatenate([np.asarray(part, float) for part in parts]) for parts in zip(*blocks, strict=True))
    return RecordedGeometry(*(field[: len(moved)] for field in fields))


def recorded_moment_arms(model: MusculoskeletalModel, angle: Floats) -> Floats:
    """Return moment arms (time, coordinate, muscle) [m] at recorded angles (time, coordinate) [rad]."""
    return recorded_geometry(model, angle).moment_arm


@eqx.filter_jit
def _geometry(
    model: MusculoskeletalModel, angle: Float[Array, "time coordinate"], velocity: Float[Array, "time coordinate"]
) -> Geometry:
    return model.geometry(angle, velocity)
