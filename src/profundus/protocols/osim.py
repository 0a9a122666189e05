"""Anatomies from OpenSim's model files: sampled once, checked, and kept for the next time."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem, ResourceError
from profundus.fit.compiled import cache_folder
from profundus.io.anatomy_file import read_anatomy_file, write_anatomy_file
from profundus.io.osim import CoordinateSketch, read_sketch
from profundus.io.store import digest
from profundus.protocols.osim_anatomy import SMALLEST_ARM, Wanted, assembled
from profundus.records import Anatomy, Study
from profundus.skeleton.child import opensim_version
from profundus.skeleton.sampling import sampled_paths

Floats = NDArray[np.float64]
VERSION = 1  # of what is sampled and fitted: a higher one leaves older kept anatomies alone
ALLOWED_MM = 1.0
ALLOWED_SHARE = 0.01  # of a muscle's excursion
MARGIN = float(np.deg2rad(10.0))  # beyond the recorded motion
RECORDED = 1000  # about as many recorded postures are fitted to or held out
LARGEST_ANGLE = float(np.pi)


def osim_anatomy(wanted: Wanted) -> Anatomy:
    """Return the anatomy of a model file, sampled with OpenSim or as it was kept when the same was wanted before.

    Raises InputError as `sampled_paths`; how good the paths are is for the caller to judge (`misfits`).
    """
    folder = cache_folder()
    place = None if folder is None else folder / "anatomies" / f"{_key(wanted)}.safetensors"
    if place is not None and place.is_file():
        try:
            return read_anatomy_file(place)
        except InputError:
            place.unlink(missing_ok=True)  # what was kept is damaged: it is made again
    low, high = (np.array(ends, dtype=np.float64) for ends in zip(*wanted.ends, strict=True))
    found = sampled_paths(
        str(wanted.model.resolve()),
        coordinates=wanted.coordinates,
        low=low,
        high=high,
        held=wanted.held,
        muscles=wanted.muscles,
        motion=wanted.motion,
    )
    anatomy = assembled(wanted, found)
    if place is None:
        return anatomy
    try:
        write_anatomy_file(anatomy, place)
    except ResourceError as error:
        unkept = Problem("warning", f"the model was sampled but not kept: {error}", wanted.model.name)
        return replace(anatomy, problems=(*anatomy.problems, unkept))
    return anatomy


def loaded(
    model: Path,
    *,
    coordinates: Sequence[str] | None = None,
    fixed: Mapping[str, float] | None = None,
    muscles: Sequence[str] = (),
) -> Anatomy:
    """Return a model file's anatomy over the whole ranges of ``coordinates`` (all free ones by default), others ``fixed`` [rad].

    Without names of ``muscles`` all are taken that cross a coordinate. Raises InputError for names that there are not, locked coordinates,
    unknown classes of muscles, and paths of named muscles that cannot be followed closely enough; the others' paths are warned of.
    """
    sketch = read_sketch(model)
    free = [c.name for c in sketch.coordinates if not (c.locked or c.follows or c.translation)]
    moving = tuple(free if coordinates is None else coordinates)
    held = dict(fixed or {})
    near = [name for name in sketch.muscles if sketch.leading(name) & set(moving)]
    problems = [*sketch.unusable(moving, held), *sketch.strange_muscles(muscles or near)]
    if problems:
        raise InputError(problems)
    ranges = {c.name: c for c in sketch.coordinates}
    ends = tuple(_bounded(ranges[name]) for name in moving)
    still = {c.name: c.default for c in sketch.coordinates if c.name not in moving and not c.follows}
    anatomy = osim_anatomy(Wanted(model, moving, ends, still | held, tuple(muscles), explained=moving))
    wrong = misfits(anatomy, str(model))
    if muscles and wrong:
        raise InputError(wrong)
    for problem in wrong:
        warnings.warn(str(problem), stacklevel=3)
    return anatomy


def studied(study: Study) -> Anatomy:
    """Return the anatomy of a study's model file: its measured and deep muscles, over what its recordings move through and 10 deg more.

    Raises InputError for paths that cannot be followed as closely as the study asks, and for muscles that cross no coordinate.
    """
    sketch = read_sketch(study.model_file)
    muscles = tuple(name for name in sketch.muscles if name in {*study.measured, *study.deep})
    motion = _recorded(study)
    if len(motion):
        low, high = motion.min(axis=0) - MARGIN, motion.max(axis=0) + MARGIN
        ends = tuple((float(a), float(b)) for a, b in zip(low, high, strict=True))
    else:
        ranges = {c.name: c for c in sketch.coordinates}
        ends = tuple(_bounded(ranges[name]) for name in study.moved)
    still = {c.name: c.default for c in sketch.coordinates if c.name not in study.moved and not c.follows}
    postures = motion[:: max(1, len(motion) // RECORDED)] if len(motion) else None
    wanted = Wanted(
        Path(study.model_file), study.moved, ends, still | study.fixed, muscles, postures, explained=study.coordinates
    )
    anatomy = osim_anatomy(wanted)
    problems = [*misfits(anatomy, study.model, allow_mm=study.allow_mm), *uncrossing(anatomy, study)]
    if problems:
        raise InputError(problems)
    return anatomy


def _recorded(study: Study) -> Floats:
    """Return the postures (posture, coordinate) [rad] of all recordings in which every coordinate is known."""
    tables = [recording.angles for person in study.subjects for recording in person.recordings]
    rows = [table.select({name: name for name in study.moved}).values for table in tables]
    postures = np.vstack(rows) if rows else np.empty((0, len(study.moved)))
    return np.asarray(postures[np.isfinite(postures).all(axis=1)], dtype=np.float64)


def uncrossing(anatomy: Anatomy, study: Study) -> list[Problem]:
    """Return an error for each muscle that has no moment arm worth the name about any coordinate whose moment is explained."""
    largest = dict.fromkeys(anatomy.muscles, 0.0)
    for fit in anatomy.path_fits:
        if fit.coordinate in study.coordinates:
            largest[fit.muscle] = max(largest[fit.muscle], fit.largest_arm)
    return [
        Problem(
            "error",
            f"{name} has no moment arm of more than {arm:.2g} mm about {', '.join(study.coordinates)}",
            study.source or study.model,
            expected=f"{SMALLEST_ARM * 1e3:g} mm or more",
            remedy="Put it under study.ignored: it says nothing of these moments",
        )
        for name, arm in largest.items()
        if arm < SMALLEST_ARM * 1e3
    ]


def misfits(anatomy: Anatomy, file: str, *, allow_mm: float = ALLOWED_MM) -> list[Problem]:
    """Return an error for each muscle whose path length is off by more than 1 % of its excursion and more than ``allow_mm``."""
    worst = {fit.muscle: fit for fit in sorted(anatomy.path_fits, key=lambda fit: fit.worst_arm_error)}
    return [
        Problem(
            "error",
            f"the path of {fit.muscle} over {fit.coordinate} cannot be followed: its length is off by up to "
            f"{fit.worst_length_error:.2f} mm and its moment arm by {fit.worst_arm_error:.2f} mm",
            file,
            expected=f"at most {max(allow_mm, ALLOWED_SHARE * fit.excursion):.2f} mm of length",
            remedy="Look at the muscle's path in OpenSim: it may jump. Or allow more with [geometry] allow_mm",
        )
        for fit in worst.values()
        if fit.worst_length_error > max(allow_mm, ALLOWED_SHARE * fit.excursion)
    ]


def _bounded(coordinate: CoordinateSketch) -> tuple[float, float]:
    """Return a coordinate's range; none that is wider than a turn is sampled as a whole."""
    return max(coordinate.low, -LARGEST_ANGLE), min(coordinate.high, LARGEST_ANGLE)


def _key(wanted: Wanted) -> str:
    """Return the digest of the model file and of all that is wanted of it."""
    motion = (
        None if wanted.motion is None else hashlib.sha256(np.ascontiguousarray(wanted.motion).tobytes()).hexdigest()
    )
    facts: list[Any] = [VERSION, opensim_version(), digest(wanted.model), wanted.model.name]
    facts += [wanted.coordinates, wanted.ends]
    facts += [sorted(wanted.held.items()), wanted.muscles, motion, wanted.explained]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
