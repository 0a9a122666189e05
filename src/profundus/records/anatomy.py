"""The numbers of an anatomical model: muscles, coordinates, path surrogates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CoordinateRange:
    """A coordinate [rad] with the range in which the paths are valid and the value it takes where it is not recorded."""

    name: str
    low: float
    high: float
    default: float = 0.0


@dataclass(frozen=True)
class PathSpline:
    """One additive piece of the muscles' path lengths over one coordinate.

    ``knots`` (knot,) [rad] and ``coefficients`` (basis, muscle) [m] of a B-spline of degree ``degree`` for path length; the moment arm is
    minus its exact derivative.
    """

    coordinate: str
    degree: int
    knots: Floats
    coefficients: Floats


@dataclass(frozen=True)
class Anatomy:
    """A model as numbers. Muscle arrays are (muscle,), in file order, in SI units.

    ``default_coordinates`` are those that move unless a study says otherwise; empty: all.
    """

    name: str
    muscles: tuple[str, ...]
    coordinates: tuple[CoordinateRange, ...]
    groups: tuple[str, ...]
    max_isometric_force: Floats
    optimal_fiber_length: Floats
    tendon_slack_length: Floats
    pennation_at_optimal: Floats
    base_length: Floats
    paths: tuple[PathSpline, ...]
    tendon_strain_at_one: float = 0.033
    passive_strain_at_one: float = 0.6
    credit: str = ""
    default_coordinates: tuple[str, ...] = ()
