"""Marks of strangeness: numbers of one person's windows of which only extremes are suspicious, each made for one kind of wrong input."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from profundus.model.clues import (
    COMMON_SD,
    DEEP_SD,
    MIDDLE_RAD,
    MOMENT_RELATIVE_SD,
    MOMENT_SD,
    OTHER_SD,
    SEEN_SD,
    reference_of,
    same_group,
)
from profundus.model.habits import FEW_SAMPLES, habits
from profundus.model.windows import HZ, LATE_S, SAMPLES, USUAL_SCALE_SD, Windows

Floats = NDArray[np.float64]
DIRECT = (
    "moment_sign",
    "delay",
    "electrode_swap",
    "load",
    "load_limb",
    "load_per_kg",
    "load_trial",
    "strength",
    "envelope_noise",
)
LAGS = 4  # samples, either way
INDEPENDENT = 9.0 * SAMPLES / 4.0  # samples whose information a person's moments are given, however many there are
UNSURE_SCALE_SD = 3.0 * USUAL_SCALE_SD  # without maximal contractions nobody knows levels
GRAVITY_SD = 10.0  # N.m that the moment may hold beside the muscles', per sin(angle): free
SMALLEST = 0.05  # of gains


def marks(windows: Windows, seen: NDArray[np.bool_], groups: tuple[str, ...]) -> dict[str, float]:
    """Return the marks of one person's windows; ``seen`` (window, muscle) tells which muscles have an electrode where.

    ``moment_sign``: cosine between the moment and what generic muscles with these envelopes make. ``delay`` [s]: by how much envelopes lead
    the moment. ``electrode_swap``: log of how much better the moment would be explained were two electrodes, or the two sides of the joint,
    exchanged. ``load`` [N.m]: moment per sin(angle) that the muscles do not make. ``load_limb`` and ``load_per_kg`` [N.m, N.m/kg]: moment
    per sin(angle) without load and per stated kg; ``load_trial`` [kg]: by how much the load of the worst trial is off what its moment shows.
    ``strength``: log of the common gain. ``envelope_noise``: log of the size of the third differences of log envelopes.
    And the person's `habits`. What cannot be had is NaN: no electrode, no moment, one load only, less than six seconds. The order of windows
    and how often they are repeated changes nothing.
    """
    whole, electrodes = complete(windows, seen)
    found = dict.fromkeys(DIRECT, float("nan"))
    if electrodes.any():
        known = np.any(np.asarray(whole.moment) != 0, axis=1)
        told = Windows(*(field[known] for field in whole))
        if told.valid.sum() >= FEW_SAMPLES:
            found |= Balance(told, electrodes, groups).marks() | _limb(told)
        found["envelope_noise"] = _noise(whole, electrodes)
    usage = habits(whole, electrodes)
    if len(whole.scale_sd) and np.max(whole.scale_sd) > UNSURE_SCALE_SD:
        found["strength"] = float("nan")
        usage = {name: float("nan") if name.startswith("level") else value for name, value in usage.items()}
    return found | usage


def complete(windows: Windows, seen: NDArray[np.bool_]) -> tuple[Windows, NDArray[np.bool_]]:
    """Return the windows that have all of the electrodes (muscle,) which most windows have, and those electrodes."""
    electrodes = np.asarray(2 * np.sum(seen, axis=0) >= len(seen), dtype=bool)
    there = np.all(seen | ~electrodes, axis=1)
    return Windows(*(np.asarray(field)[there] for field in windows)), electrodes


class Balance:
    """The moments of one person against those of generic muscles whose envelopes, gains and electrodes may be moved about."""

    def __init__(self, windows: Windows, electrodes: NDArray[np.bool_], groups: tuple[str, ...]) -> None:
        self.electrodes, self.groups = electrodes, np.array(groups)
        self.level = np.asarray(windows.fast, dtype=float)
        self.capacity = np.asarray(windows.capacity, dtype=float).mean(axis=2)
        self.moment = np.asarray(windows.moment, dtype=float) - np.asarray(windows.passive, dtype=float).mean(axis=2)
        valid = np.asarray(windows.valid, dtype=bool)
        self.inner = valid & np.all([_shifted(valid, lag) for lag in (-LAGS, LAGS)], axis=0)
        if self.inner.sum() < FEW_SAMPLES:
            self.inner = valid
        motion = np.asarray(windows.motion, dtype=float)
        angle = motion[..., 0]
        basis = (np.ones_like(angle), angle - MIDDLE_RAD, motion[..., 1] / 2.0, np.sin(_later(angle)))
        self.basis = np.stack([column[self.inner] for column in basis], axis=1)
        self.wanted = self.moment[self.inner]
        weight = 1.0 / (MOMENT_RELATIVE_SD * np.abs(self.wanted) + MOMENT_SD) ** 2
        self.weight = weight * INDEPENDENT / len(self.wanted)

    @cached_property
    def share(self) -> Floats:
        """Return (muscle, muscle): of whose log envelopes that of every muscle is the mean."""
        count = len(self.electrodes)
        means = reference_of(np.eye(count)[None], self.electrodes[None].astype(float), same_group(tuple(self.groups)))
        return np.where(self.electrodes[:, None], np.eye(count), np.asarray(means, dtype=float)[0].T)

    @cached_property
    def scale(self) -> float:
        """Return the common gain that explains the moment best; SMALLEST where it would be less."""
        made = self.parts().sum(axis=1)
        return max(float(np.sum(self.weight * made * self.wanted) / np.sum(self.weight * made**2)), SMALLEST)

    @cached_property
    def exchanges(self) -> list[tuple[int, ...]]:
        """Return the exchanges of electrodes that are thought of: every two, and one side of the joint with the other."""
        there = [int(i) for i in np.flatnonzero(self.electrodes)]
        sides = [[i for i in there if self.groups[i] == group] for group in dict.fromkeys(self.groups[there])]
        whole = [tuple(sides[0] + sides[1])] if len(sides) == 2 and len(sides[0]) == len(sides[1]) > 1 else []
        return [*combinations(there, 2), *whole]

    def parts(self, *, lag: int = 0, exchange: Sequence[int] = ()) -> Floats:
        """Return every muscle's moment (sample, muscle) [N.m] at gain one, with envelopes ``lag`` samples later."""
        order = np.arange(len(self.electrodes))
        half = len(exchange) // 2
        order[list(exchange)] = [*exchange[half:], *exchange[:half]]
        level = _shifted(self.level[..., order], lag)[self.inner]
        return np.asarray(self.capacity[self.inner] * np.exp(level @ self.share.T))

    def explained(self, parts: Floats) -> tuple[float, Floats]:
        """Return the cost of the best gains and other moments, per independent sample, and what these are."""
        count = len(self.electrodes)
        design = np.concatenate([self.scale * parts, self.basis], axis=1)
        own = np.where(self.electrodes, SEEN_SD, DEEP_SD) ** 2
        prior = np.diag(np.concatenate([own, np.asarray([*OTHER_SD[:3], GRAVITY_SD]) ** 2]))
        prior[:count, :count] += COMMON_SD**2
        held = np.linalg.inv(prior)
        center = np.concatenate([np.ones(count), np.zeros(self.basis.shape[1])])
        left = self.wanted - design @ center
        weighted = design * self.weight[:, None]
        moved = np.linalg.solve(held + weighted.T @ design, weighted.T @ left)
        cost = np.sum(self.weight * (left - design @ moved) ** 2) + moved @ held @ moved
        return float(cost / INDEPENDENT), center + moved

    def marks(self) -> dict[str, float]:
        """Return the marks that the moment and the envelopes make together."""
        parts = self.parts()
        made = parts.sum(axis=1)
        size = np.sqrt(np.sum(self.weight * made**2) * np.sum(self.weight * self.wanted**2))
        cost, found = self.explained(parts)
        swapped = [self.explained(self.parts(exchange=exchange))[0] for exchange in self.exchanges]
        positive = float(np.sum(self.weight * made * self.wanted))
        return {
            "moment_sign": positive / float(size + 1e-9),
            "delay": self.delay(),
            "electrode_swap": float(np.log((cost + 0.02) / (min(swapped) + 0.02))) if swapped else float("nan"),
            "load": float(found[-1]),
            "strength": float(np.log(self.scale)) if positive > 0 else float("nan"),
        }

    def delay(self) -> float:
        """Return by how much envelopes lead the moment [s], between the samples by a parabola through the costs."""
        lags = np.arange(-LAGS, LAGS + 1)
        cost = np.array([self.explained(self.parts(lag=int(lag)))[0] for lag in lags])
        best = int(np.argmin(cost))
        between = 0.0
        if 0 < best < len(lags) - 1:
            before, here, after = np.log(cost[best - 1 : best + 2] + 1e-6)
            between = 0.5 * (before - after) / max(before - 2.0 * here + after, 1e-9)
        return float(LATE_S + (lags[best] + between) / HZ)

    def likely_exchange(self) -> tuple[int, ...]:
        """Return the muscles whose electrodes, exchanged (the first half with the second), would explain the moment best."""
        return min(self.exchanges, key=lambda exchange: self.explained(self.parts(exchange=exchange))[0], default=())


def _limb(windows: Windows) -> dict[str, float]:
    """Return the marks that the moment makes with motion and stated loads, whatever the muscles do: they hold a limb and a load.

    moment = (limb + load x per kg) x sin(angle) + (inertias) x acceleration + constant.
    """
    nothing = dict.fromkeys(("load_limb", "load_per_kg", "load_trial"), float("nan"))
    load = np.asarray(windows.load, dtype=float)
    if not np.isfinite(load).all() or np.ptp(load) < 0.5:
        return nothing
    valid = np.asarray(windows.valid, dtype=bool) & _shifted(np.asarray(windows.valid, dtype=bool), -1)
    angle, acceleration = (_later(np.asarray(windows.motion[..., i], dtype=float))[valid] for i in (0, 2))
    kg = np.broadcast_to(load[:, None], valid.shape)[valid]
    moment = np.asarray(windows.moment, dtype=float)[valid]
    hanging = np.sin(angle)
    design = np.stack([hanging, kg * hanging, acceleration, kg * acceleration, np.ones_like(angle)], axis=1)
    found = np.linalg.lstsq(design, moment, rcond=None)[0]
    left = moment - design @ found
    trial = np.broadcast_to(np.arange(len(load))[:, None], valid.shape)[valid]
    worth = found[1] * hanging + found[3] * acceleration
    off = [np.sum(worth[trial == i] * left[trial == i]) / (np.sum(worth[trial == i] ** 2) + 1e-6) for i in set(trial)]
    return {"load_limb": float(found[0]), "load_per_kg": float(found[1]), "load_trial": float(np.max(np.abs(off)))}


def _noise(windows: Windows, electrodes: NDArray[np.bool_]) -> float:
    """Return the log of the median absolute third difference of log envelopes, the mean over electrodes."""
    valid = np.asarray(windows.valid, dtype=bool)
    inside = valid[:, 3:] & valid[:, :-3]
    if inside.sum() < FEW_SAMPLES:
        return float("nan")
    rough = np.abs(np.diff(np.asarray(windows.fast, dtype=float), n=3, axis=1))[inside][:, electrodes]
    return float(np.mean(np.log(np.median(rough, axis=0) + 1e-4)))


def _later(values: Floats) -> Floats:
    """Return series (window, sample) as they are when the moment is that of 90 ms later."""
    share = LATE_S * HZ
    return np.asarray((1.0 - share) * values + share * _shifted(values, -1))


def _shifted(values: NDArray[np.generic], lag: int) -> NDArray[np.generic]:
    """Return series (window, sample, ...) ``lag`` samples later; their ends stay (of flags: are False)."""
    out = np.roll(values, lag, axis=1)
    ends = slice(0, lag) if lag > 0 else slice(values.shape[1] + lag, None)
    if lag:
        out[:, ends] = False if values.dtype == bool else values[:, :1] if lag > 0 else values[:, -1:]
    return out
