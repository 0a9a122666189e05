"""What a comparison tells: several methods' answers for the same people, their scores, and what went wrong on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from profundus.errors import InputError, Problem
from profundus.records import Flag, Reconstruction, Scorecard, Trial, TrialReconstruction
from profundus.records.recording import Role
from profundus.report.scale import leading_error
from profundus.validate.paired import Error

CEILING = "own_pattern"  # what a muscle's own recordings in other trials tell about it
FLOOR = "copy"
YARDSTICKS = ("copy_best", CEILING)  # made from the truth: no methods


@dataclass(frozen=True)
class SubjectAnswers:
    """One person's trials as each method answers them."""

    id: str
    answers: tuple[Reconstruction, ...]
    flags: tuple[Flag, ...] = ()

    def answer(self, method: str) -> Reconstruction | None:
        """Return one method's answer, None where it has none."""
        return next((answer for answer in self.answers if answer.method == method), None)

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """Return the trials that any method answered, each once, in their order."""
        found: dict[str, Trial] = {}
        for answer in self.answers:
            for part in answer.trials:
                found.setdefault(part.trial.name, part.trial)
        return tuple(found.values())

    def parts(self, trial: str) -> dict[str, TrialReconstruction]:
        """Return what each method says about one trial."""
        return {answer.method: part for answer in self.answers for part in answer.trials if part.trial.name == trial}


@dataclass(frozen=True)
class ComparisonContent:
    """Everything a comparison shows.

    ``methods`` are in order, ours first. ``scorecard`` holds the rows of all of them, and may hold those of ``own_pattern``, the ceiling
    of hidden muscles. ``deep`` are the muscles that are compared; those that were ``hidden`` on purpose, where there are any. ``groups``
    maps a muscle to its functional group, ``seconds`` (method, subject) to the time it took; ``failures`` are (method, subject, why).
    """

    title: str
    study: str
    methods: tuple[str, ...]
    subjects: tuple[SubjectAnswers, ...]
    scorecard: Scorecard = field(default_factory=Scorecard)
    deep: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[tuple[str, str], float] = field(default_factory=dict)
    failures: tuple[tuple[str, str, str], ...] = ()
    hidden: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    provenance: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = list(_problems(self))
        if wrong:
            raise InputError(wrong)
        if self.hidden:
            object.__setattr__(self, "deep", self.hidden)

    @property
    def muscles(self) -> tuple[str, ...]:
        """Return the study's muscles, in the model's order."""
        return tuple(dict.fromkeys(name for s in self.subjects for trial in s.trials for name in trial.muscles))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Return the study's coordinates."""
        return tuple(dict.fromkeys(name for s in self.subjects for trial in s.trials for name in trial.coordinates))

    @property
    def error(self) -> Error:
        """Return the error by which methods are held against the copy: where amplitudes mean nothing, that after one factor."""
        return leading_error(self.provenance)

    @cached_property
    def role(self) -> Role:
        """Return which trials are shown and scored: those for testing, or those of the fit where there are no others."""
        roles = {trial.role for subject in self.subjects for trial in subject.trials}
        return "test" if "test" in roles else "fit"

    def trials_of(self, subject: SubjectAnswers) -> tuple[Trial, ...]:
        """Return one person's trials that are shown, light loads first, unknown loads last."""
        shown = (trial for trial in subject.trials if trial.role == self.role)
        return tuple(sorted(shown, key=lambda trial: (trial.load_kg != trial.load_kg, trial.load_kg)))


def _problems(content: ComparisonContent) -> Iterable[Problem]:
    if not content.methods:
        yield Problem("error", "there is no method to compare", expected="at least one method")
    if not any(subject.trials for subject in content.subjects):
        yield Problem("error", "there is no answer to compare", expected="at least one person with one trial")
    yield from _doubled("method", content.methods)
    yield from _doubled("subject", [subject.id for subject in content.subjects])
    for subject in content.subjects:
        yield from _doubled(f"{subject.id}: the answer of", [answer.method for answer in subject.answers])
        for answer in subject.answers:
            if answer.subject != subject.id:
                what = f"{subject.id}: the answer of '{answer.method}' is about '{answer.subject}'"
                yield Problem("error", what, expected="answers about the same person")
            if answer.method not in (*content.methods, CEILING):
                what = f"{subject.id}: there is an answer of '{answer.method}', which is not compared"
                yield Problem("error", what, expected="one of " + ", ".join(content.methods))


def _doubled(kind: str, names: Iterable[str]) -> Iterable[Problem]:
    names = list(names)
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem("error", f"{kind} '{name}' is there {names.count(name)} times", expected="once")
