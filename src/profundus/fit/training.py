"""Training of an ensemble: all members step together, each on its own stretches of the trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree
from numpy.typing import NDArray

from profundus.fit.objective import TERMS, Center, Objective
from profundus.fit.together import alike, parted, shapes, stacked
from profundus.model.inputs import Batch
from profundus.model.nmm import Member, new_member

CHUNK = 25
PERSONAL_RATE = 8.0
WARM_STEPS = 20
HIDDEN_MOMENTS = 0.15


class TrainingState(NamedTuple):
    """Where training stands. Leaves of ``members`` and ``optimizer`` have the member as their first axis."""

    members: Member
    optimizer: PyTree
    step: int
    history: NDArray[np.float32]


class Material(NamedTuple):
    """What training sees: the trials, the length of a stretch [samples], where each member expects the deep muscles, the samples by which a
    stretch of each trial may begin late, and the length of all trials [s].
    """

    batch: Batch
    window: int
    centers: Center
    room: Int[Array, " trial"]
    duration: Float[Array, ""]


class Chunk(NamedTuple):
    """What the next steps of one person start from: members with their optimizer, the steps' numbers and rates, and what is seen."""

    start: tuple[Member, PyTree]
    schedule: tuple[Int[Array, " step"], Float[Array, " step"]]
    key: PRNGKeyArray
    material: Material


Outcome = tuple[Member, PyTree, Float[Array, "step member term"]]


@dataclass(frozen=True)
class Progress:
    """What a progress bar needs: steps done and to do, and the loss terms averaged over the members."""

    step: int
    steps: int
    terms: dict[str, float]


class Trainer:
    """Trains an ensemble on one subject's trials, chunk by chunk, so that it can be stopped and taken up bit for bit.

    ``centers`` has the member as its first axis. The stretches that a step sees follow from the seed, the member and the step alone.
    """

    def __init__(self, objective: Objective, batch: Batch, centers: Center, *, seed: int) -> None:
        self.objective = objective
        settings = objective.settings
        multiple = settings.network.token_samples
        wanted = max(1, round(settings.window_s / objective.step / multiple)) * multiple
        self.window = min(wanted, batch.valid.shape[1])
        samples = jnp.sum(batch.valid, axis=1)
        room = jnp.maximum(samples - self.window, 0)
        duration = jnp.asarray(jnp.sum(samples) * objective.step, batch.emg.dtype)
        self.material = Material(batch, self.window, centers, room, duration)
        self.key = jax.random.key(seed)
        self.rates = _rates(settings.steps, settings.learning_rate)

    def start(self, *, parameters: int) -> TrainingState:
        """Return untrained members."""
        settings = self.objective.settings
        keys = jax.random.split(jax.random.fold_in(self.key, 0), settings.members)
        batch = self.material.batch
        channels, muscles = batch.features.shape[-1], batch.emg.shape[-1]

        def one(key: PRNGKeyArray) -> tuple[Member, PyTree]:
            member = new_member(key, settings, channels=channels, muscles=muscles, parameters=parameters)
            return member, _optimizer().init(member)

        members, optimizer = jax.vmap(one)(keys)
        return TrainingState(members, optimizer, 0, np.zeros((0, settings.members, len(TERMS)), np.float32))

    def advance(self, state: TrainingState) -> TrainingState:
        """Return the state one chunk of steps later; the last chunk is as long as the others, its surplus steps change nothing."""
        return self._after(state, _run(self.objective, *self._chunk(state)))

    def finish(
        self, state: TrainingState, *, after_chunk: Callable[[TrainingState], None] | None = None
    ) -> TrainingState:
        """Return the fully trained state; ``after_chunk`` hears of every chunk (progress, checkpoints)."""
        while not self.finished(state):
            state = self.advance(state)
            if after_chunk is not None:
                after_chunk(state)
        return state

    def finished(self, state: TrainingState) -> bool:
        """Return whether all steps were taken."""
        return state.step >= self.objective.settings.steps

    def _chunk(self, state: TrainingState) -> Chunk:
        steps = self.objective.settings.steps
        numbers = jnp.arange(state.step, state.step + CHUNK)
        rates = jnp.where(numbers < steps, self.rates[jnp.minimum(numbers, steps - 1)], 0.0)
        return Chunk((state.members, state.optimizer), (numbers, rates), self.key, self.material)

    def _after(self, state: TrainingState, outcome: Outcome) -> TrainingState:
        members, optimizer, history = outcome
        done = min(CHUNK, self.objective.settings.steps - state.step)
        return TrainingState(
            members, optimizer, state.step + done, np.concatenate([state.history, np.asarray(history)[:done]])
        )


def finish_together(
    trainers: Sequence[Trainer],
    states: Sequence[TrainingState],
    *,
    after_chunk: Callable[[int, TrainingState], None] | None = None,
) -> list[TrainingState]:
    """Return each person's fully trained state, as `Trainer.finish` does; ``after_chunk`` hears the person's place, too."""
    out = list(states)
    while waiting := [place for place, trainer in enumerate(trainers) if not trainer.finished(out[place])]:
        moved = advance_together([trainers[place] for place in waiting], [out[place] for place in waiting])
        for place, state in zip(waiting, moved, strict=True):
            out[place] = state
            if after_chunk is not None:
                after_chunk(place, state)
    return out


def advance_together(trainers: Sequence[Trainer], states: Sequence[TrainingState]) -> list[TrainingState]:
    """Return each person's state one chunk later, as `Trainer.advance` does; those who share shapes and objective in one program."""
    chunks = [trainer._chunk(state) for trainer, state in zip(trainers, states, strict=True)]
    keys = [
        (id(one.objective), chunk.material.window, shapes(chunk)) for one, chunk in zip(trainers, chunks, strict=True)
    ]
    out = list(states)
    for places in alike(keys):
        arrays, fixed = zip(*(eqx.partition(chunks[place], eqx.is_array) for place in places), strict=True)
        outcomes = _run_together(trainers[places[0]].objective, stacked(arrays), fixed[0])
        for place, outcome in zip(places, parted(outcomes, len(places)), strict=True):
            out[place] = trainers[place]._after(states[place], outcome)
    return out


def _rates(steps: int, peak: float) -> Float[Array, " step"]:
    """Return the learning rate of every step: a short linear rise, then a cosine to a fiftieth."""
    rise = min(WARM_STEPS, steps // 4 + 1)
    at = np.arange(steps)
    cosine = 0.5 * (1 + np.cos(np.pi * (at - rise) / max(1, steps - rise)))
    return jnp.asarray(peak * np.where(at < rise, (at + 1) / (rise + 1), 0.02 + 0.98 * cosine), jnp.float32)


def _optimizer() -> optax.GradientTransformation:
    return optax.chain(optax.clip_by_global_norm(10.0), optax.scale_by_adam(b2=0.99))


def _stretch(batch: Batch, center: Center, begin: Int[Array, " trial"], *, length: int) -> tuple[Batch, Center]:
    """Return ``length`` samples of every trial from its ``begin`` on."""

    def of_trial(row: Array, at: Array) -> Array:
        return jax.lax.dynamic_slice_in_dim(row, at, length, axis=0)

    cut = jax.vmap(of_trial)
    seen: Batch = jax.tree.map(lambda values: cut(values, begin), batch)
    return seen, center._replace(ratio=cut(center.ratio, begin))


def _without_some_moments(batch: Batch, key: PRNGKeyArray) -> Batch:
    """Return the trials with the moment hidden from the network in some, as it will be in trials that have none; losses still know it."""
    coordinates = batch.moment.shape[-1]
    shown = jax.random.uniform(key, batch.features.shape[:1]) >= HIDDEN_MOMENTS
    kept = jnp.concatenate(
        [batch.features[..., :-coordinates], batch.features[..., -coordinates:] * shown[:, None, None]], -1
    )
    return batch._replace(features=kept)


@eqx.filter_jit
def _run(
    objective: Objective,
    start: tuple[Member, PyTree],
    schedule: tuple[Int[Array, " step"], Float[Array, " step"]],
    key: PRNGKeyArray,
    material: Material,
) -> Outcome:
    def step_member(member: Member, optimizer: PyTree, key: PRNGKeyArray, center: Center, rate: Array) -> Any:
        room = material.room
        begin = jnp.floor(jax.random.uniform(key, room.shape) * (room + 1)).astype(room.dtype)
        seen, center = _stretch(material.batch, center, begin, length=material.window)
        if objective.settings.network.inverse_dynamics_moment:
            seen = _without_some_moments(seen, jax.random.fold_in(key, 1))
        (_, terms), slope = jax.value_and_grad(objective, has_aux=True)(member, seen, center, material.duration)
        update, optimizer = _optimizer().update(slope, optimizer)
        slow = jax.tree.map(lambda value, change: value - rate * change, member.network, update.network)
        fast = [
            getattr(member, name) - PERSONAL_RATE * rate * getattr(update, name)
            for name in ("personal", "gain", "amplitude")
        ]
        return Member(slow, *fast), optimizer, terms

    def step(carry: tuple[Member, PyTree], now: tuple[Array, Array]) -> Any:
        number, rate = now
        keys = jax.random.split(jax.random.fold_in(key, number + 1), material.centers.gain.shape[0])
        members, optimizer, terms = jax.vmap(partial(step_member, rate=rate))(*carry, keys, material.centers)
        return (members, optimizer), terms

    (members, optimizer), history = jax.lax.scan(step, start, schedule)
    return members, optimizer, history


@eqx.filter_jit
def _run_together(objective: Objective, arrays: Chunk, fixed: Chunk) -> Outcome:
    """Return what `_run` does, with the person as the first axis of ``arrays``; ``fixed`` is what is no array, the same for all."""

    def one(own: Chunk) -> Outcome:
        outcome: Outcome = _run(objective, *eqx.combine(own, fixed))
        return outcome

    many: Outcome = jax.vmap(one)(arrays)
    return many
