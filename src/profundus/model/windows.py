"""Trials as a network that was taught by virtual people sees them: slow, in windows of one length, with what muscles could do beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from profundus.errors import InputError, Problem
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.muscle.registry import muscle_model
from profundus.muscle.rigid_tendon import tendon_force
from profundus.records import Trial

Floats = NDArray[np.float64]
HZ = 10.0
SAMPLES = 76  # of a window: 7.6 s
OVERLAP = 16  # samples that neighboring windows of a long trial share
INSET_S = 0.2  # at either end, where filters know one side only
FAST_HZ, SLOW_HZ = 3.0, 1.0  # low-passes of what is seen
TRUTH_HZ = 6.0
LATE_S = 0.09  # moments and muscles' capacities are those of so long after the EMG: delay and rise of force
FLOOR = 0.002  # fraction of maximum, keeps logarithms finite
USUAL_SCALE_SD = 0.08  # after maximal contractions
MUSCLES = ("thelen", "degroote")
WEAK, WORKING = 0.02, 0.25  # activations between which a muscle's capacity is taken
KNOWN_SHARE = 0.8  # of a trial's moments; with fewer it is seen without
ROWS = 512  # physics is asked in multiples, so that people share a compilation


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


@dataclass(frozen=True)
class Place:
    """Where windows of a trial lie: ``time`` [s] of every sample of the trial at 10 Hz, ``starts`` the first sample of every window."""

    time: Floats
    starts: tuple[int, ...]


def placed(trial: Trial) -> Place:
    """Return where the windows of a trial lie: at least one sample, in the middle of the shortest trials."""
    length = float(trial.time[-1] - trial.time[0])
    count = max(1, int(np.floor((length - 2 * INSET_S) * HZ + 1e-6)))
    first = trial.time[0] + 0.5 * (length - (count - 1) / HZ)
    pieces = max(1, int(np.ceil((count - OVERLAP) / (SAMPLES - OVERLAP))))
    starts = np.round(np.linspace(0, max(count - SAMPLES, 0), pieces)).astype(int)
    return Place(first + np.arange(count) / HZ, tuple(int(start) for start in starts))


def windows_of(trials: Sequence[Trial], model: MusculoskeletalModel, *, scale_sd: float = USUAL_SCALE_SD) -> Windows:
    """Return the windows of trials, one trial after the other, of a model that moves in one coordinate.

    ``scale_sd`` is the prior standard deviation of the log EMG gain that the normalization leaves.
    """
    if len(model.coordinates) != 1:
        what = f"{len(model.coordinates)} coordinates move: {', '.join(model.coordinates)}"
        raise InputError(Problem("error", what, expected="one"))
    rows = [_rows(trial, placed(trial)) for trial in trials]
    moved = np.concatenate([row.pop("later") for row in rows])
    capacity, passive = _physics(model, moved)
    ends = np.cumsum([len(row["moment"]) for row in rows])[:-1]
    for row, part, rest in zip(rows, np.split(capacity, ends), np.split(passive, ends), strict=True):
        row |= {"capacity": part, "passive": rest}
        row["scale_sd"] = np.full(len(row["moment"]), scale_sd)
    parts = [_cut(row, placed(trial)) for row, trial in zip(rows, trials, strict=True)]
    return Windows(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def true_windows(trials: Sequence[Trial]) -> Floats:
    """Return the logarithm of the true excitations (window, sample, muscle) of trials, NaN where there is none."""
    found = []
    for trial in trials:
        place = placed(trial)
        truth = np.log(np.maximum(_at(trial, _low_passed(trial, trial.truth, TRUTH_HZ), place.time), FLOOR))
        found += [_padded(truth[start : start + SAMPLES]) for start in place.starts]
    return np.stack(found)


def spread_out(values: Floats, trial: Trial) -> Floats:
    """Return values (window, sample, ...) of one trial's windows on the trial's own clock: where windows overlap, one fades into the other.

    Between samples, values are interpolated; before the first and after the last they stay as they are.
    """
    place = placed(trial)
    count = len(place.time)
    total, weight = np.zeros((count, *values.shape[2:])), np.zeros(count)
    fade = np.minimum(np.arange(1, SAMPLES + 1), np.arange(SAMPLES, 0, -1)).clip(max=OVERLAP).astype(float)
    for window, start in zip(values, place.starts, strict=True):
        length = min(SAMPLES, count - start)
        share = fade[:length]
        weight[start : start + length] += share
        total[start : start + length] += share.reshape(-1, *[1] * (values.ndim - 2)) * window[:length]
    flat = (total / weight.reshape(-1, *[1] * (values.ndim - 2))).reshape(count, -1)
    columns = [np.interp(trial.time, place.time, column) for column in flat.T]
    return np.stack(columns, axis=1).reshape(len(trial.time), *values.shape[2:])


def _rows(trial: Trial, place: Place) -> dict[str, Floats]:
    """Return what is seen of a trial at 10 Hz, by name; ``later`` is angle and velocity of 90 ms later."""
    late = round(LATE_S / trial.step)

    def later(values: Floats) -> Floats:
        return np.concatenate([values[late:], np.repeat(values[-1:], min(late, len(values)), axis=0)])[: len(values)]

    envelope = _bridged(trial.time, np.where(trial.emg_valid, trial.emg, np.nan))
    angle = _low_passed(trial, trial.angle, FAST_HZ)
    velocity = np.gradient(angle, trial.step, axis=0)
    acceleration = np.gradient(velocity, trial.step, axis=0)
    known = trial.moment_valid if np.mean(trial.moment_valid) >= KNOWN_SHARE else np.zeros_like(trial.moment_valid)
    moment = _bridged(trial.time, np.where(known, trial.moment, np.nan))
    columns = {
        "fast": np.log(np.maximum(_low_passed(trial, envelope, FAST_HZ), FLOOR)),
        "slow": np.log(np.maximum(_low_passed(trial, envelope, SLOW_HZ), FLOOR)),
        "motion": np.concatenate([angle, velocity, acceleration], axis=1),
        "moment": later(_low_passed(trial, moment, FAST_HZ))[:, 0],
        "later": later(np.concatenate([angle, velocity], axis=1)),
    }
    return {name: _at(trial, values, place.time) for name, values in columns.items()} | {
        "load": np.full(len(place.time), trial.load_kg)
    }


def _cut(row: dict[str, Floats], place: Place) -> list[NDArray[np.generic]]:
    """Return the fields of `Windows` for one trial."""
    seen = np.ones(len(place.time), dtype=bool)
    whole = {**row, "valid": seen}
    cut = {
        name: np.stack([_padded(whole[name][start : start + SAMPLES]) for start in place.starts])
        for name in Windows._fields
    }
    return [cut[name][:, 0] if name in ("load", "scale_sd") else cut[name] for name in Windows._fields]


def _padded(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return values (sample, ...) followed by zeros (False) up to the length of a window."""
    return np.pad(values, [(0, SAMPLES - len(values))] + [(0, 0)] * (values.ndim - 1))


def _low_passed(trial: Trial, values: Floats, cutoff_hz: float) -> Floats:
    """Return columns (time, column) after 2 poles, forward and backward."""
    sections = butter(2, min(cutoff_hz, 0.45 / trial.step), fs=1.0 / trial.step, output="sos")
    return np.asarray(sosfiltfilt(sections, values, axis=0, padlen=min(round(0.9 / trial.step), len(values) - 2)))


def _bridged(time: Floats, values: Floats) -> Floats:
    """Return columns whose gaps are bridged by straight lines; zeros where nothing is known."""
    out = np.zeros_like(values)
    for column, series in enumerate(values.T):
        known = np.isfinite(series)
        if known.any():
            out[:, column] = np.interp(time, time[known], series[known])
    return out


def _at(trial: Trial, values: Floats, times: Floats) -> Floats:
    """Return values (time, ...) at the samples nearest to ``times``."""
    index = np.round((times - trial.time[0]) / trial.step).astype(int)
    return np.asarray(values[index.clip(0, len(trial.time) - 1)])


def _physics(model: MusculoskeletalModel, moved: Floats) -> tuple[Floats, Floats]:
    """Return capacity (sample, model, muscle) and passive moment (sample, model) at angle and velocity (sample, 2)."""
    count = len(moved)
    padded = np.pad(moved, [(0, -count % ROWS), (0, 0)], mode="edge")
    capacity, passive = _capacities(model, jnp.asarray(padded[:, :1]), jnp.asarray(padded[:, 1:]))
    return np.asarray(capacity, dtype=float)[:count], np.asarray(passive, dtype=float)[:count]


@eqx.filter_jit
def _capacities(
    model: MusculoskeletalModel, angle: Float[Array, "sample 1"], velocity: Float[Array, "sample 1"]
) -> tuple[Float[Array, "sample model muscle"], Float[Array, "sample model"]]:
    geometry = model.geometry(angle, velocity)
    generic = model.generic_parameters.muscles
    arms = geometry.moment_arm[:, 0, :]
    capacities, passives = [], []
    for name in MUSCLES:
        muscle = muscle_model(name, passive_strain_at_one=model.passive_strain_at_one)
        weak, working = (
            tendon_force(
                muscle, generic, jnp.full(arms.shape, active), geometry.path_length, geometry.path_velocity
            ).tendon_force
            for active in (WEAK, WORKING)
        )
        slope = (working - weak) / (WORKING - WEAK)
        capacities.append(arms * slope)
        passives.append(jnp.sum(arms * (weak - WEAK * slope), axis=1))
    return jnp.stack(capacities, axis=1), jnp.stack(passives, axis=1)
