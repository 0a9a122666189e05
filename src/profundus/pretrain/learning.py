"""The training of a network on virtual people: stopped and taken up at any step with the same result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.fit.compiled import keep_compiled
from profundus.model.clues import same_group
from profundus.model.limb_windows import LimbWindows
from profundus.model.prior import new_network
from profundus.model.views import AnyWindows, clues_of, remade
from profundus.network.person import PersonTransformer, Scale
from profundus.pretrain.lessons import HIDDEN, Lesson, disturbed, electrodes, loss
from profundus.records import Anatomy, LearningSettings, Recipe, View

SEEN_FIRST = 200  # people from whom the scale of the clues is taken
WARM_UP = 200
LAST_RATE = 0.01  # of the peak
WEIGHT_DECAY = 1e-3
MOST_GRADIENT = 1.0
MEMORY = 0.998  # of the running mean of the weights
CHUNK = 20
FEW = 3  # least trials of a person in a step


@dataclass(frozen=True)
class People:
    """Windows (person, window, ...) and the log of the truth (person, window, sample, muscle)."""

    windows: AnyWindows
    truth: NDArray[Any]

    @property
    def count(self) -> int:
        """Return how many there are."""
        return len(self.truth)

    def some(self, index: NDArray[np.intp]) -> People:
        """Return some of them."""
        fields: list[Any] = [field[index] for field in self.windows]
        return People(remade(self.windows, fields), self.truth[index])


class Course(NamedTuple):
    """A training in progress; ``network`` is what is trained, ``mean`` its running mean, which is what is kept in the end."""

    network: PersonTransformer
    mean: PersonTransformer
    optimizer: Any
    step: Any
    history: NDArray[np.float64]


class Learner:
    """The training of one recipe on given people (those held out are not among them)."""

    def __init__(self, recipe: Recipe, anatomy: Anatomy, people: People) -> None:
        keep_compiled()
        self.recipe, self.people = recipe, people
        self.view: View = "limb" if isinstance(people.windows, LimbWindows) else "hinge"
        self.usual = np.isin(anatomy.muscles, recipe.electrodes)
        self.weight = np.where(self.usual, HIDDEN[self.view], 1.0).astype(np.float32)
        self.together = same_group(anatomy.groups)
        self.scale = clue_scale(people, self.usual, self.together)
        self.optimizer = _optimizer(recipe.learning)
        self._step = eqx.filter_jit(self._stepped)

    def start(self) -> Course:
        """Return an untrained network."""
        network = new_network(self.recipe.learning, self.scale, muscles=len(self.usual), seed=self.recipe.seed)
        state = self.optimizer.init(eqx.filter(network, eqx.is_inexact_array))
        return Course(network, network, state, jnp.asarray(0), np.zeros(0))

    def train(self, course: Course, until: int, *, told: Callable[[Course], None] | None = None) -> Course:
        """Return the training after ``until`` steps; ``told`` hears of every 20."""
        losses = []
        while int(course.step) < until:
            number = int(course.step)
            network, mean, optimizer, found = self._step(
                course.network, course.mean, course.optimizer, jnp.asarray(float(number)), self._lessons(number)
            )
            losses.append(found)
            course = course._replace(network=network, mean=mean, optimizer=optimizer, step=jnp.asarray(number + 1))
            if (number + 1) % CHUNK == 0 or number + 1 == until:
                history = np.concatenate([course.history, np.asarray(jnp.stack(losses), dtype=float)])
                course, losses = course._replace(history=history), []
                if told is not None:
                    told(course)
        return course

    def _lessons(self, step: int) -> Lesson:
        """Return the people of a step; everything random follows from its number."""
        own = self.recipe.learning
        each_round = max(1, self.people.count // own.people_a_step)
        order = np.random.default_rng([self.recipe.seed, step // each_round, 1]).permutation(self.people.count)
        chosen = order[(step % each_round) * own.people_a_step :][: own.people_a_step]
        chance = np.random.default_rng([self.recipe.seed, step, 2])
        there = self.people.truth.shape[1]
        lessons = []
        for person in chosen:
            trials = chance.permutation(there)[: own.trials_a_person]
            every = self.people.windows
            windows = remade(every, (np.asarray(field[person][trials], dtype=_single(field)) for field in every))
            few = chance.integers(min(FEW, len(trials)), len(trials) + 1)
            seen = electrodes(chance, self.usual, self.view)
            windows = disturbed(windows, chance, seen=bool(seen.any()), no_mvc=own.no_mvc)
            windows = windows._replace(valid=windows.valid & (np.arange(len(trials)) < few)[:, None])
            truth = np.asarray(self.people.truth[person][trials], dtype=np.float32)
            lessons.append(Lesson(windows, truth, np.broadcast_to(seen, (len(trials), len(seen)))))
        stacked: Lesson = jax.tree.map(lambda *parts: np.stack(parts), *lessons)
        return stacked

    def _stepped(
        self, network: PersonTransformer, mean: PersonTransformer, optimizer: Any, step: Array, lessons: Lesson
    ) -> Any:
        def total(network: PersonTransformer) -> Float[Array, ""]:
            return jnp.mean(
                jax.vmap(lambda lesson: loss(network, self.scale, lesson, self.together, self.weight))(lessons)
            )

        found, slope = eqx.filter_value_and_grad(total)(network)
        update, optimizer = self.optimizer.update(slope, optimizer, eqx.filter(network, eqx.is_inexact_array))
        network = eqx.apply_updates(network, update)
        memory = jnp.minimum(MEMORY, (1.0 + step) / (10.0 + step))
        mean = jax.tree.map(lambda old, new: memory * old + (1.0 - memory) * new, mean, network)
        return network, mean, optimizer, found


def clue_scale(people: People, usual: NDArray[np.bool_], together: NDArray[np.float64]) -> Scale:
    """Return mean and spread of the clues over the first people, with the usual electrodes."""
    find = eqx.filter_jit(clues_of)
    each, person = [], []
    for one in range(min(SEEN_FIRST, people.count)):
        windows = remade(people.windows, (np.asarray(field[one], dtype=_single(field)) for field in people.windows))
        found = find(windows, np.broadcast_to(usual, (len(windows.load), len(usual))), together)
        each.append(np.asarray(found.each))
        person.append(np.asarray(found.person))
    samples, persons = np.concatenate(each), np.stack(person)
    parts = (samples.mean((0, 1)), samples.std((0, 1)) + 0.05, persons.mean(0), persons.std(0) + 0.05)
    return Scale(*(jnp.asarray(part, jnp.float32) for part in parts))


def _optimizer(learning: LearningSettings) -> optax.GradientTransformation:
    rate = optax.warmup_cosine_decay_schedule(
        0.0,
        learning.learning_rate,
        min(WARM_UP, learning.steps // 5),
        learning.steps,
        LAST_RATE * learning.learning_rate,
    )
    return optax.chain(optax.clip_by_global_norm(MOST_GRADIENT), optax.adamw(rate, weight_decay=WEIGHT_DECAY))


def _single(array: NDArray[Any]) -> Any:
    return np.bool_ if array.dtype == np.bool_ else np.float32
