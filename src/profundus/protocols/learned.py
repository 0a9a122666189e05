"""The prior that a study's people are met with, and people who were fitted with it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from profundus.errors import Problem
from profundus.fit.calibration import Answered, calibrated
from profundus.fit.priors import gain_prior
from profundus.fit.taught import fit_taught_people, met
from profundus.fit.taught_doubts import doubts
from profundus.io.weights import read_arrays
from profundus.model.context import MOST_CONTEXT, context_of
from profundus.model.deep_posterior import deep_posteriors
from profundus.model.fitted import TaughtSubject
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.prior import DeepPrior
from profundus.model.prior_file import prior_from_arrays
from profundus.model.settings import shown
from profundus.protocols.prior_choice import TEACH, prior_file
from profundus.protocols.training import delay_prior
from profundus.reconstruct import reconstruct_taught
from profundus.records import Anatomy, CalibratedRow, FitSettings, Reconstruction, Study, Trial


def prior_for(study: Study, anatomy: Anatomy) -> DeepPrior | None:
    """Return the learned prior of a study's model: the file that [fit] names, else the one that comes with the package, if any.

    Raises InputError as `prior_file`, and FileFormatError for a file that is damaged, or that another version wrote.
    """
    path = prior_file(study, anatomy)
    return None if path is None else _read(path, path.stat().st_mtime_ns)


def lacking_prior(study: Study) -> Problem:
    """Return what is said where a study's model has no learned prior."""
    what = f"no learned prior for {study.model} with these muscles and coordinates: networks are trained on each person alone"
    return Problem("warning", what, file=study.source, remedy=TEACH)


def taught_person(
    trials: Sequence[Trial],
    study: Study,
    anatomy: Anatomy,
    model: MusculoskeletalModel,
    prior: DeepPrior,
    *,
    settings: FitSettings | None = None,
) -> TaughtSubject:
    """Return one person of `taught_people`."""
    return taught_people([trials], study, anatomy, model, prior, settings=settings)[0]


def taught_people(
    people: Sequence[Sequence[Trial]],
    study: Study,
    anatomy: Anatomy,
    model: MusculoskeletalModel,
    prior: DeepPrior,
    *,
    settings: FitSettings | None = None,
    together: bool = False,
) -> list[TaughtSubject]:
    """Return people as the prior knows them, with parameters that explain their moments; ``settings`` replaces the study's.

    The study's calibrations pin the levels of a person's muscles, wherever their trials are among those to fit. Maximal contractions among
    these are for that alone: neither prior nor parameters learn from them what the person does. ``together`` as for `fit_taught_people`.
    """
    own = study.fit if settings is None else settings
    calibrations = [_calibrated(trials, study, model, prior, own) for trials in people]
    known = [
        met(
            [trial for trial in trials if trial.name not in maximal_trials(study, trials[0].subject)],
            prior,
            anatomy,
            model,
            own,
            normalization=study.emg.normalization,
            delay_prior=delay_prior(study),
            levels={row.muscle: (row.shift, row.sd) for row in rows},
        )
        for trials, rows in zip(people, calibrations, strict=True)
    ]
    found = fit_taught_people(known, anatomy, model, together=together)
    return [replace(one, calibrations=rows) for one, rows in zip(found, calibrations, strict=True)]


def maximal_trials(study: Study, subject: str) -> tuple[str, ...]:
    """Return the names of a person's trials that calibrations call maximal contractions."""
    his = (one for one in study.calibrations if one.subject in {"", subject} and one.kind == "dominant")
    return tuple(dict.fromkeys(one.trial for one in his))


def answered_to_fit(
    trials: Sequence[Trial],
    model: MusculoskeletalModel,
    prior: DeepPrior,
    settings: FitSettings,
    *,
    gain: float,
    scale_sd: float,
    aside: Collection[str] = (),
) -> Answered:
    """Return the trials to fit as the prior is shown them, envelopes over the usual ``gain``, and what it answers before any calibration.

    ``scale_sd`` is how unsure that gain is (sd of its log); trials named in ``aside`` are answered for, but tell nothing of the person.
    """
    seen = [shown(trial, settings, gain=gain) for trial in trials if trial.role == "fit"]
    usual = [trial for trial in seen if trial.name not in aside]
    context = context_of(usual, model, view=prior.view, scale_sd=scale_sd, most=MOST_CONTEXT)
    answers = deep_posteriors(prior, context, seen, model, scale_sd=scale_sd)
    measured = np.any([trial.measured for trial in usual], axis=0)
    return Answered(tuple(seen), answers, measured, scale_sd, prior.course_memory_s, settings.loss, tuple(aside))


def answered(subject: TaughtSubject, model: MusculoskeletalModel, trials: tuple[Trial, ...]) -> Reconstruction:
    """Return the answer for trials, flagged with what is doubtful about the person and about them."""
    rec = reconstruct_taught(subject, model, trials)
    return replace(rec, flags=doubts(subject, rec))


def _calibrated(
    trials: Sequence[Trial], study: Study, model: MusculoskeletalModel, prior: DeepPrior, settings: FitSettings
) -> tuple[CalibratedRow, ...]:
    """Return what the study's calibrations say of a person."""
    aside = maximal_trials(study, trials[0].subject)
    if not study.calibrations or not any(trial.role == "fit" and trial.name not in aside for trial in trials):
        return ()
    gain = gain_prior(study.emg.normalization)
    person = answered_to_fit(
        trials, model, prior, settings, gain=float(np.exp(gain.mean)), scale_sd=gain.sd, aside=aside
    )
    return calibrated(study.calibrations, person, prior.level_correlation, subject=trials[0].subject)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> DeepPrior:
    """Return the prior in a file, once; ``changed`` tells versions of the file apart."""
    arrays, facts = read_arrays(path)
    return prior_from_arrays(arrays, facts, file=str(path))
