"""From activations to forces and moments of one body in all its trials at once, and back: how much drive a moment needs."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from profundus.muscle.activation import activation as activation_of
from profundus.muscle.activation import delayed, shaped
from profundus.muscle.rigid_tendon import tendon_force
from profundus.numerics.bracketed_root import bracketed_root
from profundus.numerics.relaxation import exponential_midpoint
from profundus.simulate.demand import Shares
from profundus.simulate.person import Body
from profundus.simulate.tendon import Stretched, rate, stretched

LOWEST, HIGHEST = 0.01, 1.0  # of activation
MOST_DRIVE = 3.0  # shares are about one at most: those below a third are never exhausted
ROUNDS = 10  # of the tendon's fixed point
OUTER = 4  # times that drive and tendon wait for each other


class Moved(NamedTuple):
    """Paths of one body in all trials: lengths [m], rates [m/s], moment arms [m] about one coordinate; (trial, time, muscle)."""

    path_length: Float[Array, "trial time muscle"]
    path_velocity: Float[Array, "trial time muscle"]
    moment_arm: Float[Array, "trial time muscle"]


class Driven(NamedTuple):
    """Activations that make a moment, the tendons' stretch [m] at it, and the moment [N.m] (trial, time)."""

    activation: Float[Array, "trial time muscle"]
    stretch: Float[Array, "trial time muscle"]
    moment: Float[Array, "trial time"]


@eqx.filter_jit
def muscles(body: Body, moved: Moved, activation: Array, stretch: Array, *, step: float) -> Stretched:
    """Return the muscles' state at activations; a rigid tendon keeps the ``stretch`` of zero, a compliant one starts at it."""
    parameters = body.parameters.muscles
    if body.tendon == "rigid":
        state = tendon_force(body.muscle, parameters, activation, moved.path_length, moved.path_velocity)
        return Stretched(state, jnp.zeros_like(activation), jnp.zeros_like(activation))
    return stretched(
        body.muscle,
        parameters,
        activation,
        moved.path_length,
        moved.path_velocity,
        name=body.muscle_name,
        strain_at_one=body.tendon_strain_at_one,
        step=step,
        rounds=ROUNDS,
        stretch=stretch,
    )


@eqx.filter_jit
def driven(body: Body, moved: Moved, shares: Shares, wanted: Array, *, step: float) -> Driven:
    """Return the activations base + drive x shares, between 0.01 and 1, whose muscles make the ``wanted`` moment (trial, time) [N.m].

    One drive a sample, positive or negative, found by regula falsi on its side. Where even full
    drive does not do, the moment is short of what was wanted. With a compliant tendon drive and stretch are found in turn.
    """
    if body.tendon == "rigid":
        return _driven(body, moved, shares, wanted, jnp.zeros_like(moved.path_length), step=step)

    def again(_: int, held: Driven) -> Driven:
        found = _driven(body, moved, shares, wanted, held.stretch, step=step)
        return found._replace(stretch=muscles(body, moved, found.activation, held.stretch, step=step).stretch)

    none = jnp.zeros_like(moved.path_length)
    found: Driven = jax.lax.fori_loop(0, OUTER, again, Driven(none, none, jnp.zeros_like(wanted)))
    return found


def _driven(body: Body, moved: Moved, shares: Shares, wanted: Array, stretch: Array, *, step: float) -> Driven:
    length = moved.path_length - stretch
    velocity = moved.path_velocity - (rate(stretch, step) if body.tendon == "compliant" else 0.0)

    def activation(drive: Array) -> Array:
        up, down = jnp.maximum(drive, 0.0)[..., None], jnp.maximum(-drive, 0.0)[..., None]
        return jnp.clip(shares.base + up * shares.positive + down * shares.negative, LOWEST, HIGHEST)

    def excess(drive: Array) -> Array:
        state = tendon_force(body.muscle, body.parameters.muscles, activation(drive), length, velocity)
        return jnp.sum(moved.moment_arm * state.tendon_force, axis=-1) - wanted

    none = jnp.zeros_like(wanted)
    too_much = excess(none) > 0.0
    ends = jnp.where(too_much, -MOST_DRIVE, none), jnp.where(too_much, none, MOST_DRIVE)
    drive = bracketed_root(excess, *ends)
    return Driven(activation(drive), stretch, excess(drive) + wanted)


@eqx.filter_jit
def activated(body: Body, excitation: Float[Array, "time column"], *, step: float) -> Float[Array, "time column"]:
    """Return the activation of columns of excitation (the muscles, again for every trial): delay, shape, activation dynamics."""
    person = body.parameters.activation
    delay = body.parameters.muscles.electromechanical_delay
    late = delayed(excitation, jnp.tile(delay, excitation.shape[1] // len(delay)), step=step)
    return activation_of(
        shaped(late, person.shape_factor),
        step=step,
        time_constant=person.time_constant,
        deactivation_time_constant=body.deactivation_ratio * person.time_constant,
        stepper=exponential_midpoint,
        substeps=2,
    )
