"""What a taught network says of a person, half believing the moment: the mean of its answers with and without."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from numpy.typing import NDArray

from profundus.model.clues import accompanied
from profundus.model.limb_windows import LimbWindows
from profundus.model.views import AnyWindows, clues_of
from profundus.network.person import PersonTransformer, Scale, Told

LEAST = 1e-6


def heard(
    network: PersonTransformer,
    scale: Scale,
    windows: AnyWindows,
    seen: Bool[Array | np.ndarray, "window muscle"],
    together: NDArray[np.float64],
) -> tuple[Told, Float[Array, "window sample muscle"]]:
    """Return what the network says of one person, and the reference that its ratios are relative to.

    What a moment tells of excitations depends on muscles that no simulator knows. It helps with some muscles and misleads about others
    (docs/trust.md): the answer is the mean of what is said with it and without, and wider by how much they differ.
    """
    clues, without = clues_of(windows, seen, together), clues_of(windows.silent(), seen, together)
    valid = jnp.asarray(windows.valid)
    one, other = (network(found.each, found.person, valid, scale) for found in (clues, without))
    apart = one.ratio - other.ratio
    counted = jnp.asarray(valid, apart.dtype)[..., None]
    level_apart = jnp.sum(counted * apart, axis=(0, 1)) / jnp.maximum(jnp.sum(counted), 1.0)
    told = Told(
        0.5 * (one.ratio + other.ratio),
        _log_sd(one.log_sd, other.log_sd, apart - level_apart),
        _log_sd(one.level_log_sd, other.level_log_sd, level_apart),
    )
    if isinstance(windows, LimbWindows):
        told = _beside_synergists(told, counted, accompanied(seen, together))
    return told, clues.reference


def _beside_synergists(told: Told, counted: Array, some: Array) -> Told:
    """Return what is told of a limb with half of its course, where a muscle's group has ``some`` electrode (muscle,).

    How much synergists of a leg differ is not known of people: virtual ones differ more than nine muscles that were hidden in a recorded
    walk did (docs/models.md). The course is the mean of the network's and of the synergists', and wider by how much these differ.
    """
    mean = jnp.sum(counted * told.ratio, axis=(0, 1)) / jnp.maximum(jnp.sum(counted), 1.0)
    apart = told.ratio - mean
    wider = _log_sd(told.log_sd, told.log_sd, apart)
    return told._replace(
        ratio=jnp.where(some, mean + 0.5 * apart, told.ratio), log_sd=jnp.where(some, wider, told.log_sd)
    )


def _log_sd(one: Array, other: Array, apart: Array) -> Array:
    """Return the log standard deviation of an even mixture of two normal distributions whose means are ``apart``."""
    return 0.5 * jnp.log(0.5 * (jnp.exp(2.0 * one) + jnp.exp(2.0 * other)) + 0.25 * apart**2 + LEAST)
