"""A person's recordings as trials, and what was found about them that a reader should know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from profundus.errors import Problem
from profundus.io.anatomy import arm_sign
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.postures import recorded_moment_arms
from profundus.protocols.inverse_dynamics import with_moments
from profundus.records import Anatomy, EmgScale, QualityRow, Study, Subject, Trial
from profundus.signal import assemble_trials, emg_scale, quality_problems, quality_table
from profundus.signal.agreement import agreement_rows
from profundus.validate.false_strides import false_moment_problems


@dataclass(frozen=True)
class Recorded:
    """One person's trials, their envelopes' scale and quality, and what was ``heard`` of them beside the study's problems."""

    trials: tuple[Trial, ...]
    scale: EmgScale
    quality: tuple[QualityRow, ...]
    heard: tuple[Problem, ...]


def recorded(study: Study, person: Subject, anatomy: Anatomy) -> Recorded:
    """Return a person of a study as recorded. Raises InputError as `with_moments` and `assemble_trials`."""
    person = with_moments(study, person)
    scale = emg_scale(study, person)
    trials = assemble_trials(study, person, anatomy.muscles, scale=scale)
    quality = quality_of(study, person, anatomy, trials)
    found = (*heard_of(trials, quality, person.id), *false_moment_problems(trials))
    return Recorded(trials, scale, quality, tuple(problem for problem in found if problem not in study.problems))


def quality_of(study: Study, person: Subject, anatomy: Anatomy, trials: Sequence[Trial]) -> tuple[QualityRow, ...]:
    """Return all checks; of a model from a file, moments are held against what its generic muscles make of the envelopes."""
    if not study.model_file:
        return quality_table(trials, person, arm_sign=arm_sign(anatomy, study.coordinates))
    model = MusculoskeletalModel(anatomy, coordinates=study.moved)
    arms = [recorded_moment_arms(model, trial.angle) for trial in trials]
    strength = dict(zip(anatomy.muscles, anatomy.max_isometric_force.tolist(), strict=True))
    return (*quality_table(trials, person), *agreement_rows(trials, arms, strength))


def heard_of(trials: Iterable[Trial], quality: Sequence[QualityRow], subject: str) -> tuple[Problem, ...]:
    """Return each problem of a person's trials and of their quality, once."""
    said = (problem for trial in trials for problem in trial.problems)
    return tuple(dict.fromkeys([*said, *quality_problems(quality, subject)]))
