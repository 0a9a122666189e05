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
    optimal = parameters.optimal_fiber_length
    along_tendon = path_length - parameters.tendon_slack_length
    slack = along_tendon <= SHORTEST * optimal
    along_tendon = jnp.where(slack, SHORTEST * optimal, along_tendon)
    thickness = optimal * jnp.sin(parameters.pennation_at_optimal)
    fiber_length = jnp.sqrt(along_tendon**2 + thickness**2)
    cos_pennation = along_tendon / fiber_length
    fiber_velocity = path_velocity * cos_pennation
    force = model.fiber_force(activation, fiber_length / optimal, fiber_velocity / (MAXIMAL_SPEED * optimal))
    pull = parameters.max_isometric_force * (force.active + force.passive) * cos_pennation
    return MuscleState(jnp.where(slack, 0.0, pull), fiber_length)
