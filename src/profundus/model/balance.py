"""The moment of one person against what generic muscles with his envelopes would make: exchanged, delayed, load by load."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import combinations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from profundus.model.clocks import LATE_S, SLOW
from profundus.model.clues import (
    COMMON_SD,
    DEEP_SD,
    MIDDLE_RAD,
    MOMENT_RELATIVE_SD,
    MOMENT_SD,
    OTHER_SD,
    SEEN_SD,
    same_group,
)
from profundus.model.windows import Windows

Floats = NDArray[np.float64]
Values = TypeVar("Values", bound=np.generic)
EFFORTS = ("gain", "gravity", "follows", "followed", "ratio", "other side", "lightest", "heaviest", "moments", "drives")
FEW_SAMPLES = 60  # six seconds
LAGS = 4  # samples, either way
USUAL_LAG_SD = 1.0  # sample: 0.1 s
USUAL_LEAD_S = (0.02, 0.13)  # of envelopes over the moment
INDEPENDENT = 9.0 * SLOW.samples / 4.0  # samples whose information a person's moments are given, however many there are
TELLING = 30.0  # the same of the delay: drives of muscles change slowly
TRIALS = 6.0  # the same of trials as wholes
GRAVITY_SD = 6.0  # N.m per sin(angle) that a moment may hold beside the muscles'
SMALLEST, SMALLEST_MOMENT = 0.05, 0.3  # of gains, and N.m


class Balance:
    """Moments of windows that all have the same ``electrodes`` (muscle,)."""

    def __init__(self, windows: Windows, electrodes: NDArray[np.bool_], groups: tuple[str, ...]) -> None:
        self.electrodes, self.groups = electrodes, np.array(groups)
        self.share = _shares(tuple(bool(there) for there in electrodes), groups)
        self.level = np.asarray(windows.fast, dtype=float)
        self.capacity = np.asarray(windows.capacity, dtype=float).mean(axis=2)
        self.moment = np.asarray(windows.moment, dtype=float) - np.asarray(windows.passive, dtype=float).mean(axis=2)
        self.valid = np.asarray(windows.valid, dtype=bool)
        inner = self.valid & shifted(self.valid, LAGS) & shifted(self.valid, -LAGS)
        self.inner = inner if inner.sum() >= FEW_SAMPLES else self.valid
        motion = np.asarray(windows.motion, dtype=float)
        self.angle, self.velocity = motion[..., 0], motion[..., 1]
        self.wanted = self.moment[self.inner]
        self.state = np.stack(
            [np.ones_like(self.wanted), self.angle[self.inner] - MIDDLE_RAD, self.velocity[self.inner] / 2.0], axis=1
        )
        weight = 1.0 / (MOMENT_RELATIVE_SD * np.abs(self.wanted) + MOMENT_SD) ** 2
        self.weight = weight * INDEPENDENT / len(self.wanted)

    @cached_property
    def exchanges(self) -> list[tuple[int, ...]]:
        """Return the exchanges of electrodes that are thought of: every two, and one side of the joint with the other."""
        there = [int(i) for i in np.flatnonzero(self.electrodes)]
        sides = [[i for i in there if self.groups[i] == group] for group in dict.fromkeys(self.groups[there])]
        whole = [tuple(sides[0] + sides[1])] if len(sides) == 2 and len(sides[0]) == len(sides[1]) > 1 else []
        return [*combinations(there, 2), *whole]

    def parts(self, exchange: Sequence[int] = ()) -> Floats:
        """Return every muscle's moment (sample, muscle) [N.m] at gain one, the first half of ``exchange`` exchanged with the second."""
        order, half = np.arange(len(self.electrodes)), len(exchange) // 2
        order[list(exchange)] = [*exchange[half:], *exchange[:half]]
        return np.asarray(self.capacity[self.inner] * np.exp(self.level[self.inner][:, order] @ self.share.T))

    @cached_property
    def agreement(self) -> tuple[float, float]:
        """Return the cosine between the moment and what the muscles make, and the common gain that explains it best."""
        made = self.parts().sum(axis=1)
        both, own = np.sum(self.weight * made * self.wanted), np.sum(self.weight * made**2)
        size = np.sqrt(own * np.sum(self.weight * self.wanted**2))
        return float(both / (size + 1e-9)), float(both / (own + 1e-9))

    def cost(self, exchange: Sequence[int] = ()) -> float:
        """Return the misfit of the best gains and other moments, and how unlikely these are, per independent sample."""
        count = len(self.electrodes)
        design = np.concatenate([max(self.agreement[1], SMALLEST) * self.parts(exchange), self.state], axis=1)
        own = np.where(self.electrodes, SEEN_SD, DEEP_SD) ** 2
        prior = np.diag(np.concatenate([own, np.asarray(OTHER_SD[:3]) ** 2]))
        prior[:count, :count] += COMMON_SD**2
        held = np.linalg.inv(prior)
        left = self.wanted - design[:, :count].sum(axis=1)
        weighted = design * self.weight[:, None]
        moved = np.linalg.solve(held + weighted.T @ design, weighted.T @ left)
        return float((np.sum(self.weight * (left - design @ moved) ** 2) + moved @ held @ moved) / INDEPENDENT)

    def exchanged(self) -> tuple[float, tuple[int, ...]]:
        """Return how much better (log of the cost) the best exchange of electrodes explains the moment, and which that is."""
        if not self.exchanges:
            return float("nan"), ()
        costs = [self.cost(exchange) for exchange in self.exchanges]
        best = int(np.argmin(costs))
        return float(np.log((self.cost() + 0.02) / (costs[best] + 0.02))), self.exchanges[best]

    def delay(self) -> tuple[float, float]:
        """Return how much better (log of the cost) the moment is explained where envelopes lead it by an unusual time, and by how much they
        do [s], as far as it can be told: the mean of a posterior around 90 ms, sd 100 ms.

        At every lag the moment is regressed on each envelope times 1, angle, its square and velocity, times the muscle's capacity.
        """
        lags = np.arange(-LAGS, LAGS + 1)
        fine = np.linspace(-LAGS, LAGS, 20 * LAGS + 1)
        log_cost = CubicSpline(lags, np.log([self._unexplained(int(lag)) for lag in lags]))(fine)
        chance = -0.5 * TELLING * log_cost - 0.5 * (fine / USUAL_LAG_SD) ** 2
        odds = np.exp(chance - chance.max())
        lead = LATE_S + fine / SLOW.hz
        usual = (lead >= USUAL_LEAD_S[0]) & (lead <= USUAL_LEAD_S[1])
        return float(log_cost[usual].min() - log_cost.min()), float(np.sum(odds * lead) / np.sum(odds))

    def efforts(self) -> dict[str, float]:
        """Return how moments go with what the muscles of the working side make, trial by trial.

        ``gain`` and ``gravity`` [N.m]: moment = gain x muscles + gravity x sin(angle); ``follows`` and ``followed``: how steeply log moment
        and log muscles rise with each other; ``ratio``: log of moment over muscles, of the ``lightest`` and ``heaviest`` trial, too;
        ``other side``: log of what it makes over the working side; ``moments``, ``drives``: spread of the logs over trials.
        """
        made = self.capacity * np.exp(self.level @ self.share.T)
        side = 1.0 if np.sum(self.moment[self.valid]) >= 0 else -1.0
        count = np.maximum(self.valid.sum(axis=1), 1)
        positive, negative = (np.maximum(s * side * made, 0.0).sum(axis=2) for s in (1.0, -1.0))
        columns = (positive, negative, side * self.moment, np.sin(self.angle))
        works, holds, moment, hanging = (np.sum(column * self.valid, axis=1) / count for column in columns)
        weight = 1.0 / (0.2 * np.abs(moment) + SMALLEST_MOMENT)
        design = np.stack([works - holds, hanging], axis=1) * weight[:, None]
        prior = np.diag([1.0 / 0.5**2, 1.0 / GRAVITY_SD**2])
        told = TRIALS / len(moment)
        gain = np.linalg.solve(
            told * design.T @ design + prior, told * design.T @ (moment * weight) + prior @ [1.0, 0.0]
        )
        wanted, drive = np.log(np.maximum(moment, SMALLEST_MOMENT)), np.log(works + 1e-3)
        over = wanted - drive
        (drives, both), (_, moments) = np.cov(drive, wanted, ddof=0)
        other = np.log((holds.mean() + 1e-3) / (works.mean() + 1e-3))
        slopes = (both / (drives + 0.02), both / (moments + 0.02))
        ends = over[np.argmin(moment)], over[np.argmax(moment)]
        values = (*gain, *slopes, over.mean(), other, *ends, np.sqrt(moments), np.sqrt(drives))
        return {name: float(value) for name, value in zip(EFFORTS, values, strict=True)}

    def _unexplained(self, lag: int) -> float:
        level = shifted(self.level[..., self.electrodes], lag)[self.inner]
        made = self.capacity[self.inner][:, self.electrodes] * np.exp(level)
        state = np.concatenate([self.state, self.state[:, 1:2] ** 2], axis=1)
        products = (made[:, :, None] * state[:, None, :]).reshape(len(made), -1)
        design = np.concatenate([products, np.ones((len(made), 1))], axis=1)
        design /= np.sqrt(np.mean(design**2, axis=0)) + 1e-9
        weight = self.weight / self.weight.sum()
        weighted = design * weight[:, None]
        found = np.linalg.solve(weighted.T @ design + 1e-4 * np.eye(design.shape[1]), weighted.T @ self.wanted)
        return float(np.sum(weight * (self.wanted - design @ found) ** 2) + 1e-4 * found @ found + 1e-9)


@lru_cache(maxsize=64)
def _shares(electrodes: tuple[bool, ...], groups: tuple[str, ...]) -> Floats:
    """Return (muscle, muscle): of whose log envelopes that of every muscle is the mean, as in `profundus.model.clues.reference_of`."""
    own, there = np.eye(len(groups)), np.array(electrodes)
    group, others = same_group(groups) * there, (1.0 - own) * there
    weight = np.where(group.sum(axis=1, keepdims=True) > 0, group, others)
    return np.where(there[:, None], own, weight / np.maximum(weight.sum(axis=1, keepdims=True), 1.0))


def later(values: Floats) -> Floats:
    """Return series (window, sample) as they are 90 ms later, when the windows' moments are."""
    share = LATE_S * SLOW.hz
    return np.asarray((1.0 - share) * values + share * shifted(values, -1), dtype=float)


def shifted(values: NDArray[Values], lag: int) -> NDArray[Values]:
    """Return series (window, sample, ...) ``lag`` samples later; their ends stay (of flags: are False)."""
    out = np.roll(values, lag, axis=1)
    if lag:
        ends = slice(0, lag) if lag > 0 else slice(values.shape[1] + lag, None)
        stays = values[:, :1] if lag > 0 else values[:, -1:]
        out[:, ends] = np.zeros_like(stays) if values.dtype == np.bool_ else stays
    return out
