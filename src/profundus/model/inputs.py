"""Trials as padded arrays that a network can see and a loss can be held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from numpy.typing import DTypeLike, NDArray

from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.postures import recorded_geometry
from profundus.records import NetworkSettings, Trial

Floats = NDArray[np.float64]
FLOOR = 0.005
SMOOTHING_S = 0.04
PADDED_TOKENS = 64


class Batch(NamedTuple):
    """Trials of one subject, padded to one length.

    ``features`` (trial, time, feature) scaled to unit variance; ``state`` (trial, time, state) angle, velocity and load alone, scaled
    likewise; ``neighbor`` (trial, time, muscle) logit of the smoothed measured envelope, 0 where there is none; ``emg``, ``moment`` and
    their ``_valid``; ``path_length``, ``path_velocity`` (trial, time, muscle), ``moment_arm`` (trial, time, coordinate, muscle);
    ``valid`` (trial, time) False in the padding; ``moment_sd`` (trial, time, coordinate) [N.m], None where trials do not say it.
    """

    features: Float[Array, "*trial time channel"]
    state: Float[Array, "*trial time state"]
    neighbor: Float[Array, "*trial time muscle"]
    emg: Float[Array, "*trial time muscle"]
    emg_valid: Bool[Array, "*trial time muscle"]
    moment: Float[Array, "*trial time coordinate"]
    moment_valid: Bool[Array, "*trial time coordinate"]
    path_length: Float[Array, "*trial time muscle"]
    path_velocity: Float[Array, "*trial time muscle"]
    moment_arm: Float[Array, "*trial time coordinate muscle"]
    valid: Bool[Array, "*trial time"]
    moment_sd: Float[Array, "*trial time coordinate"] | None = None


@dataclass(frozen=True)
class Scaling:
    """What brings the channels to zero mean and unit variance: learned from the trials to fit, kept for new ones.

    ``mean``, ``sd`` (channel,) in the order of :func:`channels`; ``load_default`` [kg] stands in for an unknown load; ``measured``
    (muscle,) says which muscles had an electrode in any trial to fit.
    """

    mean: Floats
    sd: Floats
    load_default: float
    measured: NDArray[np.bool_]


def smoothed(values: Floats, valid: NDArray[np.bool_], *, step: float, width: float = SMOOTHING_S) -> Floats:
    """Return columns (time, muscle) after a Gaussian of standard deviation ``width`` [s]; invalid samples carry no weight.

    Where no valid sample is near, the column's mean stands in; 0 where it has none.
    """
    reach = max(1, int(3 * width / step))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    weight = valid.astype(float)
    filled = np.where(valid, values, 0.0)
    out = np.zeros_like(filled)
    for column in range(values.shape[1]):
        total = np.convolve(weight[:, column], kernel, mode="full")[reach : reach + len(values)]
        summed = np.convolve(filled[:, column], kernel, mode="full")[reach : reach + len(values)]
        mean = filled[:, column].sum() / max(weight[:, column].sum(), 1.0)
        out[:, column] = np.where(total > 1e-9, summed / np.maximum(total, 1e-9), mean)
    return out


def logit(fraction: Floats, *, least: float = FLOOR, most: float = 0.99) -> Floats:
    """Return log(x / (1 - x)) of a fraction of maximum, kept between ``least`` (an envelope's floor) and ``most``."""
    x = np.clip(fraction, least, most)
    return np.asarray(np.log(x) - np.log1p(-x))


def draw_logits(draws: Floats) -> Floats:
    """Return the logits of drawn excitations, of any shape; only 0 and 1 themselves are kept off."""
    return logit(draws, least=1e-6, most=1 - 1e-6)


def channels(
    trial: Trial, settings: NetworkSettings, *, measured: NDArray[np.bool_], load_default: float
) -> tuple[Floats, int]:
    """Return what the network may see of a trial, (time, channel), and how many of the first channels are motion and load."""
    load = trial.load_kg if np.isfinite(trial.load_kg) else load_default
    parts = [trial.angle, trial.velocity, np.full((len(trial.time), 1), load)]
    state = 2 * len(trial.coordinates) + 1
    if settings.acceleration:
        parts.append(trial.acceleration)
    if settings.measured_emg:
        parts.append(logit(smoothed(trial.emg, trial.emg_valid, step=trial.step))[:, measured])
    if settings.inverse_dynamics_moment:
        parts.append(smoothed(trial.moment, trial.moment_valid, step=trial.step, width=SMOOTHING_S))
    return np.concatenate(parts, axis=1), state


def learned_scaling(trials: Sequence[Trial], settings: NetworkSettings) -> Scaling:
    """Return the scaling of the channels over all samples of the trials to fit."""
    loads = [trial.load_kg for trial in trials if np.isfinite(trial.load_kg)]
    default = float(np.mean(loads)) if loads else 0.0
    measured = np.any([trial.measured for trial in trials], axis=0)
    stacked = np.concatenate([channels(t, settings, measured=measured, load_default=default)[0] for t in trials])
    sd = stacked.std(axis=0)
    return Scaling(stacked.mean(axis=0), np.where(sd > 1e-6, sd, 1.0), default, measured)


def padded_length(trials: Sequence[Trial], settings: NetworkSettings) -> int:
    """Return the common length [samples]: the longest trial, rounded up so that people share lengths, and with them a compilation."""
    multiple = PADDED_TOKENS * settings.token_samples
    longest = max(len(trial.time) for trial in trials)
    return -(-longest // multiple) * multiple


def make_batch(
    trials: Sequence[Trial],
    model: MusculoskeletalModel,
    settings: NetworkSettings,
    scaling: Scaling,
    *,
    length: int,
    dtype: DTypeLike = np.float32,
) -> Batch:
    """Return the trials as one padded batch of ``length`` samples; padding repeats the last sample, and ``valid`` says where it is."""
    columns: list[list[NDArray[Any]]] = [[] for _ in Batch._fields[:-1]]
    for trial in trials:
        for column, values in zip(columns, _one_trial(trial, model, settings, scaling), strict=True):
            missing = length - len(trial.time)
            column.append(np.pad(values, [(0, missing)] + [(0, 0)] * (values.ndim - 1), mode="edge"))
    stacked = [np.stack(column) for column in columns]
    inside = np.arange(length)[None, :] < np.asarray([len(trial.time) for trial in trials])[:, None]
    batch = Batch(*(jnp.asarray(a if a.dtype == bool else a.astype(dtype)) for a in stacked))
    return batch._replace(
        valid=jnp.asarray(inside),
        emg_valid=batch.emg_valid & inside[..., None],
        moment_valid=batch.moment_valid & inside[..., None],
        moment_sd=_moment_sd(trials, batch.moment),
    )


def _moment_sd(trials: Sequence[Trial], moment: Float[Array, "trial time coordinate"]) -> Array | None:
    """Return each moment's standard deviation (trial, time, coordinate) [N.m], None unless all trials say it."""
    said = [trial.moment_sd for trial in trials if trial.moment_sd is not None]
    if len(said) < len(trials):
        return None
    return jnp.broadcast_to(jnp.asarray(np.stack(said)[:, None, :], moment.dtype), moment.shape)


def _one_trial(
    trial: Trial, model: MusculoskeletalModel, settings: NetworkSettings, scaling: Scaling
) -> tuple[NDArray[Any], ...]:
    """Return the fields of a batch but the last for one trial, in their order, without the axis of trials."""
    seen, state = channels(trial, settings, measured=scaling.measured, load_default=scaling.load_default)
    features = (seen - scaling.mean) / scaling.sd
    if settings.inverse_dynamics_moment:
        known = np.any(trial.moment_valid, axis=0)
        features[:, -len(known) :] *= known  # an unknown moment is shown as the average one
    envelope = smoothed(trial.emg, trial.emg_valid, step=trial.step)
    geometry = recorded_geometry(model, trial.angle, trial.velocity)
    return (
        features,
        features[:, :state],
        np.where(scaling.measured[None, :], logit(envelope), 0.0),
        np.where(trial.emg_valid, trial.emg, 0.0),
        trial.emg_valid,
        np.where(trial.moment_valid, trial.moment, 0.0),
        trial.moment_valid,
        geometry.path_length,
        geometry.path_velocity,
        geometry.moment_arm,
        np.ones(len(trial.time), dtype=bool),
    )
