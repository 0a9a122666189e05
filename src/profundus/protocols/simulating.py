"""A study of people who do not exist: simulated in the model that a study asks for, written as a laboratory would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from profundus.errors import InputError, Problem
from profundus.io.anatomy import read_anatomy
from profundus.io.virtual_lab import WrittenLab, write_virtual_lab
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.protocols.inverse_dynamics import with_moments
from profundus.protocols.models import model_of
from profundus.records import Anatomy, GivenMotion, PopulationSettings, Study, VirtualPerson
from profundus.signal import assemble_trials, emg_scale
from profundus.simulate import simulate_people
from profundus.simulate.strategies import Control, drawn_strategy

SURFACE = {"arm26": ("TRIlong", "TRIlat", "BIClong", "BICshort")}
"""Muscles that surface electrodes reach, where nobody says otherwise."""


def simulate_study(
    out: Path,
    settings: PopulationSettings,
    *,
    people: int,
    seed: int = 0,
    model: str = "arm26",
    measured: Sequence[str] = (),
    like: Study | None = None,
    overwrite: bool = False,
    on_person: Callable[[int], None] | None = None,
    control: Control = drawn_strategy,
) -> WrittenLab:
    """Write a study of virtual people to the folder ``out`` and return what was written.

    With ``like``, model, coordinate and electrodes are those of a study and its motions are repeated (see `motions_of`).
    ``on_person`` is told how many are done; ``control`` is as for `simulate_people`. Raises InputError for electrodes
    that nobody names and as `simulate_people` does.
    """
    if people < 1:
        raise InputError(Problem("error", f"{people} people are asked for", expected="one or more"))
    anatomy, limb = (read_anatomy(model), None) if like is None else model_of(like)
    if like is not None:
        anatomy = replace(anatomy, default_coordinates=like.coordinates)
        settings = replace(settings, given=motions_of(like, anatomy), rate_hz=like.rate_hz)
    electrodes = tuple(measured) or (like.measured if like is not None else SURFACE.get(anatomy.name, ()))
    geometry = (limb or MusculoskeletalModel(anatomy)).geometry
    made = simulate_people(anatomy, geometry, settings, seed=seed, count=people, control=control)
    return write_virtual_lab(
        _told(made, on_person),
        out,
        model=anatomy.name,
        measured=electrodes,
        name=f"{people} virtual people, seed {seed}",
        overwrite=overwrite,
    )


def motions_of(study: Study, anatomy: Anatomy) -> tuple[GivenMotion, ...]:
    """Return the motions of a study's first person, with load and measured moment where it is known throughout."""
    person = with_moments(study, study.subjects[0])
    trials = assemble_trials(study, person, anatomy.muscles, scale=emg_scale(study, person))
    return tuple(
        GivenMotion(
            trial.name,
            trial.angle,
            trial.moment if np.isfinite(trial.moment).all() else None,
            trial.load_kg,
            trial.motion,
        )
        for trial in trials
    )


def _told(people: Iterator[VirtualPerson], on_person: Callable[[int], None] | None) -> Iterator[VirtualPerson]:
    for done, person in enumerate(people, start=1):
        yield person
        if on_person is not None:
            on_person(done)
