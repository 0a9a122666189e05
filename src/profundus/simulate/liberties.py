"""Liberties that some people take beside the rule of their family: stiffness, braking, thresholds, shares of their own, drift, one drive.

A network that only meets people who follow rules takes what all of them have in common for a law.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from profundus.simulate.chance import between, log_between, slow_noise
from profundus.simulate.demand import Demand, Shares

Floats = NDArray[np.float64]
OFTEN = 0.35  # how likely a person takes each of them
HEADS_SD = 0.3  # log size of a liberty in a muscle


class Taken(NamedTuple):
    """A liberty of one person, by trial, time and muscle: ``held`` is added to what goes on anyway, ``base`` and ``shares`` multiply.

    The logarithm of a muscle's own drive is multiplied by ``own``.
    """

    held: Floats | float = 0.0
    base: Floats | float = 1.0
    shares: Floats | float = 1.0
    own: float = 1.0


class Liberty(Protocol):
    """Draws how a person takes a liberty; ``level`` is his co-contraction at rest, ``step`` that of the clock [s]."""

    def __call__(self, chance: np.random.Generator, demand: Demand, *, level: float, step: float) -> Taken:
        """Return what it changes."""


def liberated(
    chance: np.random.Generator, demand: Demand, shares: Shares, *, level: float, step: float
) -> tuple[Shares, float, list[str]]:
    """Return the shares of a person who takes one or more liberties, what is left of the muscles' own drive, and the names.

    The side that works keeps its size: a liberty says who does more of the work, not how much of it is done.
    """
    names = [name for name in LIBERTIES if chance.uniform() < OFTEN]
    names = names or [list(LIBERTIES)[int(chance.integers(len(LIBERTIES)))]]
    own = 1.0
    for name in names:
        taken = LIBERTIES[name](chance, demand, level=level, step=step)
        working = (
            _of_size(side, side * taken.shares, demand.sign == sign)
            for side, sign in ((shares.positive, 1.0), (shares.negative, -1.0))
        )
        shares = Shares(shares.base * taken.base + taken.held, *working)
        own *= taken.own
    return shares, own, names


def _stiff(chance: np.random.Generator, demand: Demand, *, level: float, step: float) -> Taken:
    """Both sides are held active at one to five times the co-contraction at rest, more with load or near an end of the range."""
    size = level * log_between(chance, (1.0, 5.0))
    with_load, with_flexion = chance.uniform(0.0, 0.4), chance.uniform(-1.0, 1.0)
    tone = size * (1.0 + with_load * demand.load_kg) * np.exp(with_flexion * (demand.flexion - 0.5))
    return Taken(held=tone * _heads(chance, demand))


def _braking(chance: np.random.Generator, demand: Demand, *, level: float, step: float) -> Taken:
    """All muscles answer a slowing (or, in some people, any change) of the motion, each up to 80 ms late."""
    rate = np.gradient(demand.speed, step, axis=1)
    change = np.abs(rate) if chance.uniform() < 0.3 else np.maximum(-rate, 0.0)
    size = log_between(chance, (0.004, 0.04)) * _heads(chance, demand)
    late = np.round(chance.uniform(0.0, 0.08, len(demand.sign)) / step).astype(int)
    each = [_later(change[..., 0], lag) for lag in late]
    return Taken(held=size * np.stack(each, axis=-1))


def _thresholds(chance: np.random.Generator, demand: Demand, *, level: float, step: float) -> Taken:
    """Muscles join at moments of their own, half of them from the start; before, each has a small part of its share."""
    count = len(demand.sign)
    threshold = np.where(chance.uniform(size=count) < 0.5, -1.0, chance.uniform(0.02, 0.25, count))
    width, least = chance.uniform(0.02, 0.1), chance.uniform(0.05, 0.5)
    joined = 0.5 + 0.5 * np.tanh(0.5 * (np.abs(demand.effort) - threshold) / width)
    return Taken(shares=least + (1.0 - least) * joined)


def _own_shares(chance: np.random.Generator, demand: Demand, *, level: float, step: float) -> Taken:
    """Shares that bend with angle, moment and direction of the motion, in every muscle differently."""
    count = len(demand.sign)
    pace = np.gradient(demand.flexion, step, axis=1)  # ranges a second
    x = 2.0 * demand.flexion - 1.0
    y = 2.0 * np.tanh(3.0 * np.abs(demand.effort)) - 1.0
    shapes = (x, x**2, y, x * y, np.tanh(2.0 * pace), np.tanh(4.0 * np.abs(pace)))
    sizes = between(chance, (0.1, 0.35)) * chance.normal(size=(len(shapes), count))
    log_share = np.sum([size * shape for size, shape in zip(sizes, shapes, strict=True)], axis=0)
    return Taken(shares=np.exp(_heads_sd(chance, demand, 0.2) + log_share))


def _drift(chance: np.random.Generator, demand: Demand, *, level: float, step: float) -> Taken:
    """Muscles by themselves become more or less active from trial to trial and within trials."""
    trials, times, count = demand.leverage.shape
    walk = np.cumsum(between(chance, (0.03, 0.12)) * chance.normal(size=(trials, 1, count)), axis=0)
    walk = chance.permuted(walk - walk.mean(axis=0), axis=0)
    ramp = between(chance, (0.0, 0.2)) * np.linspace(-1.0, 1.0, times)[:, None] * chance.normal(size=(trials, 1, count))
    return Taken(base=np.exp(walk + ramp), shares=np.exp(walk + ramp))


def _one_drive(chance: np.random.Generator, demand: Demand, *, level: float, step: float) -> Taken:
    """What goes on anyway swings in all muscles alike, slowly; little drive is a muscle's own."""
    swing = slow_noise(chance, demand.effort.shape, step=step, low_hz=0.05, high_hz=1.0)
    return Taken(base=np.exp(between(chance, (0.05, 0.4)) * swing), own=between(chance, (0.1, 0.7)))


LIBERTIES: Mapping[str, Liberty] = {
    "stiff": _stiff,
    "braking": _braking,
    "thresholds": _thresholds,
    "own_shares": _own_shares,
    "drift": _drift,
    "one_drive": _one_drive,
}


def _heads_sd(chance: np.random.Generator, demand: Demand, sd: float) -> Floats:
    return np.asarray(sd * chance.normal(size=len(demand.sign)))


def _heads(chance: np.random.Generator, demand: Demand) -> Floats:
    return np.asarray(np.exp(_heads_sd(chance, demand, HEADS_SD)))


def _later(values: Floats, lag: int) -> Floats:
    """Return values (trial, time) ``lag`` samples late, the first one held."""
    return np.concatenate([np.repeat(values[:, :1], lag, axis=1), values[:, : values.shape[1] - lag]], axis=1)


def _of_size(before: Floats, after: Floats, side: NDArray[np.bool_]) -> Floats:
    """Return ``after`` scaled, sample by sample, so that its muscles of a side are together as large as ``before``."""

    def size(values: Floats) -> Floats:
        return np.asarray(np.sum(values[..., side] ** 4, axis=-1, keepdims=True) ** 0.25)

    return np.asarray(after * size(before) / np.maximum(size(after), 1e-9))
