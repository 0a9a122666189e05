"""Virtual people of any model: they do what recorded people did, each in his own body and with his own habits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.muscle.rigid_tendon import tendon_force
from profundus.records import Anatomy, GivenMotion, PopulationSettings, Trial, VirtualPerson
from profundus.simulate import measurement
from profundus.simulate.chance import between, slow_noise, stream
from profundus.simulate.forces import activated
from profundus.simulate.limb import ARM26_FOREARM
from profundus.simulate.limb_control import Asked, controlled
from profundus.simulate.person import Body, Person, drawn_person, person_facts
from profundus.simulate.work import PathGeometry
from profundus.skeleton.paths import Geometry

Floats = NDArray[np.float64]
MARGIN_S = 0.5  # simulated before and after a stretch, so that delays and filters know what was and what will be
PACE, REACH, OFFSET_RAD = (0.85, 1.18), (0.9, 1.1), 0.04  # of what was recorded
MOMENT_SD, MOMENT_SWING = 0.25, 0.15  # log factor of a joint's moment, and its slow changes
SLACK_SD, ARM_SD = 0.08, 0.12  # of tendon slack length, in fiber lengths; log, of a muscle's moment arms
DELAY, DELAY_SD = (0.03, 0.11), 0.012  # s; between a person's muscles
CROSSTALK = (0.0, 0.15)
MOMENT_ERROR = (0.03, 0.25)  # of the largest moment of a joint
PASSIVE_SHARE = (0.0, 1.0)  # how much of its passive forces a person's control knows of
LARGEST = 0.95  # quantile of a moment that counts as its largest
WEAK, WORKING = 0.02, 0.25
LEAST_EXCITATION = 0.003


class Stretches(NamedTuple):
    """What a person does, (stretch, time, coordinate): angles, velocities and wanted moments, NaN where a joint's moment is not known."""

    angle: Floats
    velocity: Floats
    moment: Floats


def simulate_limbs(
    anatomy: Anatomy,
    geometry: PathGeometry,
    motions: Sequence[GivenMotion],
    coordinates: tuple[str, ...],
    *,
    families: Sequence[str],
    seed: int,
    count: int,
    first: int = 0,
    rate_hz: float = 80.0,
    seconds: float = 2.8,
    stretches: int = 6,
) -> Iterator[VirtualPerson]:
    """Yield virtual people ``first`` to ``first + count - 1``, each with ``stretches`` trials of ``seconds`` out of recorded ``motions``.

    ``motions`` hold angles and moments (time, coordinate) at ``rate_hz``; a column of NaN is a coordinate whose moment nobody knows. A
    stretch is somebody's motion at another pace and reach, with moments changed likewise; what the person's muscles then make is the
    moment that is measured of him. Person i is the same, bit for bit, whatever ``first`` and ``count`` are. Raises InputError where no
    motion is long enough.
    """
    length = round(seconds * rate_hz) + 1 + 2 * round(MARGIN_S * rate_hz)
    usable = [motion for motion in motions if len(motion.angle) >= length * PACE[1] + 2]
    if not usable:
        longest = max((len(motion.angle) for motion in motions), default=0) / rate_hz
        raise InputError(
            Problem(
                "error",
                f"the longest motion to teach with lasts {longest:.1f} s",
                expected=f"{length * PACE[1] / rate_hz + 0.1:.1f} s or more",
                remedy="Name a longer trial of role 'fit'",
            )
        )
    settings = PopulationSettings(rate_hz=rate_hz)
    for index in range(first, first + count):
        streams = {word: stream(seed, index, word) for word in ("person", "motion", "control", "measurement")}
        person = _own(drawn_person(anatomy, ARM26_FOREARM, settings, streams["person"]), anatomy, streams["person"])
        done = _stretches(usable, streams["motion"], count=stretches, length=length, rate_hz=rate_hz)
        family = families[index % len(families)]
        excitation, moment = _worked(
            person.body, done, anatomy, geometry, family=family, chance=streams["control"], rate_hz=rate_hz
        )
        yield _measured(
            f"V{index:05d}",
            person,
            done,
            (excitation, moment),
            anatomy=anatomy,
            coordinates=coordinates,
            settings=settings,
            chance=streams["measurement"],
            family=family,
        )


def _own(person: Person, anatomy: Anatomy, chance: np.random.Generator) -> Person:
    """Return the person with tendons, levers and delays as limbs have them: long tendons differ in fiber lengths, not in shares."""
    count = len(anatomy.muscles)
    slack = anatomy.tendon_slack_length + anatomy.optimal_fiber_length * chance.normal(0.0, SLACK_SD, count)
    delay = between(chance, DELAY) + chance.normal(0.0, DELAY_SD, count)
    arms = np.exp(chance.normal(0.0, ARM_SD, count))
    body = eqx.tree_at(
        lambda b: (
            b.parameters.muscles.tendon_slack_length,
            b.parameters.muscles.electromechanical_delay,
            b.arm_scale,
        ),
        person.body,
        (jnp.asarray(np.maximum(slack, 1e-3)), jnp.asarray(np.clip(delay, 0.0, 0.125)), jnp.asarray(arms)),
    )
    return replace(person, body=body)


def _stretches(
    motions: Sequence[GivenMotion], chance: np.random.Generator, *, count: int, length: int, rate_hz: float
) -> Stretches:
    """Return stretches of recorded motions at another pace, reach and effort, one way throughout for a person."""
    coordinates = motions[0].angle.shape[1]
    pace = between(chance, PACE)
    reach, offset = chance.uniform(*REACH, coordinates), chance.normal(0.0, OFFSET_RAD, coordinates)
    effort = np.exp(chance.normal(0.0, MOMENT_SD, coordinates))
    swing = 1.0 + MOMENT_SWING * slow_noise(
        chance, (count, length, coordinates), step=1.0 / rate_hz, low_hz=0.05, high_hz=1.0
    )
    angles: list[Floats] = []
    moments: list[Floats] = []
    for _ in range(count):
        motion = motions[int(chance.integers(len(motions)))]
        start = chance.uniform(0.0, len(motion.angle) - 1 - length * pace)
        at, clock = start + pace * np.arange(length), np.arange(len(motion.angle))
        moment = np.full_like(motion.angle, np.nan) if motion.moment is None else motion.moment
        for found, columns in ((angles, motion.angle), (moments, moment)):
            found.append(np.stack([np.interp(at, clock, column) for column in columns.T], axis=1))
    angle = np.stack(angles)
    middle = angle.mean(axis=(0, 1))
    angle = middle + reach * (angle - middle) + offset
    return Stretches(angle, np.gradient(angle, 1.0 / rate_hz, axis=1), np.stack(moments) * effort * swing)


def _worked(
    body: Body,
    done: Stretches,
    anatomy: Anatomy,
    geometry: PathGeometry,
    *,
    family: str,
    chance: np.random.Generator,
    rate_hz: float,
) -> tuple[Floats, Floats]:
    """Return excitations (stretch, time, muscle) and the moments (stretch, time, coordinate) that they make, run forward."""
    count, length, coordinates = done.angle.shape
    flat = [values.reshape(-1, coordinates) for values in (done.angle, done.velocity)]
    moved = _moved(body, geometry(*flat))
    weak, working = (np.asarray(_force(body, moved, jnp.asarray(a)), dtype=float) for a in (WEAK, WORKING))
    arms = np.asarray(moved.moment_arm, dtype=float)
    slope = (working - weak) / (WORKING - WEAK)
    passive = np.einsum("tcm,tm->tc", arms, weak - WEAK * slope)
    asked = np.isfinite(done.moment).all(axis=(0, 1))
    wanted = done.moment.reshape(-1, coordinates) - between(chance, PASSIVE_SHARE) * passive
    force, fiber = (np.asarray(v) for v in (anatomy.max_isometric_force, anatomy.optimal_fiber_length))
    state = np.concatenate(flat, axis=1)
    activation = controlled(
        Asked(
            (arms * slope[:, None, :])[:, asked],
            wanted[:, asked],
            (state - state.mean(axis=0)) / (state.std(axis=0) + 1e-6),
            force * fiber / np.mean(force * fiber),
            anatomy.groups,
            length,
        ),
        family,
        chance,
        step=1.0 / rate_hz,
    )
    columns = np.moveaxis(activation.reshape(count, length, -1), 0, 1).reshape(length, -1)
    smooth = np.clip(measurement.smooth(columns[None], rate_hz=rate_hz, padding="even")[0], 1e-3, 1.0)
    excitation = np.clip(body.excitation(smooth, step=1.0 / rate_hz), LEAST_EXCITATION, 1.0)
    active = np.asarray(activated(body, jnp.asarray(excitation), step=1.0 / rate_hz), dtype=float)
    back = [np.moveaxis(v.reshape(length, count, -1), 1, 0) for v in (excitation, active)]
    made = np.asarray(_force(body, moved, jnp.asarray(back[1].reshape(count * length, -1))), dtype=float)
    moment = np.einsum("tcm,tm->tc", arms, made).reshape(done.moment.shape)
    return np.ascontiguousarray(back[0]), np.where(asked, moment, np.nan)


def _moved(body: Body, paths: Geometry) -> Geometry:
    """Return the person's own paths: moment arms scaled, lengths with them around those in the middle of the motion."""
    center = jnp.mean(paths.path_length, axis=0)
    return Geometry(
        center + body.arm_scale * (paths.path_length - center),
        body.arm_scale * paths.path_velocity,
        body.arm_scale * paths.moment_arm,
    )


@eqx.filter_jit
def _force(body: Body, moved: Geometry, activation: Array) -> Array:
    active = jnp.broadcast_to(activation, moved.path_length.shape)
    state = tendon_force(body.muscle, body.parameters.muscles, active, moved.path_length, moved.path_velocity)
    return state.tendon_force


def _measured(
    identity: str,
    person: Person,
    done: Stretches,
    made: tuple[Floats, Floats],
    *,
    anatomy: Anatomy,
    coordinates: tuple[str, ...],
    settings: PopulationSettings,
    chance: np.random.Generator,
    family: str,
) -> VirtualPerson:
    """Return the person as a laboratory measures him: noisy envelopes with crosstalk, noisy angles, moments with their errors."""
    rate_hz, (excitation, moment) = settings.rate_hz, made
    count, length, joints = done.angle.shape
    own = replace(settings, crosstalk=between(chance, CROSSTALK))
    electrodes = measurement.drawn_electrodes(len(anatomy.muscles), own, chance)
    emg = measurement.drawn_envelopes(excitation, electrodes, chance, rate_hz=rate_hz)
    angle = np.stack(
        [
            measurement.measured_angle(done.angle[..., i], own.angle_noise, chance, rate_hz=rate_hz)
            for i in range(joints)
        ],
        axis=-1,
    )
    noise = [
        slow_noise(chance, (count, length, joints), step=1.0 / rate_hz, low_hz=low, high_hz=high)
        for low, high in ((0.0, 0.5), (1.0, 6.0))
    ]
    size = between(chance, MOMENT_ERROR) * np.quantile(np.abs(moment), LARGEST, axis=(0, 1))
    measured = moment + size * (noise[0] + noise[1]) / np.sqrt(2.0)
    rates = [measurement.rates(angle[..., i], rate_hz=rate_hz) for i in range(joints)]
    velocity, acceleration = (np.stack([rate[n] for rate in rates], axis=-1) for n in (0, 1))
    inner = slice(round(MARGIN_S * rate_hz), length - round(MARGIN_S * rate_hz))
    trials = tuple(
        Trial(
            subject=identity,
            name=f"stretch_{i + 1:02d}",
            role="fit",
            muscles=anatomy.muscles,
            coordinates=coordinates,
            time=np.arange(inner.stop - inner.start) / rate_hz,
            angle=angle[i, inner],
            velocity=velocity[i, inner],
            acceleration=acceleration[i, inner],
            emg=emg[i, inner],
            emg_valid=np.ones(emg[i, inner].shape, dtype=np.bool_),
            moment=measured[i, inner],
            moment_valid=np.isfinite(measured[i, inner]),
            truth=excitation[i, inner],
        )
        for i in range(count)
    )
    facts: dict[str, object] = {"id": identity, "muscle_order": list(anatomy.muscles)}
    return VirtualPerson(identity, trials, facts | {"control": {"family": family}} | person_facts(person))
