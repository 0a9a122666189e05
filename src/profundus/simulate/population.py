"""People by the thousand: each drawn, moved, measured, and kept with everything that is true of him."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.records import Anatomy, PopulationSettings, Trial, VirtualPerson
from profundus.simulate.chance import stream
from profundus.simulate.laboratory import measured_person
from profundus.simulate.limb import ARM26_FOREARM, Limb, limb_moment
from profundus.simulate.person import drawn_person, person_facts
from profundus.simulate.schedule import moving_coordinates, scheduled
from profundus.simulate.strategies import Control, drawn_strategy
from profundus.simulate.work import PathGeometry, Tasks, exhausted, worked

EASED, STRONGER = 6, 1.2  # how often the muscles are made stronger and the range of motion smaller, and by how much
REDRAWN = 5  # how many people are drawn until one can do it
SHORTEST_S = 1.0  # of a given motion


def simulate_people(
    anatomy: Anatomy,
    geometry: PathGeometry,
    settings: PopulationSettings,
    *,
    seed: int,
    count: int,
    first: int = 0,
    limb: Limb = ARM26_FOREARM,
    control: Control = drawn_strategy,
) -> Iterator[VirtualPerson]:
    """Yield virtual people ``first`` to ``first + count - 1`` of a population, all trials of one at a time.

    ``geometry`` maps angles and velocities (time, coordinate) to paths and moment arms; ``control`` decides how a
    person shares the work, by default by one of the settings' families. Person i is the same, bit for bit, whatever
    ``first`` and ``count`` are. Raises InputError for an anatomy of several moving coordinates, given motions of
    another shape, and people whom no strength enables to do what is asked.
    """
    _refuse(anatomy, settings)
    for index in range(first, first + count):
        yield _person(index, anatomy, geometry, settings, seed=seed, limb=limb, control=control)


def seen_with(trials: Sequence[Trial], measured: Sequence[str]) -> tuple[Trial, ...]:
    """Return trials as a study sees them that has electrodes on ``measured`` only: other envelopes are NaN, the truth is kept."""
    return tuple(_seen(trial, np.isin(trial.muscles, list(measured))) for trial in trials)


def _seen(trial: Trial, there: NDArray[np.bool_]) -> Trial:
    return replace(trial, emg=np.where(there, trial.emg, np.nan), emg_valid=trial.emg_valid & there)


def _person(
    index: int,
    anatomy: Anatomy,
    geometry: PathGeometry,
    settings: PopulationSettings,
    *,
    seed: int,
    limb: Limb,
    control: Control,
) -> VirtualPerson:
    attempts = ((redrawn, eased) for redrawn in range(REDRAWN) for eased in range(EASED))
    for redrawn, eased in attempts:
        streams = {word: stream(seed, index, f"{word} {redrawn}") for word in ("person", "motion", "control")}
        person = drawn_person(anatomy, limb, settings, streams["person"]).stronger(STRONGER**eased)
        plan = scheduled(anatomy, settings, streams["motion"], eased=eased)
        wanted = limb_moment(person.true_limb, plan.angle, plan.acceleration, plan.load)
        moment = np.where(np.isnan(plan.moment), wanted, plan.moment)
        tasks = Tasks(plan.angle, plan.velocity, plan.acceleration, moment, plan.load_kg)
        work = worked(
            person,
            tasks,
            anatomy=anatomy,
            geometry=geometry,
            settings=settings,
            chance=streams["control"],
            control=control,
        )
        if not exhausted(work):
            break
    else:
        why = f"person {index} of seed {seed}: {REDRAWN} people, each up to {STRONGER ** (EASED - 1):.1f} times stronger, cannot do it"
        raise InputError(Problem("error", why, remedy="Ask for less load, or hand in smaller moments"))
    identity = f"V{index:05d}"
    facts: dict[str, object] = {"id": identity, "seed": seed, "muscle_order": list(anatomy.muscles)}
    facts |= {"redrawn": redrawn, "eased": eased, "tendon_residual": work.tendon_residual}
    return measured_person(
        identity,
        person,
        plan,
        work,
        muscles=anatomy.muscles,
        coordinates=moving_coordinates(anatomy),
        settings=settings,
        chance=stream(seed, index, "measurement"),
        facts=facts | {"control": work.strategy.facts} | person_facts(person),
    )


def _refuse(anatomy: Anatomy, settings: PopulationSettings) -> None:
    """Refuse what cannot be simulated yet, all of it at once."""
    coordinates = moving_coordinates(anatomy)
    problems = []
    if len(coordinates) != 1:
        what = f"virtual people move one coordinate, {anatomy.name} has {len(coordinates)}: {', '.join(coordinates)}"
        remedy = "Set the anatomy's default_coordinates to one of them"
        problems.append(Problem("error", what, expected="one", remedy=remedy))
    for motion in settings.given:
        shape, there = motion.angle.shape, motion.moment is None or np.isfinite(motion.moment).all()
        if len(shape) != 2 or shape[1] != len(coordinates) or not np.isfinite(motion.angle).all() or not there:
            expected = f"finite numbers (time, {len(coordinates)})"
            problems.append(
                Problem("error", f"{motion.name}: angle or moment has gaps or shape {shape}", expected=expected)
            )
        elif motion.moment is not None and motion.moment.shape != shape:
            problems.append(
                Problem("error", f"{motion.name}: moment of shape {motion.moment.shape}", expected=str(shape))
            )
        elif shape[0] < SHORTEST_S * settings.rate_hz:
            expected = f"{SHORTEST_S * settings.rate_hz:g} or more"
            problems.append(Problem("error", f"{motion.name}: {shape[0]} samples", expected=expected))
    if len({motion.name for motion in settings.given}) < len(settings.given):
        problems.append(Problem("error", "given motions share a name", expected="a name for each"))
    if problems:
        raise InputError(problems)
