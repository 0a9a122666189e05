"""People whom OpenSim's forward dynamics moves: ``python benchmarks/opensim_people.py MODELS OUT [--people 2] [--workers 2]``.

MODELS is a folder with ``arm26_dumbbell_0kg.osim``, ``..._2kg.osim`` and ``..._4kg.osim``. Muscles are Thelen's with elastic tendons, a
controller looks at the arm every 10 ms; work is shared by the rules of ``strangers.py`` and by families of the simulator; people are
measured as the simulator's are. OUT becomes a study for ``profundus compare``. Needs ``pip install -e ".[opensim]"``.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from strangers import RULES, control

from profundus.io.anatomy import read_anatomy
from profundus.io.virtual_lab import write_virtual_lab
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.records import PopulationSettings, VirtualPerson
from profundus.simulate.chance import stream
from profundus.simulate.laboratory import measured_person
from profundus.simulate.limb import ARM26_FOREARM, limb_moment
from profundus.simulate.person import Person, drawn_person
from profundus.simulate.schedule import Schedule, moving_coordinates, scheduled
from profundus.simulate.strategies import Control, drawn_strategy
from profundus.simulate.work import Tasks, Work, exhausted, worked

ARM = read_anatomy("arm26")
FAMILIES = ("effort", "angle_sharing", "synergies")
SEED, RATE_HZ, STEP = 4242, 100.0, 0.01
STIFFNESS, DAMPING = 225.0, 30.0  # of the controller [1/s2, 1/s]
AHEAD_S = 0.02  # in which activations shall be what is wanted
LEAST, MOST_DRIVE, HALVINGS = 0.01, 3.0, 24
OFF_DEG, REDRAWN, EASED, STRONGER = 12.0, 4, 4, 1.3
ACCURACY = 1e-4
SURFACE = ("TRIlong", "TRIlat", "BIClong", "BICshort")
Floats = np.ndarray


class Moved(NamedTuple):
    """What OpenSim made of one trial: angle and rates (time,), excitation, activation, tendon force (time, muscle), moment (time,)."""

    angle: Floats
    velocity: Floats
    excitation: Floats
    activation: Floats
    force: Floats
    moment: Floats


class Arm:
    """OpenSim's Arm26 with the muscles of a person and a load in the hand."""

    def __init__(self, model: Path, person: Person) -> None:
        import opensim

        opensim.Logger.setLevelString("Error")
        self.model = opensim.Model(str(model))
        self.controller = opensim.PrescribedController()
        every, body = self.model.getMuscles(), person.body
        self.muscles = [opensim.Thelen2003Muscle.safeDownCast(every.get(name)) for name in ARM.muscles]
        up = float(body.parameters.activation.time_constant)
        self.up, self.down = up, up * float(body.deactivation_ratio)
        mine = body.parameters.muscles
        for at, muscle in enumerate(self.muscles):
            muscle.set_max_isometric_force(float(mine.max_isometric_force[at]))
            muscle.set_optimal_fiber_length(float(mine.optimal_fiber_length[at]))
            muscle.set_tendon_slack_length(float(mine.tendon_slack_length[at]))
            muscle.set_activation_time_constant(self.up)
            muscle.set_deactivation_time_constant(self.down)
            self.controller.addActuator(muscle)
            self.controller.prescribeControlForActuator(muscle.getName(), opensim.Constant(LEAST))
        self.model.addController(self.controller)
        self.elbow = self.model.getCoordinateSet().get("r_elbow_flex")
        self.elbow.set_clamped(False)
        shoulder = self.model.getCoordinateSet().get("r_shoulder_elev")
        shoulder.set_locked(True)
        self.model.initSystem()
        said = self.controller.get_ControlFunctions()
        self.excitations = [opensim.Constant.safeDownCast(said.get(at)) for at in range(said.getSize())]
        self.largest = np.array(mine.max_isometric_force, dtype=float)
        self.manager_of = opensim.Manager

    def moved(self, plan: Floats, rates: Floats, pushes: Floats, shares: Sequence[Floats], load_kg: float) -> Moved:
        """Follow a plan (time,) [rad, rad/s, rad/s2] with shares (time, muscle) by feedback."""
        state = self.model.initSystem()
        self.elbow.setValue(state, float(plan[0]))
        self.elbow.setSpeedValue(state, float(rates[0]))
        for muscle, held in zip(self.muscles, shares[0][0], strict=True):
            muscle.setActivation(state, float(np.clip(held, LEAST, 1.0)))
        self.model.equilibrateMuscles(state)
        manager = self.manager_of(self.model)
        manager.setIntegratorAccuracy(ACCURACY)
        manager.initialize(state)
        rows: list[tuple[Any, ...]] = []
        for k in range(len(plan)):
            if k:
                state = manager.integrate(k * STEP)
            self.model.realizeDynamics(state)
            angle, rate = self.elbow.getValue(state), self.elbow.getSpeedValue(state)
            at = (
                (
                    m.getActivation(state),
                    m.getActiveForceLengthMultiplier(state)
                    * m.getForceVelocityMultiplier(state)
                    * m.getCosPennationAngle(state),
                    m.getPassiveFiberForceAlongTendon(state),
                    m.getTendonForce(state),
                    m.computeMomentArm(state, self.elbow),
                )
                for m in self.muscles
            )
            active, gain, passive, force, arm = np.array(list(at)).T
            push = pushes[k] + STIFFNESS * (plan[k] - angle) + DAMPING * (rates[k] - rate)
            wanted = float(limb_moment(ARM26_FOREARM, np.array(angle), np.array(push), load_kg))
            base, flexing, extending = (part[k] for part in shares)
            meant = driven(wanted - float(arm @ passive), arm * gain * self.largest, base, flexing, extending)
            excitation = self._excitation(active, meant)
            for said, value in zip(self.excitations, excitation, strict=True):
                said.setValue(float(value))
            rows.append((angle, rate, excitation, active, force, float(arm @ force)))
        return Moved(*(np.array(column) for column in zip(*rows, strict=True)))

    def _excitation(self, active: Floats, meant: Floats) -> Floats:
        """Return the excitation that brings activations to what is meant in a moment (Thelen's activation dynamics)."""
        bent = 0.5 + 1.5 * active
        constant = np.where(meant > active, self.up * bent, self.down / bent)
        return np.clip(active + (meant - active) * constant / AHEAD_S, LEAST, 1.0)


def driven(wanted: float, gain: Floats, base: Floats, flexing: Floats, extending: Floats) -> Floats:
    """Return the activations base + drive x shares that make the wanted active moment; ``gain`` is a muscle's whole [N.m]."""

    def activation(drive: float) -> Floats:
        return np.clip(base + max(drive, 0.0) * flexing + max(-drive, 0.0) * extending, LEAST, 1.0)

    low, high = -MOST_DRIVE, MOST_DRIVE
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if gain @ activation(middle) < wanted:
            low = middle
        else:
            high = middle
    return activation(0.5 * (low + high))


def who(index: int) -> tuple[str, Control]:
    """Return the name of a person's control, and who decides."""
    names = (*RULES, *FAMILIES)
    name = names[index % len(names)]
    return name, control(RULES[name]) if name in RULES else drawn_strategy


def person_of(index: int, models: Path) -> VirtualPerson:
    """Draw one person, let OpenSim move him, measure him; who misses a target or works at his limit is made stronger and moves less, or is
    drawn again."""
    name, decides = who(index)
    families = {name: 1.0} if name in FAMILIES else dict.fromkeys(FAMILIES, 1.0)
    settings = PopulationSettings(
        families=families,
        muscle="thelen",
        tendon="compliant",
        odd_arms_share=0.0,
        trials={"curls": 2, "steps": 1},
        rate_hz=RATE_HZ,
    )
    geometry = MusculoskeletalModel(ARM).geometry
    for redrawn, eased in product(range(REDRAWN), range(EASED)):
        streams = {word: stream(SEED, index, f"{word} {redrawn}") for word in ("person", "motion", "control")}
        drawn = drawn_person(ARM, ARM26_FOREARM, settings, streams["person"])
        person = replace(drawn, limb=ARM26_FOREARM, lever_error=0.0).stronger(STRONGER**eased)
        plan = scheduled(ARM, settings, streams["motion"], eased=eased)
        wanted = limb_moment(ARM26_FOREARM, plan.angle, plan.acceleration, plan.load)
        tasks = Tasks(plan.angle, plan.velocity, plan.acceleration, wanted, plan.load_kg)
        work = worked(
            person, tasks, anatomy=ARM, geometry=geometry, settings=settings, chance=streams["control"], control=decides
        )
        if not exhausted(work) and (done := moved(person, plan, work, models)) is not None:
            break
    else:
        raise SystemExit(f"person {index} cannot do it")
    plan, work = done
    return measured_person(
        f"O{index:03d}",
        person,
        plan,
        work,
        muscles=ARM.muscles,
        coordinates=moving_coordinates(ARM),
        settings=settings,
        chance=stream(SEED, index, "measurement"),
        facts={"control": {"family": name}, "redrawn": redrawn, "eased": eased, "muscle_order": list(ARM.muscles)},
    )


def moved(person: Person, plan: Schedule, work: Work, models: Path) -> tuple[Schedule, Work] | None:
    """Return what the person did in OpenSim; nothing where he was too far off his target."""
    shares = [np.asarray(part, dtype=float) for part in work.strategy.shares]
    shares = [np.broadcast_to(part, (*plan.angle.shape, len(ARM.muscles))) for part in shares]
    done = []
    for trial, load in enumerate(plan.load_kg):
        arm = Arm(models / f"arm26_dumbbell_{load:g}kg.osim", person)
        each = [part[trial] for part in shares]
        found = arm.moved(plan.angle[trial], plan.velocity[trial], plan.acceleration[trial], each, float(load))
        off = np.rad2deg(np.sqrt(np.mean((found.angle - plan.angle[trial]) ** 2)))
        if not off < OFF_DEG:
            return None
        done.append(found)
    angle, velocity, excitation, activation, force, moment = (np.stack(column) for column in zip(*done, strict=True))
    delay = np.asarray(person.body.parameters.muscles.electromechanical_delay, dtype=float)
    clock = np.arange(angle.shape[1]) * STEP
    early = np.stack(
        [np.stack([np.interp(clock + late, clock, one[:, at]) for one in excitation]) for at, late in enumerate(delay)],
        axis=-1,
    )
    acceleration = np.gradient(velocity, STEP, axis=1)
    return (
        replace(plan, angle=angle, velocity=velocity, acceleration=acceleration),
        Work(early, activation, force, moment, work.strategy, 0.0),
    )


def people(count: int, models: Path, workers: int) -> Iterator[VirtualPerson]:
    """Yield people as they are done, in their order."""
    began = time.perf_counter()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(person_of, index, models) for index in range(count)]
        for index, job in enumerate(jobs):
            yield job.result()
            print(f"{time.perf_counter() - began:.0f} s  {who(index)[0]}", file=sys.stderr, flush=True)


def main() -> None:
    """Simulate and write the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=2, help="of each rule and family")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    count = asked.people * (len(RULES) + len(FAMILIES))
    made = people(count, asked.models.resolve(), asked.workers)
    lab = write_virtual_lab(made, asked.out, model="arm26", measured=SURFACE, name="moved by OpenSim")
    print(lab.study_file)


if __name__ == "__main__":
    main()
