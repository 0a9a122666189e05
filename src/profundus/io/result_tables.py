"""One trial's answer as tables over time, in the words of OpenSim."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.records import Table, TrialReconstruction

Floats = NDArray[np.float64]


def excitations(part: TrialReconstruction) -> Table:
    """Return the excitations of all muscles, posterior mean, as fractions of maximum; also OpenSim's table of controls."""
    return Table(
        part.trial.muscles, part.trial.time, part.excitation, f"{part.trial.name} excitations", in_degrees=False
    )


def excitation_bands(part: TrialReconstruction) -> Table:
    """Return the 90 % band of every excitation, as ``<muscle>_lower`` and ``<muscle>_upper``."""
    return _paired(part, part.trial.muscles, {"lower": part.lower, "upper": part.upper}, "90 % band of the excitations")


def moments(part: TrialReconstruction) -> Table:
    """Return the joint moments [N.m], as ``<coordinate>_measured`` and ``<coordinate>_model``; NaN where unknown."""
    model = np.full_like(part.trial.moment, np.nan) if part.moment is None else part.moment
    return _paired(part, part.trial.coordinates, {"measured": part.trial.moment, "model": model}, "joint moments")


def states(
    part: TrialReconstruction,
    *,
    joints: Mapping[str, str],
    fixed: Mapping[str, float],
    others: Mapping[str, tuple[Floats, Floats]] | None = None,
) -> Table:
    """Return activations, fiber lengths [m], angles and velocities [rad, rad/s] under the names of OpenSim's states.

    ``joints`` maps a coordinate to its joint. ``others`` holds (value, speed) of coordinates beside those of the trial that were recorded,
    ``fixed`` the value of those that were not [rad, m]. Raises InputError that names every coordinate without a joint.
    """
    trial = part.trial
    moving = {name: (trial.angle[:, i], trial.velocity[:, i]) for i, name in enumerate(trial.coordinates)}
    moving = {**(others or {}), **moving}
    still = {name: (np.full_like(trial.time, at), np.zeros_like(trial.time)) for name, at in fixed.items()}
    body = {**still, **moving}
    lost = [name for name in body if name not in joints]
    if lost:
        raise InputError(
            Problem("error", f"the joint of '{name}' is not known", remedy="Name it in joints") for name in lost
        )
    columns: dict[str, Floats] = {}
    for name in sorted(body, key=list(joints).index):
        columns[f"/jointset/{joints[name]}/{name}/value"], columns[f"/jointset/{joints[name]}/{name}/speed"] = body[
            name
        ]
    for key in ("activation", "fiber_length"):
        values: Floats | None = getattr(part, key)
        if values is not None:
            columns |= {f"/forceset/{muscle}/{key}": values[:, i] for i, muscle in enumerate(trial.muscles)}
    return Table(
        tuple(columns), trial.time, np.column_stack(list(columns.values())), f"{trial.name} states", in_degrees=False
    )


def _paired(part: TrialReconstruction, names: tuple[str, ...], series: Mapping[str, Floats], what: str) -> Table:
    """Return two or more series (time, name) side by side, column ``<name>_<key>`` by name."""
    labels = tuple(f"{name}_{key}" for name in names for key in series)
    values = np.stack(list(series.values()), axis=2).reshape(len(part.trial.time), len(labels))
    return Table(labels, part.trial.time, values, f"{part.trial.name} {what}", in_degrees=False)
