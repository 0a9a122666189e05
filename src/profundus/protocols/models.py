"""The model that a study asks for."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from profundus.fit.compiled import keep_compiled
from profundus.io.osim import is_osim
from profundus.io.study_model import outline_of
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.postures import recorded_moment_arms
from profundus.protocols.osim import studied
from profundus.protocols.tables import brings_tables, tabled
from profundus.records import Anatomy, Reconstruction, Study, Trial
from profundus.rivals.copy import copy_nearest, nearest


def model_of(study: Study) -> tuple[Anatomy, MusculoskeletalModel]:
    """Return anatomy and model of a study: its muscles without the ignored ones, its coordinates moving, all others fixed.

    An OpenSim model is sampled where the study's recordings move, if that was not done before. Raises InputError for what OpenSim
    cannot do, and for muscles whose paths cannot be followed or that cross no coordinate.
    """
    keep_compiled()
    anatomy = anatomy_of(study)
    return anatomy, MusculoskeletalModel(anatomy, coordinates=study.moved, fixed=held_in(study))


def held_in(study: Study) -> dict[str, float]:
    """Return the coordinates [rad] at which a study holds its model; paths of a model from a file were sampled with them held."""
    return {} if study.model_file else {name: q for name, q in study.fixed.items() if name not in study.moved}


def anatomy_of(study: Study) -> Anatomy:
    """Return the anatomy of a study, in the functional groups that it declares. Raises as `model_of`."""
    if not (is_osim(study.model_file) or brings_tables(study)):
        return outline_of(study)  # nothing has to be sampled
    anatomy = studied(study) if is_osim(study.model_file) else tabled(study)
    groups = tuple(study.groups.get(name, own) for name, own in zip(anatomy.muscles, anatomy.groups, strict=True))
    return replace(anatomy, groups=groups)


def groups_of(anatomy: Anatomy) -> dict[str, str]:
    """Return the functional group of every muscle."""
    return dict(zip(anatomy.muscles, anatomy.groups, strict=True))


def copy_of_nearest(trials: tuple[Trial, ...], anatomy: Anatomy, model: MusculoskeletalModel) -> Reconstruction:
    """Return the answer that copies the nearest measured muscle: the yardstick beside every answer of ours."""
    return copy_nearest(trials, anatomy, partial(recorded_moment_arms, model))


def nearest_of(trials: tuple[Trial, ...], anatomy: Anatomy, model: MusculoskeletalModel) -> dict[str, str]:
    """Return which measured muscle stands nearest to each muscle without an electrode."""
    return nearest(trials, anatomy, partial(recorded_moment_arms, model))
