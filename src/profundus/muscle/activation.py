"""From what the nerve asks for to what the muscle has become: delay, shape, activation dynamics."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from profundus.numerics.recurrence import diagonal_recurrence

STRAIGHT = 1e-3  # shape factors closer to zero than this use the series around it


def delayed(
    excitation: Float[Array, "time muscle"], delay: Float[Array, " muscle"], *, step: float
) -> Float[Array, "time muscle"]:
    """Return the excitation as it was ``delay`` [s] earlier, on the same clock of ``step`` [s].

    Linear between samples, so that it never leaves the range of the samples; before the first sample the first value holds.
    """
    samples = excitation.shape[0]
    late = jnp.maximum(delay, 0.0) / step
    whole = jnp.floor(jax.lax.stop_gradient(late))
    share = late - whole
    newer = jnp.arange(samples)[:, None] - whole.astype(int)
    older = jnp.take_along_axis(excitation, jnp.maximum(newer - 1, 0), axis=0)
    return (1.0 - share) * jnp.take_along_axis(excitation, jnp.maximum(newer, 0), axis=0) + share * older


def shaped(excitation: Float[Array, "*time muscle"], shape_factor: Float[Array, ""]) -> Float[Array, "*time muscle"]:
    """Return (exp(A e) - 1) / (exp(A) - 1) for a ``shape_factor`` A of -3 to 0 (Lloyd and Besier 2003); the excitation itself at A = 0."""
    straight = jnp.abs(shape_factor) < STRAIGHT
    bent = jnp.where(straight, -1.0, shape_factor)
    series = excitation + 0.5 * shape_factor * excitation * (excitation - 1.0)
    return jnp.where(straight, series, jnp.expm1(bent * excitation) / jnp.expm1(bent))


def activation(
    excitation: Float[Array, "time muscle"],
    *,
    step: float,
    time_constant: Float[Array, ""],
    deactivation_time_constant: Float[Array, ""],
    smoothing: float = 10.0,
    substeps: int = 2,
) -> Float[Array, "time muscle"]:
    """Return activation on the clock of the ``excitation`` (0 to 1, linear between samples ``step`` [s] apart).

    De Groote et al. (2016), equations 1 and 2, with the steepness b = ``smoothing`` explicit: 0.1 is published (rise and fall alike), 10
    is what the time constants mean, 1000 is the switch of Thelen (2003). It starts at the first excitation. Every substep is solved
    exactly for a rate frozen at its middle (exponential midpoint rule), so that activation stays within the range of the excitation.
    """
    time_constant = jnp.asarray(time_constant, excitation.dtype)
    substep = jnp.asarray(step / substeps, excitation.dtype)
    constants = (time_constant, jnp.asarray(deactivation_time_constant), jnp.asarray(smoothing), substep)

    def advance(state: Any, now: Any, constants: Any) -> Any:
        start, rise = now
        for i in range(substeps):
            state = _exponential_midpoint(state, start + (i / substeps) * rise, rise / substeps, constants)
        return state

    after = diagonal_recurrence(advance, excitation[0], (excitation[:-1], jnp.diff(excitation, axis=0)), constants)
    return jnp.concatenate([excitation[:1], after])


def _exponential_midpoint(state: Any, start: Any, rise: Any, constants: Any) -> Any:
    """Return the activation a substep later, while the excitation rises from ``start`` by ``rise``."""
    time_constant, deactivation_time_constant, smoothing, substep = constants

    def progress(excitation: Any, towards: Any, distance: Any, share: float) -> Any:
        """Return the activation after a share of the substep at the rate that belongs to ``towards`` and its excitation."""
        ease = 0.5 + 1.5 * towards
        rising = 0.5 + 0.5 * jnp.tanh(smoothing * (excitation - towards))
        rate = rising / (time_constant * ease) + (1.0 - rising) * ease / deactivation_time_constant
        exponent = rate * (share * substep)
        gone = -jnp.expm1(-exponent)
        return start + share * rise - distance * (1.0 - gone) - share * rise * gone / exponent

    middle = progress(start, state, start - state, 0.5)
    return progress(start + 0.5 * rise, middle, start - state, 1.0)
