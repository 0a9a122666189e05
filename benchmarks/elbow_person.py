"""One person of the virtual-elbow study, as the fit meets him: trials of role "fit", and what a search for his parameters works on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from profundus.fit.coarse import CoarseTrials, coarse_trials
from profundus.fit.moment_search import Gains, Physics, SamePrior
from profundus.fit.priors import ParameterPrior, parameter_prior
from profundus.io.study_file import read_study
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.settings import resolved
from profundus.protocols.models import model_of
from profundus.records import Anatomy, FitSettings, Trial
from profundus.signal import assemble_trials, emg_scale

PERSON = "S100"


class Person(NamedTuple):
    """What is known of the person."""

    anatomy: Anatomy
    model: MusculoskeletalModel
    trials: tuple[Trial, ...]
    settings: FitSettings


class Task(NamedTuple):
    """The search for 32 parameters with excitations held at the truth: what `personalize` hands to its search."""

    physics: Physics
    model: MusculoskeletalModel
    gains: Gains
    rows: CoarseTrials
    prior: ParameterPrior


def person_of(study_file: Path) -> Person:
    """Return a person's trials to fit."""
    study = read_study(study_file)
    subject = next(one for one in study.subjects if one.id == PERSON)
    anatomy, model = model_of(study)
    trials = assemble_trials(study, subject, anatomy.muscles, scale=emg_scale(study, subject))
    return Person(anatomy, model, tuple(t for t in trials if t.role == "fit"), study.fit)


def task_of(person: Person) -> Task:
    """Return the search for the person's parameters."""
    settings, prior = person.settings, parameter_prior(person.anatomy)
    known: list[Any] = [(trial, trial.truth) for trial in person.trials]
    rows, step = coarse_trials(known, person.model, resolved(settings).loss)
    muscles = len(person.anatomy.muscles)
    gains = Gains(np.zeros(muscles), np.zeros((muscles, 0)), ())
    physics = Physics(SamePrior(prior), settings.muscle, settings.tendon, settings.activation_smoothing, step)
    return Task(physics, person.model, gains, rows, prior)
