"""What OpenSim said of a model's muscles, put together as an anatomy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.errors import Problem
from profundus.muscle.rigid_tendon import MAXIMAL_SPEED
from profundus.records import Anatomy, CoordinateRange, PathFit, PathProducts, PathSpline
from profundus.skeleton.sampling import SampledPaths
from profundus.skeleton.surrogate import CUBIC

Floats = NDArray[np.float64]
SMALLEST_ARM = 1e-3  # m


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


def assembled(wanted: Wanted, found: SampledPaths) -> Anatomy:
    """Return the anatomy of what was wanted, with how well its paths follow the model and what is worth knowing of it."""
    paths, given = found.paths, found.parameters
    names = wanted.coordinates
    middle: dict[str, Any] = {
        key: float(np.median(given[key])) for key in ("tendon_strain_at_one", "passive_strain_at_one")
    }
    return Anatomy(
        name=wanted.model.name,
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
    file, problems = wanted.model.name, []
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
    speeds = found.parameters.get("max_contraction_velocity", np.empty(0))
    if np.any(np.abs(speeds - MAXIMAL_SPEED) > 1e-6):
        what = (
            f"max_contraction_velocity is {speeds.min():.3g} to {speeds.max():.3g} optimal fiber lengths a second in the model; "
            f"{MAXIMAL_SPEED:g} is used for all muscles"
        )
        problems.append(Problem("note", what, file))
    return problems


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))
