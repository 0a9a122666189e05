"""What a virtual person does in his trials: the moment he needs, the excitations he chooses, and what they come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from profundus.records import Anatomy, PopulationSettings
from profundus.simulate.demand import Demand
from profundus.simulate.forces import Moved, activated, driven, muscles
from profundus.simulate.person import Body, Person
from profundus.simulate.schedule import moving_coordinates
from profundus.simulate.strategies import Control, Strategy
from profundus.skeleton.paths import Geometry

Floats = NDArray[np.float64]
PathGeometry = Callable[[Floats, Floats], Geometry]
EXHAUSTED = 0.97  # activation from which a muscle counts as exhausted
ENOUGH = 0.01  # share of a trial's samples that may be exhausted: a moment of it


class Tasks(NamedTuple):
    """What is to be done: ``angle`` and its rates (trial, time) about one coordinate, wanted ``moment`` (trial, time) and load (trial,)."""

    angle: Floats
    velocity: Floats
    acceleration: Floats
    moment: Floats
    load_kg: Floats


class Work(NamedTuple):
    """What was done, (trial, time, muscle): excitation (EMG's clock), activation, tendon force [N]; ``moment`` (trial, time) [N.m].

    ``tendon_residual`` [N.m] is how far the last round of a compliant tendon moved the moment (root mean square).
    """

    excitation: Floats
    activation: Floats
    tendon_force: Floats
    moment: Floats
    strategy: Strategy
    tendon_residual: float


def worked(
    person: Person,
    tasks: Tasks,
    *,
    anatomy: Anatomy,
    geometry: PathGeometry,
    settings: PopulationSettings,
    chance: np.random.Generator,
    control: Control,
) -> Work:
    """Return what the person does: shares by the strategy that ``control`` gives him, as much of them as the moment needs, run forward
    from the excitations."""
    body, step = person.body, 1.0 / settings.rate_hz
    moved = moved_body(body, tasks, geometry)
    demand = _demand(body, moved, tasks, anatomy, step)
    strategy = control(demand, settings, chance, step)
    found = driven(body, moved, strategy.shares, jnp.asarray(tasks.moment), step=step)
    shape = found.activation.shape
    columns = np.moveaxis(np.asarray(found.activation, dtype=float), 0, 1).reshape(shape[1], -1)
    excitation = np.clip(body.excitation(columns, step=step), 0.01, 1.0)
    active = np.asarray(activated(body, jnp.asarray(excitation), step=step), dtype=float)
    back = (np.moveaxis(values.reshape(shape[1], shape[0], shape[2]), 1, 0) for values in (excitation, active))
    excitation, active = (np.ascontiguousarray(values) for values in back)
    state, _, residual = muscles(body, moved, jnp.asarray(active), found.stretch, step=step)
    arms, force = np.asarray(moved.moment_arm, dtype=float), np.asarray(state.tendon_force, dtype=float)
    late = np.sum(arms * np.asarray(residual, dtype=float), axis=-1)
    return Work(excitation, active, force, np.sum(arms * force, axis=-1), strategy, float(np.sqrt(np.mean(late**2))))


def exhausted(work: Work) -> bool:
    """Return whether in some trial a muscle is at its end for more than a moment."""
    return bool((np.mean(np.any(work.activation > EXHAUSTED, axis=-1), axis=1) > ENOUGH).any())


def moved_body(body: Body, tasks: Tasks, geometry: PathGeometry) -> Moved:
    """Return the person's own paths: moment arms scaled, lengths with them around those in the middle of the motion."""
    flat = [np.reshape(values, (-1, 1)) for values in (tasks.angle, tasks.velocity)]
    paths = geometry(flat[0], flat[1])
    middle = np.full((1, 1), 0.5 * (tasks.angle.min() + tasks.angle.max()))
    center = geometry(middle, np.zeros((1, 1))).path_length
    length = center + body.arm_scale * (paths.path_length - center)
    shape = (*tasks.angle.shape, -1)
    parts = (length, body.arm_scale * paths.path_velocity, body.arm_scale * paths.moment_arm[:, 0])
    return Moved(*(jnp.reshape(part, shape) for part in parts))


def single_joint(anatomy: Anatomy) -> NDArray[np.bool_]:
    """Return which muscles (muscle,) cross one coordinate only."""
    crossed = np.array([np.ptp(path.coefficients, axis=0) > 0 for path in anatomy.paths])
    return np.asarray(crossed.sum(axis=0) <= 1)


def _demand(body: Body, moved: Moved, tasks: Tasks, anatomy: Anatomy, step: float) -> Demand:
    """Return what the tasks ask of the person; leverage is that of a rigid tendon at rest speed, so that it has no kinks."""
    still = moved._replace(path_velocity=jnp.zeros_like(moved.path_velocity))
    full, none = (
        muscles(body, still, value, value * 0.0, step=step).state.tendon_force
        for value in (jnp.ones_like(moved.path_length), jnp.full_like(moved.path_length, 0.01))
    )
    leverage = np.asarray(moved.moment_arm * (full - none), dtype=float)
    sign = np.sign(leverage.mean(axis=(0, 1)))
    most = [np.abs(leverage[..., sign == side].sum(axis=-1)) for side in (1, -1)]
    effort = tasks.moment / np.maximum(np.where(tasks.moment > 0, most[0], most[1]), 1e-6)
    joint = {c.name: c for c in anatomy.coordinates}[moving_coordinates(anatomy)[0]]
    return Demand(
        flexion=((tasks.angle - joint.low) / (joint.high - joint.low))[..., None],
        speed=(np.hypot(tasks.velocity, 0.2) - 0.2)[..., None],
        effort=effort[..., None],
        leverage=np.abs(leverage),
        load_kg=np.nan_to_num(tasks.load_kg)[:, None, None],
        sign=sign,
        single=single_joint(anatomy),
    )
