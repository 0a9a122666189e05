"""What other people, virtual ones as a rule, teach a regression that is then asked about somebody else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.protocols.ground import motions_of
from profundus.protocols.inverse_dynamics import with_moments
from profundus.records import LIMB_FAMILIES, Anatomy, Study, Trial
from profundus.rivals.population import PopulationRegression, learn_population
from profundus.signal import assemble_trials, emg_scale
from profundus.simulate import PopulationSettings, simulate_people
from profundus.simulate.limbs import simulate_limbs

FEW_TRIALS = {"curls": 1, "steps": 1, "pulses": 1}  # of every load: more people teach more than more trials
FEW_LOADS = 3
LIMB_RATE_HZ = 80.0
SEED_APART = (
    1_618_033_988  # virtual people of a comparison are not those that a study of the same seed was simulated with
)

People = Sequence[Sequence[Trial]]
Learn = Callable[[tuple[str, ...], tuple[str, ...]], PopulationRegression]


def taught_by(people: Callable[[], People]) -> Learn:
    """Return what learns a regression from ``measured`` envelopes, motion, load and moment to ``targets``; people are made once.

    Targets that fewer than two people can teach are left out, unless these are all.
    """
    once = cache(people)

    def learned(measured: tuple[str, ...], targets: tuple[str, ...]) -> PopulationRegression:
        taught = tuple(name for name in targets if sum(_knows(person, name) for person in once()) > 1)
        return learn_population(once(), measured, taught or targets)

    return learned


def virtual_people(
    anatomy: Anatomy, model: MusculoskeletalModel, study: Study, *, count: int, seed: int
) -> list[tuple[Trial, ...]]:
    """Return the trials of virtual people who hold the loads of a study, with everything known of them.

    Where a study brings a model of its own, or several coordinates, they do what its people did in their trials to fit.
    """
    if study.model_file or len(model.coordinates) > 1:
        motions = tuple(motions_of(study, anatomy, rate_hz=LIMB_RATE_HZ))
        walking = simulate_limbs(
            anatomy,
            model.geometry,
            motions,
            model.coordinates,
            families=LIMB_FAMILIES,
            seed=seed + SEED_APART,
            count=count,
            rate_hz=LIMB_RATE_HZ,
        )
        return [person.trials for person in walking]
    settings = PopulationSettings(trials=FEW_TRIALS)
    known = sorted({one.load_kg for person in study.subjects for one in person.recordings if np.isfinite(one.load_kg)})
    if known:
        picked = np.unique(np.linspace(0, len(known) - 1, min(FEW_LOADS, len(known))).round().astype(int))
        settings = replace(settings, loads_kg=tuple(known[i] for i in picked))
    virtual = simulate_people(anatomy, model.geometry, settings, seed=seed + SEED_APART, count=count)
    return [person.trials for person in virtual]


def recorded_people(study: Study, anatomy: Anatomy) -> list[tuple[Trial, ...]]:
    """Return the trials of a study's people; where no truth is known of a muscle, the envelope that was measured stands in."""
    known = (with_moments(study, one) for one in study.subjects)
    people = (assemble_trials(study, one, anatomy.muscles, scale=emg_scale(study, one)) for one in known)
    return [tuple(_known(trial) for trial in trials) for trials in people]


def _knows(person: Sequence[Trial], muscle: str) -> bool:
    columns = (trial.truth[:, trial.muscles.index(muscle)] for trial in person if muscle in trial.muscles)
    return any(bool(np.isfinite(column).any()) for column in columns)


def _known(trial: Trial) -> Trial:
    measured = np.where(trial.emg_valid, trial.emg, np.nan)
    return replace(trial, truth=np.where(np.isnan(trial.truth), measured, trial.truth))
