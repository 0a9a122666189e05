"""What other people, virtual ones as a rule, teach a regression that is then asked about somebody else."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np

from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.records import Anatomy, Study, Trial
from profundus.rivals.population import PopulationRegression, learn_population
from profundus.signal import assemble_trials, emg_scale
from profundus.simulate import PopulationSettings, simulate_people

FEW_TRIALS = {"curls": 1, "steps": 1, "pulses": 1}  # of every load: more people teach more than more trials
SEED_APART = 7919  # virtual people of a comparison are not those that a study of the same seed was simulated with


def learned_population(
    anatomy: Anatomy,
    model: MusculoskeletalModel,
    measured: tuple[str, ...],
    targets: tuple[str, ...],
    *,
    people: int = 100,
    seed: int = 0,
    settings: PopulationSettings | None = None,
) -> PopulationRegression:
    """Return the regression from ``measured`` envelopes, motion, load and moment to ``targets`` that virtual people teach."""
    chosen = settings or PopulationSettings(trials=FEW_TRIALS)
    virtual = simulate_people(anatomy, model.geometry, chosen, seed=seed + SEED_APART, count=people)
    return learn_population([person.trials for person in islice(virtual, people)], measured, targets)


def learned_from(
    study: Study, anatomy: Anatomy, measured: tuple[str, ...], targets: tuple[str, ...]
) -> PopulationRegression:
    """Return the regression that the people of a study teach, from what is known of their muscles or was measured of them."""
    people = [assemble_trials(study, one, anatomy.muscles, scale=emg_scale(study, one)) for one in study.subjects]
    return learn_population([[_known(trial) for trial in trials] for trials in people], measured, targets)


def _known(trial: Trial) -> Trial:
    """Return the trial of a teacher: where no truth is known, the envelope that was measured stands in."""
    measured = np.where(trial.emg_valid, trial.emg, np.nan)
    return replace(trial, truth=np.where(np.isnan(trial.truth), measured, trial.truth))
