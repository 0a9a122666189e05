"""Several people of a study fitted side by side, as on an accelerator: shared programs, and each one's results or the reason why not."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

import numpy as np

from profundus.errors import ConvergenceError, ProfundusError
from profundus.fit.subject import SubjectFit
from profundus.fit.training import TrainingState, finish_together
from profundus.io.weights import CheckpointStore
from profundus.model.fitted import TaughtSubject
from profundus.protocols.fitting_person import (
    REMEDY,
    Answer,
    FitGround,
    Keeper,
    PersonFit,
    Stage,
    person_fit,
    taught_answer,
    trained_answer,
)
from profundus.protocols.learned import taught_people
from profundus.protocols.recordings import Recorded, recorded
from profundus.protocols.training import finite
from profundus.records import Study, Subject

GROUP = 32  # people who are fitted side by side
T = TypeVar("T")
U = TypeVar("U")
Tried: TypeAlias = T | ProfundusError


class Asked(NamedTuple):
    """Whom to fit, where the checkpoints of his training are kept, and who hears of it."""

    person: Subject
    checkpoints: CheckpointStore
    told: Stage


class _Person(NamedTuple):
    """Who was asked for, and his recordings."""

    asked: Asked
    found: Recorded


def fit_group(ground: FitGround, study: Study, asked: Sequence[Asked]) -> list[Tried[PersonFit]]:
    """Return people fitted as each would be by `fit_person`, up to the last bits; a failure of one is no failure of another."""
    began = time.perf_counter()

    def prepared(one: Asked) -> _Person:
        one.told("prepare", None)
        return _Person(one, recorded(study, one.person, ground.anatomy))

    people = _each(asked, prepared)
    answers = (_trained if ground.prior is None else _taught)(ground, study, people)
    spent = (time.perf_counter() - began) / len(asked)
    return _each(answers, lambda known: person_fit(ground, study, known[0].found, known[1], seconds=spent))


def _taught(ground: FitGround, study: Study, people: Sequence[Tried[_Person]]) -> list[Tried[tuple[_Person, Answer]]]:
    prior = ground.prior
    assert prior is not None

    def fitted(some: Sequence[_Person]) -> list[TaughtSubject]:
        trials = [one.found.trials for one in some]
        return taught_people(trials, study, ground.anatomy, ground.model, prior, together=True)

    def answered(known: tuple[_Person, TaughtSubject]) -> tuple[_Person, Answer]:
        one, subject = known
        one.asked.told("reconstruct", None)
        return one, taught_answer(ground, subject, one.found)

    try:
        whole = iter(fitted([one for one in people if not isinstance(one, ProfundusError)]))
        subjects = _each(people, lambda one: (one, next(whole)))
    except (ProfundusError, np.linalg.LinAlgError):  # of one, which must not cost the others
        subjects = _each(people, lambda one: (one, fitted([one])[0]))
    return _each(subjects, answered)


def _trained(ground: FitGround, study: Study, people: Sequence[Tried[_Person]]) -> list[Tried[tuple[_Person, Answer]]]:
    Ready: TypeAlias = tuple[_Person, SubjectFit, TrainingState]

    def prepared(one: _Person) -> tuple[_Person, SubjectFit, Keeper]:
        work = SubjectFit(one.found.trials, ground.objectives, seed=ground.seed)
        return one, work, Keeper(one.asked.person.id, one.asked.checkpoints, one.asked.told)

    def answered(known: Ready) -> tuple[_Person, Answer]:
        one, work, state = known
        finite(state, who=one.asked.person.id, remedy=REMEDY)
        one.asked.told("reconstruct", None)
        return one, trained_answer(ground, work, state, one.found)

    begun = _each(people, prepared)
    ready = [known for known in begun if not isinstance(known, ProfundusError)]
    ended = iter(
        finish_together(
            [work.trainer for _, work, _ in ready],
            [keeper.latest(work) for _, work, keeper in ready],
            after_chunk=lambda place, now: ready[place][2](now, ready[place][1].progress(now)),
        )
    )
    return _each(_each(begun, lambda known: (known[0], known[1], next(ended))), answered)


def _each(items: Sequence[Tried[T]], step: Callable[[T], U]) -> list[Tried[U]]:
    """Return what a step makes of each item, or its error; errors that there are stay."""
    out: list[Tried[U]] = []
    for item in items:
        try:
            out.append(item if isinstance(item, ProfundusError) else step(item))
        except ProfundusError as error:
            out.append(error)
        except np.linalg.LinAlgError as error:
            out.append(ConvergenceError(f"a matrix cannot be inverted ({error}). Look at the data with `check`"))
    return out
