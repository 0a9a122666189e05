"""Trials that are not of the person, the model or the clock of a fit are refused, all at once."""

from __future__ import annotations

from collections.abc import Sequence

from profundus.errors import InputError, Problem
from profundus.model.fitted import FittedSubject, TaughtSubject
from profundus.records import Trial


def refuse_strangers(fitted: FittedSubject | TaughtSubject, trials: Sequence[Trial]) -> None:
    """Raise InputError that lists every trial that the person was not fitted for."""
    problems = [problem for trial in trials if (problem := _stranger(fitted, trial)) is not None]
    if problems:
        raise InputError(problems)


def _stranger(fitted: FittedSubject | TaughtSubject, trial: Trial) -> Problem | None:
    """Return why a trial is none that the person was fitted for."""
    muscles = fitted.layout.muscles
    if trial.muscles != muscles or trial.coordinates != fitted.coordinates:
        return Problem(
            "error",
            f"{trial.name}: muscles or coordinates differ from those that {fitted.subject} was fitted with",
            expected=f"{', '.join(muscles)} and {', '.join(fitted.coordinates)}",
            remedy="Use the study file of the run",
        )
    if abs(trial.step - fitted.step) > 1e-9:
        what = f"{trial.name}: clock of {trial.step:g} s"
        return Problem("error", what, expected=f"{fitted.step:g} s, as in the fit")
    if isinstance(fitted, TaughtSubject):
        return None  # the prior answers for electrodes that are dead
    missing = [
        m for m, had, has in zip(muscles, fitted.scaling.measured, trial.measured, strict=True) if had and not has
    ]
    if missing and fitted.settings.network.measured_emg:
        return Problem(
            "error",
            f"{trial.name}: no EMG of {', '.join(missing)}",
            expected="the electrodes of the fit",
            remedy="Record them, or fit with [fit.network] measured_emg = false",
        )
    return None
