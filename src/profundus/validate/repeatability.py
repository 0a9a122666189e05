"""How well a muscle repeats itself: what a person's own envelope in some trials tells of the same muscle in others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from profundus.errors import InputError, Problem
from profundus.records import Reconstruction, Trial, TrialReconstruction
from profundus.validate import metrics
from profundus.validate.hiding import hidden

Floats = NDArray[np.float64]
METHOD = "own_pattern"
STRETCH_S = 1.0
SAME_LENGTH, SAME_COURSE, MOVES = 0.2, 0.15, 0.05


@dataclass(frozen=True)
class Repeats:
    """Mean correlation and nRMSE [-] of a muscle's envelope over the ``pairs`` of trials that repeat each other; NaN without any."""

    r: float
    nrmse: float
    pairs: int


def own_pattern(trials: Sequence[Trial], muscle: str) -> Reconstruction:
    """Return the test trials as the muscle's own envelope in the fit trials foretells them (method ``own_pattern``).

    At every instant: the mean of the envelope over the nearest states of the fit trials, one from each stretch of a second at most, the
    nearest sqrt(number of stretches) of them. A state is angle, velocity, acceleration and load (load only where all trials know it), each
    over its standard deviation in the fit trials. In cyclic motion this is the average of the nearest cycles: of strides, in gait.

    It knows what no method knows, the muscle's own electrode, and stands beside a hidden muscle as what a person's own average tells. It
    is no strict bound: it does not see the neighbors' envelopes of the instant, and a method that does can beat it. Other muscles are NaN,
    the trials are those of `hidden`, there is no band. Raises InputError as `hidden`, and where there is no test trial or nothing to learn.
    """
    seen = hidden(trials, muscle)
    test = [trial for trial in seen if trial.role == "test"]
    load = not any(np.isnan(trial.load_kg) for trial in trials)
    pattern = _learned([trial for trial in trials if trial.role == "fit"], muscle, load=load)
    problems = []
    if not test:
        problems.append(Problem("error", f"{trials[0].subject}: there is no test trial to foretell"))
    if pattern is None:
        what = (
            f"{trials[0].subject}: {muscle} has no valid envelope in fit trials that move: it has no pattern of its own"
        )
        problems.append(Problem("error", what))
    if pattern is None or problems:
        raise InputError(problems)
    return Reconstruction(METHOD, trials[0].subject, tuple(_answer(trial, muscle, pattern) for trial in test))


def trial_to_trial(trials: Sequence[Trial], muscle: str) -> Repeats:
    """Return how well the muscle's envelope repeats from trial to trial, the mean over all pairs of repetitions.

    Two trials repeat each other if load and kind of motion are the same (or unknown in both), their lengths differ by less than 20 %
    and, put on one time base from start to end, every coordinate that moves (by more than 0.05 rad) agrees within 15 % of its range.
    nRMSE is over the mean range of the two envelopes. Raises InputError for a muscle that no trial has.
    """
    if unknown := [trial.name for trial in trials if muscle not in trial.muscles]:
        raise InputError(Problem("error", f"there is no muscle '{muscle}' in {', '.join(unknown)}"))
    found = []
    for one, other in combinations(trials, 2):
        if _repeat(one, other):
            x, y = _on_one_base(one, other, *(_known(trial, muscle)[:, None] for trial in (one, other)))
            extent = np.mean([np.ptp(known) if len(known) else np.nan for known in metrics.both(x[:, 0], y[:, 0])])
            r, error = metrics.pearson_r(x[:, 0], y[:, 0]), metrics.rmse(x[:, 0], y[:, 0])
            if np.isfinite(r) and extent > 0:
                found.append((r, error / extent))
    r, nrmse = np.mean(np.array(found), axis=0) if found else (np.nan, np.nan)
    return Repeats(float(r), float(nrmse), len(found))


@dataclass(frozen=True)
class _Pattern:
    """A muscle's envelope over the states of the fit trials: a tree of states and the envelope (time,) at them, for every stretch."""

    load: bool
    of_use: NDArray[np.bool_]
    spread: Floats
    stretches: tuple[tuple[cKDTree, Floats], ...]

    def __call__(self, state: Floats) -> Floats:
        """Return the mean envelope (time,) over the stretches that come nearest to each state (time, quantity)."""
        distances, values = np.empty((2, len(self.stretches), len(state)))
        for i, (tree, envelope) in enumerate(self.stretches):
            distances[i], place = tree.query(state[:, self.of_use] / self.spread)
            values[i] = envelope[place]
        nearest = np.argsort(distances, axis=0, kind="stable")[: round(len(values) ** 0.5)]
        return np.asarray(np.take_along_axis(values, nearest, axis=0).mean(axis=0))


def _learned(fit: Sequence[Trial], muscle: str, *, load: bool) -> _Pattern | None:
    parts = [part for trial in fit for part in _stretches(trial, muscle, load=load)]
    if not parts:
        return None
    spread = np.std(np.concatenate([state for state, _ in parts]), axis=0)
    of_use = spread > 1e-9
    if not of_use.any():
        return None
    spread = spread[of_use]
    return _Pattern(load, of_use, spread, tuple((cKDTree(state[:, of_use] / spread), known) for state, known in parts))


def _state(trial: Trial, *, load: bool) -> Floats:
    """Return the state (time, quantity) at every instant of a trial."""
    motion = np.hstack([trial.angle, trial.velocity, trial.acceleration])
    return np.hstack([motion, np.full((len(motion), 1), trial.load_kg)]) if load else motion


def _known(trial: Trial, muscle: str) -> Floats:
    at = trial.muscles.index(muscle)
    return np.where(trial.emg_valid[:, at], trial.emg[:, at], np.nan)


def _stretches(trial: Trial, muscle: str, *, load: bool) -> Iterator[tuple[Floats, Floats]]:
    """Yield state (time, quantity) and envelope (time,) of every stretch, at the instants at which both are known."""
    state, envelope, length = _state(trial, load=load), _known(trial, muscle), max(1, round(STRETCH_S / trial.step))
    known = np.isfinite(envelope) & np.isfinite(state).all(axis=1)
    for start in range(0, len(envelope), length):
        here = start + np.flatnonzero(known[start : start + length])
        if len(here):
            yield state[here], envelope[here]


def _answer(trial: Trial, muscle: str, pattern: _Pattern) -> TrialReconstruction:
    state = _state(trial, load=pattern.load)
    there = np.isfinite(state).all(axis=1)
    excitation = np.full((len(trial.time), len(trial.muscles)), np.nan)
    excitation[there, trial.muscles.index(muscle)] = pattern(state[there])
    return TrialReconstruction(trial, excitation, excitation, excitation)


def _repeat(one: Trial, other: Trial) -> bool:
    """Return whether two trials are repetitions of the same movement."""
    loads = np.array([one.load_kg, other.load_kg])
    if one.motion != other.motion or not (np.isnan(loads).all() or np.ptp(loads) < 1e-6):
        return False
    lengths = len(one.time) * one.step, len(other.time) * other.step
    if one.coordinates != other.coordinates or max(lengths) > (1 + SAME_LENGTH) * min(lengths):
        return False
    x, y = _on_one_base(one, other, one.angle, other.angle)
    extent = np.maximum(np.ptp(x, axis=0), np.ptp(y, axis=0))
    moving = extent > MOVES
    apart = np.sqrt(np.mean((x - y) ** 2, axis=0))
    return bool(moving.any() and np.all(apart[moving] <= SAME_COURSE * extent[moving]))


def _on_one_base(one: Trial, other: Trial, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return two trials' columns (time, column) from start to end of each, on as many samples as the longer one has."""
    base = np.linspace(0.0, 1.0, max(len(one.time), len(other.time)))
    stretched = (
        np.column_stack([np.interp(base, np.linspace(0.0, 1.0, len(values)), column) for column in values.T])
        for values in (x, y)
    )
    first, second = stretched
    return first, second
