"""The model that a study asks for."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from profundus.io.anatomy import read_anatomy
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.records import Anatomy, Reconstruction, Study, Trial
from profundus.rivals.copy import copy_nearest, nearest


def model_of(study: Study) -> tuple[Anatomy, MusculoskeletalModel]:
    """Return anatomy and model of a study: its muscles without the ignored ones, its coordinates moving, all others fixed."""
    anatomy = read_anatomy(study.model, ignored=study.ignored)
    fixed = {name: angle for name, angle in study.fixed.items() if name not in study.coordinates}
    return anatomy, MusculoskeletalModel(anatomy, coordinates=study.coordinates, fixed=fixed)


def groups_of(anatomy: Anatomy) -> dict[str, str]:
    """Return the functional group of every muscle."""
    return dict(zip(anatomy.muscles, anatomy.groups, strict=True))


def copy_of_nearest(trials: tuple[Trial, ...], anatomy: Anatomy, model: MusculoskeletalModel) -> Reconstruction:
    """Return the answer that copies the nearest measured muscle: the yardstick beside every answer of ours."""
    return copy_nearest(trials, anatomy, partial(_moment_arms, model))


def nearest_of(trials: tuple[Trial, ...], anatomy: Anatomy, model: MusculoskeletalModel) -> dict[str, str]:
    """Return which measured muscle stands nearest to each muscle without an electrode."""
    return nearest(trials, anatomy, partial(_moment_arms, model))


def _moment_arms(model: MusculoskeletalModel, angle: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(model.moment_arms(angle), dtype=float)
