"""How a person uses the muscles that have electrodes, in numbers: how much, with angle, speed and load, and which muscles together."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from profundus.model.balance import FEW_SAMPLES
from profundus.model.clues import LEVEL, MIDDLE_RAD
from profundus.model.windows import Windows

Floats = NDArray[np.float64]
OWN = ("level", "angle", "speed", "load", "rest")

LEAST_LOADS_KG, LEAST_RAD, LEAST_RAD_S = 0.25, 0.1, 0.1  # standard deviations from which a slope can be told
MOST_ALIKE = 0.995


def habit_names(muscles: int) -> tuple[str, ...]:
    """Return the names of all habits of so many muscles, in one order; muscles are told by their index."""
    own = [f"{word} {muscle}" for word in OWN for muscle in range(muscles)]
    return (*own, *(f"together {one} {other}" for one, other in combinations(range(muscles), 2)))


def habits(windows: Windows, electrodes: NDArray[np.bool_]) -> dict[str, float]:
    """Return every habit of a person; NaN where a muscle has none of the ``electrodes`` (muscle,) or motion and loads cannot tell.

    ``level``: log envelope at the middle of the range, at rest, at 2 kg; ``angle`` [1/rad], ``speed`` [1/(2 rad/s)] and ``load``
    [1/(2 kg)]: how it changes with each, all else equal; ``rest``: log of the standard deviation that these leave over; ``together``:
    Fisher's z of the correlation of two log envelopes.
    """
    names = habit_names(len(electrodes))
    found = dict.fromkeys(names, float("nan"))
    there = np.asarray(windows.valid, dtype=bool)
    if there.sum() < FEW_SAMPLES:
        return found
    level = np.asarray(windows.fast, dtype=float)[there] + LEVEL
    slopes, left = _explained(windows, there, level)
    for muscle in np.flatnonzero(electrodes):
        found |= {f"{word} {muscle}": float(value) for word, value in zip(OWN[:4], slopes[:, muscle], strict=True)}
        found[f"rest {muscle}"] = float(np.log(np.std(left[:, muscle]) + 0.01))
    for one, other in combinations(np.flatnonzero(electrodes), 2):
        found[f"together {one} {other}"] = _together(level[:, one], level[:, other])
    return found


def _explained(windows: Windows, there: NDArray[np.bool_], level: Floats) -> tuple[Floats, Floats]:
    """Return the coefficients (4, muscle) of 1, angle, speed and load, NaN where one cannot be told, and what they leave over.

    Those of angle and speed are found within trials, so that loads, known or not, do not disturb them.
    """
    angle, velocity = (np.asarray(windows.motion[..., i], dtype=float)[there] for i in (0, 1))
    load = np.broadcast_to(np.asarray(windows.load, dtype=float)[:, None], there.shape)[there]
    trial = np.nonzero(there)[0]
    moving = np.stack([angle - MIDDLE_RAD, np.abs(velocity) / 2.0], axis=1)
    within, level_within = (_within(values, trial) for values in (moving, level))
    told = within.std(axis=0) >= (LEAST_RAD, LEAST_RAD_S / 2.0)
    coefficients = np.full((4, level.shape[1]), np.nan)
    coefficients[1:3][told] = np.linalg.lstsq(within[:, told], level_within, rcond=None)[0]
    rest = level - moving[:, told] @ coefficients[1:3][told]
    loads = load[:, None] / 2.0 - 1.0
    between = np.concatenate([np.ones_like(loads), loads], axis=1)[:, : 1 + (np.std(load) >= LEAST_LOADS_KG)]
    found = np.linalg.lstsq(between, rest, rcond=None)[0]
    coefficients[[0, 3][: len(found)]] = found
    return coefficients, rest - between @ found


def _within(values: Floats, trial: NDArray[np.intp]) -> Floats:
    """Return values (sample, column) less their mean over the trial."""
    _, place, count = np.unique(trial, return_inverse=True, return_counts=True)
    total = np.zeros((len(count), values.shape[1]))
    np.add.at(total, place, values)
    return np.asarray(values - (total / count[:, None])[place])


def _together(one: Floats, other: Floats) -> float:
    if min(np.std(one), np.std(other)) < 1e-6:
        return 0.0
    return float(np.arctanh(np.clip(np.corrcoef(one, other)[0, 1], -MOST_ALIKE, MOST_ALIKE)))
