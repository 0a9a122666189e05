"""Every method there is, by the name that it has in scores, and how it is asked: blind, on the same trials as all others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from profundus.errors import InputError, Problem
from profundus.fit.personalization import Personalized, personalize
from profundus.fit.priors import gain_prior, parameter_prior
from profundus.fit.subject import Objectives, SubjectFit
from profundus.model.musculoskeletal import MusculoskeletalModel, generic_parameters
from profundus.model.prior import DeepPrior
from profundus.model.settings import resolved, with_prior
from profundus.protocols.learned import answered, lacking_prior, prior_for, taught_person
from profundus.protocols.models import copy_of_nearest, nearest_of
from profundus.protocols.population import Learn
from profundus.protocols.training import delay_prior, doubted, objectives_of, trained
from profundus.records import Anatomy, FitSettings, Reconstruction, Study, Trial
from profundus.rivals.copy import copy_best, copy_group
from profundus.rivals.emg_assisted import emg_assisted
from profundus.rivals.mse_nmf import mse_nmf
from profundus.rivals.physics_only import PhysicsOnlySettings, physics_only
from profundus.rivals.plant import Plant
from profundus.rivals.population import PopulationRegression, population_regression
from profundus.rivals.static_optimization import static_optimization
from profundus.rivals.synx_pca import synx_pca

PERSONALIZED = "_personalized"
YARDSTICK = "copy"
HINDSIGHT = ("copy_best",)
PHYSICAL: Mapping[str, Callable[..., Reconstruction]] = {
    "mse_nmf": mse_nmf,
    "synx_pca": synx_pca,
    "static_optimization": static_optimization,
    "emg_assisted": emg_assisted,
    "physics_only": physics_only,
}
ABLATIONS: Mapping[str, Callable[[FitSettings], FitSettings]] = {
    "nmm": lambda own: replace(own, paper=False, ablation="none"),
    "nmm_no_pretraining": lambda own: replace(own, paper=False, ablation="no_pretraining"),
    "nmm_no_physics": lambda own: replace(own, paper=False, ablation="no_physics"),
    "nmm_no_emg": lambda own: replace(own, paper=False, ablation="no_emg"),
    "nmm_paper": lambda own: replace(own, paper=True, ablation="none"),
    "network_only": lambda own: replace(own, paper=False, ablation="network_only"),
}
NEED_PRIOR = ("nmm_no_physics", "nmm_no_emg")
METHODS = (
    *ABLATIONS,
    *("copy", "copy_group", "copy_best", "population_regression"),
    *(name + variant for name in PHYSICAL for variant in ("", PERSONALIZED)),
)


@dataclass(frozen=True)
class Bench:
    """What all people of a study share: model, settings, and what was learned from virtual people, once it is asked for."""

    study: Study
    anatomy: Anatomy
    model: MusculoskeletalModel
    seed: int
    learn: Learn
    _objectives: dict[FitSettings, Objectives] = field(default_factory=dict, compare=False)
    _learned: dict[tuple[tuple[str, ...], ...], PopulationRegression] = field(default_factory=dict, compare=False)

    def objectives(self, settings: FitSettings) -> Objectives:
        """Return the objectives of a setting, the same object when asked again: people share its compilation."""
        if settings not in self._objectives:
            self._objectives[settings] = objectives_of(self.study, self.anatomy, self.model, settings)
        return self._objectives[settings]

    @cached_property
    def prior(self) -> DeepPrior | None:
        """Return the learned prior of the study's model, if there is one."""
        return prior_for(self.study, self.anatomy)

    def population(self, measured: tuple[str, ...], targets: tuple[str, ...]) -> PopulationRegression:
        """Return the regression that virtual people taught, the same when asked again."""
        key = (measured, targets)
        if key not in self._learned:
            self._learned[key] = self.learn(measured, targets)
        return self._learned[key]


@dataclass(frozen=True)
class Case:
    """One person as every method meets him: ``trials`` without truth; ``known`` are the same with it, for hindsight alone."""

    bench: Bench
    known: tuple[Trial, ...]

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """Return the trials as methods see them."""
        return tuple(blind(trial) for trial in self.known)

    @property
    def subject(self) -> str:
        """Return the person's name."""
        return self.known[0].subject

    @cached_property
    def copy(self) -> Reconstruction:
        """Return the copy of the nearest measured muscle."""
        return copy_of_nearest(self.trials, self.bench.anatomy, self.bench.model)

    @cached_property
    def plant(self) -> Plant:
        """Return the generic muscles, with the delay and the EMG gain that a fit starts from."""
        own = self.bench
        return Plant(
            own.anatomy,
            own.model.geometry,
            generic_parameters(own.anatomy, delay=delay_prior(own.study)[0]),
            gain=np.full(len(own.anatomy.muscles), np.exp(gain_prior(own.study.emg.normalization).mean)),
            muscle=resolved(own.study.fit).muscle,
            tendon=own.study.fit.tendon,
            smoothing=own.study.fit.activation_smoothing,
        )

    @cached_property
    def personalized(self) -> Plant:
        """Return the person's muscles: parameters that explain the moments of the trials to fit while deep muscles copy the nearest."""
        found = self._personalize()
        return replace(self.plant, parameters=found.parameters, gain=np.asarray(found.gain))

    @cached_property
    def personalization_seconds(self) -> float:
        """Return how long the personalization took: every method that uses it answers for all of it."""
        began = time.perf_counter()
        _ = self.personalized
        return time.perf_counter() - began

    def _personalize(self) -> Personalized:
        own = self.bench
        copied = [part.excitation for part in self.copy.trials]
        return personalize(
            self.trials,
            copied,
            parameter_prior(own.anatomy, delay_prior=delay_prior(own.study)),
            own.model,
            own.study.fit,
            gain=gain_prior(own.study.emg.normalization),
            copies=nearest_of(self.trials, own.anatomy, own.model),
        )


def blind(trial: Trial) -> Trial:
    """Return the trial without its truth."""
    return replace(trial, truth=np.full_like(trial.truth, np.nan))


def revealed(rec: Reconstruction, known: Sequence[Trial]) -> Reconstruction:
    """Return an answer to blind trials as an answer to those with the truth, for the judge."""
    by_name = {trial.name: trial for trial in known}
    return replace(rec, trials=tuple(replace(part, trial=by_name[part.trial.name]) for part in rec.trials))


def answer(method: str, case: Case) -> Reconstruction:
    """Return a method's answer for a person.

    Raises InputError where the method cannot serve the person's recordings, ConvergenceError where it found no answer.
    """
    return revealed(ANSWERS[method](case), case.known)


def chosen(methods: Sequence[str] | None) -> tuple[str, ...]:
    """Return the methods that were asked for in the order of `METHODS` (all: None); the copy, the yardstick, is always among them.

    One name alone may be given as it is. Raises InputError that names those there are.
    """
    named = (methods,) if isinstance(methods, str) else methods
    if named is not None and not named:
        raise InputError(Problem("error", "no method is named", expected="all, or some of " + ", ".join(METHODS)))
    asked = METHODS if named is None else (YARDSTICK, *named)
    if unknown := [name for name in asked if name not in METHODS]:
        listed = "all, or some of " + ", ".join(METHODS)
        what = "there is no method " + ", ".join(f"'{name}'" for name in dict.fromkeys(unknown))
        raise InputError(Problem("error", what, expected=listed))
    return tuple(name for name in METHODS if name in asked)


def _neural(method: str, case: Case) -> Reconstruction:
    """Return the answer of the learned prior, or of networks that were trained on the person where the method or the model has none."""
    own = case.bench
    settings = ABLATIONS[method](own.study.fit)
    if with_prior(settings) and own.prior is not None:
        person = taught_person(case.trials, own.study, own.anatomy, own.model, own.prior, settings=settings)
        return replace(answered(person, own.model, case.trials), method=method)
    if method in NEED_PRIOR:
        raise InputError(replace(lacking_prior(own.study), severity="error"))
    work = SubjectFit(case.trials, own.objectives(replace(settings, prior="")), seed=own.seed)
    state = trained(work, work.start(), who=f"{case.subject}: {method}")
    return replace(doubted(work.fitted(state, subject=case.subject), own.model, case.trials), method=method)


def _physical(name: str, case: Case) -> Reconstruction:
    return PHYSICAL[name](case.trials, case.plant, **_settings(name, case), method=name)


def _physical_personalized(name: str, case: Case) -> Reconstruction:
    return PHYSICAL[name](case.trials, case.personalized, **_settings(name, case), method=name + PERSONALIZED)


def _settings(name: str, case: Case) -> dict[str, PhysicsOnlySettings]:
    """Return what a method is told beside its defaults: the ablation of the fit believes the moment as much as the fit does."""
    loss = case.bench.study.fit.loss
    told = {"moment_sd": loss.moment_sd, "moment_relative_sd": loss.moment_relative_sd}
    return {"settings": PhysicsOnlySettings(**told)} if name == "physics_only" else {}


def _population(case: Case) -> Reconstruction:
    muscles = case.trials[0].muscles
    seen = np.any([trial.measured for trial in case.trials], axis=0)
    measured = tuple(name for name, there in zip(muscles, seen, strict=True) if there)
    targets = tuple(name for name, there in zip(muscles, seen, strict=True) if not there)
    return population_regression(case.trials, case.bench.population(measured, targets))


ANSWERS: Mapping[str, Callable[[Case], Reconstruction]] = {
    **{name: partial(_neural, name) for name in ABLATIONS},
    "copy": lambda case: case.copy,
    "copy_group": lambda case: copy_group(case.trials, case.bench.anatomy),
    "copy_best": lambda case: copy_best(case.known, case.bench.anatomy),
    "population_regression": _population,
    **{name: partial(_physical, name) for name in PHYSICAL},
    **{name + PERSONALIZED: partial(_physical_personalized, name) for name in PHYSICAL},
}
