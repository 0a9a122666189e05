"""Who a virtual person is: strong or weak, long or short fibers, quick or slow, with levers and a limb of his own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.muscle.inverse import excitation_of
from profundus.muscle.parameters import ActivationParameters, MuscleParameters, Parameters
from profundus.muscle.registry import muscle_model
from profundus.records import Anatomy, PopulationSettings
from profundus.simulate.chance import between, log_between
from profundus.simulate.limb import Limb, drawn_limb
from profundus.simulate.variation import VariedMuscle

Floats = NDArray[np.float64]
SHAPE_FACTOR = (-1.5, 0.0)
TIME_CONSTANT = (0.010, 0.025)  # s
DEACTIVATION_RATIO = (3.0, 5.0)


class Body(eqx.Module):
    """What physics needs of a person; ``arm_scale`` (muscle,) multiplies moment arms. ``tendon`` is rigid or compliant."""

    parameters: Parameters
    muscle: VariedMuscle
    arm_scale: Float[Array, " muscle"]
    deactivation_ratio: Float[Array, ""]
    muscle_name: str = eqx.field(static=True)
    tendon: str = eqx.field(static=True)
    tendon_strain_at_one: float = eqx.field(static=True)

    def excitation(self, activation: Floats, *, step: float) -> Floats:
        """Return the excitation (time, column) that becomes ``activation``; columns are the muscles, again for every trial."""
        muscles, person = self.parameters.muscles, self.parameters.activation
        delay = np.asarray(muscles.electromechanical_delay, dtype=float)
        time_constant = float(person.time_constant)
        return excitation_of(
            activation,
            step=step,
            delay=np.tile(delay, activation.shape[1] // len(delay)),
            shape_factor=float(person.shape_factor),
            time_constant=time_constant,
            deactivation_time_constant=float(self.deactivation_ratio) * time_constant,
        )


@dataclass(frozen=True)
class Person:
    """A body, the limb it moves, and ``lever_error`` [m], how much longer the load's true lever is than the laboratory's."""

    body: Body
    limb: Limb
    lever_error: float

    @property
    def true_limb(self) -> Limb:
        """Return the limb with the load where it truly is."""
        return replace(self.limb, lever=self.limb.lever + self.lever_error)

    def stronger(self, times: float) -> Person:
        """Return the person with all maximal forces multiplied."""
        body = eqx.tree_at(
            lambda b: b.parameters.muscles.max_isometric_force, self.body, replace_fn=lambda force: force * times
        )
        return replace(self, body=body)


def drawn_person(anatomy: Anatomy, limb: Limb, settings: PopulationSettings, chance: np.random.Generator) -> Person:
    """Return a person drawn around an anatomy and a limb. Draws come in one order, so that no setting moves another one's."""
    count = len(anatomy.muscles)
    strength = np.exp(chance.normal() * settings.strength_sd + chance.normal(size=count) * settings.muscle_strength_sd)
    optimal = 1.0 + settings.optimal_length_range * chance.uniform(-1.0, 1.0, count)
    slack = 1.0 + settings.slack_length_range * chance.uniform(-1.0, 1.0, count)
    pennate = anatomy.pennation_at_optimal > 0
    pennation = anatomy.pennation_at_optimal + chance.normal(size=count) * np.where(pennate, 0.05, 0.02)
    delay = between(chance, settings.delay) + 0.003 * chance.normal(size=count)
    activation = ActivationParameters(
        jnp.asarray(between(chance, SHAPE_FACTOR), float), jnp.asarray(between(chance, TIME_CONSTANT), float)
    )
    ratio = between(chance, DEACTIVATION_RATIO)
    odd, width, each = chance.uniform(), between(chance, settings.odd_arms_sd), chance.normal(size=count)
    arms = np.exp(width * each) if odd < settings.odd_arms_share else np.ones(count)
    coins = chance.uniform(size=3)
    name = settings.muscle if settings.muscle != "mixed" else ("thelen", "degroote")[int(coins[0] < 0.5)]
    muscle = VariedMuscle(
        muscle_model(name, passive_strain_at_one=anatomy.passive_strain_at_one),
        jnp.asarray(between(chance, settings.active_width), float),
        jnp.asarray(log_between(chance, settings.maximal_speed), float),
        jnp.asarray(float(coins[2] < 0.5)),
    )
    parameters = MuscleParameters(
        jnp.asarray(anatomy.max_isometric_force * strength),
        jnp.asarray(anatomy.optimal_fiber_length * optimal),
        jnp.asarray(anatomy.tendon_slack_length * slack),
        jnp.asarray(np.clip(pennation, 0.0, 0.35)),
        jnp.asarray(np.clip(delay, 0.0, 0.125)),
    )
    body = Body(
        Parameters(parameters, activation),
        muscle,
        jnp.asarray(arms),
        jnp.asarray(ratio, float),
        name,
        settings.tendon if settings.tendon != "mixed" else ("rigid", "compliant")[int(coins[1] < 0.5)],
        anatomy.tendon_strain_at_one,
    )
    return Person(body, drawn_limb(limb, chance), float(settings.lever_sd * np.clip(chance.normal(), -2.0, 2.0)))


def person_facts(person: Person) -> dict[str, object]:
    """Return what a person is, as plain values: arrays are lists in the order of the muscles, in SI units."""
    body = person.body
    muscles = {name: np.asarray(value, dtype=float).tolist() for name, value in vars(body.parameters.muscles).items()}
    return {
        **muscles,
        "shape_factor": float(body.parameters.activation.shape_factor),
        "time_constant": float(body.parameters.activation.time_constant),
        "deactivation_ratio": float(body.deactivation_ratio),
        "moment_arm_scale": np.asarray(body.arm_scale, dtype=float).tolist(),
        "muscle": body.muscle_name,
        "tendon": body.tendon,
        "active_width": float(body.muscle.active_width),
        "maximal_speed": float(body.muscle.maximal_speed),
        "speed_follows_activation": float(body.muscle.speed_follows_activation),
        "limb_mass": person.limb.mass,
        "load_lever": person.limb.lever,
        "load_lever_error": person.lever_error,
    }
