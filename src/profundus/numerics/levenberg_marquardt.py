"""Least squares with few unknowns and many residuals: Levenberg-Marquardt with a forward-mode Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

Residual = Callable[[Float[Array, " parameter"]], Float[Array, " residual"]]
FIRST_DAMPING = 1e-3


class Outcome(IntEnum):
    """Why the search ended; the first two are convergence."""

    NOTHING_LEFT = 1
    SMALL_STEP = 2
    OUT_OF_STEPS = 3
    NO_WAY_DOWN = 4
    NOT_FINITE = 5

    @property
    def words(self) -> str:
        """Return the reason as a sentence for a reader."""
        return {
            Outcome.NOTHING_LEFT: "a further step would not lower the sum of squares",
            Outcome.SMALL_STEP: "the last step no longer moved the values",
            Outcome.OUT_OF_STEPS: "the steps ran out before the sum of squares came to rest; allow more steps",
            Outcome.NO_WAY_DOWN: "no step, however small, lowers the sum of squares; is the residual smooth?",
            Outcome.NOT_FINITE: "the residual or its derivative is not finite at the start; start elsewhere",
        }[self]


class Solution(NamedTuple):
    """Where the search ended: values, residuals there, ``information`` J'J, how many steps were tried, and why it ended."""

    value: Float[Array, " parameter"]
    residual: Float[Array, " residual"]
    information: Float[Array, "parameter parameter"]
    steps: Int[Array, ""]
    outcome: Int[Array, ""]

    @property
    def converged(self) -> Bool[Array, ""]:
        """Return whether the search came to rest."""
        return jnp.asarray(self.outcome <= Outcome.SMALL_STEP)

    @property
    def covariance(self) -> Float[Array, "parameter parameter"]:
        """Return the covariance of the values for residuals in units of their standard deviation (otherwise: times their variance)."""
        return jnp.asarray(jnp.linalg.inv(self.information))


class _Point(NamedTuple):
    """Values, and the residual's linearization there: J'r and J'J."""

    value: Float[Array, " parameter"]
    residual: Float[Array, " residual"]
    gradient: Float[Array, " parameter"]
    information: Float[Array, "parameter parameter"]

    @property
    def finite(self) -> Bool[Array, ""]:
        """Return whether the linearization can be used."""
        return jnp.all(jnp.isfinite(self.information)) & jnp.all(jnp.isfinite(self.gradient))


class _State(NamedTuple):
    """Where the search stands; ``scale`` (parameter,) is the largest length that each column of J has had."""

    point: _Point
    scale: Float[Array, " parameter"]
    damping: Float[Array, ""]
    brake: Float[Array, ""]
    steps: Int[Array, ""]
    outcome: Int[Array, ""]


def levenberg_marquardt(
    residual: Residual, start: Float[Array, " parameter"], *, steps: int = 100, tolerance: float | None = None
) -> Solution:
    """Return the values that minimize half the sum of squares of ``residual``, from ``start`` on; never raises, see `Outcome`.

    Damping along the diagonal of J'J, kept at its largest (Moré 1978), raised and lowered by the gain ratio (Nielsen 1999, eq. 2.4 and
    2.5). It ends when an undamped step promises less than ``tolerance`` (default: the square root of the precision) of the sum of
    squares, or a step moves the values by less. A point whose residual or slope is not finite is never accepted. To be compiled by the
    caller.
    """
    least = _precision(start) ** 0.5 if tolerance is None else tolerance
    point = _point(residual, start)
    one = jnp.ones((), start.dtype)
    begin = _State(point, _lengths(point), FIRST_DAMPING * one, 2 * one, jnp.asarray(0), jnp.asarray(0))
    begin = begin._replace(
        outcome=_first(
            (Outcome.NOT_FINITE, ~point.finite),
            (Outcome.NOTHING_LEFT, _at_rest(begin, least)),
            (Outcome.OUT_OF_STEPS, jnp.asarray(steps <= 0)),
        )
    )

    def searching(state: _State) -> Bool[Array, ""]:
        return jnp.asarray(state.outcome == 0)

    def advanced(state: _State) -> _State:
        return _advanced(state, residual, least=least, steps=steps)

    end: _State = jax.lax.while_loop(searching, advanced, begin)
    return Solution(end.point.value, end.point.residual, end.point.information, end.steps, end.outcome)


def _advanced(state: _State, residual: Residual, *, least: float, steps: int) -> _State:
    """Return the state after one more step was tried."""
    old = state.point
    move = -_step(state, state.damping)
    new = _point(residual, old.value + move)
    promised = -(move @ old.gradient) - 0.5 * move @ old.information @ move
    gained = 0.5 * (old.residual @ old.residual - new.residual @ new.residual)
    better = new.finite & (gained > 0)
    calmed = state.damping * jnp.maximum(1 / 3, 1 - (2 * gained / promised - 1) ** 3)
    scale = jnp.maximum(state.scale, _lengths(new))
    here = _State(
        new, scale, jnp.maximum(calmed, _precision(move)), jnp.full_like(calmed, 2.0), state.steps, state.outcome
    )
    back = state._replace(damping=state.damping * state.brake, brake=2 * state.brake)
    after: _State = jax.tree.map(lambda taken, left: jnp.where(better, taken, left), here, back)
    small = jnp.linalg.norm(scale * move) <= least * jnp.linalg.norm(scale * new.value)
    outcome = _first(
        (Outcome.NOTHING_LEFT, _at_rest(after, least)),
        (Outcome.SMALL_STEP, better & small),
        (Outcome.NO_WAY_DOWN, after.damping > 1 / _precision(move)),
        (Outcome.OUT_OF_STEPS, state.steps + 1 >= steps),
    )
    return after._replace(steps=state.steps + 1, outcome=outcome)


def _point(residual: Residual, value: Float[Array, " parameter"]) -> _Point:
    jacobian, found = jax.jacfwd(lambda at: (residual(at),) * 2, has_aux=True)(value)
    return _Point(value, found, jacobian.T @ found, jacobian.T @ jacobian)


def _precision(like: Float[Array, "*any"]) -> float:
    return float(np.finfo(like.dtype).eps)


def _lengths(point: _Point) -> Float[Array, " parameter"]:
    """Return the lengths of the columns of J; one where the residual does not feel a parameter."""
    squared = jnp.diag(point.information)
    return jnp.sqrt(jnp.where(squared > 0, squared, 1.0))


def _step(state: _State, damping: float | Float[Array, ""]) -> Float[Array, " parameter"]:
    """Return (J'J + damping diag(scale²))⁻¹ J'r, solved in units of the scale."""
    scaled = state.point.information / jnp.outer(state.scale, state.scale)
    damped = scaled + damping * jnp.eye(len(state.scale), dtype=scaled.dtype)
    return jnp.asarray(jnp.linalg.solve(damped, state.point.gradient / state.scale) / state.scale)


def _at_rest(state: _State, least: float) -> Bool[Array, ""]:
    """Return whether a full Gauss-Newton step promises next to nothing of the sum of squares."""
    promised = state.point.gradient @ _step(state, len(state.scale) * _precision(state.scale))
    return jnp.asarray(promised <= least * (state.point.residual @ state.point.residual))


def _first(*cases: tuple[Outcome, Bool[Array, ""]]) -> Int[Array, ""]:
    """Return the first outcome that holds, 0 where none does."""
    return jnp.select([held for _, held in cases], [jnp.asarray(int(outcome)) for outcome, _ in cases], jnp.asarray(0))
