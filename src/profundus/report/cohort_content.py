"""What the page of a cohort tells: one line of numbers a person, whatever else there is of him stays in his folder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from profundus.errors import Problem
from profundus.records import Flag, Scorecard
from profundus.report.verdict import pooled_rows
from profundus.validate.paired import Error

EXAMPLES = 5
MOST_KINDS = 200
"""Kinds of problems that are told apart; a cohort repeats itself long before."""


@dataclass(frozen=True)
class MuscleScore:
    """How one person's answer for a muscle is: ``ratio`` is the error over that of the copy, NaN where one of them is unknown."""

    r: float
    error: float
    ratio: float
    held: float


@dataclass(frozen=True)
class PersonLine:
    """One person: scores of muscles whose truth is known, how much of each moment is explained, and how he was pooled ("test", "fit")."""

    id: str
    muscles: Mapping[str, MuscleScore]
    moment_r2: Mapping[str, float]
    role: str
    converged: bool

    @property
    def worst(self) -> float:
        """Return how bad the worst of his muscles is, relative to the copy; where no truth is known, how much of a moment is missed."""
        ratios = [score.ratio for score in self.muscles.values() if math.isfinite(score.ratio)]
        missed = [1.0 - r2 for r2 in self.moment_r2.values() if math.isfinite(r2)]
        return max(ratios or missed or [0.0])


@dataclass
class Counted:
    """How many people something was said of, and the first of them."""

    people: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, person: str) -> None:
        """Count one person."""
        self.people += 1
        if len(self.first) < EXAMPLES:
            self.first.append(person)


@dataclass
class CohortContent:
    """Everything a cohort's page shows; people are added one by one. ``failures`` is {person: (reason, first problem)}."""

    title: str
    study: str
    deep: tuple[str, ...]
    groups: Mapping[str, str]
    error: Error
    provenance: Mapping[str, object]
    failures: Mapping[str, tuple[str, str]]
    lines: list[PersonLine] = field(default_factory=list)
    flags: dict[tuple[str, str], Counted] = field(default_factory=dict)
    problems: dict[Problem, Counted] = field(default_factory=dict)

    def add_flags(self, person: str, flags: tuple[Flag, ...]) -> None:
        """Count a person's flags, each once."""
        for name in dict.fromkeys((flag.name, flag.muscle) for flag in flags):
            self.flags.setdefault(name, Counted()).add(person)

    def add_problem(self, person: str, problem: Problem) -> None:
        """Count a problem of a person; the same thing said of other people's files is one kind."""
        kind = Problem(problem.severity, problem.what.replace(person, "..."), remedy=problem.remedy)
        if kind in self.problems or len(self.problems) < MOST_KINDS:
            self.problems.setdefault(kind, Counted()).add(person)


def person_line(
    card: Scorecard, subject: str, *, deep: tuple[str, ...], method: str, error: Error, converged: bool
) -> PersonLine:
    """Return what a person's scores come down to: those of the ``deep`` muscles, of all where none of them was scored."""
    rows, role = pooled_rows(card, subject)
    own = [row for row in rows if row.method == method]
    copy = {row.name: getattr(row, error) for row in rows if row.method == "copy" and row.quantity == "emg"}
    muscles = {
        row.name: MuscleScore(
            row.r,
            getattr(row, error),
            getattr(row, error) / copy[row.name] if copy.get(row.name) else math.nan,
            row.coverage90,
        )
        for row in own
        if row.quantity == "emg"
    }
    muscles = {name: score for name, score in muscles.items() if name in deep} or muscles
    moments = {row.name: row.r2 for row in own if row.quantity == "moment"}
    return PersonLine(subject, muscles, moments, role, converged)
