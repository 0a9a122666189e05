"""The numbers of an anatomical model: muscles, coordinates, path surrogates."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from profundus.errors import Problem
from profundus.quantities import quantity

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CoordinateRange:
    """A coordinate [rad; m for a ``translation`` of a model file] with the range in which the paths are valid and the value it takes where
    it is not recorded.
    """  # fmt: skip

    name: str
    low: float
    high: float
    default: float = 0.0
    translation: bool = False


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
class PathProducts:
    """What muscles owe to several coordinates together: a sum of products of Chebyshev polynomials.

    ``low`` and ``high`` (coordinate,) [rad] are scaled to -1 and 1; ``degrees`` (term, coordinate) are the polynomials' degrees and
    ``coefficients`` (term, muscle) [m] what every product adds to path length. The moment arm is minus the exact derivative.
    """

    coordinates: tuple[str, ...]
    low: Floats
    high: Floats
    degrees: NDArray[np.int64]
    coefficients: Floats


@dataclass(frozen=True)
class PathFit:
    """How well a muscle's fitted path follows the model that it was sampled from, about one coordinate, at postures not fitted to.

    All in mm: how far path length changes over all postures (``excursion``), worst and RMS error of length, the largest moment arm, worst
    and RMS error of the moment arm, and how far the model's own moment arm is from minus the derivative of its path length
    (``disagreement``, 95th percentile).
    """

    muscle: str
    coordinate: str
    excursion: float
    worst_length_error: float
    rms_length_error: float
    largest_arm: float
    worst_arm_error: float
    rms_arm_error: float
    disagreement: float


@dataclass(frozen=True)
class MuscleRow:
    """A muscle as a table of published parameters has it; ``group`` is empty where the table declares none."""

    muscle: str
    max_isometric_force: float = quantity("N", low=1.0, high=2e4)
    optimal_fiber_length: float = quantity("m", low=0.005, high=0.6)
    tendon_slack_length: float = quantity("m", low=0.001, high=0.6)
    pennation: float = quantity("rad", low=0.0, high=1.2)
    group: str = ""


@dataclass(frozen=True)
class Anatomy:
    """A model as numbers. Muscle arrays are (muscle,), in file order, in SI units.

    ``default_coordinates`` are those that move unless a study says otherwise; empty: all. ``path_fits`` and ``problems`` tell how well the
    paths follow the model file that they were sampled from, and what is worth knowing of it.
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
    products: tuple[PathProducts, ...] = ()
    path_fits: tuple[PathFit, ...] = ()
    problems: tuple[Problem, ...] = field(default=(), compare=False)
