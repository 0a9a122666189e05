"""The muscle of De Groote et al. (2016): smooth curves, the same maximal speed at every activation."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from profundus.muscle.interface import FiberForce, MuscleModel

SHORTEST, LONGEST = 0.2, 1.8  # the curves' domain in OpenSim
PASSIVE_STIFFNESS = 4.0
GAUSSIANS = (
    (0.8150671134243542, 1.055033428970575, 0.162384573599574, 0.063303448465465),
    (0.433004984392647, 0.716775413397760, -0.029947116970696, 0.200356847296188),
    (0.1, 1.0, 0.353553390593274, 0.0),
)
D1, D2, D3, D4 = -0.3211346127989808, -8.149, -0.374, 0.8825327733249912


class DeGrooteMuscle(MuscleModel):
    """Curves of De Groote et al. (2016), https://doi.org/10.1007/s10439-016-1591-9, constants of OpenSim's DeGrooteFregly2016Muscle.

    ``damping`` is the fiber's, in maximum isometric forces at maximal speed; it is counted as passive.
    """

    passive_strain_at_one: float = 0.6
    damping: float = 0.0

    def fiber_force(
        self,
        activation: Float[Array, "*shape"],
        norm_fiber_length: Float[Array, "*shape"],
        norm_fiber_velocity: Float[Array, "*shape"],
    ) -> FiberForce:
        """Return active and passive fiber force [-]."""
        active = activation * active_force_length(norm_fiber_length) * force_velocity(norm_fiber_velocity)
        passive = passive_force_length(norm_fiber_length, strain_at_one=self.passive_strain_at_one)
        return FiberForce(active, passive + self.damping * norm_fiber_velocity)


def active_force_length(norm_fiber_length: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return the active force-length multiplier [-]; below a length of 0.2 the value there (the formula has a pole at 0.15)."""
    length = jnp.maximum(norm_fiber_length, SHORTEST)
    terms = [b1 * jnp.exp(-0.5 * ((length - b2) / (b3 + b4 * length)) ** 2) for b1, b2, b3, b4 in GAUSSIANS]
    return terms[0] + terms[1] + terms[2]


def force_velocity(norm_fiber_velocity: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return the force-velocity multiplier [-], 0 at -1 and 1 at rest; faster shortening gives slightly negative force, as in OpenSim."""
    return D1 * jnp.arcsinh(D2 * norm_fiber_velocity + D3) + D4


def passive_force_length(
    norm_fiber_length: Float[Array, "*shape"], *, strain_at_one: float = 0.6
) -> Float[Array, "*shape"]:
    """Return passive fiber force as a fraction of maximum isometric force [-].

    Zero at a normalized length of 0.2 and below, one at ``1 + strain_at_one``; shifted, as in OpenSim, so that it never pulls negative.
    Departure: above a length of 1.8 it goes on as a straight line, so that 32-bit numbers do not overflow.
    """
    stiffness = PASSIVE_STIFFNESS / strain_at_one
    offset = float(np.exp(stiffness * (SHORTEST - 1.0)))
    length = jnp.clip(norm_fiber_length, SHORTEST, LONGEST)
    beyond = jnp.maximum(norm_fiber_length - LONGEST, 0.0)
    rising = jnp.exp(stiffness * (length - 1.0))
    return (rising * (1.0 + stiffness * beyond) - offset) / (float(np.exp(PASSIVE_STIFFNESS)) - offset)
