"""The muscle of Thelen (2003): maximal speed falls with activation."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from profundus.muscle.interface import FiberForce, MuscleModel

LONGEST = 1.8
PASSIVE_STIFFNESS = 4.0
ACTIVE_WIDTH = 0.5
CURVATURE = 0.3
LENGTHENING_FORCE = 1.8
LAST_CURVED = 0.95  # of the lengthening force: from there on a straight line
REST = 1e-4  # width of the bend at rest, in maximal speeds


class ThelenMuscle(MuscleModel):
    """Curves of Thelen (2003), https://doi.org/10.1115/1.1531112, with the constants of OpenSim's Thelen2003Muscle in Arm26."""

    passive_strain_at_one: float = 0.6
    min_activation: float = 0.01

    def fiber_force(
        self,
        activation: Float[Array, "*shape"],
        norm_fiber_length: Float[Array, "*shape"],
        norm_fiber_velocity: Float[Array, "*shape"],
    ) -> FiberForce:
        """Return active and passive fiber force [-]. Activations below the floor count as the floor, as in OpenSim."""
        floored = jnp.maximum(activation, self.min_activation)
        active = floored * active_force_length(norm_fiber_length) * force_velocity(floored, norm_fiber_velocity)
        return FiberForce(active, passive_force_length(norm_fiber_length, strain_at_one=self.passive_strain_at_one))


def active_force_length(norm_fiber_length: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return the active force-length multiplier [-]."""
    return jnp.exp(-((norm_fiber_length - 1.0) ** 2) / ACTIVE_WIDTH)


def force_velocity(
    activation: Float[Array, "*shape"], norm_fiber_velocity: Float[Array, "*shape"]
) -> Float[Array, "*shape"]:
    """Return the force-velocity multiplier [-]: Thelen's equations 6 and 7 without damping, solved for force.

    Straight lines go on beyond maximal shortening speed (slightly negative, as in OpenSim) and beyond 0.95 of the lengthening force.
    Departure: the kink at rest, where the slope doubles, is rounded over 0.0001 maximal speeds; the force at rest stays one.
    """
    maximal_speed = 0.25 + 0.75 * activation
    speed = norm_fiber_velocity / maximal_speed
    round_speed = jnp.hypot(speed, REST)
    return _shortening(0.5 * (speed - round_speed + REST)) + _lengthening(0.5 * (speed + round_speed - REST)) - 1.0


def _shortening(speed: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return the shortening branch at a ``speed`` in maximal speeds; its tangent below -1."""
    curved = jnp.maximum(speed, -1.0)
    below = 1.0 - curved / CURVATURE
    slope = (1.0 + 1.0 / CURVATURE) / below**2
    return (1.0 + curved) / below + slope * (speed - curved)


def _lengthening(speed: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Return the lengthening branch at a ``speed`` in maximal speeds; its tangent where force exceeds 0.95 of the asymptote."""
    steepness = (2.0 + 2.0 / CURVATURE) / (LENGTHENING_FORCE - 1.0)
    last_force = LAST_CURVED * LENGTHENING_FORCE
    curved = jnp.minimum(speed, (last_force - 1.0) / (steepness * (LENGTHENING_FORCE - last_force)))
    below = 1.0 + steepness * curved
    slope = steepness * (LENGTHENING_FORCE - 1.0) / below**2
    return (1.0 + steepness * LENGTHENING_FORCE * curved) / below + slope * (speed - curved)


def passive_force_length(
    norm_fiber_length: Float[Array, "*shape"], *, strain_at_one: float = 0.6
) -> Float[Array, "*shape"]:
    """Return passive fiber force as a fraction of maximum isometric force [-]: zero up to optimal length, one at ``1 + strain_at_one``.

    Departure: above a length of 1.8 it goes on as a straight line, so that 32-bit numbers do not overflow.
    """
    stiffness = PASSIVE_STIFFNESS / strain_at_one
    stretch = jnp.clip(norm_fiber_length, 1.0, LONGEST) - 1.0
    beyond = jnp.maximum(norm_fiber_length - LONGEST, 0.0)
    rising = jnp.exp(stiffness * stretch) * (1.0 + stiffness * beyond)
    return (rising - 1.0) / float(np.expm1(PASSIVE_STIFFNESS))
