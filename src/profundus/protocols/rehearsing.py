"""What a fitted person would do in a trial that he has not done, and what a laboratory would record of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from profundus.fit.advice_control import Control, Task, activations_for, learned_control
from profundus.model.answer import believed
from profundus.model.fitted import TaughtSubject
from profundus.model.musculoskeletal import DEACTIVATION_RATIO, MusculoskeletalModel, Parameters
from profundus.muscle.inverse import excitation_of
from profundus.records import Anatomy, Trial
from profundus.rivals.plant import Plant
from profundus.simulate.chance import slow_noise, stream
from profundus.simulate.limb import ARM26_FOREARM, GRAVITY
from profundus.simulate.motion import angles

Floats = NDArray[np.float64]
LIMB_SD, ELSE_SD = 0.3, 0.5  # of the limb's numbers (share of them) and of what no limb explains [N.m]
MOMENT_SD, INDEPENDENT_S = 0.5, 0.2  # N.m; how long an error of the moment lasts
EVERY_S = 0.05  # samples from which control and limb are learned
NOISE_HZ = 5.0  # of what is left in an envelope after its low-pass


@dataclass(frozen=True)
class Motion:
    """A trial that could be done: ``kind`` of motion between two angles ``low`` and ``high`` [rad] with a load, for some ``seconds``."""

    kind: str
    load_kg: float
    low: float
    high: float
    seconds: float


@dataclass(frozen=True)
class Rehearsal:
    """A person as he may be: ``parameters`` are his muscles, ``control`` how he shares work, ``limb`` (number,) what his joint moves."""

    subject: TaughtSubject
    model: MusculoskeletalModel
    parameters: Parameters
    control: Control
    limb: Floats

    def trial(self, motion: Motion, chance: np.random.Generator, *, name: str = "rehearsed") -> Trial | None:
        """Return a trial as it would be recorded, with noise of envelopes and moment as the fit assumes it; None where he cannot do it."""
        step = self.subject.step
        time = np.asarray(step * np.arange(round(motion.seconds / step)), dtype=np.float64)
        angle = angles(motion.kind, chance, time, low=motion.low, high=motion.high)
        velocity = np.gradient(angle, step)
        acceleration = np.gradient(velocity, step)
        wanted = _limb_columns(angle, acceleration, motion.load_kg) @ self.limb
        task = Task(angle, velocity, wanted, motion.load_kg)
        muscle = self.subject.settings.muscle
        activation = activations_for(task, self.control, self.model, self.parameters, muscle=muscle)
        if activation is None:
            return None
        blank = np.full((len(time), len(self.model.muscles)), np.nan)
        seen = np.tile(np.asarray(self.subject.layout.measured), (len(time), 1))
        columns = (angle[:, None], velocity[:, None], acceleration[:, None])
        moment = wanted + self._moment_noise(wanted, chance)
        trial = Trial(
            self.subject.subject, name, "fit", self.model.muscles, self.model.coordinates, time, *columns,
            blank, seen, moment[:, None], np.ones((len(time), 1), dtype=np.bool_), blank, motion.load_kg, motion.kind,
        )  # fmt: skip
        return replace(trial, emg=np.where(seen, self._envelope(activation, chance), np.nan))

    def _envelope(self, activation: Floats, chance: np.random.Generator) -> Floats:
        muscles, person = self.parameters.muscles, self.parameters.activation
        time_constant = float(person.time_constant)
        excitation = excitation_of(
            activation,
            step=self.subject.step,
            delay=np.asarray(muscles.electromechanical_delay, dtype=float),
            shape_factor=float(person.shape_factor),
            time_constant=time_constant,
            deactivation_time_constant=DEACTIVATION_RATIO * time_constant,
            smoothing=self.subject.settings.activation_smoothing,
        )
        loss, shape = self.subject.settings.loss, (excitation.shape[1], len(excitation))
        noise = slow_noise(chance, shape, step=self.subject.step, low_hz=0.0, high_hz=NOISE_HZ).T
        sd = np.hypot(loss.emg_sd, loss.emg_relative_sd * excitation)
        return np.asarray(np.maximum(excitation + sd * noise, 0.0) * self.subject.gain)

    def _moment_noise(self, moment: Floats, chance: np.random.Generator) -> Floats:
        loss = self.subject.settings.loss
        noise = slow_noise(chance, (1, len(moment)), step=self.subject.step, low_hz=0.0, high_hz=2.0)[0]
        return np.asarray(np.hypot(loss.moment_sd, loss.moment_relative_sd * moment) * noise)


def rehearsals(
    subject: TaughtSubject,
    trials: Sequence[Trial],
    anatomy: Anatomy,
    model: MusculoskeletalModel,
    *,
    pairs: int,
    seed: int,
) -> Iterator[Rehearsal]:
    """Yield the person as he may be, in ``pairs`` of draws of the levels of his muscles without electrodes, one as high as one is low.

    Such a muscle that works harder than believed is as much weaker: the moments of his trials stay explained. Only trials to fit with a
    moment are learned from.
    """
    known = [trial for trial in trials if trial.role == "fit" and np.any(trial.moment_valid)]
    answers = believed(subject, model, known)
    deep = ~np.asarray(subject.layout.measured)
    limb = learned_limb(known)
    drawn = stream(seed, 0, "levels").normal(size=(pairs, len(deep)))
    for level in np.concatenate([drawn, -drawn]) * np.where(deep, answers[0].level_sd[0], 0.0):
        plant = Plant(
            anatomy,
            model.geometry,
            _weaker(subject, level),
            muscle=subject.settings.muscle,
            smoothing=subject.settings.activation_smoothing,
        )
        active = [
            plant.moved(trial).activation(np.exp(np.minimum(one.middle + level, 0.0)))
            for trial, one in zip(known, answers, strict=True)
        ]
        yield Rehearsal(subject, model, plant.parameters, _control(known, active), limb)


def learned_limb(trials: Sequence[Trial]) -> Floats:
    """Return the numbers of the limb that the moments of trials tell, near those of a generic forearm.

    Moment = (inertia + load lever^2) acceleration + (weight + load lever g) sin(angle) + something constant: a linear regression whose
    prior is the forearm of Arm26 within 30 %.
    """
    own = ARM26_FOREARM
    generic = np.array([own.inertia, own.lever**2, GRAVITY * own.mass * own.center, GRAVITY * own.lever, 0.0])
    sd = np.append(LIMB_SD * generic[:-1], ELSE_SD)
    columns, moments = [], []
    for trial in trials:
        there = trial.moment_valid[:, 0] & np.isfinite(trial.angle[:, 0])
        columns.append(_limb_columns(trial.angle[there, 0], trial.acceleration[there, 0], trial.load_kg))
        moments.append(trial.moment[there, 0])
    design, moment = np.concatenate(columns), np.concatenate(moments)
    weight = trials[0].step / INDEPENDENT_S / MOMENT_SD**2
    information = weight * design.T @ design + np.diag(sd**-2)
    return generic + np.linalg.solve(information, weight * design.T @ (moment - design @ generic))


def _limb_columns(angle: Floats, acceleration: Floats, load_kg: float) -> Floats:
    load, hang = np.nan_to_num(load_kg), np.sin(angle)
    return np.stack([acceleration, load * acceleration, hang, load * hang, np.ones_like(angle)], axis=1)


def _control(trials: Sequence[Trial], activations: Sequence[Floats]) -> Control:
    """Return how the person shares work, from a sample every 50 ms in which the moment is known."""
    tasks, active = [], []
    for trial, whole in zip(trials, activations, strict=True):
        rows = np.flatnonzero(trial.moment_valid[:, 0])[:: max(round(EVERY_S / trial.step), 1)]
        tasks.append(Task(trial.angle[rows, 0], trial.velocity[rows, 0], trial.moment[rows, 0], trial.load_kg))
        active.append(whole[rows])
    return learned_control(tasks, active)


def _weaker(subject: TaughtSubject, level: Floats) -> Parameters:
    """Return the parameters of muscles that are as much weaker as they work harder: ``level`` (muscle,) is a log factor."""
    muscles = subject.parameters.muscles
    return replace(
        subject.parameters, muscles=replace(muscles, max_isometric_force=muscles.max_isometric_force * np.exp(-level))
    )
