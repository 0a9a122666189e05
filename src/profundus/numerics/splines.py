"""Splines over uniform breaks, as piecewise polynomials that are cheap to evaluate inside a compiled loop."""

from __future__ import annotations

from math import factorial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray
from scipy.interpolate import BSpline


class UniformSpline(eqx.Module):
    """Curves over one variable, one polynomial between every two of the uniform breaks.

    ``coefficients`` (piece, order, curve) hold the powers of the distance from the piece's left break, highest power first. Outside the
    breaks every curve goes on as a straight line.
    """

    low: Float[Array, ""]
    high: Float[Array, ""]
    coefficients: Float[Array, "piece order curve"]

    @classmethod
    def from_bspline(cls, knots: NDArray[np.float64], coefficients: NDArray[np.float64], degree: int) -> UniformSpline:
        """Return the curves of a B-spline with ``coefficients`` (basis, curve) whose breaks must be uniform (ValueError otherwise)."""
        breaks = np.unique(knots)
        steps = np.diff(breaks)
        if not np.allclose(steps, steps[0], rtol=1e-6):
            raise ValueError(f"the spline's breaks are {steps.min():g} to {steps.max():g} apart, expected uniform ones")
        spline = BSpline(knots, coefficients, degree)
        powers = [spline(breaks[:-1], nu=order) / factorial(order) for order in range(degree, -1, -1)]
        return cls(*jax.device_put((breaks[0], breaks[-1], np.stack(powers, axis=1))))

    def value_and_slope(
        self, x: Float[Array, "*shape"]
    ) -> tuple[Float[Array, "*shape curve"], Float[Array, "*shape curve"]]:
        """Return all curves and their exact derivatives at ``x``."""
        inside = jnp.clip(x, self.low, self.high)
        pieces = self.coefficients.shape[0]
        step = (self.high - self.low) / pieces
        piece = jnp.clip(((inside - self.low) / step).astype(int), 0, pieces - 1)
        powers = jnp.moveaxis(self.coefficients[piece], -2, 0)
        distance = (inside - self.low - piece * step)[..., None]
        value, slope = powers[0], jnp.zeros_like(powers[0])
        for power in powers[1:]:
            slope = slope * distance + value
            value = value * distance + power
        return value + slope * (x - inside)[..., None], slope


def curves_at(
    knots: NDArray[np.float64], coefficients: NDArray[np.float64], degree: int, x: float
) -> Float[np.ndarray, " curve"]:
    """Return the curves of a B-spline at one place, beyond its ends along straight lines: `UniformSpline` without compiling anything."""
    spline = BSpline(knots, coefficients, degree)
    inside = float(np.clip(x, knots[0], knots[-1]))
    return np.asarray(spline(inside) + spline(inside, nu=1) * (x - inside))
