"""A tendon that does not stretch: what the path is longer than the tendon, the fibers are."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from profundus.muscle.interface import MuscleModel
from profundus.muscle.parameters import MuscleParameters

MAXIMAL_SPEED = 10.0  # optimal fiber lengths a second
SHORTEST = 0.01  # optimal fiber lengths


class MuscleState(NamedTuple):
    """Tendon force [N] and fiber length [m]."""

    tendon_force: Float[Array, "*time muscle"]
    fiber_length: Float[Array, "*time muscle"]


def tendon_force(
    model: MuscleModel,
    parameters: MuscleParameters,
    activation: Float[Array, "*time muscle"],
    path_length: Float[Array, "*time muscle"],
    path_velocity: Float[Array, "*time muscle"],
) -> MuscleState:
    """Return tendon force [N] and fiber length [m] with a rigid tendon and a muscle of constant thickness.

    ``path_length`` [m] and ``path_velocity`` [m/s]. A path that leaves the fibers less than a hundredth of their optimal length along the
    tendon's line is slack: no force.
    """
    along_tendon = path_length - parameters.tendon_slack_length
    slack = along_tendon <= SHORTEST * parameters.optimal_fiber_length
    fibers = fiber_pull(model, parameters, activation, along_tendon, path_velocity)
    return MuscleState(jnp.where(slack, 0.0, fibers.tendon_force), fibers.fiber_length)


def fiber_pull(
    model: MuscleModel,
    parameters: MuscleParameters,
    activation: Float[Array, "*time muscle"],
    along_tendon: Float[Array, "*time muscle"],
    velocity_along_tendon: Float[Array, "*time muscle"],
) -> MuscleState:
    """Return with what force [N] fibers pull on the tendon, and their length [m], given length [m] and speed [m/s] in the tendon's line.

    Below a hundredth of their optimal length the fibers stay as long as that.
    """
    optimal = parameters.optimal_fiber_length
    shortest = SHORTEST * optimal
    along_tendon = jnp.where(along_tendon <= shortest, shortest, along_tendon)
    length = jnp.sqrt(along_tendon**2 + (optimal * jnp.sin(parameters.pennation_at_optimal)) ** 2)
    cos_pennation = along_tendon / length
    velocity = velocity_along_tendon * cos_pennation
    force = model.fiber_force(activation, length / optimal, velocity / (MAXIMAL_SPEED * optimal))
    return MuscleState(parameters.max_isometric_force * (force.active + force.passive) * cos_pennation, length)
