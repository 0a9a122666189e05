"""How long a muscle's path is in a posture, and how long its lever."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from profundus.numerics.chebyshev import ChebyshevProducts
from profundus.numerics.splines import UniformSpline


class Geometry(NamedTuple):
    """What the muscles see of the motion: path length [m], its rate [m/s], moment arms [m]. Independent of muscle parameters."""

    path_length: Float[Array, "time muscle"]
    path_velocity: Float[Array, "time muscle"]
    moment_arm: Float[Array, "time coordinate muscle"]


class Paths(eqx.Module):
    """Path lengths as a sum of one spline per coordinate, and of products over several; the moment arm is minus the derivative of the same.

    Outside the range of a coordinate the moment arm about it stays constant.
    """

    base_length: Float[Array, " muscle"]
    splines: tuple[UniformSpline, ...]
    products: tuple[ChebyshevProducts, ...] = ()

    def geometry(self, angle: Float[Array, "time coordinate"], velocity: Float[Array, "time coordinate"]) -> Geometry:
        """Return path length [m], path velocity [m/s] and moment arms [m] at ``angle`` [rad] and ``velocity`` [rad/s]."""
        pieces = [spline.value_and_slope(angle[:, i]) for i, spline in enumerate(self.splines)]
        path_length = self.base_length + sum(value for value, _ in pieces)
        slope = jnp.stack([slope for _, slope in pieces], axis=1)
        for product in self.products:
            value, slopes = product.value_and_slopes(angle)
            path_length = path_length + value
            slope = slope.at[:, jnp.array(product.columns)].add(slopes)
        return Geometry(path_length, jnp.einsum("tcm,tc->tm", slope, velocity), -slope)
