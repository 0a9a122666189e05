"""Path lengths and moment arms that were sampled from a model become smooth curves over its coordinates.

A path is a cubic spline over each coordinate that it crosses, and products of Chebyshev polynomials over those that it crosses together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.linalg import cho_factor, cho_solve

from profundus.numerics.chebyshev import polynomials

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
CUBIC = 3
BREAK = float(np.deg2rad(2.5))
DEGREES = (6, 8, 10, 12)  # of the products in all; the first that is good enough is taken
SMOOTHING = 1.0  # weight of the splines' third differences beside residuals, both in m
RIDGE = 1e-9
GOOD = 0.25e-3  # m; products of a lower degree suffice below this


@dataclass(frozen=True)
class Samples:
    """What a model says of its paths: ``posture`` (posture, coordinate) [rad], ``length`` (posture, muscle) [m], ``moment_arm`` (posture,
    coordinate, muscle) [m], and which muscle ``crosses`` which coordinate (coordinate, muscle).
    """  # fmt: skip

    posture: Floats
    length: Floats
    moment_arm: Floats
    crosses: Flags


@dataclass(frozen=True)
class Products:
    """Products of Chebyshev polynomials over ``columns``: ``degrees`` (term, column), ``coefficients`` (term, muscle) [m]."""

    columns: tuple[int, ...]
    degrees: NDArray[np.int64]
    coefficients: Floats


@dataclass(frozen=True)
class Surrogate:
    """Paths as numbers: ``base`` (muscle,) [m] at ``reference``, a spline a coordinate (``knots``, ``coefficients``), and products."""

    low: Floats
    high: Floats
    base: Floats
    knots: tuple[Floats, ...]
    coefficients: tuple[Floats, ...]
    products: tuple[Products, ...] = ()

    def length(self, posture: Floats) -> Floats:
        """Return path lengths (posture, muscle) [m] at postures (posture, coordinate) [rad] within the range."""
        return self.base + self._sum(posture, None)

    def moment_arm(self, posture: Floats) -> Floats:
        """Return moment arms (posture, coordinate, muscle) [m], minus the derivatives of the lengths."""
        return np.stack([-self._sum(posture, column) for column in range(posture.shape[1])], axis=1)

    def _sum(self, posture: Floats, by: int | None) -> Floats:
        """Return path length without its base, or its derivative by a coordinate."""
        total = np.zeros((len(posture), len(self.base)))
        for column, (knots, coefficients) in enumerate(zip(self.knots, self.coefficients, strict=True)):
            if by is None or by == column:
                total += _basis(posture[:, column], knots, slope=by == column) @ coefficients
        for several in self.products:
            if by is None or by in several.columns:
                total += _terms(posture, several, self.low, self.high, by) @ several.coefficients
        return total


def fitted(
    samples: Samples,
    held_out: Samples,
    low: Floats,
    high: Floats,
    reference: Floats,
    *,
    degrees: Sequence[int] = DEGREES,
) -> Surrogate:
    """Return the paths that follow ``samples`` best, lengths and moment arms alike, over ``low`` to ``high`` (coordinate,) [rad].

    ``held_out`` decides only which of the ``degrees`` the products have. At the ``reference`` posture every spline is zero. Moment
    arms that are NaN are not fitted to.
    """
    knots = tuple(_knots(*ends) for ends in zip(low, high, strict=True))
    count = samples.length.shape[1]
    empty = tuple(np.zeros((len(k) - CUBIC - 1, count)) for k in knots)
    whole = Surrogate(low, high, np.zeros(count), knots, empty)
    kinds = np.concatenate([samples.crosses, np.isfinite(samples.moment_arm).any(axis=0)])
    for kind in np.unique(kinds, axis=1).T:
        muscles = np.flatnonzero((kinds == kind[:, None]).all(axis=0))
        whole = _with(whole, _fit_of(muscles, samples, held_out, whole, degrees), muscles)
    return _based(whole, reference)


def _fit_of(
    muscles: NDArray[np.intp], samples: Samples, held_out: Samples, empty: Surrogate, degrees: Sequence[int]
) -> Surrogate:
    """Return the paths of muscles that cross the same coordinates, with products of the lowest degree that is good enough."""
    columns = tuple(int(c) for c in np.flatnonzero(samples.crosses[:, muscles[0]]))
    if not columns:
        zeros = tuple(c[:, muscles] for c in empty.coefficients)
        return replace(empty, base=samples.length[:, muscles].mean(axis=0), coefficients=zeros)
    found = empty
    for degree in degrees:
        found = _least_squares(muscles, columns, degree, samples, empty)
        length = np.abs(found.length(held_out.posture) - held_out.length[:, muscles]).max()
        arm = np.abs(found.moment_arm(held_out.posture) - held_out.moment_arm[:, :, muscles])
        if len(columns) == 1 or max(length, float(np.nanmax(arm, initial=0.0))) < GOOD:
            break
    return found


def _least_squares(
    muscles: NDArray[np.intp], columns: tuple[int, ...], degree: int, samples: Samples, empty: Surrogate
) -> Surrogate:
    low, high, knots = empty.low, empty.high, empty.knots
    degrees = _degrees(len(columns), degree)
    shell = Products(columns, degrees, np.zeros((len(degrees), 0)))
    sizes = [len(knots[c]) - CUBIC - 1 for c in columns]

    def rows(by: int | None) -> Floats:
        splines = [_basis(samples.posture[:, c], knots[c], slope=by == c) * (by is None or by == c) for c in columns]
        return np.hstack([*splines, _terms(samples.posture, shell, low, high, by)])

    normal, right = np.zeros((2, 0)), np.zeros((2, 0))
    lengths = rows(None)
    normal, right = lengths.T @ lengths, lengths.T @ samples.length[:, muscles]
    for column in columns:
        arms = samples.moment_arm[:, column, muscles]
        known = np.isfinite(arms).all(axis=1)
        slopes = -rows(column)[known]
        normal, right = normal + slopes.T @ slopes, right + slopes.T @ arms[known]
    start = 0
    for size in sizes:
        jerk = SMOOTHING * np.diff(np.eye(size), n=3, axis=0)
        normal[start : start + size, start : start + size] += jerk.T @ jerk
        start += size
    normal[np.diag_indices_from(normal)] += RIDGE * np.trace(normal) / len(normal)
    solved = cho_solve(cho_factor(normal), right)
    parts = np.split(solved, np.cumsum(sizes))
    splines = [np.zeros((len(k) - CUBIC - 1, len(muscles))) for k in knots]
    for column, part in zip(columns, parts[:-1], strict=True):
        splines[column] = part
    products = (replace(shell, coefficients=parts[-1]),) if len(degrees) else ()
    return replace(empty, base=np.zeros(len(muscles)), coefficients=tuple(splines), products=products)


def _with(whole: Surrogate, part: Surrogate, muscles: NDArray[np.intp]) -> Surrogate:
    """Return the whole with the paths of some muscles put in."""
    base, splines = whole.base.copy(), [c.copy() for c in whole.coefficients]
    base[muscles] = part.base
    for into, values in zip(splines, part.coefficients, strict=True):
        into[:, muscles] = values
    products = list(whole.products)
    for several in part.products:
        wide = np.zeros((len(several.degrees), len(base)))
        wide[:, muscles] = several.coefficients
        products.append(replace(several, coefficients=wide))
    return replace(whole, base=base, coefficients=tuple(splines), products=tuple(products))


def _based(whole: Surrogate, reference: Floats) -> Surrogate:
    """Return the same paths with splines that are zero at the reference posture; what they lose stands in the base."""
    base, splines = whole.base.copy(), []
    for column, (knots, coefficients) in enumerate(zip(whole.knots, whole.coefficients, strict=True)):
        there = (_basis(reference[column : column + 1], knots, slope=False) @ coefficients)[0]
        base += there
        splines.append(np.where(np.any(coefficients != 0, axis=0), coefficients - there, 0.0))
    return replace(whole, base=base, coefficients=tuple(splines))


def _knots(low: float, high: float) -> Floats:
    breaks = np.linspace(low, high, max(4, int(np.ceil((high - low) / BREAK))) + 1)
    return np.concatenate([np.repeat(breaks[0], CUBIC), breaks, np.repeat(breaks[-1], CUBIC)])


def _basis(x: Floats, knots: Floats, *, slope: bool) -> Floats:
    """Return the cubic B-splines (sample, basis) at ``x``, or their slopes; ``x`` outside is taken to the end of the range."""
    inside = np.clip(x, knots[0], knots[-1])
    spline = BSpline(knots, np.eye(len(knots) - CUBIC - 1), CUBIC)
    return np.asarray(spline(inside, nu=1 if slope else 0), dtype=np.float64)


def _terms(posture: Floats, several: Products, low: Floats, high: Floats, by: int | None) -> Floats:
    """Return the products (posture, term), or their derivatives by a coordinate."""
    value = np.ones((len(posture), len(several.degrees)))
    for index, column in enumerate(several.columns):
        if not len(several.degrees):
            break
        scale = 2.0 / (high[column] - low[column])
        values, slopes = polynomials((posture[:, column] - low[column]) * scale - 1.0, int(several.degrees.max()))
        factor = slopes * scale if by == column else values
        value = value * factor[:, several.degrees[:, index]]
    return value


def _degrees(count: int, total: int) -> NDArray[np.int64]:
    """Return the degrees (term, column) of all products of two or more polynomials up to a total degree."""
    found = [d for d in product(range(total + 1), repeat=count) if sum(d) <= total and sum(n > 0 for n in d) > 1]
    return np.array(found, dtype=np.int64).reshape(-1, count)
