"""Products of Chebyshev polynomials over several variables, with their exact slopes."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial import chebyshev
from numpy.typing import NDArray


def polynomials(x: NDArray[np.float64], degree: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return all Chebyshev polynomials up to ``degree`` at ``x`` (..., order), and their slopes.

    Outside of -1 to 1 each goes on as a straight line.
    """
    beyond = x - np.clip(x, -1.0, 1.0)
    inside = np.atleast_1d(x - beyond)  # NumPy would give a single number an axis of its own
    slopes = chebyshev.chebvander(inside, max(degree - 1, 0)) @ _derivatives(degree)
    values = chebyshev.chebvander(inside, degree) + slopes * np.atleast_1d(beyond)[..., None]
    shape = (*x.shape, degree + 1)
    return values.reshape(shape), slopes.reshape(shape)


class ChebyshevProducts(eqx.Module):
    """Curves over some of the columns of an array, as sums of products of Chebyshev polynomials.

    ``low`` and ``high`` (variable,) are scaled to -1 and 1, outside of which every polynomial goes on as a straight line. ``columns`` says
    which columns the variables are; ``degrees`` are (term, variable), ``coefficients`` (term, curve).
    """

    low: Float[Array, " variable"]
    high: Float[Array, " variable"]
    coefficients: Float[Array, "term curve"]
    columns: tuple[int, ...] = eqx.field(static=True)
    degrees: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    @eqx.filter_jit
    def value_and_slopes(
        self, x: Float[Array, "time column"]
    ) -> tuple[Float[Array, "time curve"], Float[Array, "time variable curve"]]:
        """Return all curves at ``x`` and their exact derivatives by each of the variables."""
        degrees = np.array(self.degrees)
        scale = 2.0 / (self.high - self.low)
        scaled = (x[:, list(self.columns)] - self.low) * scale - 1.0
        values, slopes = _polynomials(scaled, int(degrees.max()))
        factors = [values[:, i, degrees[:, i]] for i in range(degrees.shape[1])]
        value = _product(factors) @ self.coefficients
        by_variable = [
            _product([*factors[:i], slopes[:, i, degrees[:, i]] * scale[i], *factors[i + 1 :]]) @ self.coefficients
            for i in range(degrees.shape[1])
        ]
        return value, jnp.stack(by_variable, axis=1)


def _polynomials(
    x: Float[Array, "time variable"], degree: int
) -> tuple[Float[Array, "time variable order"], Float[Array, "time variable order"]]:
    """Return polynomials and slopes by their recurrences, T' with that of U; the ends of the range are no special case."""
    inside = jnp.clip(x, -1.0, 1.0)
    first, second = [jnp.ones_like(x), inside], [jnp.ones_like(x), 2.0 * inside]
    for _ in range(degree - 1):
        first.append(2.0 * inside * first[-1] - first[-2])
        second.append(2.0 * inside * second[-1] - second[-2])
    values = jnp.stack(first[: degree + 1], axis=-1)
    slopes = jnp.stack([jnp.zeros_like(x), *(n * second[n - 1] for n in range(1, degree + 1))], axis=-1)
    return values + slopes * (x - inside)[..., None], slopes


def _product(factors: list[Float[Array, "time term"]]) -> Float[Array, "time term"]:
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    return product


def _derivatives(degree: int) -> NDArray[np.float64]:
    """Return the matrix that turns coefficients of polynomials into those of their slopes (lower order, order)."""
    if degree == 0:
        return np.zeros((1, 1))
    return np.asarray(chebyshev.chebder(np.eye(degree + 1), axis=0), dtype=np.float64)
