"""Recurrences in which every element goes its own way, differentiated in parallel over time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Step = Callable[[Any, Any, Any], Any]


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def diagonal_recurrence(
    step: Step, initial: Float[Array, "*state"], inputs: Any, constants: Any
) -> Float[Array, "time ..."]:
    """Return the states after every step of ``state = step(state, input, constants)``.

    ``step`` is elementwise and broadcasts over leading axes; ``inputs`` is a tree of (time, *shape), ``constants`` a tree of arrays that
    broadcast. The derivative of one step is then a diagonal: it is taken for all steps at once, and only a multiply-add runs along time.
    Forward and reverse mode, any order.
    """

    def advance(state: Float[Array, "*state"], now: Any) -> tuple[Float[Array, "*state"], Float[Array, "*state"]]:
        after = step(state, now, constants)
        return after, after

    return jax.lax.scan(advance, initial, inputs)[1]


@diagonal_recurrence.defjvp
def _tangent(step: Step, primals: tuple[Any, Any, Any], tangents: tuple[Any, Any, Any]) -> tuple[Any, Any]:
    initial, inputs, constants = primals
    states = diagonal_recurrence(step, initial, inputs, constants)
    before = jnp.concatenate([initial[None], states[:-1]])
    _, decay = jax.jvp(lambda state: step(state, inputs, constants), (before,), (jnp.ones_like(before),))
    _, push = jax.jvp(lambda now, fixed: step(before, now, fixed), (inputs, constants), tangents[1:])

    def advance(tangent: Any, now: tuple[Any, Any]) -> tuple[Any, Any]:
        after = now[0] * tangent + now[1]
        return after, after

    return states, jax.lax.scan(advance, tangents[0], (decay, push))[1]
