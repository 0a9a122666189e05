"""How good a learned prior is for virtual people it has not learned from, beside its reference: the numbers of its card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import binom

from profundus.pretrain.answering import USUAL, Answers, condition_of, errors_of
from profundus.pretrain.calibrating import NINETY_PERCENT, Calibration

Floats = NDArray[np.float64]
Rows = list[dict[str, Any]]
BINS = 20
SHARES = tuple(round(0.1 * n, 1) for n in range(1, 10))
FEW = 3  # people or fewer are no group
DIGITS = 4


class Judged(NamedTuple):
    """Rows for each set of electrodes, and with the usual ones for control strategies and loads; and the ranks of the truth."""

    scores: Rows
    families: Rows
    loads: Rows
    ranks: Rows


class Each(NamedTuple):
    """One muscle of every person (person,), over some of his windows."""

    rmse: Floats
    reference_rmse: Floats
    r: Floats
    reference_r: Floats
    course_rmse: Floats
    reference_course_rmse: Floats
    held: Floats
    course_held: Floats


def judged(
    answers: Mapping[str, Answers],
    calibration: Calibration,
    muscles: tuple[str, ...],
    families: tuple[str, ...],
    usual: NDArray[np.bool_],
) -> Judged:
    """Return all scores of answers by condition: errors in fractions of maximum, ratios to the reference, shares that 90 % bands hold.

    Ranks are those of simulation-based calibration (Talts et al. 2018): where in its own posterior the truth lies.
    """
    scores, groups, loads, ranks = [], [], [], []
    for name, found in answers.items():
        for muscle in _hidden(found):
            scores.append({"electrodes": name, "muscle": muscles[muscle], **_score(found, calibration, muscle)})
    for muscle in range(len(muscles)):
        name = condition_of(muscle, muscles, usual)
        ranks.append({"electrodes": name, "muscle": muscles[muscle], **_ranks(answers[name], calibration, muscle)})
    found = answers[USUAL]
    for muscle in _hidden(found):
        for index, family in enumerate(families):
            people = np.flatnonzero(found.family == index)
            if len(people) > FEW:
                score = _score(found.part(people), calibration, muscle)
                groups.append({"muscle": muscles[muscle], "family": family, **score})
        loads += [{"muscle": muscles[muscle], **row} for row in _by_load(found, calibration, muscle)]
    return Judged(scores, groups, loads, ranks)


def _hidden(answers: Answers) -> list[int]:
    """Return the muscles without an electrode."""
    return [int(muscle) for muscle in np.flatnonzero(~answers.seen)]


def _score(answers: Answers, calibration: Calibration, muscle: int) -> dict[str, Any]:
    each = _each(answers, calibration, muscle, answers.valid)
    level = errors_of(answers).level[:, muscle]
    level_sd = calibration.level_factor[muscle] * answers.level_sd[:, muscle]
    return _rounded(
        people=answers.people,
        rmse=np.median(each.rmse),
        rmse_ratio=_ratio(each.rmse, each.reference_rmse),
        better=np.mean(each.rmse < each.reference_rmse),
        r=np.median(each.r),
        reference_r=np.median(each.reference_r),
        level_mean=level.mean(),
        level_rms=np.sqrt(np.mean(level**2)),
        course_rmse=np.median(each.course_rmse),
        course_ratio=_ratio(each.course_rmse, each.reference_course_rmse),
        held=each.held.mean(),
        held_least=each.held.min(),
        level_held=np.mean(np.abs(level) < NINETY_PERCENT * level_sd),
        course_held=each.course_held.mean(),
    )


def _by_load(answers: Answers, calibration: Calibration, muscle: int) -> Rows:
    rows = []
    for load in np.unique(answers.load[np.isfinite(answers.load)]):
        there = answers.valid & (answers.load == load)[..., None]
        people = np.flatnonzero(there.any(axis=(1, 2)))
        if len(people) > FEW:
            each = _each(answers.part(people), calibration, muscle, there[people])
            row = _rounded(
                people=len(people),
                rmse=np.median(each.rmse),
                rmse_ratio=_ratio(each.rmse, each.reference_rmse),
                held=each.held.mean(),
            )
            rows.append({"load_kg": float(load), **row})
    return rows


def _each(answers: Answers, calibration: Calibration, muscle: int, counted: NDArray[np.bool_]) -> Each:
    """Return a muscle's errors person by person over the samples ``counted`` (person, window, sample)."""
    middle, truth, reference = (values[..., muscle] for values in (answers.middle, answers.truth, answers.reference))
    level = errors_of(answers).level[:, muscle, None, None]
    course_sd = calibration.course_factor[muscle] * answers.course_sd[..., muscle]
    sd = np.hypot(course_sd, calibration.level_factor[muscle] * answers.level_sd[:, muscle, None, None])
    held = np.abs(truth - middle) < NINETY_PERCENT * sd
    course_held = np.abs(truth - middle - level) < NINETY_PERCENT * course_sd
    rows = []
    for person in range(answers.people):
        own = counted[person]
        true, estimate, usual = (np.exp(values[person][own]) for values in (truth, middle, reference))
        rows.append(
            (
                *(_rmse(true, estimate), _rmse(true, usual), _r(true, estimate), _r(true, usual)),
                *(_rmse(true, _scaled(estimate, true)), _rmse(true, _scaled(usual, true))),
                *(held[person][own].mean(), course_held[person][own].mean()),
            )
        )
    return Each(*np.array(rows, dtype=float).T)


def _ranks(answers: Answers, calibration: Calibration, muscle: int) -> dict[str, Any]:
    """Return where in their posteriors true levels and samples lie: counts in 20 bins of [0, 1], and how much 10 to 90 % bands hold."""
    level = errors_of(answers).level[:, muscle] / (calibration.level_factor[muscle] * answers.level_sd[:, muscle])
    level_sd = calibration.level_factor[muscle] * answers.level_sd[:, muscle, None, None]
    sd = np.hypot(calibration.course_factor[muscle] * answers.course_sd[..., muscle], level_sd)
    sample = ((answers.truth - answers.middle)[..., muscle] / sd)[answers.valid]
    counts, shares = (np.histogram(ndtr(z), BINS, (0.0, 1.0))[0] for z in (level, sample))
    expected = binom.ppf([0.05, 0.95], answers.people, 1 / BINS)
    limits = ndtri(0.5 + np.array(SHARES) / 2)
    return {
        "people": answers.people,
        "level": counts.tolist(),
        "level_expected": expected.astype(int).tolist(),
        "sample": np.round(shares / shares.sum(), DIGITS).tolist(),
        "bands": list(SHARES),
        "level_held": [round(float(np.mean(np.abs(level) < limit)), DIGITS) for limit in limits],
        "held": [round(float(np.mean(np.abs(sample) < limit)), DIGITS) for limit in limits],
    }


def _rmse(true: Floats, estimate: Floats) -> float:
    return float(np.sqrt(np.mean((true - estimate) ** 2)))


def _scaled(estimate: Floats, true: Floats) -> Floats:
    """Return an estimate times the scalar that makes its square error least."""
    return np.asarray(estimate * (true @ estimate) / (estimate @ estimate))


def _r(true: Floats, estimate: Floats) -> float:
    """Return the correlation; zero where one of them does not move."""
    a, b = true - true.mean(), estimate - estimate.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else 0.0


def _ratio(one: Floats, other: Floats) -> float:
    """Return the geometric mean over people of ratios of errors."""
    return float(np.exp(np.mean(np.log(one / other))))


def _rounded(**values: Any) -> dict[str, Any]:
    return {name: value if isinstance(value, int) else round(float(value), DIGITS) for name, value in values.items()}
