"""One person of a study from recordings to results: the step that a fit repeats for each person and a cohort hands to its workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from profundus.fit.decided import decided
from profundus.fit.saving import fitted_to_arrays, state_from_arrays, state_to_arrays
from profundus.fit.subject import Objectives, SubjectFit
from profundus.fit.taught_saving import taught_to_arrays
from profundus.fit.training import Progress, TrainingState
from profundus.io.run_directory import RunDirectory
from profundus.io.weights import CheckpointStore
from profundus.model.fitted import TaughtSubject
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.prior import DeepPrior
from profundus.model.settings import with_prior
from profundus.protocols.learned import answered, prior_for, taught_person
from profundus.protocols.models import copy_of_nearest, groups_of
from profundus.protocols.recordings import Recorded, recorded
from profundus.protocols.training import doubted, objectives_of, trained
from profundus.records import Anatomy, Flag, ParameterRow, QualityRow, Reconstruction, Scorecard, Study, Subject
from profundus.validate import plausibility
from profundus.validate.scores import score

CHECKPOINT_EVERY_S = 2.0
Facts = dict[str, Any]
Stage = Callable[[str, Progress | None], None]
"""Hears of a person's "prepare", "train" (with the step), "reconstruct" and "done"."""
REMEDY = "Lower [fit] learning_rate, or look at the data with `check`"


@dataclass(frozen=True)
class FitGround:
    """What the fits of all people of a study stand on: the same for each of them, made once in a process."""

    anatomy: Anatomy
    model: MusculoskeletalModel
    objectives: Objectives
    prior: DeepPrior | None
    seed: int


class Answer(NamedTuple):
    """What a method says of one person: all trials, his parameters, what a new trial needs (arrays, facts), and facts about the fit."""

    rec: Reconstruction
    parameters: tuple[ParameterRow, ...]
    network: tuple[Mapping[str, Any], Facts]
    facts: Facts


@dataclass(frozen=True)
class PersonFit:
    """One person's results, ready to be written; ``network`` is (arrays, facts), ``facts`` what the tables do not hold."""

    reconstruction: Reconstruction
    parameters: tuple[ParameterRow, ...]
    network: tuple[Mapping[str, Any], Facts]
    quality: tuple[QualityRow, ...]
    facts: Facts


def fit_ground(study: Study, anatomy: Anatomy, model: MusculoskeletalModel, *, seed: int) -> FitGround:
    """Return what the fits of a study's people stand on; its people are not looked at. Raises as `prior_for`."""
    prior = prior_for(study, anatomy) if with_prior(study.fit) else None
    return FitGround(anatomy, model, objectives_of(study, anatomy, model), prior, seed)


def fit_person(
    ground: FitGround, study: Study, person: Subject, checkpoints: CheckpointStore, told: Stage = lambda *_: None
) -> PersonFit:
    """Return one person fitted and all of his trials reconstructed; what is trained goes on from his latest checkpoint.

    ``study`` may hold other people, too: nothing here looks at them. Raises InputError for recordings that cannot be used, and
    ConvergenceError where the loss did not stay finite.
    """
    began = time.perf_counter()
    told("prepare", None)
    found = recorded(study, person, ground.anatomy)
    if ground.prior is not None:
        taught = taught_person(found.trials, study, ground.anatomy, ground.model, ground.prior)
        told("reconstruct", None)
        answer = taught_answer(ground, taught, found)
    else:
        work = SubjectFit(found.trials, ground.objectives, seed=ground.seed)
        keeper = Keeper(person.id, checkpoints, told)
        state = trained(work, keeper.latest(work), who=person.id, remedy=REMEDY, after_chunk=keeper)
        told("reconstruct", None)
        answer = trained_answer(ground, work, state, found)
    return person_fit(ground, study, found, answer, seconds=time.perf_counter() - began)


def person_fit(ground: FitGround, study: Study, found: Recorded, answer: Answer, *, seconds: float) -> PersonFit:
    """Return one person's results, with what is implausible about them."""
    implausible = plausibility.flags(answer.rec, groups=groups_of(ground.anatomy), scaled=study.emg.scaled)
    rec = replace(answer.rec, flags=(*implausible, *answer.rec.flags))
    facts = {
        **answer.facts,
        "seconds": round(seconds, 3),
        "moment_r2": moment_r2(score(rec, quantities=["moment"])),
        "flags": [asdict(flag) for flag in rec.flags],
        "problems": [problem.as_dict() for problem in found.heard],
        "processing": {trial.name: trial.processing for trial in found.trials},
    }
    return PersonFit(rec, answer.parameters, answer.network, found.quality, facts)


def write_person(run: RunDirectory, fit: PersonFit, ground: FitGround) -> None:
    """Put one person's results, with his scores and those of the copy of the nearest muscle, into the run, whole."""

    def judged(rec: Reconstruction) -> Scorecard:
        copy = copy_of_nearest(tuple(part.trial for part in rec.trials), ground.anatomy, ground.model)
        return Scorecard((*score(rec).rows, *score(copy).rows))

    run.write_subject(fit.reconstruction, fit.parameters, fit.network, fit.quality, facts=fit.facts, judge=judged)


def moment_r2(card: Scorecard) -> dict[str, float]:
    """Return how much of each joint moment is explained on the test trials, by coordinate; empty where there are none."""
    rows = [row for row in card.rows if row.quantity == "moment" and row.trial == "all" and row.role == "test"]
    return {row.name: row.r2 for row in rows}


def flags_in(facts: Mapping[str, Any]) -> tuple[Flag, ...]:
    """Return the flags that the facts of a person hold."""
    return tuple(Flag(**flag) for flag in facts.get("flags", ()))


def taught_answer(ground: FitGround, fitted: TaughtSubject, found: Recorded) -> Answer:
    """Return the answer for a person whom the learned prior knows."""
    rec = answered(fitted, ground.model, found.trials)
    facts = {
        "converged": fitted.converged,
        "trade_offs": [asdict(pair) for pair in fitted.trade_offs],
        "decided": [asdict(row) for row in decided(fitted)],
        "calibrations": [asdict(row) for row in fitted.calibrations],
    }
    return Answer(rec, fitted.rows, taught_to_arrays(fitted, found.scale), facts)


def trained_answer(ground: FitGround, work: SubjectFit, state: TrainingState, found: Recorded) -> Answer:
    """Return the answer for a person on whom networks were trained."""
    fitted = work.fitted(state, subject=found.trials[0].subject)
    rec = doubted(fitted, ground.model, found.trials)
    return Answer(rec, fitted.rows, fitted_to_arrays(fitted, found.scale), {"converged": fitted.converged})


class Keeper:
    """Keeps the checkpoints of one person's training, and tells of its steps."""

    def __init__(self, subject: str, store: CheckpointStore, told: Stage) -> None:
        self._subject, self._store, self._told = subject, store, told
        self._last = time.perf_counter()

    def latest(self, work: SubjectFit) -> TrainingState:
        """Return where the training stood, its start where nothing was kept."""
        start, saved = work.start(), self._store.latest()
        return start if saved is None else state_from_arrays(saved[0], start, file=str(self._store.folder))

    def __call__(self, now: TrainingState, progress: Progress) -> None:
        """Hear of a chunk of steps."""
        self._told("train", progress)
        if time.perf_counter() - self._last > CHECKPOINT_EVERY_S:
            self._store.save(now.step, state_to_arrays(now), {"subject": self._subject})
            self._last = time.perf_counter()
