"""What a person's windows tell about muscles without electrodes, in numbers of order one: levels, motion, what the moment leaves over."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from numpy.typing import NDArray

from profundus.model.windows import USUAL_SCALE_SD, Windows

LEVEL = 2.5  # minus the logarithm of a usual excitation
UNSEEN = -3.0  # log excitation that stands in where nobody has an electrode
MIDDLE_RAD = 1.2
MOMENT_SD, MOMENT_RELATIVE_SD = 0.4, 0.15  # N.m and share of the moment: what muscle models are off by
DEPENDENT = 4.0  # neighboring samples that carry the information of one
MOST_WINDOWS = 9.0  # more of them tell no more: what muscle models are off by does not average out
COMMON_SD, SEEN_SD, DEEP_SD = 0.3, 0.35, 0.55  # of gains: common to all muscles, of one with electrode, of one without
COMMON_SCALE, OWN_SCALE = 0.8, 0.6  # shares of the doubt about envelopes' scale: the largest effort is common to all
OTHER_SD = (0.7, 0.5, 0.5, 0.3)  # N.m per 1, angle, velocity, load x sin(angle)
SMALL = 0.3  # N.m


class Clues(NamedTuple):
    """``each`` (window, sample, clue) and ``person`` (clue,), unscaled; ``reference`` (window, sample, muscle), the log excitation of the
    measured muscles of a muscle's group, that its own is told relative to."""

    each: Float[Array, "window sample clue"]
    person: Float[Array, " clue"]
    reference: Float[Array, "window sample muscle"]


def same_group(groups: tuple[str, ...]) -> NDArray[np.float64]:
    """Return (muscle, muscle), one where two different muscles share a group."""
    names = np.array(groups)
    return np.asarray((names[:, None] == names[None, :]) & ~np.eye(len(names), dtype=bool), dtype=float)


def accompanied(
    seen: Bool[Array | np.ndarray, "window muscle"], together: NDArray[np.float64]
) -> Bool[Array, " muscle"]:
    """Return for every muscle whether another one of its group is ``seen`` in some window."""
    return jnp.asarray((together * jnp.any(jnp.asarray(seen) > 0, axis=0)[None, :]).sum(axis=1) > 0)


def companions(measured: NDArray[np.bool_], together: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights (muscle, other) by which `reference_of` averages ``measured`` muscles (muscle,); zeros where there are none."""
    others = (1.0 - np.eye(len(together))) * measured
    group = together * measured
    weight = np.where(group.sum(axis=1, keepdims=True) > 0, group, others)
    return np.asarray(weight / np.maximum(weight.sum(axis=1, keepdims=True), 1.0))


def reference_of(
    level: Float[Array, "window sample muscle"], seen: Float[Array, "window muscle"], together: NDArray[np.float64]
) -> Float[Array, "window sample muscle"]:
    """Return for every muscle the mean ``level`` of the muscles of its group that are ``seen`` (0 or 1) in the window.

    Where its group has none, that of all others; where there are none, a usual one.
    """
    group = together * seen[:, None, :]
    others = (1.0 - np.eye(len(together))) * seen[:, None, :]
    weight = jnp.where(group.sum(axis=2, keepdims=True) > 0, group, others)
    total = weight.sum(axis=2, keepdims=True)
    mean = jnp.einsum("wsj,wij->wsi", level, weight / jnp.maximum(total, 1.0))
    return jnp.where(total[:, None, :, 0] > 0, mean, UNSEEN)


def clues_of(windows: Windows, seen: Bool[Array | np.ndarray, "window muscle"], together: NDArray[np.float64]) -> Clues:
    """Return the clues of one person's windows; ``seen`` tells which muscles have an electrode in which window.

    Samples that are not valid, and moments and loads that are unknown, count for nothing.
    """
    valid = jnp.asarray(windows.valid, jnp.float32)
    electrode = jnp.asarray(seen, jnp.float32)
    fast, slow, moment = (jnp.asarray(values, jnp.float32) for values in (windows.fast, windows.slow, windows.moment))
    motion = jnp.asarray(windows.motion, jnp.float32)
    reference, slow_reference = (reference_of(level, electrode, together) for level in (fast, slow))
    has = electrode[:, None, :]
    known = jnp.any((moment != 0) & (valid > 0), axis=1, keepdims=True).astype(jnp.float32)
    load = jnp.asarray(windows.load, jnp.float32)
    loaded = jnp.isfinite(load)[:, None] * jnp.ones_like(moment)
    load = jnp.nan_to_num(load)[:, None] * jnp.ones_like(moment)
    state = [
        motion[..., 0] - MIDDLE_RAD,
        motion[..., 1] / 2.0,
        motion[..., 2] / 15.0,
        moment / 10.0,
        loaded * (load / 2.0 - 1.0),
        known * jnp.ones_like(moment),
        loaded,
    ]
    each = [
        has * (fast + LEVEL),
        has * (slow - fast),
        has * (fast - reference),
        reference + LEVEL,
        slow_reference - reference,
        has * jnp.ones_like(fast),
        jnp.stack(state, axis=-1),
    ]
    believed = jnp.exp(jnp.where(has > 0, fast, reference))
    scale_sd = jnp.asarray(windows.scale_sd, jnp.float32)[0]
    person = [jnp.log(scale_sd / USUAL_SCALE_SD)[None]]
    for model in range(windows.capacity.shape[2]):
        capacity = jnp.asarray(windows.capacity[:, :, model], jnp.float32)
        passive = jnp.asarray(windows.passive[:, :, model], jnp.float32)
        physics = _Physics(capacity, moment - passive, believed, has, known[..., None], motion, load, valid, scale_sd)
        found, whole = physics.clues()
        each += found
        person += whole
    there = jnp.any(valid > 0, axis=1).astype(jnp.float32)
    share = jnp.sum(electrode * there[:, None], axis=0) / jnp.maximum(jnp.sum(there), 1.0)
    each_one = jnp.concatenate(each, axis=-1) * valid[..., None]
    return Clues(each_one, jnp.concatenate([*person, share]), reference)


def clue_counts(muscles: int, *, models: int) -> tuple[int, int]:
    """Return how many clues of a sample and of a person `clues_of` has, with so many generic muscle models."""
    return 6 * muscles + 7 + models * (5 * muscles + 1), 1 + muscles + models * (2 * muscles + len(OTHER_SD) + 1)


class _Physics(NamedTuple):
    """What one generic muscle model says; (window, sample, ...)."""

    capacity: Array
    moment: Array
    believed: Array
    has: Array
    known: Array
    motion: Array
    load: Array
    valid: Array
    scale_sd: Array

    def clues(self) -> tuple[list[Array], list[Array]]:
        """Return clues of samples and of the person.

        The moment that measured muscles leave over, over what a deep muscle would make of its reference; and the same after the gains of
        all muscles were found from all windows at once.
        """
        sign = jnp.sign(self.capacity)
        parts = self.capacity * self.believed
        size = jnp.abs(parts)
        left = (self.moment - jnp.sum(parts * self.has, axis=-1))[..., None]
        beyond = (self.moment - jnp.sum(parts, axis=-1))[..., None]
        deep = self.known * (1.0 - self.has)
        gain, spread, other, misfit = self._balance(parts)
        sd = self._sd()
        wanted = sign * (misfit * sd)[..., None] / (size * jnp.clip(gain, 0.2, 5.0) + SMALL)
        fit = jnp.sqrt(jnp.sum(self._weight() * misfit**2) / jnp.maximum(jnp.sum(self._weight()), 1.0))
        each = [
            deep * jnp.arcsinh(sign * left / (size + SMALL)),
            deep * jnp.clip(sign * left / (jnp.abs(self.capacity) + 0.5), -1.0, 1.0) * 4.0,
            self.known * jnp.arcsinh(sign * beyond / (size + SMALL)),
            jnp.log(size + 0.05) / 2.0,
            self.known * jnp.arcsinh(misfit)[..., None],
            deep * jnp.clip(wanted, -3.0, 3.0),
        ]
        any_known = jnp.max(self.known)
        person = [jnp.log(jnp.clip(gain, 0.1, 6.0)), spread / 0.5 - 1.0, other, (fit - 0.5)[None]]
        return each, [any_known * clue for clue in person]

    def _sd(self) -> Array:
        return MOMENT_RELATIVE_SD * jnp.abs(self.moment) + MOMENT_SD

    def _weight(self) -> Array:
        return self.valid * self.known[..., 0]

    def _balance(self, parts: Array) -> tuple[Array, Array, Array, Array]:
        """Return mean and sd of the muscles' gains, other moments, and the misfit of every sample in standard deviations.

        Linear and Gaussian: moment = sum of gain x part + other moments. Gains are around one, with a part that is common to all.
        """
        count = parts.shape[-1]
        angle, velocity = self.motion[..., 0], self.motion[..., 1]
        basis = [jnp.ones_like(angle), angle - MIDDLE_RAD, velocity / 2.0, self.load * jnp.sin(angle)]
        design = jnp.concatenate([parts, jnp.stack(basis, axis=-1)], axis=-1).reshape(-1, count + len(basis))
        moment, sd, counted = (values.reshape(-1) for values in (self.moment, self._sd(), self._weight()))
        windows = jnp.sum(jnp.max(self._weight(), axis=1))
        weight = counted / sd**2 / DEPENDENT * jnp.minimum(1.0, MOST_WINDOWS / jnp.maximum(windows, 1.0))
        own = jnp.where(jnp.max(self.has, axis=(0, 1)) > 0, SEEN_SD, DEEP_SD) ** 2 + (OWN_SCALE * self.scale_sd) ** 2
        prior = jnp.diag(jnp.concatenate([own, jnp.asarray(OTHER_SD) ** 2]))
        prior = prior.at[:count, :count].add(COMMON_SD**2 + (COMMON_SCALE * self.scale_sd) ** 2)
        center = np.concatenate([np.ones(count), np.zeros(len(basis))])
        weighted = design * weight[:, None]
        spread = jnp.linalg.inv(jnp.linalg.inv(prior) + weighted.T @ design)
        found = center + spread @ (weighted.T @ (moment - design @ center))
        misfit = ((moment - design @ found) / sd).reshape(self.moment.shape)
        return found[:count], jnp.sqrt(jnp.diag(spread)[:count]), found[count:], misfit
