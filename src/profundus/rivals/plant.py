"""The physics as a rival meets it: one person's muscles, moved through one trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpy.typing import NDArray

from profundus.muscle.activation import activation as activation_of
from profundus.muscle.activation import delayed, shaped
from profundus.muscle.interface import FiberForce, MuscleModel
from profundus.muscle.inverse import excitation_of
from profundus.muscle.parameters import Parameters
from profundus.muscle.registry import muscle_model, tendon_model
from profundus.records import Anatomy, Trial, TrialReconstruction
from profundus.skeleton.paths import Geometry

Floats = NDArray[np.float64]


class Strains(NamedTuple):
    """Strain [-] of resting fibers, and of the tendon, at maximum isometric force."""

    passive: float
    tendon: float


@dataclass(frozen=True)
class Plant:
    """One person's muscles: ``geometry`` maps angles and velocities (time, coordinate) [rad, rad/s] to paths and moment arms.

    ``gain`` (muscle,) is EMG envelope over excitation; empty: one everywhere. ``muscle``, ``tendon`` and ``smoothing`` (b of the activation
    dynamics) are those of the fit. Rivals work sample by sample: a compliant tendon is in equilibrium at each, its own speed neglected.
    """

    anatomy: Anatomy
    geometry: Callable[[Floats, Floats], Geometry]
    parameters: Parameters
    gain: Floats = field(default_factory=lambda: np.ones(0))
    muscle: str = "thelen"
    tendon: str = "rigid"
    smoothing: float = 10.0
    deactivation_ratio: float = 4.0

    @property
    def strains(self) -> Strains:
        """Return the strains at which fibers and tendons carry maximum isometric force."""
        return Strains(self.anatomy.passive_strain_at_one, self.anatomy.tendon_strain_at_one)

    def moved(self, trial: Trial) -> MovedPlant:
        """Return the muscles in the motion of a trial."""
        return MovedPlant(self, trial, _double(self.geometry(trial.angle, trial.velocity)))


class Muscles(NamedTuple):
    """Tendon force [N], fiber length [m] (time, muscle), and how force grows with activation [N] (time, muscle)."""

    tendon_force: Floats
    fiber_length: Floats
    slope: Floats


@dataclass(frozen=True)
class MovedPlant:
    """A person's muscles in the motion of one trial; arrays are (time, muscle), on the trial's clock."""

    plant: Plant
    trial: Trial
    geometry: Geometry

    @property
    def moment_arm(self) -> Floats:
        """Return the moment arms (time, coordinate, muscle) [m]."""
        return np.asarray(self.geometry.moment_arm)

    @property
    def step(self) -> float:
        """Return the clock's step [s] to the nanosecond: trials of one rate differ in its last bits, and each would compile anew."""
        return round(self.trial.step, 9)

    @cached_property
    def passive_force(self) -> Floats:
        """Return the tendon forces [N] of stretch alone (time, muscle), without the floor below which no Thelen muscle falls."""
        own = self.plant
        found = _passive_force(
            self.geometry,
            own.parameters,
            muscle=own.muscle,
            tendon=own.tendon,
            strains=own.strains,
        )
        return np.asarray(found, dtype=float)

    @cached_property
    def capacity(self) -> Floats:
        """Return the active tendon forces [N] at an activation of one (time, muscle), what OpenSim's static optimization shares out."""
        return self.muscles(np.ones_like(np.asarray(self.geometry.path_length))).tendon_force - self.passive_force

    def muscles(self, activation: Floats) -> Muscles:
        """Return what the muscles do at an ``activation`` (time, muscle), with its derivative."""
        own = self.plant
        found = _muscles(
            jnp.asarray(activation),
            self.geometry,
            own.parameters,
            muscle=own.muscle,
            tendon=own.tendon,
            strains=own.strains,
        )
        return Muscles(*(np.asarray(value, dtype=float) for value in found))

    def moment(self, tendon_force: Floats) -> Floats:
        """Return the joint moments (time, coordinate) [N.m] of tendon forces (time, muscle) [N]."""
        return np.asarray(np.einsum("tcm,tm->tc", self.moment_arm, tendon_force))

    def measured_excitation(self) -> Floats:
        """Return what the envelopes say of the excitations (time, muscle), between 0 and 1; NaN where there is no valid sample."""
        gain = self.plant.gain if len(self.plant.gain) else np.ones(len(self.trial.muscles))
        return np.clip(np.where(self.trial.emg_valid, self.trial.emg, np.nan) / gain, 0.0, 1.0)

    def activation(self, excitation: Floats) -> Floats:
        """Return the activations that excitations without gaps become, delay included."""
        own = self.plant
        found = _activation(
            jnp.asarray(excitation),
            own.parameters,
            step=self.step,
            ratio=own.deactivation_ratio,
            smoothing=own.smoothing,
        )
        return np.asarray(found, dtype=float)

    def activation_change(self, excitation: Floats, direction: Floats) -> Floats:
        """Return how fast activations change where excitations move along each ``direction`` (direction, time, muscle), in its shape."""
        own = self.plant
        found = _activation_change(
            jnp.asarray(excitation),
            jnp.asarray(direction),
            own.parameters,
            step=self.step,
            ratio=own.deactivation_ratio,
            smoothing=own.smoothing,
        )
        return np.asarray(found, dtype=float)

    def excitation(self, activation: Floats) -> Floats:
        """Return the excitations on the EMG's clock that become ``activation``, kept between 0 and 1."""
        muscles, person = self.plant.parameters.muscles, self.plant.parameters.activation
        time_constant = float(person.time_constant)
        return excitation_of(
            activation,
            step=self.trial.step,
            delay=np.asarray(muscles.electromechanical_delay, dtype=float),
            shape_factor=float(person.shape_factor),
            time_constant=time_constant,
            deactivation_time_constant=self.plant.deactivation_ratio * time_constant,
            smoothing=self.plant.smoothing,
        )

    def answer(
        self, excitation: Floats, *, activation: Floats | None = None, moment: Floats | None = None
    ) -> TrialReconstruction:
        """Return a rival's answer: ``excitation`` as reported, with the muscles' forces and moment at ``activation`` (default: of it).

        ``moment`` replaces the muscles' own where a rival counts otherwise. There is no band.
        """
        active = self.activation(excitation) if activation is None else activation
        muscles = self.muscles(active)
        return TrialReconstruction(
            trial=self.trial,
            excitation=excitation,
            lower=excitation,
            upper=excitation,
            moment=self.moment(muscles.tendon_force) if moment is None else moment,
            activation=active,
            tendon_force=muscles.tendon_force,
            fiber_length=muscles.fiber_length,
        )


class _Limp(MuscleModel):
    """A muscle of which nothing but stretch is left."""

    fibers: MuscleModel

    def fiber_force(self, activation: Array, norm_fiber_length: Array, norm_fiber_velocity: Array) -> FiberForce:
        """Return the passive fiber force [-] of the muscle, and no active one."""
        whole = self.fibers.fiber_force(activation, norm_fiber_length, norm_fiber_velocity)
        return FiberForce(jnp.zeros_like(whole.active), whole.passive)


def _double(geometry: Geometry) -> Geometry:
    return Geometry(*(jnp.asarray(value, dtype=float) for value in geometry))


@eqx.filter_jit
def _muscles(
    activation: Array, geometry: Geometry, parameters: Parameters, *, muscle: str, tendon: str, strains: Strains
) -> tuple[Array, Array, Array]:
    fibers = muscle_model(muscle, passive_strain_at_one=strains.passive)
    pull = tendon_model(tendon, muscle=muscle, strain_at_one=strains.tendon)

    def force(active: Array) -> tuple[Array, Array]:
        state = pull(fibers, parameters.muscles, active, geometry.path_length, geometry.path_velocity)
        return state.tendon_force, state.fiber_length

    value, slope = jax.jvp(force, (activation,), (jnp.ones_like(activation),))
    return value[0], value[1], slope[0]


@eqx.filter_jit
def _passive_force(geometry: Geometry, parameters: Parameters, *, muscle: str, tendon: str, strains: Strains) -> Array:
    limp = _Limp(muscle_model(muscle, passive_strain_at_one=strains.passive))
    nothing = jnp.zeros_like(geometry.path_length)
    pull = tendon_model(tendon, muscle=muscle, strain_at_one=strains.tendon)
    state = pull(limp, parameters.muscles, nothing, geometry.path_length, geometry.path_velocity)
    return state.tendon_force


@eqx.filter_jit
def _activation(excitation: Array, parameters: Parameters, *, step: float, ratio: float, smoothing: float) -> Array:
    late = delayed(excitation, parameters.muscles.electromechanical_delay, step=step)
    person = parameters.activation
    return activation_of(
        shaped(late, person.shape_factor),
        step=step,
        time_constant=person.time_constant,
        deactivation_time_constant=ratio * person.time_constant,
        smoothing=smoothing,
        substeps=2,
    )


@eqx.filter_jit
def _activation_change(
    excitation: Array, direction: Array, parameters: Parameters, *, step: float, ratio: float, smoothing: float
) -> Array:
    def chain(asked: Array) -> Array:
        return _activation(asked, parameters, step=step, ratio=ratio, smoothing=smoothing)

    _, changed = jax.linearize(chain, excitation)
    return jnp.asarray(jax.vmap(changed)(direction))
