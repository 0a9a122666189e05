"""Least squares with few unknowns and many residuals: Levenberg-Marquardt."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

Residual = Callable[[Float[Array, " parameter"]], Float[Array, " residual"]]
Linearized = Callable[
    [Float[Array, " parameter"]], tuple[Float[Array, " residual"], Float[Array, "residual parameter"]]
]
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
            Outcome.NOTHING_LEFT: "a further step would hardly lower the sum of squares",
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
    def cost(self) -> Float[Array, ""]:
        """Return half the sum of squares."""
        return jnp.asarray(0.5 * self.residual @ self.residual)

    @property
    def finite(self) -> Bool[Array, ""]:
        """Return whether the linearization can be used."""
        return jnp.all(jnp.isfinite(self.information)) & jnp.all(jnp.isfinite(self.gradient))


class _State(NamedTuple):
    """Where the search stands, and the value to be tried next with the gain that is ``promised`` there.

    ``scale`` (parameter,) is the largest length that each column of J has had; ``steps`` is -1 until the start itself has been tried.
    """

    point: _Point
    trial: Float[Array, " parameter"]
    promised: Float[Array, ""]
    scale: Float[Array, " parameter"]
    damping: Float[Array, ""]
    brake: Float[Array, ""]
    steps: Int[Array, ""]
    outcome: Int[Array, ""]


def forward(residual: Residual) -> Linearized:
    """Return ``residual`` with its Jacobian in forward mode: for few parameters and many residuals."""

    def linearized(
        value: Float[Array, " parameter"],
    ) -> tuple[Float[Array, " residual"], Float[Array, "residual parameter"]]:
        jacobian, found = jax.jacfwd(lambda at: (residual(at),) * 2, has_aux=True)(value)
        return found, jacobian

    return linearized


def levenberg_marquardt(
    linearized: Linearized,
    start: Float[Array, " parameter"],
    *,
    steps: int | Int[Array, ""] = 100,
    tolerance: float | None = None,
) -> Solution:
    """Return the values that minimize half the sum of squares of a residual, from ``start`` on; never raises, see `Outcome`.

    ``linearized`` gives the residual and its Jacobian J, as `forward` makes it of a residual alone. Damping along the diagonal of J'J,
    kept at its largest (Moré 1978), raised and lowered by the gain ratio (Nielsen 1999, eq. 2.4 and 2.5). It ends as MINPACK does: when
    a step promises and brings less than ``tolerance`` (default: the square root of the precision) of the sum of squares, an undamped
    one promises less, or a step moves the values by less. A point whose residual or Jacobian is not finite is never accepted. To be
    compiled by the caller.
    """
    least = _precision(start) ** 0.5 if tolerance is None else tolerance
    linearized = jax.jit(linearized)  # traced once: for its shapes here, and for the loop
    shape = jax.eval_shape(linearized, start)[0].shape
    one, nothing = jnp.ones((), start.dtype), jnp.zeros_like(start)
    nowhere = _Point(start, jnp.zeros(shape, start.dtype), nothing, jnp.outer(nothing, nothing))
    begin = _State(nowhere, start, one, nothing, FIRST_DAMPING * one, 2 * one, jnp.asarray(-1), jnp.asarray(0))

    def searching(state: _State) -> Bool[Array, ""]:
        return jnp.asarray(state.outcome == 0)

    def advanced(state: _State) -> _State:
        return _advanced(state, linearized, least=least, steps=steps)

    end: _State = jax.lax.while_loop(searching, advanced, begin)
    return Solution(end.point.value, end.point.residual, end.point.information, end.steps, end.outcome)


def _advanced(state: _State, linearized: Linearized, *, least: float, steps: int | Int[Array, ""]) -> _State:
    """Return the state after the value in line was tried."""
    old, new, first = state.point, _point(linearized, state.trial), state.steps < 0
    gained = old.cost - new.cost
    better = new.finite & (first | (gained > 0))
    calmed = state.damping * jnp.maximum(1 / 3, 1 - (2 * gained / state.promised - 1) ** 3)
    here = state._replace(
        point=new,
        scale=jnp.maximum(state.scale, _lengths(new)),
        damping=jnp.where(first, state.damping, jnp.maximum(calmed, _precision(calmed))),
        brake=jnp.full_like(calmed, 2.0),
    )
    back = state._replace(damping=state.damping * state.brake, brake=2 * state.brake)
    after: _State = jax.tree.map(lambda taken, left: jnp.where(better, taken, left), here, back)
    moved = better & ~first
    little = jnp.maximum(state.promised, gained) <= least * old.cost
    small = jnp.linalg.norm(after.scale * (new.value - old.value)) <= least * jnp.linalg.norm(after.scale * new.value)
    outcome = _first(
        (Outcome.NOT_FINITE, first & ~new.finite),
        (Outcome.NOTHING_LEFT, (moved & little) | _at_rest(after, least)),
        (Outcome.SMALL_STEP, moved & small),
        (Outcome.NO_WAY_DOWN, after.damping > 1 / _precision(calmed)),
        (Outcome.OUT_OF_STEPS, jnp.asarray(state.steps + 1 >= steps)),
    )
    move = -_step(after, after.damping)
    promised = -(move @ after.point.gradient) - 0.5 * move @ after.point.information @ move
    return after._replace(trial=after.point.value + move, promised=promised, steps=state.steps + 1, outcome=outcome)


def _point(linearized: Linearized, value: Float[Array, " parameter"]) -> _Point:
    found, jacobian = linearized(value)
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
    return jnp.asarray(0.5 * promised <= least * state.point.cost)


def _first(*cases: tuple[Outcome, Bool[Array, ""]]) -> Int[Array, ""]:
    """Return the first outcome that holds, 0 where none does."""
    return jnp.select([held for _, held in cases], [jnp.asarray(int(outcome)) for outcome, _ in cases], jnp.asarray(0))
