"""A muscle that is a little different from what the models say: wider or narrower, faster or slower."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Float

from profundus.muscle.interface import FiberForce, MuscleModel
from profundus.muscle.thelen import ACTIVE_WIDTH

SPEED = 10.0  # optimal fiber lengths a second: the unit of speed of all muscle models
SLOWEST = 0.25  # of maximal speed, at no activation (Thelen 2003, eq. 6)
FLOOR = 0.01


class VariedMuscle(MuscleModel):
    """A muscle model with another active width, maximal speed, and dependence of that speed on activation.

    ``active_width`` is that of Thelen's bell (0.5 leaves ``model`` as it is; other bells are stretched alike), ``maximal_speed`` is in
    optimal fiber lengths a second. ``speed_follows_activation`` is 0 (the same speed at every activation, as De Groote has it) to 1 (as
    Thelen has it), whichever the model.
    """

    model: MuscleModel
    active_width: Float[Array, ""]
    maximal_speed: Float[Array, ""]
    speed_follows_activation: Float[Array, ""]

    def fiber_force(
        self,
        activation: Float[Array, "*shape"],
        norm_fiber_length: Float[Array, "*shape"],
        norm_fiber_velocity: Float[Array, "*shape"],
    ) -> FiberForce:
        """Return active and passive fiber force [-]. The model's curves at full activation are taken at another length and speed."""
        active = jnp.maximum(activation, FLOOR)
        slowing = 1.0 - (1.0 - SLOWEST) * self.speed_follows_activation * (1.0 - active)
        length = 1.0 + (norm_fiber_length - 1.0) * jnp.sqrt(ACTIVE_WIDTH / self.active_width)
        velocity = norm_fiber_velocity * SPEED / (self.maximal_speed * slowing)
        full = jnp.ones_like(active)
        passive = self.model.fiber_force(full, norm_fiber_length, jnp.zeros_like(velocity)).passive
        return FiberForce(active * self.model.fiber_force(full, length, velocity).active, passive)
