"""How far a network's doubts can be believed: measured on people it has not learned from, and made right for ninety percent of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from profundus.pretrain.answering import Answers, Errors, condition_of, errors_of

Floats = NDArray[np.float64]
SHARE = 0.9
NINETY_PERCENT = 1.6448536269514722  # of a standard normal distribution, to either side
LEAST = 1e-6  # eigenvalue of a correlation


class Calibration(NamedTuple):
    """What the standard deviations of levels and courses are multiplied by (muscle,), how long an error of the course lasts (muscle,) [s],
    and how errors of levels go together (muscle, muscle)."""

    level_factor: Floats
    course_factor: Floats
    course_memory_s: Floats
    level_correlation: Floats


def calibrated(
    answers: Mapping[str, Answers], muscles: tuple[str, ...], usual: NDArray[np.bool_], *, hz: float
) -> Calibration:
    """Return the calibration of a network from answers by condition, each muscle where it has no electrode.

    ``hz`` is the rate of the samples.

    Split conformal prediction (Lei et al. 2018): the 90 % quantile of errors over standard deviations, of people for levels, of all their
    samples for courses, over that of a normal distribution.
    """
    errors = {name: errors_of(found) for name, found in answers.items()}
    levels, courses, memories = [], [], []
    for muscle in range(len(muscles)):
        name = condition_of(muscle, muscles, usual)
        found, wrong = answers[name], errors[name]
        course = wrong.course[..., muscle] / found.course_sd[..., muscle]
        levels.append(quantile(np.abs(wrong.level[:, muscle] / found.level_sd[:, muscle])) / NINETY_PERCENT)
        courses.append(quantile(np.abs(course[found.valid])) / NINETY_PERCENT)
        memories.append(memory(course, found.valid) / hz)
    parts = (np.array(values) for values in (levels, courses, memories))
    return Calibration(*parts, level_correlation=_correlation(answers, errors, muscles, usual))


def mean_level(answers: Mapping[str, Answers], muscles: tuple[str, ...], usual: NDArray[np.bool_]) -> Floats:
    """Return the mean log factor from estimates to the truth (muscle,), each muscle where it has no electrode."""
    errors = {name: errors_of(found).level for name, found in answers.items()}
    each = [errors[condition_of(i, muscles, usual)][:, i].mean() for i in range(len(muscles))]
    return np.asarray(each, dtype=float)


def quantile(values: Floats) -> float:
    """Return the value that a further one exceeds with a chance of one in ten at most; the largest, where there are too few to tell."""
    rank = min(int(np.ceil(SHARE * (len(values) + 1))), len(values))
    return float(np.partition(values, rank - 1)[rank - 1])


def memory(course: Floats, valid: NDArray[np.bool_]) -> float:
    """Return the lag [samples] at which the autocorrelation of errors (person, window, sample) falls to 1/e.

    That of half a window where it falls no faster: windows are too short to tell.
    """
    longest = course.shape[-1] // 2
    counted = np.where(valid, course, 0.0)
    power = np.sum(counted**2) / max(int(valid.sum()), 1)
    before = 1.0
    for lag in range(1, longest + 1):
        pairs = max(int((valid[..., :-lag] & valid[..., lag:]).sum()), 1)
        now = float(np.sum(counted[..., :-lag] * counted[..., lag:])) / pairs / max(power, LEAST)
        if now < np.exp(-1):
            return float(lag - 1 + (before - np.exp(-1)) / (before - now))
        before = now
    return float(longest)


def _correlation(
    answers: Mapping[str, Answers], errors: Mapping[str, Errors], muscles: tuple[str, ...], usual: NDArray[np.bool_]
) -> Floats:
    """Return how levels go together, each pair where both muscles have no electrode; zero for two usual electrodes, which are never asked
    for together. Made positive definite, as pairs come from several conditions."""
    count = len(muscles)
    found = np.eye(count)
    for one in range(count):
        for other in range(one):
            if not (usual[one] and usual[other]):
                name = condition_of(one if usual[one] else other, muscles, usual)
                pair = errors[name].level[:, [one, other]] / answers[name].level_sd[:, [one, other]]
                found[one, other] = found[other, one] = np.mean(_standardized(pair[:, 0]) * _standardized(pair[:, 1]))
    values, vectors = np.linalg.eigh(found)
    positive = (vectors * np.maximum(values, LEAST)) @ vectors.T
    size = np.sqrt(np.diag(positive))
    return np.asarray(positive / np.outer(size, size))


def _standardized(values: Floats) -> Floats:
    return np.asarray((values - values.mean()) / max(float(values.std()), LEAST))
