"""A state that follows an input, at a rate that depends on both: state' = rate(state, input) (input - state)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from profundus.numerics.recurrence import diagonal_recurrence

Rate = Callable[[Any, Any, Any], Any]
Stepper = Callable[..., Any]


def relaxation(
    rate: Rate,
    inputs: Float[Array, "time ..."],
    constants: Any,
    *,
    step: float,
    stepper: Stepper,
    substeps: int,
) -> Float[Array, "time ..."]:
    """Return the state on the clock of ``inputs``, starting at the first input.

    Inputs are linear between samples, ``step`` apart. ``rate(state, input, constants)`` is positive and elementwise.
    """
    between = jnp.diff(inputs, axis=0)[:, None] / substeps
    counts = jnp.arange(substeps, dtype=inputs.dtype).reshape(1, substeps, *(1,) * (inputs.ndim - 1))
    start = inputs[:-1, None] + counts * between
    rise = jnp.broadcast_to(between, start.shape)
    fine = [part.reshape(-1, *inputs.shape[1:]) for part in (start, rise)]

    def advance(state: Any, now: Any, constants: Any) -> Any:
        return stepper(rate, state, *now, constants, step=step / substeps)

    after = diagonal_recurrence(advance, inputs[0], tuple(fine), constants)
    return jnp.concatenate([inputs[:1], after[substeps - 1 :: substeps]])


def runge_kutta(rate: Rate, state: Any, start: Any, rise: Any, constants: Any, *, step: float) -> Any:
    """Return the state a ``step`` later, while the input goes from ``start`` to ``start + rise``: the classical fourth-order rule."""

    def slope(at: Any, share: float) -> Any:
        there = start + share * rise
        return rate(at, there, constants) * (there - at)

    first = slope(state, 0.0)
    second = slope(state + 0.5 * step * first, 0.5)
    third = slope(state + 0.5 * step * second, 0.5)
    fourth = slope(state + step * third, 1.0)
    return state + step / 6.0 * (first + 2.0 * second + 2.0 * third + fourth)


def exponential_midpoint(rate: Rate, state: Any, start: Any, rise: Any, constants: Any, *, step: float) -> Any:
    """Return the state a ``step`` later by solving exactly with the rate frozen at the middle: second order.

    Stable at any step, and the state never leaves the range of state and input.
    """

    def followed(frozen: Any, share: float) -> Any:
        exponent = frozen * (share * step)
        gone = 1.0 - jnp.exp(-exponent)
        return state + (start - state) * gone + share * rise * (1.0 - gone / exponent)

    middle = followed(rate(state, start, constants), 0.5)
    return followed(rate(middle, start + 0.5 * rise, constants), 1.0)
