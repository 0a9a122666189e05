"""Networks trained on one person, with what a study tells them, and the answer with the doubts that their training leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from profundus.errors import ConvergenceError
from profundus.fit import identifiability
from profundus.fit.subject import Objectives, SubjectFit
from profundus.fit.training import Progress, TrainingState
from profundus.model.fitted import FittedSubject
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.reconstruct import reconstruct
from profundus.records import Anatomy, FitSettings, Reconstruction, Study, Trial


def delay_prior(study: Study) -> tuple[float, float]:
    """Return mean and standard deviation of the electromechanical delay [s]."""
    mean, sd = study.emg.delay_prior_ms
    return mean / 1000, sd / 1000


def objectives_of(
    study: Study, anatomy: Anatomy, model: MusculoskeletalModel, settings: FitSettings | None = None
) -> Objectives:
    """Return the objectives of a study, with other ``settings`` than its own where they are given."""
    wanted = study.fit if settings is None else settings
    return Objectives(anatomy, model, wanted, normalization=study.emg.normalization, delay_prior=delay_prior(study))


def trained(
    work: SubjectFit,
    state: TrainingState,
    *,
    who: str,
    remedy: str = "Lower [fit] learning_rate",
    after_chunk: Callable[[TrainingState, Progress], None] | None = None,
) -> TrainingState:
    """Return the trained members; ``after_chunk`` hears of every chunk.

    Raises ConvergenceError, with ``remedy``, where the loss did not stay finite.
    """
    return finite(work.train(state, after_chunk=after_chunk), who=who, remedy=remedy)


def finite(state: TrainingState, *, who: str, remedy: str) -> TrainingState:
    """Return a state whose loss stayed finite; raises ConvergenceError, with ``remedy``, for others."""
    if not np.all(np.isfinite(state.history)):
        raise ConvergenceError(f"{who}: the loss is no longer finite. {remedy}")
    return state


def doubted(fitted: FittedSubject, model: MusculoskeletalModel, trials: tuple[Trial, ...]) -> Reconstruction:
    """Return the answer for the person's own trials, those of the fit among them, flagged with what the fit itself doubts."""
    rec = reconstruct(fitted, model, trials)
    return replace(rec, flags=(*identifiability.prior_only(fitted, rec), *identifiability.shortcomings(fitted, rec)))
