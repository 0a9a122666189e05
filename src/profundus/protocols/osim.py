"""Anatomies from OpenSim's model files: sampled once, checked, and kept for the next time."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.fit.compiled import cache_folder
from profundus.io.anatomy_file import read_anatomy_file, write_anatomy_file
from profundus.io.osim import KNOWN_MUSCLES, CoordinateSketch, ModelSketch, read_sketch
from profundus.io.store import digest
from profundus.io.study_names import nearest_name
from profundus.records import Anatomy, CoordinateRange, PathFit, PathProducts, PathSpline
from profundus.skeleton.child import opensim_version
from profundus.skeleton.sampling import SampledPaths, sampled_paths
from profundus.skeleton.surrogate import CUBIC

Floats = NDArray[np.float64]
VERSION = 1  # of what is sampled and fitted: a higher one leaves older kept anatomies alone
ALLOWED_MM = 1.0
ALLOWED_SHARE = 0.01  # of a muscle's excursion
SMALLEST_ARM = 1e-3  # m
LARGEST_ANGLE = float(np.pi)


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a model file: ``coordinates`` that move between ``ends`` [rad], ``held`` ones, ``muscles`` (empty: all that cross).

    ``motion`` (posture, coordinate) [rad] holds recorded postures; ``explained`` are the coordinates whose moments group the muscles.
    """

    model: Path
    coordinates: tuple[str, ...]
    ends: tuple[tuple[float, float], ...]
    held: Mapping[str, float] = field(default_factory=dict)
    muscles: tuple[str, ...] = ()
    motion: Floats | None = None
    explained: tuple[str, ...] = ()


def osim_anatomy(wanted: Wanted) -> Anatomy:
    """Return the anatomy of a model file, sampled with OpenSim or as it was kept when the same was wanted before.

    Raises InputError as `sampled_paths`; how good the paths are is for the caller to judge (`misfits`).
    """
    folder = cache_folder()
    place = None if folder is None else folder / "anatomies" / f"{_key(wanted)}.safetensors"
    if place is not None and place.is_file():
        return read_anatomy_file(place)
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
    anatomy = _anatomy(wanted, found)
    if place is not None:
        write_anatomy_file(anatomy, place)
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
    problems = [*unusable(sketch, moving, held), *strange_muscles(sketch, muscles or sketch.muscles)]
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


def unusable(sketch: ModelSketch, moving: Sequence[str], held: Mapping[str, float]) -> list[Problem]:
    """Return an error for each coordinate that cannot be moved or held as asked."""
    known = {c.name: c for c in sketch.coordinates}
    problems = [
        Problem("error", f"there is no coordinate {name}", sketch.file, remedy=nearest_name(name, known))
        for name in dict.fromkeys((*moving, *held))
        if name not in known
    ]
    problems += [
        Problem("error", f"{name} is both moving and fixed", sketch.file, remedy="Name it in one place only")
        for name in moving
        if name in held
    ]
    for name in (n for n in moving if n in known):
        one = known[name]
        if one.follows:
            what, remedy = f"{name} follows {', '.join(one.follows)}", f"Move {', '.join(one.follows)} instead"
            problems.append(Problem("error", what, sketch.file, remedy=remedy))
        if one.locked:
            what, remedy = f"{name} is locked in the model", "Unlock it there, or hold it"
            problems.append(Problem("error", what, sketch.file, remedy=remedy))
        if one.translation:
            what = f"{name} is a translation"
            problems.append(Problem("error", what, sketch.file, expected="coordinates that rotate"))
    return problems


def strange_muscles(sketch: ModelSketch, muscles: Sequence[str] | Mapping[str, str]) -> list[Problem]:
    """Return an error for each muscle that there is not, or whose class is not known."""
    problems = []
    for name in muscles:
        if name not in sketch.muscles:
            remedy = nearest_name(name, sketch.muscles)
            problems.append(Problem("error", f"there is no muscle {name}", sketch.file, remedy=remedy))
        elif sketch.muscles[name] not in KNOWN_MUSCLES:
            what, expected = f"{name} is a {sketch.muscles[name]}", "one of " + ", ".join(KNOWN_MUSCLES)
            remedy = "Convert it in OpenSim, or leave it out"
            problems.append(Problem("error", what, sketch.file, expected=expected, remedy=remedy))
    return problems


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
    facts: list[Any] = [VERSION, opensim_version(), digest(wanted.model), wanted.coordinates, wanted.ends]
    facts += [sorted(wanted.held.items()), wanted.muscles, motion, wanted.explained]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _anatomy(wanted: Wanted, found: SampledPaths) -> Anatomy:
    paths, given = found.paths, found.parameters
    names = wanted.coordinates
    middle: dict[str, Any] = {
        key: float(np.median(given[key])) for key in ("tendon_strain_at_one", "passive_strain_at_one")
    }
    return Anatomy(
        name=wanted.model.stem,
        muscles=found.muscles,
        coordinates=tuple(
            CoordinateRange(name, low, high, min(max(0.0, low), high))
            for name, (low, high) in zip(names, wanted.ends, strict=True)
        ),
        groups=_groups(found, wanted),
        max_isometric_force=given["max_isometric_force"],
        optimal_fiber_length=given["optimal_fiber_length"],
        tendon_slack_length=given["tendon_slack_length"],
        pennation_at_optimal=given["pennation_at_optimal"],
        base_length=paths.base,
        paths=tuple(map(PathSpline, names, [CUBIC] * len(names), paths.knots, paths.coefficients)),
        **middle,
        products=tuple(
            PathProducts(
                tuple(names[c] for c in several.columns),
                paths.low[list(several.columns)],
                paths.high[list(several.columns)],
                several.degrees,
                several.coefficients,
            )
            for several in paths.products
            if len(several.degrees)
        ),
        path_fits=tuple(_fits(found, names)),
        problems=tuple(_worth_knowing(found, wanted, middle)),
    )


def _fits(found: SampledPaths, names: tuple[str, ...]) -> list[PathFit]:
    length, arm = np.abs(found.length_error) * 1e3, np.abs(found.arm_error) * 1e3
    largest = np.abs(found.moment_arm).max(axis=0) * 1e3
    return [
        PathFit(
            muscle, name, float(np.ptp(found.length[:, m]) * 1e3), float(length[:, m].max()), _rms(length[:, m]),
            float(largest[c, m]), float(arm[:, c, m].max()), _rms(arm[:, c, m]), float(found.disagreement[c, m] * 1e3),
        )
        for m, muscle in enumerate(found.muscles)
        for c, name in enumerate(names)
        if largest[c, m] > 0
    ]  # fmt: skip


def _groups(found: SampledPaths, wanted: Wanted) -> tuple[str, ...]:
    """Return each muscle's principal action: the explained coordinate about which it can make the largest moment, and its sign."""
    columns = [wanted.coordinates.index(name) for name in wanted.explained or wanted.coordinates]
    arms = found.moment_arm[:, columns]
    principal = np.abs(arms).mean(axis=0).argmax(axis=0)
    signs = np.take_along_axis(arms.mean(axis=0), principal[None], axis=0)[0] >= 0
    return tuple(
        f"{wanted.coordinates[columns[at]]}_{'positive' if sign else 'negative'}"
        for at, sign in zip(principal, signs, strict=True)
    )


def _worth_knowing(found: SampledPaths, wanted: Wanted, middle: Mapping[str, float]) -> list[Problem]:
    """Return notes: moment arms that change sign, arms that are not the derivative of length, strains that are not one for all."""
    file, problems = str(wanted.model), []
    for m, muscle in enumerate(found.muscles):
        for c, name in enumerate(wanted.coordinates):
            arm = found.moment_arm[:, c, m]
            if arm.min() < -SMALLEST_ARM and arm.max() > SMALLEST_ARM:
                angle = np.rad2deg(found.posture[np.abs(arm).argmin(), c])
                what = f"the moment arm of {muscle} about {name} changes its sign, near {angle:.0f} deg"
                problems.append(Problem("note", what, file))
            if found.disagreement[c, m] > SMALLEST_ARM:
                what = (
                    f"OpenSim's moment arm of {muscle} about {name} is {found.disagreement[c, m] * 1e3:.1f} mm off minus the "
                    "derivative of its path length; the latter is used"
                )
                problems.append(Problem("note", what, file))
    for key, value in middle.items():
        values = found.parameters[key]
        if np.ptp(values) > 1e-6:
            words = key.replace("_", " ").replace("at one", "at one norm force")
            what = (
                f"{words} is {values.min():.3g} to {values.max():.3g} in the model; {value:.3g} is used for all muscles"
            )
            problems.append(Problem("note", what, file))
    return problems


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))
