"""Roots of many functions of one variable at once, each kept within its bracket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Held = tuple[Any, Any, Any, Any]


def bracketed_root(
    function: Callable[[Any], Any], low: Float[Array, "*shape"], high: Float[Array, "*shape"], *, steps: int = 16
) -> Float[Array, "*shape"]:
    """Return where an elementwise, increasing ``function`` is zero between ``low`` and ``high``; the nearer end where it is nowhere.

    The Illinois variant of regula falsi (Dowell and Jarratt 1971, https://doi.org/10.1007/BF01934364), order 1.44, ``steps`` evaluations
    beside those of the ends.
    """
    at_low, at_high = function(low), function(high)

    def advance(_: int, held: Held) -> Held:
        far, at_far, near, at_near = held
        rise = at_near - at_far
        flat = rise == 0.0
        secant = (far * at_near - near * at_far) / jnp.where(flat, 1.0, rise)
        found = jnp.where(flat, 0.5 * (far + near), secant)
        value = function(found)
        crossed = value * at_near < 0.0
        return jnp.where(crossed, near, far), jnp.where(crossed, at_near, 0.5 * at_far), found, value

    found = jax.lax.fori_loop(0, steps, advance, (low, at_low, high, at_high))[2]
    return jnp.where(at_low >= 0.0, low, jnp.where(at_high <= 0.0, high, found))
