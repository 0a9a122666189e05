"""How a person shares work among his muscles, learned from his trials, and the activations with which he would do other work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.model.musculoskeletal import MusculoskeletalModel, Parameters
from profundus.numerics.bracketed_root import bracketed_root

Floats = NDArray[np.float64]
LOWEST, HIGHEST = 0.01, 1.0  # of activation
MOST = 4.0  # e-folds by which one side's activations are raised and the other's lowered
RIDGE = 1e-2  # of the samples' information: what they cannot tell apart is shared
SMALL_MOMENT = 0.5  # N.m
BEYOND = 0.25  # standard deviations by which a feature may leave what was seen
EXHAUSTED, ENOUGH = 0.97, 0.01  # activation of a muscle at its end, and the share of samples in which it may be
ROWS = 256  # samples: trials of about one length share a compilation


@dataclass(frozen=True)
class Task:
    """Work of a trial, all (time,) but the load: ``angle`` and ``velocity`` [rad, rad/s] of one coordinate, wanted ``moment`` [N.m]."""

    angle: Floats
    velocity: Floats
    moment: Floats
    load_kg: float


@dataclass(frozen=True)
class Control:
    """A ridge regression of log activation (muscle,) on angle, velocity, wanted moment and load; features are kept to what was seen."""

    coefficients: Floats
    mean: Floats
    sd: Floats
    low: Floats
    high: Floats
    log_mean: Floats

    def log_activation(self, task: Task) -> Floats:
        """Return the log activations (time, muscle) of a task, before they are scaled to meet its moment."""
        seen = np.clip((_features(task) - self.mean) / self.sd, self.low - BEYOND, self.high + BEYOND)
        return np.asarray(self.log_mean + seen @ self.coefficients)


def learned_control(tasks: Sequence[Task], activations: Sequence[Floats]) -> Control:
    """Return the control that explains activations (time, muscle) of tasks."""
    features = np.concatenate([_features(task) for task in tasks])
    logs = np.log(np.clip(np.concatenate(list(activations)), LOWEST, HIGHEST))
    mean, sd = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    seen, log_mean = (features - mean) / sd, logs.mean(axis=0)
    information = seen.T @ seen + RIDGE * len(seen) * np.eye(seen.shape[1])
    coefficients = np.linalg.solve(information, seen.T @ (logs - log_mean))
    return Control(coefficients, mean, sd, seen.min(axis=0), seen.max(axis=0), log_mean)


def activations_for(
    task: Task, control: Control, model: MusculoskeletalModel, parameters: Parameters, *, muscle: str
) -> Floats | None:
    """Return the activations (time, muscle) of the task: the control's, flexors raised and extensors lowered (or the other way round) by
    one factor a sample until the muscles make the moment. None where some muscle is at its end for more than a moment."""
    count = len(task.angle)
    padded = [np.pad(values, (0, -count % ROWS), mode="edge") for values in (task.angle, task.velocity, task.moment)]
    logs = np.pad(control.log_activation(task), [(0, -count % ROWS), (0, 0)], mode="edge")
    work = _Work(*(jnp.asarray(values) for values in (logs, *padded)))
    found, missed = _met(model, parameters, work, muscle=muscle)
    active, short = np.asarray(found, dtype=float)[:count], np.asarray(missed, dtype=float)[:count]
    spent = np.any(active > EXHAUSTED, axis=1) | (np.abs(short) > SMALL_MOMENT)
    return None if np.mean(spent) > ENOUGH else active


def _features(task: Task) -> Floats:
    """Return what control depends on (time, feature); an unknown load counts as none."""
    up, down = np.maximum(task.moment, 0.0), np.maximum(-task.moment, 0.0)
    load = np.full(len(task.angle), np.nan_to_num(task.load_kg))
    columns = [task.angle, task.angle**2, task.velocity, np.log(up + SMALL_MOMENT), np.log(down + SMALL_MOMENT), load]
    return np.stack(columns, axis=1)


class _Work(NamedTuple):
    logs: Float[Array, "time muscle"]
    angle: Float[Array, " time"]
    velocity: Float[Array, " time"]
    moment: Float[Array, " time"]


@eqx.filter_jit
def _met(
    model: MusculoskeletalModel, parameters: Parameters, work: _Work, *, muscle: str
) -> tuple[Float[Array, "time muscle"], Float[Array, " time"]]:
    """Return activations that make the wanted moment, and by how much they miss it."""
    angle, velocity = work.angle[:, None], work.velocity[:, None]
    side = jnp.sign(jnp.mean(model.moment_arms(angle)[:, 0, :], axis=0))

    def activation(drive: Array) -> Array:
        return jnp.clip(jnp.exp(work.logs + drive[:, None] * side), LOWEST, HIGHEST)

    def excess(drive: Array) -> Array:
        made = model.joint_moment(activation(drive), angle, velocity, parameters=parameters, muscle=muscle)
        return made[:, 0] - work.moment

    ends = jnp.full_like(work.moment, -MOST), jnp.full_like(work.moment, MOST)
    drive = bracketed_root(excess, *ends, steps=24)
    return activation(drive), excess(drive)
