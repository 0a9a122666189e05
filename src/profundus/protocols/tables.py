"""Anatomies from tables of muscle lengths and moment arms along the recorded motions, and a table of muscle parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from profundus.errors import InputError
from profundus.io.muscle_table import is_muscle_table, read_muscle_table
from profundus.io.study_path_tables import sampled
from profundus.protocols.osim import MARGIN, misfits, uncrossing
from profundus.protocols.osim_anatomy import Wanted, assembled
from profundus.records import Anatomy, Study
from profundus.skeleton.surrogate import Samples
from profundus.skeleton.tabled import tabled_paths

CROSSED = 1e-6  # m; a smaller moment arm is none
TENDON_STRAIN = 0.033
PASSIVE_STRAIN = 0.6


def brings_tables(study: Study) -> bool:
    """Return whether a study's geometry stands in tables along its motions, not in a model."""
    return is_muscle_table(study.model_file)


def tabled(study: Study) -> Anatomy:
    """Return the anatomy of a study that brings tables: its measured and deep muscles, over its motions and 10 deg more.

    Path errors are those of paths fitted without the trial. Raises InputError for paths that cannot be followed as closely as the study
    asks, and for muscles that cross no coordinate.
    """
    used = {*study.measured, *study.deep}
    rows = [row for row in read_muscle_table(Path(study.model_file)) if row.muscle in used]
    muscles = tuple(row.muscle for row in rows)
    trials = list(_samples(study, muscles))
    motion = np.concatenate([trial.posture for trial in trials])
    low, high = motion.min(axis=0) - MARGIN, motion.max(axis=0) + MARGIN
    parameters = {
        "max_isometric_force": np.array([row.max_isometric_force for row in rows]),
        "optimal_fiber_length": np.array([row.optimal_fiber_length for row in rows]),
        "tendon_slack_length": np.array([row.tendon_slack_length for row in rows]),
        "pennation_at_optimal": np.array([row.pennation for row in rows]),
        "tendon_strain_at_one": np.full(len(rows), TENDON_STRAIN),
        "passive_strain_at_one": np.full(len(rows), PASSIVE_STRAIN),
    }
    found = tabled_paths(trials, muscles, parameters, low=low, high=high)
    ends = tuple((float(a), float(b)) for a, b in zip(low, high, strict=True))
    wanted = Wanted(Path(study.model), study.moved, ends, muscles=muscles, motion=motion, explained=study.coordinates)
    anatomy = assembled(wanted, found)
    problems = [*misfits(anatomy, study.model, allow_mm=study.allow_mm), *uncrossing(anatomy, study)]
    if problems:
        raise InputError(problems)
    groups = tuple(row.group or own for row, own in zip(rows, anatomy.groups, strict=True))
    return replace(anatomy, name=study.model, groups=groups)


def _samples(study: Study, muscles: tuple[str, ...]) -> Iterator[Samples]:
    """Yield posture, lengths and moment arms of every recording, where all of them are known."""
    for person in study.subjects:
        for recording in person.recordings:
            posture, length, arm = sampled(recording, study.moved, muscles)
            yield Samples(posture, length, arm, np.any(np.abs(arm) > CROSSED, axis=0))
