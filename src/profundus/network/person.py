"""A transformer over time and over the trials of a person: every window is answered in the light of all others."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from profundus.network.transformer import MASKED, Block, dense, distance_slopes, normalized

FAR = 5.0  # clues beyond so many standard deviations count as so many
MOST_RATIO = 3.0  # of log ratios
START_SD = -1.5  # log sd that an untrained network answers


class Told(NamedTuple):
    """What the network says about every muscle: the log ratio to its reference (window, sample, muscle), the log of its standard deviation
    (same shape) and that of the error that all of the person's samples share (muscle,)."""

    ratio: Float[Array, "window sample muscle"]
    log_sd: Float[Array, "window sample muscle"]
    level_log_sd: Float[Array, " muscle"]


class Scale(NamedTuple):
    """Mean and standard deviation of the clues of samples and of persons."""

    mean: Float[Array, " clue"]
    sd: Float[Array, " clue"]
    person_mean: Float[Array, " person_clue"]
    person_sd: Float[Array, " person_clue"]


class PersonTransformer(eqx.Module):
    """From clues to log ratios.

    Consecutive samples form tokens; blocks over the tokens of a window, then over the person's windows (each summed up in a token, and one
    for the person), then over the tokens again, which now know the person. Its last layer starts at zero.
    """

    embed: Float[Array, "samples_times_clues width"]
    within: tuple[Block, ...]
    to_person: Float[Array, "summary two_widths"]
    person_in: Float[Array, "two_widths width"]
    pool: Float[Array, "two_widths width"]
    across: tuple[Block, ...]
    mix: Float[Array, "two_widths width"]
    answer: tuple[Block, ...]
    out: Float[Array, "width outputs"]
    head: Float[Array, "width two_muscles"]
    gains: Float[Array, "3 width"]
    offset: Float[Array, " two_muscles"]
    level_offset: Float[Array, " two_muscles"]
    token_samples: int = eqx.field(static=True)
    heads: int = eqx.field(static=True)

    def __init__(
        self,
        key: PRNGKeyArray,
        *,
        clues: int,
        person_clues: int,
        muscles: int,
        width: int,
        layers: tuple[int, int, int],
        heads: int,
        token_samples: int = 4,
    ) -> None:
        keys = iter(jax.random.split(key, 6 + sum(layers)))
        self.embed = dense(next(keys), clues * token_samples, width)
        self.to_person = dense(next(keys), person_clues + 2 * clues, 2 * width)
        self.person_in = dense(next(keys), 2 * width, width)
        self.pool = dense(next(keys), 2 * width, width)
        self.mix = dense(next(keys), 2 * width, width)
        self.within, self.across, self.answer = (
            tuple(Block(next(keys), width=width, heads=heads) for _ in range(count)) for count in layers
        )
        self.out = jnp.zeros((width, token_samples * 2 * muscles))
        self.head = jnp.zeros((width, 2 * muscles))
        self.gains = jnp.ones((3, width))
        start = jnp.concatenate([jnp.zeros(muscles), jnp.full(muscles, START_SD)])
        self.offset, self.level_offset = start, start
        self.token_samples, self.heads = token_samples, heads

    def __call__(
        self,
        clues: Float[Array, "window sample clue"],
        person: Float[Array, " person_clue"],
        valid: Bool[Array, "window sample"],
        scale: Scale,
    ) -> Told:
        """Return what is said of one person's windows; samples that are not ``valid`` are seen by no other."""
        windows, samples, count = clues.shape
        tokens = samples // self.token_samples
        counts = jnp.asarray(valid, clues.dtype)[..., None]
        x = jnp.clip((clues - scale.mean) / scale.sd, -FAR, FAR) * counts
        hidden = x.reshape(windows, tokens, self.token_samples * count) @ self.embed
        there = jnp.any(jnp.asarray(valid).reshape(windows, tokens, self.token_samples), axis=2)
        place = np.arange(tokens)
        fading = -distance_slopes(self.heads)[:, None, None] * np.abs(place[:, None] - place[None, :])
        near = jnp.where(there[:, None, None, :], fading.astype(np.float32), MASKED)
        for block in self.within:
            hidden = jax.vmap(block)(hidden, near)
        met = self._met(hidden, there, self._person_token(x, counts, person, scale))
        alone, everyone = met[0], met[1:]
        known = jnp.concatenate([everyone, jnp.broadcast_to(alone, everyone.shape)], axis=-1) @ self.mix
        hidden = hidden + known[:, None]
        for block in self.answer:
            hidden = jax.vmap(block)(hidden, near)
        level, level_sd = jnp.split(alone @ self.head + self.level_offset, 2)
        said = (normalized(hidden, self.gains[2]) @ self.out).reshape(windows, samples, -1) + self.offset
        ratio, log_sd = jnp.split(said, 2, axis=-1)
        limit = MOST_RATIO
        return Told(
            jnp.clip(0.5 * (ratio + level), -limit, limit), jnp.clip(log_sd, -4.0, 1.0), jnp.clip(level_sd, -4.0, 1.0)
        )

    def raised(self, by: Float[np.ndarray, " muscle"]) -> PersonTransformer:
        """Return the network with all log ratios raised ``by`` (muscle,)."""
        double = jnp.concatenate(
            [jnp.asarray(2.0 * by, jnp.float32), jnp.zeros(len(by))]
        )  # half of the sum is the ratio
        found: PersonTransformer = eqx.tree_at(lambda network: network.level_offset, self, self.level_offset + double)
        return found

    def _person_token(self, x: Array, counts: Array, person: Array, scale: Scale) -> Array:
        """Return the token that stands for the person: his own clues, mean and spread of those of his samples."""
        total = jnp.maximum(jnp.sum(counts), 1.0)
        mean = jnp.sum(x, axis=(0, 1)) / total
        spread = jnp.sqrt(jnp.sum(counts * (x - mean) ** 2, axis=(0, 1)) / total + 1e-6)
        own = jnp.clip((person - scale.person_mean) / scale.person_sd, -FAR, FAR)
        return jax.nn.silu(jnp.concatenate([own, mean, spread]) @ self.to_person) @ self.person_in

    def _met(self, hidden: Array, there: Array, person: Array) -> Array:
        """Return the person's token and those of his windows after they have seen each other (1 + window, width)."""
        seen = jnp.asarray(there, hidden.dtype)[..., None]
        total = jnp.maximum(jnp.sum(seen, axis=1), 1.0)
        each = normalized(hidden, self.gains[0])
        mean = jnp.sum(seen * each, axis=1) / total
        spread = jnp.sqrt(jnp.sum(seen * (each - mean[:, None]) ** 2, axis=1) / total + 1e-4)
        tokens = jnp.concatenate([person[None], jnp.concatenate([mean, spread], axis=-1) @ self.pool])
        present = jnp.concatenate([jnp.ones(1, dtype=bool), jnp.any(there, axis=1)])
        bias = jnp.broadcast_to(jnp.where(present, 0.0, MASKED), (self.heads, len(tokens), len(tokens)))
        for block in self.across:
            tokens = block(tokens, bias)
        return normalized(tokens, self.gains[1])
