"""A limb as physics: from excitations and motion to muscle forces and joint moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike, NDArray

from profundus.errors import InputError, Problem
from profundus.muscle.activation import activation, delayed, shaped
from profundus.muscle.parameters import ActivationParameters, MuscleParameters, Parameters
from profundus.muscle.registry import muscle_model, tendon_model
from profundus.numerics.chebyshev import ChebyshevProducts, polynomials
from profundus.numerics.relaxation import Stepper, exponential_midpoint
from profundus.numerics.splines import UniformSpline, curves_at
from profundus.records import Anatomy, PathProducts
from profundus.skeleton.paths import Geometry, Paths

__all__ = [
    "ActivationParameters",
    "Geometry",
    "MuscleParameters",
    "MuscleResponse",
    "MusculoskeletalModel",
    "Parameters",
    "generic_parameters",
]

GENERIC_DELAY = 0.06  # s; 50 to 84 ms were measured at the elbow
GENERIC_SHAPE_FACTOR = -0.5  # slightly bent; 0 would sit on the fence
GENERIC_TIME_CONSTANT = 0.015  # s
DEACTIVATION_RATIO = 4.0


class MuscleResponse(NamedTuple):
    """What muscles do with their excitation: activation [-], tendon force [N], fiber length [m], and the joint moment [N.m] of all."""

    activation: Float[Array, "time muscle"]
    tendon_force: Float[Array, "time muscle"]
    fiber_length: Float[Array, "time muscle"]
    joint_moment: Float[Array, "time coordinate"]


class MusculoskeletalModel(eqx.Module):
    """An anatomy whose ``coordinates`` move while all others are fixed. Arrays in and out are those of one trial."""

    muscles: tuple[str, ...] = eqx.field(static=True)
    coordinates: tuple[str, ...] = eqx.field(static=True)
    passive_strain_at_one: float = eqx.field(static=True)
    tendon_strain_at_one: float = eqx.field(static=True)
    paths: Paths
    generic_parameters: Parameters

    def __init__(
        self,
        anatomy: Anatomy,
        *,
        coordinates: Sequence[str] | None = None,
        fixed: Mapping[str, float] | None = None,
    ) -> None:
        """Build the model; ``fixed`` [rad] places what does not move, by default at the anatomy's default.

        Raises ``InputError`` for coordinates that the anatomy does not have, and for one that is out of range or both moving and fixed.
        """
        default = anatomy.default_coordinates or tuple(c.name for c in anatomy.coordinates)
        self.muscles = anatomy.muscles
        self.coordinates = default if coordinates is None else tuple(coordinates)
        self.passive_strain_at_one = anatomy.passive_strain_at_one
        self.tendon_strain_at_one = anatomy.tendon_strain_at_one
        self.paths = _paths(anatomy, self.coordinates, dict(fixed or {}))
        self.generic_parameters = generic_parameters(anatomy)

    def geometry(self, q: ArrayLike | Array, qd: ArrayLike | Array | None = None) -> Geometry:
        """Return path length [m], path velocity [m/s] and moment arms [m] at ``q`` [rad], ``qd`` [rad/s] (time, coordinate)."""
        angles = self._columns(q, self.coordinates, "q")
        rates = jnp.zeros_like(angles) if qd is None else self._columns(qd, self.coordinates, "qd")
        return self.paths.geometry(angles, rates)

    def path_length(self, q: ArrayLike | Array) -> Float[Array, "time muscle"]:
        """Return path lengths (time, muscle) [m] at ``q`` (time, coordinate) [rad]."""
        return self.geometry(q).path_length

    def path_velocity(self, q: ArrayLike | Array, qd: ArrayLike | Array) -> Float[Array, "time muscle"]:
        """Return lengthening speeds of the paths (time, muscle) [m/s]."""
        return self.geometry(q, qd).path_velocity

    def moment_arms(self, q: ArrayLike | Array) -> Float[Array, "time coordinate muscle"]:
        """Return moment arms [m], minus the derivative of path length."""
        return self.geometry(q).moment_arm

    def tendon_forces(
        self,
        activation: ArrayLike | Array,
        q: ArrayLike | Array,
        qd: ArrayLike | Array,
        *,
        parameters: Parameters | None = None,
        muscle: str = "degroote",
        tendon: str = "rigid",
        step: float | None = None,
    ) -> Float[Array, "time muscle"]:
        """Return tendon forces (time, muscle) [N] of given activations; generic parameters unless others are given.

        Samples of a compliant tendon are equilibria, each for itself; with a ``step`` [s] they follow each other on that clock.
        """
        active = self._columns(activation, self.muscles, "activation")
        geometry = self.geometry(q, qd)
        return self._muscles(active, geometry, parameters, muscle=muscle, tendon=tendon, step=step).tendon_force

    def joint_moment(
        self,
        activation: ArrayLike | Array,
        q: ArrayLike | Array,
        qd: ArrayLike | Array,
        *,
        parameters: Parameters | None = None,
        muscle: str = "degroote",
        tendon: str = "rigid",
        step: float | None = None,
    ) -> Float[Array, "time coordinate"]:
        """Return the joint moment (time, coordinate) [N.m] of all muscles for given activations; ``step`` as in ``tendon_forces``."""
        active = self._columns(activation, self.muscles, "activation")
        geometry = self.geometry(q, qd)
        return self._muscles(active, geometry, parameters, muscle=muscle, tendon=tendon, step=step).joint_moment

    def respond(
        self,
        excitation: Float[Array, "time muscle"],
        geometry: Geometry,
        parameters: Parameters | None = None,
        *,
        step: float,
        muscle: str = "degroote",
        tendon: str = "rigid",
        smoothing: float = 10.0,
        deactivation_ratio: float = DEACTIVATION_RATIO,
        stepper: Stepper = exponential_midpoint,
        substeps: int = 2,
    ) -> MuscleResponse:
        """Return what the muscles do with ``excitation`` on a clock of ``step`` [s], in a motion whose ``geometry`` is known.

        ``smoothing`` is b of the activation dynamics; ``deactivation_ratio`` is its falling over its rising time constant.
        """
        person = parameters or self.generic_parameters
        late = delayed(excitation, person.muscles.electromechanical_delay, step=step)
        active = activation(
            shaped(late, person.activation.shape_factor),
            step=step,
            time_constant=person.activation.time_constant,
            deactivation_time_constant=deactivation_ratio * person.activation.time_constant,
            smoothing=smoothing,
            stepper=stepper,
            substeps=substeps,
        )
        return self._muscles(active, geometry, person, muscle=muscle, tendon=tendon, step=step)

    def _muscles(
        self,
        activation: Float[Array, "time muscle"],
        geometry: Geometry,
        parameters: Parameters | None,
        *,
        muscle: str,
        tendon: str,
        step: float | None,
    ) -> MuscleResponse:
        fibers = muscle_model(muscle, passive_strain_at_one=self.passive_strain_at_one)
        person = parameters or self.generic_parameters
        pull = tendon_model(tendon, muscle=muscle, strain_at_one=self.tendon_strain_at_one, step=step)
        state = pull(fibers, person.muscles, activation, geometry.path_length, geometry.path_velocity)
        moment = jnp.einsum("tcm,tm->tc", geometry.moment_arm, state.tendon_force)
        return MuscleResponse(activation, state.tendon_force, state.fiber_length, moment)

    def _columns(self, values: ArrayLike | Array, names: tuple[str, ...], what: str) -> Float[Array, "time column"]:
        array = jnp.asarray(values, dtype=float)
        if array.ndim != 2 or array.shape[1] != len(names):
            expected = f"(time, {len(names)}), with a column for each of " + ", ".join(names)
            raise InputError(Problem("error", f"{what} has the shape {array.shape}", expected=expected))
        return array


def generic_parameters(anatomy: Anatomy, *, delay: float = GENERIC_DELAY) -> Parameters:
    """Return the parameters of the anatomy itself, with a ``delay`` [s], a shape factor of -0.5 and a time constant of 15 ms."""
    muscles = (
        anatomy.max_isometric_force,
        anatomy.optimal_fiber_length,
        anatomy.tendon_slack_length,
        anatomy.pennation_at_optimal,
        np.full(len(anatomy.muscles), delay),
    )
    alike = np.asarray(GENERIC_SHAPE_FACTOR), np.asarray(GENERIC_TIME_CONSTANT)
    return Parameters(MuscleParameters(*jax.device_put(muscles)), ActivationParameters(*jax.device_put(alike)))


def _paths(anatomy: Anatomy, coordinates: tuple[str, ...], fixed: dict[str, float]) -> Paths:
    """Return the paths over the moving coordinates; what the fixed ones add stands in the base length."""
    _check_coordinates(anatomy, coordinates, fixed)
    splines: dict[str, UniformSpline] = {}
    base = anatomy.base_length
    defaults = {c.name: c.default for c in anatomy.coordinates}
    for path in anatomy.paths:
        if path.coordinate in coordinates:
            splines[path.coordinate] = UniformSpline.from_bspline(path.knots, path.coefficients, path.degree)
        else:
            angle = fixed.get(path.coordinate, defaults[path.coordinate])
            base = base + curves_at(path.knots, path.coefficients, path.degree, angle)
    products = []
    for several in anatomy.products:
        left, length = _held(several, coordinates, defaults | fixed)
        base = base if length is None else base + length
        products += [] if left is None else [left]
    return Paths(jax.device_put(base), tuple(splines[name] for name in coordinates), tuple(products))


def _held(
    products: PathProducts, coordinates: tuple[str, ...], angles: Mapping[str, float]
) -> tuple[ChebyshevProducts | None, NDArray[np.float64] | None]:
    """Return products over the moving coordinates with the others held at ``angles``, or the length that is left where none moves."""
    coefficients = products.coefficients
    moving = [i for i, name in enumerate(products.coordinates) if name in coordinates]
    for i in sorted(set(range(len(products.coordinates))) - set(moving)):
        low, high = products.low[i], products.high[i]
        scaled = np.asarray(2.0 * (angles[products.coordinates[i]] - low) / (high - low) - 1.0)
        values, _ = polynomials(scaled, int(products.degrees[:, i].max()))
        coefficients = coefficients * values[products.degrees[:, i], None]
    if not moving:
        return None, coefficients.sum(axis=0)
    columns = tuple(coordinates.index(products.coordinates[i]) for i in moving)
    degrees = tuple(tuple(int(n) for n in row) for row in products.degrees[:, moving])
    ends = jnp.asarray(products.low[moving]), jnp.asarray(products.high[moving])
    return ChebyshevProducts(*ends, jnp.asarray(coefficients), columns, degrees), None


def _check_coordinates(anatomy: Anatomy, coordinates: tuple[str, ...], fixed: dict[str, float]) -> None:
    ranges = {c.name: c for c in anatomy.coordinates}
    known = "one of " + ", ".join(ranges)
    problems = [
        Problem("error", f"{anatomy.name} has no coordinate '{name}'", expected=known)
        for name in dict.fromkeys((*coordinates, *fixed))
        if name not in ranges
    ]
    problems += [
        Problem("error", f"'{name}' is both moving and fixed", remedy="Name it in one place only")
        for name in coordinates
        if name in fixed
    ]
    problems += [
        Problem(
            "error",
            f"{name} is fixed at {np.rad2deg(angle):.4g} deg",
            expected=f"{np.rad2deg(ranges[name].low):.4g} to {np.rad2deg(ranges[name].high):.4g} deg",
        )
        for name, angle in fixed.items()
        if name in ranges and not ranges[name].low <= angle <= ranges[name].high
    ]
    if problems:
        raise InputError(problems)
