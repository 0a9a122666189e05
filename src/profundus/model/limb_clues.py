"""What the windows of a limb with several joints tell about muscles without electrodes, in numbers of order one."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from numpy.typing import NDArray

from profundus.model.clues import LEVEL, UNSEEN, Clues, accompanied
from profundus.model.limb_windows import LEAST_EFFORT, LimbWindows
from profundus.model.windows import USUAL_SCALE_SD

MOMENT_UNIT = 30.0  # N.m
LAGS = (-6, -3, 0, 3, 6)  # samples of 25 ms by which least effort is compared with envelopes
VELOCITY_UNIT, ACCELERATION_UNIT = 3.0, 30.0  # rad/s, rad/s2


def limb_clues_of(
    windows: LimbWindows, seen: Bool[Array | np.ndarray, "window muscle"], together: NDArray[np.float64]
) -> Clues:
    """Return the clues of one person's windows; ``seen`` tells which muscles have an electrode in which window.

    Every envelope is told relative to its own mean over the person's windows, because electrodes of legs often have no common scale; a
    muscle whose group has no other electrode is told relative to a constant.
    """
    counted = jnp.asarray(windows.valid, jnp.float32)[..., None]
    electrode = jnp.asarray(seen, jnp.float32)
    has = electrode[:, None, :]
    fast, slow, moment = (jnp.asarray(v, jnp.float32) for v in (windows.fast, windows.slow, windows.moment))
    mean = _mean(fast, counted * has)
    own, own_slow = (has * (level - mean) for level in (fast, slow))
    common = _group(own, electrode, together)
    weight = electrode.mean(axis=0)
    lonely_level = jnp.sum(weight * mean) / jnp.maximum(jnp.sum(weight), 1e-6)
    usual = _group(jnp.broadcast_to(mean, (1, 1, len(mean))), electrode.max(axis=0, keepdims=True), together)[0, 0]
    some = jnp.sum(weight) > 0
    reference = common + jnp.where(accompanied(seen, together), usual, jnp.where(some, lonely_level, UNSEEN))
    effort = jnp.asarray(windows.effort, jnp.float32)
    known = jnp.any(effort > 0, axis=(2, 3))[..., None].astype(jnp.float32)
    log_effort = known[..., None] * (jnp.log(jnp.maximum(effort, LEAST_EFFORT)) + LEVEL)
    angle, velocity, acceleration = jnp.split(jnp.asarray(windows.motion, jnp.float32), 3, axis=-1)
    each = [
        own,
        own_slow - own,
        has * (own - common),
        common,
        has * jnp.ones_like(fast),
        log_effort.reshape(*fast.shape[:2], -1),
        known * (log_effort.mean(axis=2) - common),
        angle,
        velocity / VELOCITY_UNIT,
        acceleration / ACCELERATION_UNIT,
        moment / MOMENT_UNIT,
        known * jnp.ones((*fast.shape[:2], 1)),
    ]
    there = jnp.any(counted[..., 0] > 0, axis=1).astype(jnp.float32)
    share = jnp.sum(electrode * there[:, None], axis=0) / jnp.maximum(jnp.sum(there), 1.0)
    scale_sd = jnp.asarray(windows.scale_sd, jnp.float32)[0]
    person = [
        jnp.log(scale_sd / USUAL_SCALE_SD)[None],
        share * (mean + LEVEL),
        share,
        _timing(own, log_effort.mean(axis=2), counted * known, share),
        jnp.mean(known)[None],
    ]
    return Clues(jnp.concatenate(each, axis=-1) * counted, jnp.concatenate(person), reference)


def _mean(values: Array, weight: Array) -> Array:
    """Return the mean over windows and samples (muscle,)."""
    return jnp.sum(weight * values, axis=(0, 1)) / jnp.maximum(jnp.sum(weight, axis=(0, 1)), 1e-6)


def _group(
    level: Float[Array, "window sample muscle"], seen: Float[Array, "window muscle"], together: NDArray[np.float64]
) -> Float[Array, "window sample muscle"]:
    """Return for every muscle the mean over the other muscles of its group that are ``seen``; zero where there are none."""
    weight = together * seen[:, None, :]
    mean = jnp.einsum("wsj,wij->wsi", level, weight / jnp.maximum(weight.sum(axis=2, keepdims=True), 1.0))
    return jnp.asarray(mean)


def _timing(own: Array, effort: Array, counted: Array, share: Array) -> Array:
    """Return how well least effort, moved by every lag, goes with the envelopes (lag,): the mean correlation over electrodes."""
    centered = counted * (effort - _mean(effort, counted))
    there = counted * (own - _mean(own, counted))
    size = jnp.sqrt(jnp.sum(centered**2, axis=(0, 1)) * jnp.sum(there**2, axis=(0, 1))) + 1e-3
    moved = [jnp.sum(there * jnp.roll(centered, -lag, axis=1), axis=(0, 1)) / size for lag in LAGS]
    return jnp.stack([jnp.sum(share * r) / jnp.maximum(jnp.sum(share), 1e-6) for r in moved])
