"""A tendon that stretches: as long as the force in it says."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from profundus.muscle.interface import MuscleModel
from profundus.muscle.parameters import MuscleParameters
from profundus.muscle.rigid_tendon import MuscleState, tendon_force
from profundus.muscle.tendon_curves import TENDON_CURVES

BINOMIAL = (0.0625, 0.25, 0.375, 0.25, 0.0625)
LAST_SHARE = 0.6  # of a newly found stretch that is believed: the rounds do not swing


class Stretched(NamedTuple):
    """A muscle on its tendon, how far the tendon is stretched [m], and how far the last round moved the tendon's force [N]."""

    state: MuscleState
    stretch: Float[Array, "trial time muscle"]
    residual: Float[Array, "trial time muscle"]


def rate(values: Float[Array, "trial time muscle"], step: float) -> Float[Array, "trial time muscle"]:
    """Return the rate of change of what has been smoothed over five samples (binomial weights)."""
    padded = jnp.pad(values, ((0, 0), (2, 2), (0, 0)), mode="edge")
    shifted = jnp.stack([padded[:, i : i + values.shape[1]] for i in range(len(BINOMIAL))])
    smooth = jnp.tensordot(jnp.asarray(BINOMIAL, values.dtype), shifted, axes=1)
    return jnp.asarray(jnp.gradient(smooth, step, axis=1))


def stretched(
    model: MuscleModel,
    parameters: MuscleParameters,
    activation: Float[Array, "trial time muscle"],
    path_length: Float[Array, "trial time muscle"],
    path_velocity: Float[Array, "trial time muscle"],
    *,
    name: str,
    strain_at_one: float,
    step: float,
    rounds: int,
    stretch: Float[Array, "trial time muscle"],
) -> Stretched:
    """Return tendon forces on a compliant tendon by fixed-point iteration from ``stretch`` [m], ``rounds`` times.

    The fibers get what the path leaves over: force -> stretch -> fiber length and speed -> force. ``name`` is that of the strain curve.
    """

    def of(lengthened: Array) -> MuscleState:
        speed = path_velocity - rate(lengthened, step)
        return tendon_force(model, parameters, activation, path_length - lengthened, speed)

    def again(_: int, held: tuple[Array, Array]) -> tuple[Array, Array]:
        lengthened = held[0]
        force = of(lengthened).tendon_force
        strain = TENDON_CURVES[name].strain(force / parameters.max_isometric_force, strain_at_one)
        found = parameters.tendon_slack_length * strain
        return lengthened + LAST_SHARE * (found - lengthened), force

    start = (stretch, jnp.zeros_like(stretch))
    lengthened, before = jax.lax.fori_loop(0, rounds, again, start)
    state = of(lengthened)
    return Stretched(state, lengthened, state.tendon_force - before)
