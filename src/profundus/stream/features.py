"""What the past alone shows of envelopes and joint angles: each remembered for a shorter and for a longer time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
EMG_MEMORY_S = (0.03, 0.1, 0.3)
ANGLE_MEMORY_S = (0.02, 0.1, 0.4)
FLOOR = 0.002  # fraction of maximum, keeps logarithms finite
BRIDGED_S = 0.05  # how long the last value of a channel stands in for one that is missing
RESTART_S = 1.0  # after a longer silence a channel starts anew
OF_STATE, OF_LOAD = 8, 6  # features of a coordinate, and of a coordinate under the load


def memory_gains(memories_s: tuple[float, ...], step: float) -> Floats:
    """Return by how much of the distance a one-pole low-pass of each time constant follows a new sample (memory,)."""
    return 1.0 - np.exp(-step / np.asarray(memories_s))


def features(emg: Floats, angle: Floats, load_kg: float) -> Floats:
    """Return the features (..., feature) of envelopes and angles as remembered.

    ``emg`` (memory, ..., measured) are low-passed envelopes, fractions of maximum; ``angle`` (memory, ..., coordinate) low-passed angles
    [rad] from the middle of the person's motion; ``load_kg`` is 0 where unknown. Envelopes enter as logarithms; velocities are differences
    between two memories of an angle over the difference of their time constants, and lag by as much as these.
    """
    level = np.log(np.maximum(emg, FLOOR))
    now, velocity, earlier = angle[0], *_velocities(angle)
    turn = velocity - earlier
    load = np.full((*now.shape[:-1], 1), load_kg)
    state = [now, now**2, now**3, velocity, np.tanh(velocity), now * velocity, earlier, turn]
    loaded = [now, now**2, velocity, earlier, turn, load_kg * now]
    parts = [level[0], level[1] - level[0], level[2] - level[1], *state, *(load_kg * part for part in loaded)]
    return np.concatenate([*parts, load, load**2], axis=-1)


def _velocities(angle: Floats) -> Floats:
    """Return a fresh and an older velocity (2, ..., coordinate) [rad/s]."""
    apart = np.diff(ANGLE_MEMORY_S).reshape(-1, *[1] * (angle.ndim - 1))
    return np.asarray((angle[:-1] - angle[1:]) / apart)


def sources(measured: int, coordinates: int) -> Flags:
    """Return what each feature is made of (feature, source); the sources are measured muscles, coordinates, and the load."""
    muscle = np.tile(np.eye(measured, measured + coordinates + 1, dtype=bool), (len(EMG_MEMORY_S), 1))
    joint = np.eye(coordinates, measured + coordinates + 1, k=measured, dtype=bool)
    load = np.zeros((1, measured + coordinates + 1), dtype=bool)
    load[0, -1] = True
    parts = [muscle, np.tile(joint, (OF_STATE, 1)), np.tile(joint | load, (OF_LOAD, 1)), load, load]
    return np.concatenate(parts)
