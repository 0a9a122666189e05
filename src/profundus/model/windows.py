"""Trials as a network that was taught by virtual people sees them: slow, in windows of one length, with what muscles could do beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.model.clocks import SLOW, Place, at_times, bridged, cut, late, low_passed, placed, seen_columns
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.padding import whole_blocks
from profundus.muscle.registry import muscle_model
from profundus.muscle.rigid_tendon import tendon_force
from profundus.records import Trial
from profundus.skeleton.paths import Geometry

Floats = NDArray[np.float64]
USUAL_SCALE_SD = 0.08  # after maximal contractions
MUSCLES = ("thelen", "degroote")
WEAK, WORKING = 0.02, 0.25  # activations between which a muscle's capacity is taken
KNOWN_SHARE = 0.8  # of a trial's moments; with fewer it is seen without
ROWS = 512  # that physics is compiled for


class Windows(NamedTuple):
    """Stretches of one person's trials at 10 Hz.

    ``fast`` and ``slow`` (window, sample, muscle) are log envelopes below 3 and 1 Hz, ``motion`` (window, sample, 3) angle [rad] and its
    two rates, ``moment`` (window, sample) [N.m], ``load`` (window,) [kg] or NaN, ``capacity`` (window, sample, model, muscle) [N.m] per
    unit of activation and ``passive`` (window, sample, model) [N.m] of generic muscles, ``valid`` (window, sample). ``moment``,
    ``capacity`` and ``passive`` are those of 90 ms later. ``scale_sd`` (window,) is how unsure the scale of the envelopes is, as standard
    deviation of a log gain. What is unknown is zero.
    """

    fast: Floats
    slow: Floats
    motion: Floats
    moment: Floats
    load: Floats
    capacity: Floats
    passive: Floats
    valid: NDArray[np.bool_]
    scale_sd: Floats

    def silent(self) -> Windows:
        """Return the windows as they are where nobody knows the moment."""
        nothing: Any = 0 * self.moment
        return self._replace(moment=nothing)


def windows_of(trials: Sequence[Trial], model: MusculoskeletalModel, *, scale_sd: float = USUAL_SCALE_SD) -> Windows:
    """Return the windows of trials, one trial after the other, of a model that moves in one coordinate.

    ``scale_sd`` is the prior standard deviation of the log EMG gain that the normalization leaves.
    """
    if len(model.coordinates) != 1:
        what = f"{len(model.coordinates)} coordinates move: {', '.join(model.coordinates)}"
        raise InputError(Problem("error", what, expected="one"))
    rows = [_rows(trial, placed(trial, SLOW)) for trial in trials]
    moved = np.concatenate([row.pop("later") for row in rows])
    capacity, passive = _physics(model, moved)
    ends = np.cumsum([len(row["moment"]) for row in rows])[:-1]
    for row, part, rest in zip(rows, np.split(capacity, ends), np.split(passive, ends), strict=True):
        row |= {"capacity": part, "passive": rest}
        row["scale_sd"] = np.full(len(row["moment"]), scale_sd)
    parts = [_cut(row, placed(trial, SLOW)) for row, trial in zip(rows, trials, strict=True)]
    return Windows(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _rows(trial: Trial, place: Place) -> dict[str, Any]:
    """Return what is seen of a trial at 10 Hz, by name; ``later`` is angle and velocity of 90 ms later."""
    known = trial.moment_valid if np.mean(trial.moment_valid) >= KNOWN_SHARE else np.zeros_like(trial.moment_valid)
    moment = bridged(trial.time, np.where(known, trial.moment, np.nan))
    columns = seen_columns(trial, SLOW) | {"moment": late(trial, low_passed(trial, moment, SLOW.fast_hz))[:, 0]}
    return {name: at_times(trial, values, place.time) for name, values in columns.items()} | {
        "load": np.full(len(place.time), trial.load_kg)
    }


def _cut(row: dict[str, Any], place: Place) -> list[NDArray[np.generic]]:
    """Return the fields of `Windows` for one trial."""
    whole = {**row, "valid": np.ones(len(place.time), dtype=bool)}
    parts = {name: cut(whole[name], place, SLOW) for name in Windows._fields}
    return [parts[name][:, 0] if name in ("load", "scale_sd") else parts[name] for name in Windows._fields]


def _physics(model: MusculoskeletalModel, moved: Floats) -> tuple[Floats, Floats]:
    """Return capacity (sample, model, muscle) and passive moment (sample, model) at angle and velocity (sample, 2)."""
    blocks = [jax.device_put((block[:, :1], block[:, 1:])) for block in whole_blocks(moved, ROWS)]
    found = zip(*(_capacities(model, *block) for block in blocks), strict=True)
    capacity, passive = (np.concatenate([np.asarray(part, float) for part in parts])[: len(moved)] for parts in found)
    return capacity, passive


@eqx.filter_jit
def _capacities(
    model: MusculoskeletalModel, angle: Float[Array, "sample 1"], velocity: Float[Array, "sample 1"]
) -> tuple[Float[Array, "sample model muscle"], Float[Array, "sample model"]]:
    geometry = model.geometry(angle, velocity)
    arms = geometry.moment_arm[:, 0, :]
    lines = force_lines(model, geometry)
    capacities = [arms * line.slope for line in lines]
    passives = [jnp.sum(arms * line.rest, axis=1) for line in lines]
    return jnp.stack(capacities, axis=1), jnp.stack(passives, axis=1)


class ForceLine(NamedTuple):
    """Tendon force [N] of generic muscles between weak and working activation: ``slope`` x activation + ``rest``, (sample, muscle)."""

    slope: Float[Array, "sample muscle"]
    rest: Float[Array, "sample muscle"]


def force_lines(model: MusculoskeletalModel, geometry: Geometry) -> list[ForceLine]:
    """Return the line of each muscle model, in the order of ``MUSCLES``."""
    generic = model.generic_parameters.muscles
    lines = []
    for name in MUSCLES:
        muscle = muscle_model(name, passive_strain_at_one=model.passive_strain_at_one)
        weak, working = (
            tendon_force(
                muscle,
                generic,
                jnp.full(geometry.path_length.shape, active),
                geometry.path_length,
                geometry.path_velocity,
            ).tendon_force
            for active in (WEAK, WORKING)
        )
        slope = (working - weak) / (WORKING - WEAK)
        lines.append(ForceLine(slope, weak - WEAK * slope))
    return lines
