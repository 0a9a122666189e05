"""The numbers behind the pictures of a comparison: scores of everybody at every load, levels near 90 degrees, the median person."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from profundus.records import Reconstruction, Scorecard, ScoreRow, TrialReconstruction
from profundus.records.recording import Role
from profundus.report.comparison_content import FLOOR, YARDSTICKS, ComparisonContent, SubjectAnswers
from profundus.report.comparison_physiology import levels_of
from profundus.validate.paired import Error, PairedRow, paired

Level = tuple[float, float, float]
Pooled = Literal["all", "load"]
SHOWN_AT_FIRST = 3


@dataclass(frozen=True)
class Levels:
    """Level of one muscle near 90 degrees at each of ``loads`` [kg], as (5 %, median, 95 %) over people, fractions of maximum.

    ``truth`` and each of ``methods`` hold one entry a load, None where nobody came near 90 degrees.
    """

    loads: tuple[float, ...]
    truth: tuple[Level | None, ...]
    methods: dict[str, tuple[Level | None, ...]]


def ratios(content: ComparisonContent, *, by: Error | None = None, pooled: Pooled = "all") -> tuple[PairedRow, ...]:
    """Return the paired comparison with the copy for the compared muscles, the best first; empty where the copy was not scored.

    ``by``: None is the error that leads the page.
    """
    wanted = tuple(row for row in rows_of(content, trial=pooled) if row.name in content.deep)
    if not any(row.method == FLOOR for row in wanted):
        return ()
    known = [
        row for row in _paired(Scorecard(wanted), content.role, pooled, by or content.error) if math.isfinite(row.ratio)
    ]
    return tuple(sorted(known, key=lambda row: (content.deep.index(row.name), row.ratio)))


@lru_cache(maxsize=8)
def _paired(card: Scorecard, role: Role, pooled: Pooled, by: Error) -> tuple[PairedRow, ...]:
    return paired(card, against=FLOOR, role=role, pooled=pooled, by=by)


def ranked(content: ComparisonContent, muscle: str) -> list[PairedRow]:
    """Return the paired rows of one muscle, the best method first, without the yardsticks that read the truth."""
    return [row for row in ratios(content) if row.name == muscle and row.method not in YARDSTICKS]


def rows_of(content: ComparisonContent, *, trial: str, quantity: str = "emg") -> list[ScoreRow]:
    """Return the score rows of the shown role with that pooling ("all", "load") or of that trial."""
    return [
        row
        for row in content.scorecard.rows
        if row.trial == trial and row.role == content.role and row.quantity == quantity
    ]


def loads_of(content: ComparisonContent) -> tuple[float, ...]:
    """Return the known loads of the shown trials [kg], light to heavy."""
    shown = {trial.load_kg for subject in content.subjects for trial in content.trials_of(subject)}
    return tuple(sorted(load for load in shown if math.isfinite(load)))


def cells(content: ComparisonContent, muscle: str) -> dict[tuple[str, str, float], ScoreRow]:
    """Return ``{(method, subject, load): row}``; where no load is known the load is NaN and the row is pooled over all trials."""
    known = bool(loads_of(content))
    rows = rows_of(content, trial="load" if known else "all")
    return {(row.method, row.subject, row.load_kg if known else -1.0): row for row in rows if row.name == muscle}


def moment_r2(content: ComparisonContent) -> dict[str, float]:
    """Return each method's median over people of R2 of the moment (the worst coordinate of each person)."""
    worst: dict[tuple[str, str], float] = {}
    for row in rows_of(content, trial="all", quantity="moment"):
        if math.isfinite(row.r2):
            worst[row.method, row.subject] = min(row.r2, worst.get((row.method, row.subject), math.inf))
    found = {method: [r2 for (name, _), r2 in worst.items() if name == method] for method in content.methods}
    return {method: float(np.median(values)) for method, values in found.items() if values}


def median_subject(content: ComparisonContent) -> int:
    """Return the place of the person whose errors, of our method over all deep muscles, are nearest to the median person's."""
    errors: dict[str, float] = {}
    for row in rows_of(content, trial="all"):
        if row.method == content.methods[0] and row.name in content.deep and row.nrmse > 0:
            errors[row.subject] = errors.get(row.subject, 0.0) + math.log(row.nrmse)
    if not errors:
        return 0
    middle = sorted(errors.values())[(len(errors) - 1) // 2]
    return next(place for place, subject in enumerate(content.subjects) if errors.get(subject.id) == middle)


def shown_at_first(content: ComparisonContent) -> tuple[str, ...]:
    """Return our method, the copy, and the best of the others: more lines would hide one another."""
    best = [row.method for name in content.deep[-1:] for row in ranked(content, name)]
    wanted = (content.methods[0], FLOOR, *best, *content.methods)
    known = [method for method in dict.fromkeys(wanted) if method in content.methods and method not in YARDSTICKS]
    return tuple(known[:SHOWN_AT_FIRST])


def levels(content: ComparisonContent, muscle: str) -> Levels | None:
    """Return the levels of one muscle near 90 degrees on the shown trials, None where nobody came there with a known load."""
    loads = loads_of(content)
    truth = [levels_of(_true(content, subject), muscle) for subject in content.subjects]
    methods = {
        method: [
            levels_of(_shown(content, answer), muscle)
            for subject in content.subjects
            if (answer := subject.answer(method)) is not None
        ]
        for method in content.methods
    }
    found = {method: tuple(_spread(people, load) for load in loads) for method, people in methods.items()}
    told = {method: values for method, values in found.items() if any(values)}
    return Levels(loads, tuple(_spread(truth, load) for load in loads), told) if told else None


def _shown(content: ComparisonContent, rec: Reconstruction) -> Reconstruction:
    return replace(rec, trials=tuple(part for part in rec.trials if part.trial.role == content.role))


def _true(content: ComparisonContent, subject: SubjectAnswers) -> Reconstruction:
    """Return the truth of the shown trials, in the form of an answer."""
    trials = content.trials_of(subject)
    return Reconstruction("truth", subject.id, tuple(TrialReconstruction(t, t.truth, t.truth, t.truth) for t in trials))


def _spread(people: Iterable[dict[float, float]], load: float) -> Level | None:
    values = [found[load] for found in people if math.isfinite(found.get(load, math.nan))]
    if not values:
        return None
    low, middle, high = np.percentile(values, [5.0, 50.0, 95.0])
    return float(low), float(middle), float(high)
