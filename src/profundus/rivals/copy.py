"""The bar to clear: a deep muscle does what its nearest neighbor with an electrode does.

Nearness is read from the model, never from a true excitation:

1. same functional group (where the group has no electrode: any measured muscle), of those with an electrode that lasted
   through all trials, where there are any;
2. most similar moment arms over the recorded motion, by the RMS difference over the deep muscle's own RMS; differences within
   ``TIE`` of the smallest are no differences;
3. among those, most similar architecture: the ratio of tendon slack length to optimal fiber length, which sets how compliant the
   muscle is (Zajac 1989);
4. the order of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.records import Anatomy, Reconstruction, Trial, TrialReconstruction
from profundus.rivals.trials import other_muscles, several_people

Floats = NDArray[np.float64]
MomentArms = Callable[[Floats], Floats]
TIE = 0.1
LASTING = 0.9  # share of every trial in which an electrode that is copied is known


def copy_nearest(trials: Sequence[Trial], anatomy: Anatomy, moment_arms: MomentArms) -> Reconstruction:
    """Return the answer in which every muscle without an electrode copies its nearest measured neighbor (method ``copy``).

    ``moment_arms`` maps angles (time, coordinate) [rad] to (time, coordinate, muscle) [m], muscles in the order of the trials. Measured
    muscles keep their envelopes; where an envelope is missing, so is the copy (NaN). There is no band. Raises InputError for trials of
    several people, trials that differ in muscles, and people without any electrode.
    """
    neighbors = {name: (near,) for name, near in nearest(trials, anatomy, moment_arms).items()}
    return _copied("copy", trials, neighbors)


def copy_group(trials: Sequence[Trial], anatomy: Anatomy) -> Reconstruction:
    """Return the answer in which every muscle without an electrode does the mean of its group's measured ones (method ``copy_group``).

    The mean is over those known at the time; a group without an electrode follows the mean of all. Raises InputError as `copy_nearest`.
    """
    measured, deep = _parted(trials, anatomy)
    return _copied("copy_group", trials, {name: _of_group(name, measured, anatomy) for name in deep})


def copy_best(trials: Sequence[Trial], anatomy: Anatomy) -> Reconstruction:
    """Return the copy of whichever measured muscle comes nearest to the truth (method ``copy_best``): a yardstick in hindsight, no method.

    Nearest by RMSE over all trials. A muscle without truth stays unknown (NaN). Raises InputError as `copy_nearest`.
    """
    measured, deep = _parted(trials, anatomy)
    order = trials[0].muscles
    truth = np.concatenate([trial.truth for trial in trials])
    known = np.concatenate([np.where(trial.emg_valid, trial.emg, np.nan) for trial in trials])
    neighbors = {}
    for name in deep:
        squares = (known - truth[:, [order.index(name)]]) ** 2
        error = {other: _mean(squares[:, order.index(other)]) for other in measured}
        neighbors[name] = (min(error, key=lambda other: error[other]),) if np.isfinite(min(error.values())) else ()
    return _copied("copy_best", trials, neighbors)


def nearest(trials: Sequence[Trial], anatomy: Anatomy, moment_arms: MomentArms) -> dict[str, str]:
    """Return the nearest measured muscle of every muscle without an electrode, by the rule of this module."""
    measured, deep = _parted(trials, anatomy)
    order = trials[0].muscles
    arms = np.concatenate([np.asarray(moment_arms(trial.angle)) for trial in trials])
    found = {}
    for name in deep:
        candidates = _lasting(trials, _of_group(name, measured, anatomy))
        own = arms[..., order.index(name)]
        size = np.sqrt(np.mean(own**2))
        distance = {c: float(np.sqrt(np.mean((arms[..., order.index(c)] - own) ** 2)) / size) for c in candidates}
        tied = [c for c in candidates if distance[c] <= min(distance.values()) + TIE]
        found[name] = min(tied, key=lambda c: _unlikeness(anatomy, name, c))
    return found


def _parted(trials: Sequence[Trial], anatomy: Anatomy) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the muscles with and without an electrode, in the order of the trials."""
    names = trials[0].muscles if trials else ()
    problems = [*several_people(trials), *other_muscles(trials, names)]
    problems += [
        Problem("error", f"the model has no muscle '{name}'", expected="one of " + ", ".join(anatomy.muscles))
        for name in names
        if name not in anatomy.muscles
    ]
    measured = tuple(name for i, name in enumerate(names) if any(trial.measured[i] for trial in trials))
    if names and not measured:
        problems.append(Problem("error", f"{trials[0].subject}: no muscle has an electrode: there is nothing to copy"))
    if problems:
        raise InputError(problems)
    return measured, tuple(name for name in names if name not in measured)


def _of_group(name: str, measured: tuple[str, ...], anatomy: Anatomy) -> tuple[str, ...]:
    groups = dict(zip(anatomy.muscles, anatomy.groups, strict=True))
    return tuple(other for other in measured if groups[other] == groups[name]) or measured


def _lasting(trials: Sequence[Trial], electrodes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the electrodes that are known in nearly all samples of every trial, where there are any: a loose one is not copied."""
    shares = {name: min(float(t.emg_valid[:, t.muscles.index(name)].mean()) for t in trials) for name in electrodes}
    return tuple(name for name in electrodes if shares[name] >= LASTING) or electrodes


def _unlikeness(anatomy: Anatomy, one: str, other: str) -> float:
    """Return the absolute log ratio of two muscles' tendon slack length per optimal fiber length [-]."""
    relative_tendon = np.log(anatomy.tendon_slack_length / anatomy.optimal_fiber_length)
    return float(abs(relative_tendon[anatomy.muscles.index(one)] - relative_tendon[anatomy.muscles.index(other)]))


def _mean(values: Floats) -> float:
    """Return the mean of what is known, infinite where nothing is."""
    known = values[np.isfinite(values)]
    return float(np.mean(known)) if len(known) else np.inf


def _copied(method: str, trials: Sequence[Trial], neighbors: Mapping[str, tuple[str, ...]]) -> Reconstruction:
    return Reconstruction(method, trials[0].subject, tuple(_answer(trial, neighbors) for trial in trials))


def _answer(trial: Trial, neighbors: Mapping[str, tuple[str, ...]]) -> TrialReconstruction:
    known = np.where(trial.emg_valid, trial.emg, np.nan)
    excitation = known.copy()
    for name, near in neighbors.items():
        copied = known[:, [trial.muscles.index(other) for other in near]]
        count = np.sum(np.isfinite(copied), axis=1)
        total = np.nansum(copied, axis=1)
        excitation[:, trial.muscles.index(name)] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return TrialReconstruction(trial, excitation, excitation, excitation)
