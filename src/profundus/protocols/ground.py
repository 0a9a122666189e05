"""What virtual people stand on: a shipped model and its curls, or a user's own model and what his people did."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from profundus.errors import InputError, Problem
from profundus.io.anatomy import read_anatomy
from profundus.io.study_file import read_study
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.protocols.models import held_in, model_of
from profundus.protocols.recordings import recorded
from profundus.records import LIMB_FAMILIES, Anatomy, GivenMotion, Recipe, Study, TeachersSettings, Trial
from profundus.simulate.schedule import moving_coordinates

Floats = NDArray[np.float64]
WITHOUT_SCALE = 1.0  # share of lessons without maximal contractions where the study has none


@dataclass(frozen=True)
class Ground:
    """Anatomy, moving coordinates, angles of the others [rad], and the motions that virtual people repeat (none: they lift loads)."""

    anatomy: Anatomy
    coordinates: tuple[str, ...]
    fixed: dict[str, float] = field(default_factory=dict)
    motions: tuple[GivenMotion, ...] = ()

    @property
    def model(self) -> MusculoskeletalModel:
        """Return the model of the anatomy."""
        return MusculoskeletalModel(self.anatomy, coordinates=self.coordinates, fixed=self.fixed)

    @property
    def digest(self) -> str:
        """Return what the motions and the anatomy are known by; empty for a shipped model, whose name says it all."""
        if not self.motions:
            return ""
        found = hashlib.sha256(repr((self.coordinates, sorted(self.fixed.items()), self.anatomy)).encode())
        for motion in self.motions:
            parts = (motion.angle, np.zeros(0) if motion.moment is None else motion.moment)
            for part in parts:
                found.update(np.round(part, 6).tobytes())
        for path in self.anatomy.paths:
            found.update(np.round(path.coefficients, 9).tobytes())
        return found.hexdigest()


def grounded(recipe: Recipe) -> tuple[Recipe, Ground]:
    """Return what a recipe's people stand on, and the recipe with what its study decides filled in.

    With a study, its model, coordinates, electrodes and normalization are taken over, and its trials of role "fit" are the motions, in
    stretches whose moments are all known. Raises as `read_study` and `model_of`, and InputError for a study that moves nothing.
    """
    if not recipe.study:
        anatomy = read_anatomy(recipe.anatomy)
        return recipe, Ground(anatomy, moving_coordinates(anatomy))
    study = read_study(recipe.study, data_root=Path(recipe.data) if recipe.data else None)
    anatomy, model = model_of(study)
    motions = tuple(motions_of(study, anatomy, rate_hz=recipe.teachers.rate_hz))
    if not motions:
        what = "no trial of role 'fit' has a stretch in which every moment is known"
        raise InputError(Problem("error", what, recipe.study, remedy="Name a trial with moments"))
    return _filled(recipe, study, anatomy), Ground(anatomy, model.coordinates, held_in(study), motions)


def _filled(recipe: Recipe, study: Study, anatomy: Anatomy) -> Recipe:
    """Return the recipe with the study's model, electrodes, and what follows from its normalization and from walking."""
    teachers, learning = recipe.teachers, recipe.learning
    if teachers.families == TeachersSettings().families:
        teachers = replace(teachers, families=LIMB_FAMILIES)
    if study.emg.normalization != "mvc":
        learning = replace(learning, no_mvc=WITHOUT_SCALE)
    electrodes = tuple(name for name in anatomy.muscles if name in study.measured)
    return replace(recipe, anatomy=study.model, electrodes=electrodes, teachers=teachers, learning=learning)


def motions_of(study: Study, anatomy: Anatomy, *, rate_hz: float) -> Iterator[GivenMotion]:
    """Yield the stretches of all trials to fit in which every explained moment is known, on a clock of ``rate_hz``."""
    explained = len(study.coordinates)
    for person in study.subjects:
        for trial in recorded(study, person, anatomy).trials:
            if trial.role == "fit":
                parts, count = label(trial.moment_valid[:, :explained].all(axis=1))
                for number in range(1, count + 1):
                    yield _stretch(trial, np.flatnonzero(parts == number), f"{person.id} {trial.name}", rate_hz)


def _stretch(trial: Trial, rows: NDArray[np.intp], name: str, rate_hz: float) -> GivenMotion:
    time = np.arange(trial.time[rows[0]], trial.time[rows[-1]] + 1e-9, 1.0 / rate_hz)

    def on(columns: Floats) -> Floats:
        return np.stack([np.interp(time, trial.time[rows], column[rows]) for column in columns.T], axis=1)

    known = np.where(trial.moment_valid, trial.moment, np.nan)
    return GivenMotion(name, on(trial.angle), on(known), load_kg=trial.load_kg, motion=trial.motion)
