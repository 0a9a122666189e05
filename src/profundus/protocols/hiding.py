"""A measured muscle is taken out of the inputs, reconstructed by every method, and held against its own EMG."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from profundus.errors import InputError, Problem
from profundus.protocols.asking import Asked, ComparisonResult, How, Timed, asked_about, timed_answer
from profundus.protocols.comparing import bench_of
from profundus.protocols.methods import Bench, Case, chosen
from profundus.records import Reconstruction, ScoreRow, Study, Trial, TrialReconstruction
from profundus.validate.hiding import hidden, with_envelope_noise
from profundus.validate.repeatability import own_pattern
from profundus.validate.scores import score

EACH = "each"
CEILING = "own_pattern"


def validate_study(
    study: Study, out: Path, hide: Sequence[str], asked: Asked | None = None, how: How | None = None
) -> ComparisonResult:
    """Hide measured muscles one at a time (``each``: all of them in turn) and score what every method makes of them.

    Beside the methods stands ``own_pattern``, what the muscle's own envelope in the trials to fit tells of the test trials. Scores are
    against the muscle's own envelope, so bands are widened by its noise. Raises InputError for muscles without an electrode, and as
    `compare_study`.
    """
    muscles = hidden_muscles(study, hide)
    wanted = asked or Asked(chosen(None))
    wanted = replace(
        wanted, methods=(*chosen([name for name in wanted.methods if name != CEILING]), CEILING), hidden=muscles
    )
    person = partial(_Rounds, muscles)
    bench = bench_of(study, wanted)
    return asked_about(bench.study, out, bench, person, asked=wanted, how=how or How())


def hidden_muscles(study: Study, hide: Sequence[str]) -> tuple[str, ...]:
    """Return the muscles to hide, in the study's order. Raises InputError for those that have no electrode."""
    named = (hide,) if isinstance(hide, str) else hide
    wrong = [name for name in named if name != EACH and name not in study.measured]
    if wrong or not named:
        listed = "one of " + ", ".join(study.measured) + f", or '{EACH}'"
        asked = [f"'{name}' is not measured: it cannot be hidden" for name in wrong] or ["no muscle to hide was named"]
        raise InputError(Problem("error", what, file=study.source, expected=listed) for what in asked)
    return tuple(name for name in study.measured if EACH in named or name in named)


@dataclass(frozen=True)
class _Rounds:
    """One person, asked about once for each hidden muscle."""

    muscles: tuple[str, ...]
    bench: Bench
    trials: tuple[Trial, ...]

    @cached_property
    def cases(self) -> dict[str, Case]:
        """Return the person's cases, one a hidden muscle: what a case's methods share is made once."""
        return {name: Case(self.bench, tuple(hidden(self.trials, name))) for name in self.muscles}

    @cached_property
    def recorded(self) -> tuple[Trial, ...]:
        """Return the trials with the hidden muscles' own envelopes as their truth."""
        places = [self.trials[0].muscles.index(name) for name in self.muscles]
        known = []
        for trial in self.trials:
            truth = np.full_like(trial.truth, np.nan)
            truth[:, places] = np.where(trial.emg_valid, trial.emg, np.nan)[:, places]
            known.append(replace(trial, truth=truth))
        return tuple(known)

    def ask(self, method: str) -> Timed:
        """Return what a method makes of every hidden muscle, and the seconds that all rounds took."""
        if method == CEILING:
            began = time.perf_counter()
            found = [own_pattern(self.trials, name) for name in self.muscles]
            return self._merged(method, found), time.perf_counter() - began
        answers = [timed_answer(self.cases[name], method) for name in self.muscles]
        return self._merged(method, [rec for rec, _ in answers]), sum(seconds for _, seconds in answers)

    def _merged(self, method: str, answers: Sequence[Reconstruction]) -> Reconstruction:
        """Return one answer whose column of every hidden muscle is that of the round in which it was hidden; others are unknown."""
        loss = self.bench.study.fit.loss
        noisy = [
            with_envelope_noise(rec, name, emg_sd=loss.emg_sd, emg_relative_sd=loss.emg_relative_sd)
            for rec, name in zip(answers, self.muscles, strict=True)
        ]
        parts = []
        for trial in self.recorded:
            values = {key: np.full_like(trial.emg, np.nan) for key in ("excitation", "lower", "upper")}
            for rec, name in zip(noisy, self.muscles, strict=True):
                column = trial.muscles.index(name)
                part = {one.trial.name: one for one in rec.trials}.get(trial.name)
                if part is not None:
                    for key, whole in values.items():
                        whole[:, column] = getattr(part, key)[:, column]
            parts.append(TrialReconstruction(trial, **values))
        flags = tuple(
            flag if flag.muscle else replace(flag, why=f"{name} hidden: {flag.why}")
            for rec, name in zip(answers, self.muscles, strict=True)
            for flag in rec.flags
            if flag.muscle in ("", name)
        )
        return Reconstruction(method, self.trials[0].subject, tuple(parts), flags)

    def rows(self, rec: Reconstruction) -> tuple[ScoreRow, ...]:
        """Return the scores of the hidden muscles, and of nothing else."""
        found = score(rec, hidden=self.muscles).rows
        return tuple(row for row in found if row.quantity == "emg" and row.name in self.muscles)
