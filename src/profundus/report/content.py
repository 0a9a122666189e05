"""What a report page tells: answers, parameters, scores, doubts and provenance of one study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from profundus.errors import InputError, Problem
from profundus.records import (
    DecidedRow,
    FitSettings,
    Flag,
    ParameterRow,
    QualityRow,
    Reconstruction,
    Scorecard,
    TradeOff,
)
from profundus.report.scale import leading_error
from profundus.validate.paired import Error


@dataclass(frozen=True)
class TrainingCurve:
    """Loss terms of one member of the ensemble: ``terms`` maps a term's name to its values at ``steps``."""

    steps: Sequence[int]
    terms: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class SubjectContent:
    """One person on the page: the method's answer, other methods' answers to the same trials, and how they came about.

    ``decided`` and ``trade_offs`` are of people whom a learned prior met, ``training`` of those on whom networks were trained.
    """

    reconstruction: Reconstruction
    others: tuple[Reconstruction, ...] = ()
    parameters: tuple[ParameterRow, ...] = ()
    training: tuple[TrainingCurve, ...] = ()
    quality: tuple[QualityRow, ...] = ()
    decided: tuple[DecidedRow, ...] = ()
    trade_offs: tuple[TradeOff, ...] = ()

    @property
    def id(self) -> str:
        """Return the person's name in the study."""
        return self.reconstruction.subject


@dataclass(frozen=True)
class PageContent:
    """Everything a page shows.

    ``groups`` maps a muscle to its functional group (colors follow it), ``deep`` names the muscles that were reconstructed (default: those
    without an electrode in any trial), ``flags`` joins the flags that the reconstructions carry, ``provenance`` is the run's manifest.
    """

    title: str
    study: str
    subjects: tuple[SubjectContent, ...]
    scorecard: Scorecard = field(default_factory=Scorecard)
    deep: tuple[str, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()
    problems: tuple[Problem, ...] = ()
    provenance: Mapping[str, object] = field(default_factory=dict)
    settings: FitSettings | None = None

    def __post_init__(self) -> None:
        wrong = list(_problems(self))
        if wrong:
            raise InputError(wrong)
        if not self.deep:
            object.__setattr__(self, "deep", _without_electrode(self))

    @property
    def muscles(self) -> tuple[str, ...]:
        """Return the study's muscles, in the model's order."""
        trials = (answer.trial for subject in self.subjects for answer in subject.reconstruction.trials)
        return tuple(dict.fromkeys(name for trial in trials for name in trial.muscles))

    @property
    def coordinates(self) -> tuple[str, ...]:
        """Return the study's coordinates."""
        trials = (answer.trial for subject in self.subjects for answer in subject.reconstruction.trials)
        return tuple(dict.fromkeys(name for trial in trials for name in trial.coordinates))

    @property
    def explained(self) -> tuple[str, ...]:
        """Return the coordinates whose moment is known in some trial, all where it never is: the others only move."""
        trials = [trial for s in self.subjects for trial in s.reconstruction.trials]
        known = {
            name
            for part in trials
            for name, there in zip(part.trial.coordinates, part.trial.moment_valid.T, strict=True)
            if there.any()
        }
        return tuple(name for name in self.coordinates if name in known) or self.coordinates

    @property
    def error(self) -> Error:
        """Return the error by which answers are held against the copy: where amplitudes mean nothing, that after one factor."""
        return leading_error(self.provenance)

    def flags_of(self, subject: SubjectContent) -> tuple[Flag, ...]:
        """Return what a reader must know about one person's answer, each flag once."""
        own = (flag for flag in self.flags if flag.subject in ("", subject.id))
        return tuple(dict.fromkeys((*subject.reconstruction.flags, *own)))


def _problems(content: PageContent) -> list[Problem]:
    found = []
    if not content.subjects:
        found.append(Problem("error", "there is no subject to report", expected="at least one reconstruction"))
    names = [subject.id for subject in content.subjects]
    for name in sorted({name for name in names if names.count(name) > 1}):
        found.append(Problem("error", f"subject '{name}' is there {names.count(name)} times", expected="once"))
    for subject in content.subjects:
        if not subject.reconstruction.trials:
            found.append(Problem("error", f"{subject.id}: no trial was reconstructed", expected="at least one trial"))
        for other in subject.others:
            if other.subject != subject.id:
                what = f"{subject.id}: the answer of '{other.method}' is about '{other.subject}'"
                found.append(Problem("error", what, expected="answers about the same person"))
    return found


def _without_electrode(content: PageContent) -> tuple[str, ...]:
    measured = {
        name
        for subject in content.subjects
        for answer in subject.reconstruction.trials
        for name, there in zip(answer.trial.muscles, np.any(answer.trial.emg_valid, axis=0), strict=True)
        if there
    }
    return tuple(name for name in content.muscles if name not in measured)
