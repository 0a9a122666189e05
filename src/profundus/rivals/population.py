"""What other people teach: a regression from envelopes, motion, load and moment to deep excitations, learned where these are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold

from profundus.errors import InputError, Problem
from profundus.quantities import out_of_range, quantity
from profundus.records import Reconstruction, Trial, TrialReconstruction
from profundus.rivals.trials import several_people

Floats = NDArray[np.float64]
Known = tuple[str, ...]
EXTRAS = ("load", "moment")
WAYS: tuple[Known, ...] = tuple(known for n in range(len(EXTRAS) + 1) for known in combinations(EXTRAS, n))
FLOOR = 0.005  # fraction of maximum; keeps the logarithm of a silent muscle finite


@dataclass(frozen=True)
class RegressionSettings:
    """How the population is learned from; ``target`` "log": logarithms of envelopes and excitations, "linear": themselves."""

    target: Literal["log", "linear"] = "log"
    ridge: float = quantity(
        "-", low=0.0, high=100.0, default=0.01, meaning="penalty on standardized weights, per sample"
    )
    smoothing: float = quantity("s", low=0.0, high=1.0, default=0.06, meaning="Gaussian sd that smooths envelopes")
    every: float = quantity("s", low=0.0, high=1.0, default=0.04, meaning="time between samples that are learned from")
    folds: int = quantity("-", low=2, high=100, default=5, meaning="parts of the people left out in turn for the bands")


@dataclass(frozen=True)
class LinearRule:
    """Target = ``weights`` (feature, target) times features + ``offset``; ``low``, ``high``: 5 and 95 % of errors in people left out."""

    weights: Floats
    offset: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class PopulationRegression:
    """What was learned from ``people`` people: a rule for each set of known things (load, moment) beside envelopes and motion."""

    measured: tuple[str, ...]
    targets: tuple[str, ...]
    coordinates: tuple[str, ...]
    settings: RegressionSettings
    people: int
    rules: Mapping[Known, LinearRule]


def learn_population(
    people: Sequence[Sequence[Trial]],
    measured: Sequence[str],
    targets: Sequence[str],
    settings: RegressionSettings | None = None,
) -> PopulationRegression:
    """Return the ridge regression from the envelopes of ``measured`` muscles to the true excitations of ``targets``.

    ``people`` are (virtual) people whose trials hold the truth of the targets and envelopes of the measured muscles. Loads and moments
    that some trials lack are learned from in the others. Raises InputError for fewer than two people and for muscles they do not have.
    """
    chosen = settings or RegressionSettings()
    problems = [*out_of_range(chosen), *_unteachable(people, measured, targets)]
    if problems:
        raise InputError(problems)
    names = tuple(measured)
    samples = [
        (number, trial, np.arange(0, len(trial.time), max(1, round(chosen.every / trial.step))))
        for number, trial in ((number, trial) for number, person in enumerate(people) for trial in person)
    ]
    group = np.concatenate([np.full(len(at), number) for number, _, at in samples])
    excitation = np.concatenate([_columns(trial, targets, trial.truth)[at] for _, trial, at in samples])
    values = _bent(excitation, chosen)
    rules = {}
    for known in WAYS:
        inputs = np.concatenate([_features(trial, names, known, chosen)[at] for _, trial, at in samples])
        usable = np.isfinite(inputs).all(axis=1) & np.isfinite(values).all(axis=1)
        if len(np.unique(group[usable])) > 1:
            rules[known] = _rule(inputs[usable], values[usable], group[usable], chosen)
    if () not in rules:
        why = "fewer than two people have the truth of all targets and all envelopes at the same time"
        raise InputError(Problem("error", f"population regression: {why}"))
    return PopulationRegression(names, tuple(targets), people[0][0].coordinates, chosen, len(people), rules)


def population_regression(
    trials: Sequence[Trial], learned: PopulationRegression, *, method: str = "population_regression"
) -> Reconstruction:
    """Return the answer that people like those learned from would give, with a 90 % band; there is no moment.

    Every sample is answered by the rule that knows most of what is known of it. Measured muscles keep their envelopes; muscles that were
    not learned, and samples at which an envelope is missing, are unknown (NaN). Raises InputError for several people and for trials
    that lack a muscle or coordinate.
    """
    problems = several_people(trials)
    for trial in trials:
        lacking = [name for name in (*learned.measured, *learned.targets) if name not in trial.muscles]
        if lacking:
            problems.append(Problem("error", f"{trial.name}: no muscle " + ", ".join(lacking)))
        if trial.coordinates != learned.coordinates:
            problems.append(
                Problem(
                    "error",
                    f"{trial.name}: coordinates {', '.join(trial.coordinates)}",
                    expected=", ".join(learned.coordinates),
                )
            )
    if problems:
        raise InputError(problems)
    return Reconstruction(method, trials[0].subject, tuple(_answer(trial, learned) for trial in trials))


def _rule(inputs: Floats, values: Floats, group: Floats, settings: RegressionSettings) -> LinearRule:
    errors = np.empty_like(values)
    parts = GroupKFold(n_splits=min(settings.folds, len(np.unique(group))))
    for kept, left_out in parts.split(inputs, groups=group):
        weights, offset = _fitted(inputs[kept], values[kept], settings)
        errors[left_out] = values[left_out] - inputs[left_out] @ weights - offset
    return LinearRule(*_fitted(inputs, values, settings), *np.quantile(errors, (0.05, 0.95), axis=0))


def _fitted(inputs: Floats, values: Floats, settings: RegressionSettings) -> tuple[Floats, Floats]:
    """Return weights (feature, target) and offset (target,) for inputs as they are, penalized as if each varied by one."""
    mean, spread = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-9)
    ridge = Ridge(alpha=settings.ridge * len(inputs), solver="svd").fit((inputs - mean) / spread, values)
    weights = ridge.coef_.reshape(values.shape[1], -1).T / spread[:, None]
    return weights, ridge.intercept_ - mean @ weights


def _features(trial: Trial, measured: Sequence[str], known: Known, settings: RegressionSettings) -> Floats:
    """Return what is put in (time, feature); NaN where an envelope, or a load or moment that is ``known``, is missing."""
    envelopes = _columns(trial, measured, np.where(trial.emg_valid, trial.emg, np.nan))
    parts = [_bent(_smoothed(envelopes, settings.smoothing / trial.step), settings), trial.angle, trial.velocity]
    if "load" in known:
        parts.append(np.full((len(trial.time), 1), trial.load_kg))
    if "moment" in known:
        parts.append(np.where(trial.moment_valid, trial.moment, np.nan))
    return np.concatenate(parts, axis=1)


def _answer(trial: Trial, learned: PopulationRegression) -> TrialReconstruction:
    excitation = np.where(trial.emg_valid, trial.emg, np.nan)
    lower, upper = excitation.copy(), excitation.copy()
    columns = np.array([trial.muscles.index(name) for name in learned.targets])
    for series in (excitation, lower, upper):
        series[:, columns] = np.nan
    for known, rule in learned.rules.items():  # from least to most known
        value = _features(trial, learned.measured, known, learned.settings) @ rule.weights + rule.offset
        answered = np.isfinite(value).all(axis=1)
        for series, error in ((excitation, np.zeros_like(rule.low)), (lower, rule.low), (upper, rule.high)):
            series[np.ix_(answered.nonzero()[0], columns)] = _straight(value[answered] + error, learned.settings)
    return TrialReconstruction(trial, excitation, lower, upper)


def _bent(excitation: Floats, settings: RegressionSettings) -> Floats:
    return np.log(np.maximum(excitation, 0.0) + FLOOR) if settings.target == "log" else excitation


def _straight(value: Floats, settings: RegressionSettings) -> Floats:
    return np.clip(np.exp(value) - FLOOR if settings.target == "log" else value, 0.0, 1.0)


def _smoothed(columns: Floats, sd: float) -> Floats:
    """Return columns (time, column) smoothed over ``sd`` samples; what is unknown stays so and does not count for its neighbors."""
    known = np.isfinite(columns)
    if sd <= 0.0:
        return columns
    total = gaussian_filter1d(np.where(known, columns, 0.0), sd, axis=0)
    share = gaussian_filter1d(known.astype(float), sd, axis=0)
    return np.where(known, total / np.where(known, share, 1.0), np.nan)


def _columns(trial: Trial, names: Sequence[str], values: Floats) -> Floats:
    return values[:, [trial.muscles.index(name) for name in names]]


def _unteachable(people: Sequence[Sequence[Trial]], measured: Sequence[str], targets: Sequence[str]) -> list[Problem]:
    who = "population regression"
    problems = []
    if len(people) < 2 or not all(people):
        problems.append(
            Problem("error", f"{who}: {len(people)} people, or some without trials", expected="two or more")
        )
    if not measured or not targets or set(measured) & set(targets):
        problems.append(
            Problem("error", f"{who}: measured muscles and targets overlap or are none", expected="some of each")
        )
    trials = [trial for person in people for trial in person]
    for name in (*measured, *targets):
        if any(name not in trial.muscles for trial in trials):
            problems.append(Problem("error", f"{who}: some of the people have no muscle '{name}'"))
    if len({trial.coordinates for trial in trials}) > 1:
        problems.append(Problem("error", f"{who}: the people's coordinates differ"))
    return problems
