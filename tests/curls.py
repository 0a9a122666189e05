"""Curls and presses of a simulated person whose parameters and deep excitations are known."""

from dataclasses import dataclass
from functools import cache

import equinox as eqx
import numpy as np

from profundus.fit.subject import Objectives, SubjectFit
from profundus.fit.training import TrainingState
from profundus.io.anatomy import read_anatomy
from profundus.model.fitted import FittedSubject
from profundus.model.musculoskeletal import MusculoskeletalModel, Parameters
from profundus.records import FitSettings, NetworkSettings, Trial

STEP = 0.01
DEEP = ("TRImed", "BRA")
HEADS = np.array([1.0, 0.9, 0.8, 1.0, 0.85, 1.15])  # excitation of each muscle over its group's drive
STRENGTH = np.array([0.8, 0.8, 0.8, 1.2, 1.2, 1.2])  # true over generic maximal force: weak extensors, strong flexors
SMALL = FitSettings(steps=40, network=NetworkSettings(width=16, layers=1, heads=2))


@cache
def arm() -> MusculoskeletalModel:
    return MusculoskeletalModel(read_anatomy("arm26"))


def true_parameters() -> Parameters:
    generic = arm().generic_parameters
    return eqx.tree_at(lambda p: p.muscles.max_isometric_force, generic, replace_fn=lambda force: force * STRENGTH)


@eqx.filter_jit
def _moment(truth, angle, velocity, parameters):
    return arm().respond(truth, arm().geometry(angle, velocity), parameters, muscle="thelen", step=STEP).joint_moment


def moment_of(truth, angle, velocity, parameters) -> np.ndarray:
    """Return the muscles' moment (time, coordinate) [N.m]; trials of up to eight seconds share one program."""
    samples = len(truth)
    after = ((0, -samples % round(8.0 / STEP)), (0, 0))  # what comes later moves nothing
    longer = (np.pad(column, after, mode="edge") for column in (truth, angle, velocity))
    return np.asarray(_moment(*longer, parameters))[:samples]


def curl(
    name="curl", *, load_kg=2.0, seconds=4.0, press=False, role="fit", seed=0, noise=0.06, parameters=None
) -> Trial:
    """Return a simulated trial; in a press the extensors do the work. ``truth`` holds the excitations of all muscles."""
    chance = np.random.default_rng([seed, int(press)])
    time = STEP * np.arange(round(seconds / STEP))
    pace = 2 * np.pi * chance.uniform(0.35, 0.5)
    start = chance.uniform(0, 2 * np.pi)
    angle = (1.1 - 0.8 * np.cos(pace * time + start))[:, None]
    velocity = (0.8 * pace * np.sin(pace * time + start))[:, None]
    work = 0.04 + (0.02 + 0.06 * load_kg) * (0.6 + 0.4 * np.sin(angle[:, 0]) + 0.08 * velocity[:, 0])
    rest = 0.03 + 0.008 * load_kg * (1 + 0.5 * np.cos(pace * time))
    extensors, flexors = (work, rest) if press else (rest, work)
    truth = np.clip(np.column_stack([extensors] * 3 + [flexors] * 3) * HEADS, 0.0, 1.0)
    moment = moment_of(truth, angle, velocity, parameters or arm().generic_parameters)
    moment = moment + chance.normal(0.0, 0.1, angle.shape)
    measured = ~np.isin(arm().muscles, DEEP)
    emg_valid = np.tile(measured, (len(time), 1))
    emg = np.where(emg_valid, truth * np.exp(chance.normal(0.0, noise, truth.shape)), np.nan)
    return Trial(
        "sub-01", name, role, arm().muscles, arm().coordinates, time, angle, velocity,
        np.gradient(velocity, STEP, axis=0), emg, emg_valid, moment, np.ones(moment.shape, bool), truth, load_kg,
    )  # fmt: skip


def two_curls() -> tuple[Trial, ...]:
    return curl("light", load_kg=1.0, seed=1), curl("heavy", load_kg=3.0, seconds=3.0, seed=2)


def objectives(settings=SMALL, *, normalization="mvc") -> Objectives:
    return Objectives(read_anatomy("arm26"), arm(), settings, normalization=normalization)


@dataclass(frozen=True)
class Worked:
    """A small fit, whole."""

    work: SubjectFit
    state: TrainingState
    fitted: FittedSubject


@cache
def small_fit() -> Worked:
    """Return a small fit to two curls, made once for all tests."""
    work = SubjectFit(two_curls(), objectives(), seed=0)
    state = work.train(work.start())
    return Worked(work, state, work.fitted(state, subject="sub-01"))
