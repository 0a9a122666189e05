"""A tendon that stretches: fibers and tendon share the path and pull equally hard."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from profundus.muscle.interface import MuscleModel
from profundus.muscle.parameters import MuscleParameters
from profundus.muscle.rigid_tendon import SHORTEST, MuscleState, fiber_pull
from profundus.muscle.tendon_curves import TendonCurve
from profundus.numerics.implicit_recurrence import implicit_recurrence


class _Now(NamedTuple):
    """What a muscle meets at one time; ``rate`` [1/s] is what a change of strain since the sample before counts, 0 if nothing."""

    activation: Float[Array, "*time muscle"]
    path_length: Float[Array, "*time muscle"]
    path_velocity: Float[Array, "*time muscle"]
    rate: Float[Array, "*time 1"]


class _Constants(NamedTuple):
    """What does not change with time; ``varied`` are the muscle model's arrays, where it has some."""

    varied: Any
    parameters: MuscleParameters
    strain_at_one: Float[Array, "*muscle"]


def tendon_force(
    model: MuscleModel,
    parameters: MuscleParameters,
    activation: Float[Array, "*time muscle"],
    path_length: Float[Array, "*time muscle"],
    path_velocity: Float[Array, "*time muscle"],
    *,
    curve: TendonCurve,
    strain_at_one: float | Float[Array, " muscle"],
    step: float | None = None,
) -> MuscleState:
    """Return tendon force [N] and fiber length [m] in the equilibrium of fibers and tendon.

    ``path_length`` [m], ``path_velocity`` [m/s]; ``strain_at_one`` is the tendon's strain at maximum isometric force. On a clock of
    ``step`` [s] the first axis is time, and the fibers get the speed that the tendon leaves over: backward Euler for the tendon's
    strain, from an equilibrium in which it is constant. Without a ``step`` every sample is such an equilibrium (as OpenSim initializes
    DeGrooteFregly2016Muscle). A tendon never pushes: while it is slack, the fibers follow the path as with a rigid one. Fibers are never
    shorter than a hundredth of their optimal length: the tendon then pulls as hard as what is left of the path stretches it.
    """
    varied, fixed = eqx.partition(model, eqx.is_array)

    def unbalanced(strain: Any, before: Any, now: _Now, constants: _Constants) -> Any:
        own = constants.parameters
        velocity = now.path_velocity - own.tendon_slack_length * now.rate * (strain - before)
        along_tendon = now.path_length - own.tendon_slack_length * (1.0 + strain)
        fibers = fiber_pull(eqx.combine(constants.varied, fixed), own, now.activation, along_tendon, velocity)
        return curve.force(strain, constants.strain_at_one) - fibers.tendon_force / own.max_isometric_force

    constants = _Constants(varied, parameters, jnp.asarray(strain_at_one, activation.dtype))
    samples = activation, path_length, path_velocity
    now = _instant(*samples) if step is None else _clock(*samples, step=step)
    strain = implicit_recurrence(unbalanced, _bounds, jnp.zeros_like(now.path_length[0]), now, constants)
    strain = strain.reshape(path_length.shape)
    pull = parameters.max_isometric_force * curve.force(strain, strain_at_one)
    along_tendon = path_length - parameters.tendon_slack_length * (1.0 + strain)
    thickness = parameters.optimal_fiber_length * jnp.sin(parameters.pennation_at_optimal)
    return MuscleState(
        pull, jnp.hypot(jnp.maximum(along_tendon, SHORTEST * parameters.optimal_fiber_length), thickness)
    )


def _instant(activation: Array, path_length: Array, path_velocity: Array) -> _Now:
    """Return all samples as one time, to which there is no before."""
    return _Now(activation[None], path_length[None], path_velocity[None], jnp.zeros((1, 1), activation.dtype))


def _clock(activation: Array, path_length: Array, path_velocity: Array, *, step: float) -> _Now:
    """Return samples in their order; in the first one the tendon is as long as it was."""
    rate = jnp.full((len(activation), *(1,) * (activation.ndim - 1)), 1.0 / step, activation.dtype)
    return _Now(activation, path_length, path_velocity, rate.at[0].set(0.0))


def _bounds(now: _Now, constants: _Constants) -> tuple[Any, Any]:
    """Return the strains between which fibers and tendon can share the path: the tendon straight, the fibers at their shortest."""
    own = constants.parameters
    most = (now.path_length - SHORTEST * own.optimal_fiber_length) / own.tendon_slack_length - 1.0
    return jnp.minimum(most, 0.0), most
