"""Training of an ensemble: all members step together, each on its own stretches of the trials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray, PyTree
from numpy.typing import NDArray

from profundus.fit.objective import Objective
from profundus.model.inputs import Batch
from profundus.model.nmm import Member, new_member

CHUNK = 20
PERSONAL_RATE = 8.0
WARM_STEPS = 20


class TrainingState(NamedTuple):
    """Where training stands. Leaves of ``members`` and ``optimizer`` have the member as their first axis."""

    members: Member
    optimizer: PyTree
    step: int
    history: NDArray[np.float32]


@dataclass(frozen=True)
class Progress:
    """What a progress bar needs: steps done and to do, and the loss terms averaged over the members."""

    step: int
    steps: int
    terms: dict[str, float]


class Trainer:
    """Trains an ensemble on one subject's trials, chunk by chunk, so that it can be stopped and taken up bit for bit.

    ``anchors`` (member, trial, time, muscle). The stretches that a step sees follow from the seed, the member and the step alone.
    """

    def __init__(self, objective: Objective, batch: Batch, anchors: Float[np.ndarray, "member trial time muscle"], *, seed: int) -> None:
        self.objective = objective
        self.batch = jax.tree.map(jnp.asarray, batch)
        self.anchors = jnp.asarray(anchors)
        settings = objective.settings
        multiple = settings.network.token_samples
        wanted = round(settings.window_s / objective.step / multiple) * multiple
        self.window = min(wanted, batch.valid.shape[1])
        self.room = np.maximum(batch.valid.sum(axis=1) - self.window, 0).astype(np.int32)
        self.duration = jnp.asarray(batch.valid.sum() * objective.step, jnp.float32)
        self.key = jax.random.key(seed)
        self.rates = _rates(settings.steps, settings.learning_rate)

    def start(self, *, parameters: int) -> TrainingState:
        """Return untrained members."""
        settings = self.objective.settings
        keys = jax.random.split(jax.random.fold_in(self.key, 0), settings.members)
        make = partial(
            new_member, settings=settings, channels=self.batch.features.shape[-1], muscles=self.batch.emg.shape[-1], parameters=parameters
        )
        members = jax.vmap(make)(keys)
        return TrainingState(members, jax.vmap(_optimizer().init)(members), 0, np.zeros((0, settings.members, 6), np.float32))

    def advance(self, state: TrainingState) -> TrainingState:
        """Return the state one chunk of steps later."""
        steps = min(CHUNK, self.objective.settings.steps - state.step)
        members, optimizer, history = _run(
            self.objective, self.window, state.members, state.optimizer, jnp.arange(state.step, state.step + steps),
            self.rates[state.step : state.step + steps], self.key, self.batch, self.anchors, self.room, self.duration,
        )  # fmt: skip
        return TrainingState(members, optimizer, state.step + steps, np.concatenate([state.history, np.asarray(history)]))

    def finish(self, state: TrainingState, *, after_chunk: Callable[[TrainingState], None] | None = None) -> TrainingState:
        """Return the fully trained state; ``after_chunk`` hears of every chunk (progress, checkpoints)."""
        while state.step < self.objective.settings.steps:
            state = self.advance(state)
            if after_chunk is not None:
                after_chunk(state)
        return state


def _rates(steps: int, peak: float) -> Float[Array, " step"]:
    """Return the learning rate of every step: a short linear rise, then a cosine to a fiftieth."""
    schedule = optax.warmup_cosine_decay_schedule(peak / 10, peak, min(WARM_STEPS, steps // 4 + 1), max(steps, 2), peak / 50)
    return jnp.stack([jnp.asarray(schedule(i), jnp.float32) for i in range(steps)])


def _optimizer() -> optax.GradientTransformation:
    return optax.chain(optax.clip_by_global_norm(10.0), optax.scale_by_adam(b2=0.99))


def _stretch(batch: Batch, anchor: Float[Array, "trial time muscle"], begin: Array, length: int) -> tuple[Batch, Array]:
    """Return ``length`` samples of every trial from its ``begin`` (trial,) on."""
    cut = jax.vmap(lambda row, at: jax.lax.dynamic_slice_in_dim(row, at, length, axis=0))
    return Batch(*(cut(a, begin) for a in batch)), cut(anchor, begin)


def _step_member(
    objective: Objective, window: int, member: Member, optimizer: PyTree, key: PRNGKeyArray, rate: Array,
    batch: Batch, anchor: Array, room: Array, duration: Array,
) -> tuple[Member, PyTree, Array]:  # fmt: skip
    begin = jnp.floor(jax.random.uniform(key, room.shape) * (room + 1)).astype(jnp.int32)
    seen, center = _stretch(batch, anchor, begin, window)
    (_, terms), slope = jax.value_and_grad(objective, has_aux=True)(member, seen, center, duration)
    update, optimizer = _optimizer().update(slope, optimizer)
    fast = Member(jax.tree.map(lambda _: 1.0, member.network), PERSONAL_RATE, PERSONAL_RATE, PERSONAL_RATE)
    member = jax.tree.map(lambda value, change, speed: value - rate * speed * change, member, update, fast)
    return member, optimizer, terms


@eqx.filter_jit
def _run(
    objective: Objective, window: int, members: Member, optimizer: PyTree, steps: Array, rates: Array, key: PRNGKeyArray,
    batch: Batch, anchors: Array, room: Array, duration: Array,
) -> tuple[Member, PyTree, Array]:  # fmt: skip
    count = anchors.shape[0]

    def one(carry: tuple[Member, PyTree], now: tuple[Array, Array]) -> tuple[tuple[Member, PyTree], Array]:
        step, rate = now
        keys = jax.random.split(jax.random.fold_in(key, step + 1), count)
        update: Any = partial(_step_member, objective, window)
        in_axes = (0, 0, 0, None, None, 0, None, None)
        members, optimizer, terms = jax.vmap(update, in_axes=in_axes)(carry[0], carry[1], keys, rate, batch, anchors, room, duration)
        return (members, optimizer), terms

    (members, optimizer), history = jax.lax.scan(one, (members, optimizer), (steps, rates))
    return members, optimizer, history
