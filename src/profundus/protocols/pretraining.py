"""A learned prior from nothing: people are made, a network learns from most of them, the others judge it; resumable at any point."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus import __version__
from profundus.errors import ConvergenceError, InputError, Problem
from profundus.io.recipe_file import differing, read_recipe, recipe_text, refuse_recipe
from profundus.io.store import is_unfinished, remove, sweep, write_whole
from profundus.io.weights import CheckpointStore, read_arrays, write_arrays
from profundus.model.prior_file import prior_to_arrays
from profundus.pretrain.finishing import prior_and_scores
from profundus.pretrain.learning import Course, Learner, People
from profundus.pretrain.saving import course_from_arrays, course_to_arrays
from profundus.pretrain.teachers import blocks_of, windows_from
from profundus.protocols.ground import Ground, grounded
from profundus.protocols.prior_card import card_of, card_text
from profundus.protocols.teachers import PEOPLE, block_file, make_people
from profundus.records import Recipe

RECIPE, PRIOR, CHECKPOINTS = "recipe.toml", "prior.safetensors", "checkpoints"
CARD, CARD_TEXT, CARD_PAGE = "card.json", "card.md", "card.html"
CHECKPOINT_EVERY_S = 30.0
LAST_LOSSES = 100  # steps whose mean is told


@dataclass(frozen=True)
class PretrainProgress:
    """How far the work is: ``stage`` is "people", "learn", "judge" or "done".

    ``people`` are those made of ``of_people``, later those learned from; ``loss`` is the mean of the last 100 steps.
    """

    stage: str
    people: int
    of_people: int
    step: int
    steps: int
    loss: float = float("nan")


@dataclass(frozen=True)
class Pretrained:
    """A finished prior in its folder, and what its card says."""

    path: Path
    card: dict[str, Any]
    warnings: tuple[Problem, ...] = ()

    @property
    def prior(self) -> Path:
        """Return the file of the prior."""
        return self.path / PRIOR


Listener = Callable[[PretrainProgress], None]


def pretrain(
    recipe: Recipe,
    out: Path,
    *,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Listener | None = None,
) -> Pretrained:
    """Teach a network and leave a prior with its card in ``out``.

    ``workers`` processes make people (default: one a core). ``resume`` goes on where the work was stopped, to the same numbers bit for bit;
    ``overwrite`` learns anew. People that are in the folder and follow from the recipe are not made again. Raises InputError for a recipe
    with contradictions and a folder that holds something else or another recipe's work, ConvergenceError where the loss is lost.
    """
    refuse_recipe(recipe)
    if workers is not None and workers < 1:
        raise InputError(Problem("error", f"workers is {workers}", expected="1 or more"))
    recipe, ground = grounded(recipe)
    _started(recipe, out, resume=resume, overwrite=overwrite)
    if (out / CARD).is_file():
        card = json.loads((out / CARD).read_text(encoding="utf-8"))
        _refuse_other_study(card, ground, out)
        return Pretrained(out, card)
    work = _Work(recipe, out, ground, on_progress)
    work.make(workers or _cores())
    learner = Learner(recipe, ground.anatomy, work.teachers())
    course, seconds, warnings = work.learn(learner)
    return Pretrained(out, work.judge(learner, course, seconds), warnings)


class _Work:
    """One recipe's work in its folder."""

    def __init__(self, recipe: Recipe, out: Path, ground: Ground, listener: Listener | None) -> None:
        self.recipe, self.out, self.ground, self.listener = recipe, out, ground, listener
        blocks = blocks_of(recipe.teachers)
        held_out = min(max(1, round(blocks * recipe.learning.held_out)), blocks - 1)
        self.taught, self.held_out = range(blocks - held_out), range(blocks - held_out, blocks)
        self.seconds = {"people": 0.0, "learning": 0.0}

    def make(self, workers: int) -> None:
        """Make the people that are missing."""
        began, blocks = time.perf_counter(), self.held_out.stop
        make_people(
            self.recipe,
            self.ground,
            self.out,
            blocks,
            workers=workers,
            told=lambda done: self._tell("people", made=done),
        )
        self.seconds["people"] = time.perf_counter() - began

    def people(self, blocks: Sequence[int]) -> tuple[People, NDArray[np.int_]]:
        """Return the people of blocks and their families."""
        whole: dict[str, NDArray[Any]] = {}
        for place, block in enumerate(blocks):
            found, _ = read_arrays(block_file(self.out, block))
            for name, array in found.items():
                if place == 0:
                    whole[name] = np.empty((len(blocks) * len(array), *array.shape[1:]), array.dtype)
                whole[name][place * len(array) :][: len(array)] = array
        windows, truth, family = windows_from(whole)
        return People(windows, truth), family

    def teachers(self) -> People:
        """Return the people who are learned from."""
        people, family = self.people(self.taught)
        if not self.recipe.learning.without:
            return people
        left_out = [self.recipe.teachers.families.index(name) for name in self.recipe.learning.without]
        return people.some(np.flatnonzero(~np.isin(family, left_out)))

    def learn(self, learner: Learner) -> tuple[Course, dict[str, float], tuple[Problem, ...]]:
        """Return the finished training, how long all of it took, and what was wrong with checkpoints."""
        store, steps = CheckpointStore(self.out / CHECKPOINTS), self.recipe.learning.steps
        course, before = learner.start(), dict(self.seconds)
        if (saved := store.latest()) is not None:
            self._refuse_version(saved[1]["version"])
            _refuse_other_study(saved[1], self.ground, self.out)
            course = course_from_arrays(saved[0], course, file=str(store.folder))
            before = {name: before[name] + seconds for name, seconds in saved[1]["seconds"].items()}
        began = last = time.perf_counter()
        self._tell("learn", step=int(course.step))

        def save(now: Course) -> None:
            spent = {**before, "learning": before["learning"] + time.perf_counter() - began}
            facts = {"version": __version__, "seconds": spent, **_study_facts(self.ground)}
            store.save(int(now.step), course_to_arrays(now), facts)

        def told(now: Course) -> None:
            nonlocal last
            if not np.isfinite(now.history).all():
                raise ConvergenceError("The loss is no longer finite. Lower learning_rate in [learning] and start over")
            if time.perf_counter() - last > CHECKPOINT_EVERY_S:
                save(now)
                last = time.perf_counter()
            self._tell("learn", step=int(now.step), loss=float(now.history[-LAST_LOSSES:].mean()))

        if int(course.step) < steps:
            course = learner.train(course, steps, told=told)
            save(course)
        return course, {**before, "learning": before["learning"] + time.perf_counter() - began}, store.problems

    def judge(self, learner: Learner, course: Course, seconds: dict[str, float]) -> dict[str, Any]:
        """Calibrate the network on one half of the people held out, score it on the other, write the prior and its card; return that."""
        self._tell("judge", step=int(course.step))
        began = time.perf_counter()
        people, family = self.people(self.held_out)
        prior, scores = prior_and_scores(
            learner, self.ground.anatomy, course.mean, people, family, coordinates=self.ground.coordinates
        )
        write_arrays(self.out / PRIOR, *prior_to_arrays(prior))
        said = card_of(
            self.recipe,
            self.ground.anatomy,
            prior,
            scores,
            people={"taught": len(learner.people.truth), "held_out": people.count},
            history=course.history,
            seconds={**seconds, "judging": time.perf_counter() - began},
            file=self.out / PRIOR,
        )
        text = json.dumps({**said, **_study_facts(self.ground)}, indent=1, allow_nan=False) + "\n"
        card: dict[str, Any] = json.loads(text)
        write_whole(self.out / CARD_TEXT, card_text(card))
        write_whole(self.out / CARD, text)
        self._tell("done", step=int(course.step))
        return card

    def _tell(self, stage: str, *, made: int | None = None, step: int = 0, loss: float = float("nan")) -> None:
        if self.listener is not None:
            block = self.recipe.teachers.block
            people = block * (len(self.taught) if made is None else made)
            all_people = block * self.held_out.stop
            self.listener(PretrainProgress(stage, people, all_people, step, self.recipe.learning.steps, loss))

    def _refuse_version(self, version: str) -> None:
        if version != __version__:
            what = f"the training in this folder was begun by version {version}, this is {__version__}"
            raise InputError(Problem("error", what, str(self.out), remedy="Start over with --overwrite"))


def _started(recipe: Recipe, out: Path, *, resume: bool, overwrite: bool) -> None:
    """Make the folder ready; raise InputError where it holds what must not be mixed with this."""
    ours = {RECIPE, PRIOR, CARD, CARD_TEXT, CARD_PAGE, CHECKPOINTS, PEOPLE}
    if out.exists():
        others = out.is_dir() and [path.name for path in out.iterdir() if path.name not in ours]
        if others is False or [name for name in others if not is_unfinished(out / name)]:
            what = "the folder is not empty, and what is in it is not a prior's"
            raise InputError(Problem("error", what, str(out), expected="a new or empty folder"))
    if overwrite:
        for name in sorted(ours - {PEOPLE}):
            remove(out / name)
    elif any((out / name).exists() for name in ours - {PEOPLE}):
        _refuse_others(recipe, out, resume=resume)
    for folder in (out, out / PEOPLE):
        sweep(folder)
    write_whole(out / RECIPE, recipe_text(recipe))


def _refuse_others(recipe: Recipe, out: Path, *, resume: bool) -> None:
    if not resume:
        state = "a finished" if (out / CARD).is_file() else "an unfinished"
        remedy = "Choose another folder, go on with it (--resume), or learn anew (--overwrite)"
        raise InputError(Problem("error", f"there is {state} prior in this folder", str(out), remedy=remedy))
    if differ := differing(read_recipe(out / RECIPE), recipe):
        what = f"the work in this folder was begun with another recipe: {', '.join(differ)} differ"
        remedy = "Go on with recipe.toml of the folder, choose another folder, or learn anew (--overwrite)"
        raise InputError(Problem("error", what, str(out), remedy=remedy))


def _study_facts(ground: Ground) -> dict[str, str]:
    """Return what tells apart the studies that people were made for; nothing where they stand on a shipped model."""
    return {"ground": ground.digest} if ground.digest else {}


def _refuse_other_study(facts: Mapping[str, Any], ground: Ground, out: Path) -> None:
    """Raise InputError where the work that ``facts`` are about was begun with another model, or other motions, of the study."""
    if facts.get("ground", ground.digest) != ground.digest:
        what = "the study's model, coordinates or trials to fit are not what they were when the work in this folder was begun"
        remedy = "Choose another folder, or learn anew (--overwrite)"
        raise InputError(Problem("error", what, str(out), remedy=remedy))


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
