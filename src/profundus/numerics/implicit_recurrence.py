"""Recurrences whose steps are equations: solved one after the other, differentiated in parallel over time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Residual = Callable[[Any, Any, Any, Any], Any]
Bounds = Callable[[Any, Any], tuple[Any, Any]]
MOST_EVALUATIONS = 80  # bisection alone needs no more
LAST_STEP = 0.75  # the power of the precision below which a step is the last, for states of about one or less


def bounded_root(
    function: Callable[[Any], tuple[Any, Any]],
    low: Float[Array, "*shape"],
    high: Float[Array, "*shape"],
    start: Float[Array, "*shape"],
) -> Float[Array, "*shape"]:
    """Return where an elementwise ``function``, which gives value and slope, turns positive; the nearer end where it is nowhere zero.

    Newton's method from ``start``, within a bracket that closes from ``low`` and ``high``; it is halved where Newton's step does not
    shrink by half or leaves it for an end that has been tried (after Press et al., Numerical Recipes, section 9.4). Not differentiated.
    """
    least = float(np.finfo(start.dtype).eps) ** LAST_STEP

    def moving(held: Any) -> Any:
        return (held[0] < MOST_EVALUATIONS) & jnp.any(jnp.abs(held[4]) > least)

    def advance(held: Any) -> Any:
        count, below, above, at, last = held
        value, slope = function(at)
        below, above = jnp.where(value < 0.0, at, below), jnp.where(value < 0.0, above, at)
        rising = slope > 0.0
        newton = -value / jnp.where(rising, slope, 1.0)
        inside = jnp.clip(at + newton, below, above)
        untried = ((inside == low) & (below == low)) | ((inside == high) & (above == high))
        calm = rising & (untried | ((inside == at + newton) & (2.0 * jnp.abs(newton) <= jnp.abs(last))))
        step = jnp.where(calm, inside, 0.5 * (below + above)) - at
        step = jnp.where(jnp.abs(last) > least, step, 0.0)  # neighbors may need longer: what is found stays
        return count + 1, below, above, at + step, jnp.where(jnp.isnan(value), value, step)

    inside = jnp.clip(start, low, high)
    first = (jnp.asarray(0), low, high, inside, jnp.full_like(inside, jnp.inf))
    _, _, _, found, last = jax.lax.while_loop(moving, advance, first)
    return jnp.asarray(jnp.where(jnp.isnan(last), last, found))


@partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def implicit_recurrence(
    residual: Residual, bounds: Bounds, initial: Float[Array, "*state"], inputs: Any, constants: Any
) -> Float[Array, "time ..."]:
    """Return the states that solve ``residual(state, state before, input, constants) = 0``, one after the other.

    ``residual`` is elementwise and rises with the state; ``bounds(input, constants)`` keeps the state: where the root is outside, the
    state is the bound. ``inputs`` is a tree of (time, *shape), ``constants`` a tree of arrays that broadcast. The derivative is that of
    the implicit function, for all steps at once; only a multiply-add runs along time. Forward and reverse mode.
    """

    def advance(before: Float[Array, "*state"], now: Any) -> tuple[Float[Array, "*state"], Float[Array, "*state"]]:
        def linearized(state: Any) -> tuple[Any, Any]:
            return _value_and_slope(lambda at: residual(at, before, now, constants), state)

        after = bounded_root(linearized, *bounds(now, constants), before)
        return after, after

    return jax.lax.scan(advance, initial, inputs)[1]


@implicit_recurrence.defjvp
def _tangent(
    residual: Residual, bounds: Bounds, primals: tuple[Any, Any, Any], tangents: tuple[Any, Any, Any]
) -> tuple[Any, Any]:
    initial, inputs, constants = primals
    states = implicit_recurrence(residual, bounds, initial, inputs, constants)
    before = jnp.concatenate([initial[None], states[:-1]])
    low, high = bounds(inputs, constants)
    at_low, at_high = states <= low, states >= high

    def held(state: Any, before: Any, inputs: Any, constants: Any) -> Any:
        low, high = bounds(inputs, constants)
        free = residual(state, before, inputs, constants)
        return jnp.where(at_low, state - low, jnp.where(at_high, state - high, free))

    _, own = _value_and_slope(lambda state: held(state, before, inputs, constants), states)
    _, past = _value_and_slope(lambda state: held(states, state, inputs, constants), before)
    _, push = jax.jvp(lambda now, fixed: held(states, before, now, fixed), (inputs, constants), tangents[1:])

    def advance(tangent: Any, now: tuple[Any, Any]) -> tuple[Any, Any]:
        after = now[0] * tangent + now[1]
        return after, after

    return states, jax.lax.scan(advance, tangents[0], (-past / own, -push / own))[1]


def _value_and_slope(function: Callable[[Any], Any], at: Any) -> tuple[Any, Any]:
    return jax.jvp(function, (at,), (jnp.ones_like(at),))
