"""How a virtual person shares the moments of several joints among his muscles: least effort, common drive of synergists, synergies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from profundus.numerics.shared_load import cheapest_shares
from profundus.simulate.chance import between, log_between, slow_noise

Floats = NDArray[np.float64]
Range = tuple[float, float]
POWER = (1.6, 4.0)
COST_SD = (0.2, 0.9)  # log, of the price of a muscle's activation
VOLUME = (0.0, 1.0)  # exponent with which the price follows maximal force times fiber length
TONE, TONE_SD, TONE_SWING = (
    (0.003, 0.06),
    0.6,
    (0.2, 1.2),
)  # least activation, between muscles, with posture and speed (logs)
SLACK = (0.05, 0.5)  # (N.m)^2
DRIVE_SD = (0.03, 0.25)  # log, of what is a muscle's own
SYNERGIES = (3, 8)
UPDATES, TINY = 60, 1e-9
LEAST = 0.002
FLOOR = 0.003  # activation beside which a pattern counts as silent


class Habit(NamedTuple):
    """How much of a group's pattern is common (0 to 1), and how much of all patterns a few synergies make."""

    common: Range
    synergies: Range


HABITS = {
    "effort": Habit((0.3, 0.8), (0.0, 0.0)),
    "common_drive": Habit((0.75, 1.0), (0.0, 0.0)),
    "synergies": Habit((0.5, 0.95), (0.3, 1.0)),
    "mixture": Habit((0.7, 1.0), (0.0, 0.8)),
}


class Asked(NamedTuple):
    """What a person's joints are asked for, all stretches one after the other.

    ``capacity`` (sample, coordinate, muscle) [N.m] at full activation, ``moment`` (sample, coordinate) [N.m] beyond the passive one,
    ``state`` (sample, feature) posture and speed in standard deviations, ``price`` (muscle,) maximal force times fiber length over its
    mean, ``groups`` of the muscles, ``stretch`` the number of samples of each stretch.
    """

    capacity: Floats
    moment: Floats
    state: Floats
    price: Floats
    groups: tuple[str, ...]
    stretch: int


def controlled(asked: Asked, family: str, chance: np.random.Generator, *, step: float) -> Floats:
    """Return activations (sample, muscle) of a person of a ``family`` of `HABITS` that make about the moments that are asked for."""
    count = asked.capacity.shape[-1]
    cost = np.exp(chance.normal(0.0, between(chance, COST_SD), count)) * asked.price ** between(chance, VOLUME)
    found = cheapest_shares(
        asked.capacity,
        asked.moment,
        cost=cost,
        power=between(chance, POWER),
        least=_tone(asked, chance),
        slack=between(chance, SLACK),
    )
    habit = HABITS[family]
    mixed = _by_synergies(np.maximum(found, LEAST), between(chance, habit.synergies), chance)
    mixed = _in_common(mixed, asked.groups, habit.common, chance)
    shape = (len(mixed) // asked.stretch, asked.stretch, count)
    own = slow_noise(chance, shape, step=step, low_hz=0.1, high_hz=3.0).reshape(mixed.shape)
    return np.asarray(np.clip(mixed * np.exp(between(chance, DRIVE_SD) * own), LEAST, 1.0))


def _tone(asked: Asked, chance: np.random.Generator) -> Floats:
    """Return the activation (sample, muscle) that no muscle goes below: its own, and swinging with posture and speed."""
    count, features = asked.capacity.shape[-1], asked.state.shape[1]
    size = log_between(chance, TONE) * np.exp(chance.normal(0.0, TONE_SD, count))
    wave = chance.normal(size=(features, count)) * between(chance, (0.3, 1.0))
    swing = np.cos(asked.state @ wave + chance.uniform(0.0, 2.0 * np.pi, count))
    return np.asarray(np.clip(size * np.exp(between(chance, TONE_SWING) * swing), LEAST, 0.3))


def _by_synergies(activation: Floats, share: float, chance: np.random.Generator) -> Floats:
    """Return activations of which a ``share`` is what a few non-negative synergies make of them.

    Multiplicative updates (Lee and Seung 2001) from a random start: people's synergies are no optimum.
    """
    if share <= 0.0:
        return activation
    count = int(chance.integers(*SYNERGIES))
    size = activation.max(axis=0) + LEAST
    wanted = activation / size
    drive, weight = chance.uniform(0.1, 1.0, (len(wanted), count)), chance.uniform(0.1, 1.0, (count, wanted.shape[1]))
    for _ in range(UPDATES):
        weight *= (drive.T @ wanted) / (drive.T @ drive @ weight + TINY)
        drive *= (wanted @ weight.T) / (drive @ (weight @ weight.T) + TINY)
    return np.asarray((1.0 - share) * activation + share * np.maximum(drive @ weight * size, LEAST))


def _in_common(activation: Floats, groups: tuple[str, ...], share: Range, chance: np.random.Generator) -> Floats:
    """Return activations whose patterns (logs around their mean) are partly that of their group; mean activations stay."""
    out = activation.copy()
    for group in dict.fromkeys(groups):
        columns = np.flatnonzero(np.array(groups) == group)
        common = between(chance, share)
        if len(columns) < 2:
            continue
        mean = activation[:, columns].mean(axis=0)
        own = np.log(activation[:, columns] + FLOOR)
        whole = np.log((activation[:, columns] / mean).mean(axis=1, keepdims=True) + 0.05)
        mixed = np.exp((1.0 - common) * (own - own.mean(axis=0)) + common * (whole - whole.mean()))
        out[:, columns] = mixed / mixed.mean(axis=0) * mean
    return np.clip(out, LEAST, 1.0)
