"""A transformer over time: several channels in, several channels out, sample by sample."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

MASKED = -1e9
WINDOW_TOKENS = 384
MARGIN_TOKENS = 64


def dense(key: PRNGKeyArray, inputs: int, outputs: int, *, scale: float = 1.0) -> Float[Array, "inputs outputs"]:
    """Return a weight matrix whose product with unit-variance input has the variance ``scale**2``."""
    return jnp.asarray(scale / np.sqrt(inputs) * jax.random.normal(key, (inputs, outputs)))


def normalized(x: Float[Array, "token width"], gain: Float[Array, " width"]) -> Float[Array, "token width"]:
    """Return each token at unit root mean square, times ``gain``."""
    return x * jax.lax.rsqrt(jnp.mean(x**2, axis=-1, keepdims=True) + 1e-6) * gain


def distance_slopes(heads: int) -> Float[np.ndarray, " heads"]:
    """Return how fast the attention of each head fades with distance [1/token]; Press et al. (2022), eq. 3."""
    return np.asarray(2.0 ** (-8.0 * np.arange(1, heads + 1) / heads))


class Block(eqx.Module):
    """Attention over the tokens of one sequence, then a gated pass through each token."""

    to_heads: Float[Array, "width three_widths"]
    from_heads: Float[Array, "width width"]
    up: Float[Array, "width hidden"]
    down: Float[Array, "hidden width"]
    attention_gain: Float[Array, " width"]
    token_gain: Float[Array, " width"]
    heads: int = eqx.field(static=True)

    def __init__(self, key: PRNGKeyArray, *, width: int, heads: int) -> None:
        keys = jax.random.split(key, 4)
        self.to_heads = dense(keys[0], width, 3 * width)
        self.from_heads = dense(keys[1], width, width, scale=0.5)
        self.up = dense(keys[2], width, 2 * width)
        self.down = dense(keys[3], 2 * width, width, scale=0.5)
        self.attention_gain = jnp.ones(width)
        self.token_gain = jnp.ones(width)
        self.heads = heads

    def __call__(
        self, x: Float[Array, "token width"], bias: Float[Array, "heads token token"]
    ) -> Float[Array, "token width"]:
        """Return the tokens after the block; ``bias`` is added to the attention's logits."""
        tokens, width = x.shape
        projected = (normalized(x, self.attention_gain) @ self.to_heads).reshape(
            tokens, 3, self.heads, width // self.heads
        )
        query, key, value = projected[:, 0], projected[:, 1], projected[:, 2]
        score = jnp.einsum("ihc,jhc->hij", query, key) / np.sqrt(width // self.heads)
        attention = jax.nn.softmax(score + bias, axis=-1)
        x = x + jnp.einsum("hij,jhc->ihc", attention, value).reshape(tokens, width) @ self.from_heads
        return x + jax.nn.silu(normalized(x, self.token_gain) @ self.up) @ self.down


class Transformer(eqx.Module):
    """A sequence (time, channel in) to a sequence (time, channel out) of the same length.

    ``token_samples`` consecutive samples form one token. Distance enters as a bias that fades linearly (Press et al. 2022), so that a
    network trained on short stretches serves long trials. The last layer starts at zero: an untrained network answers 0.
    """

    embed: Float[Array, "samples_times_inputs width"]
    blocks: tuple[Block, ...]
    gain: Float[Array, " width"]
    out: Float[Array, "width samples_times_outputs"]
    offset: Float[Array, " outputs"]
    token_samples: int = eqx.field(static=True)

    def __init__(
        self, key: PRNGKeyArray, *, inputs: int, outputs: int, width: int, layers: int, heads: int, token_samples: int
    ) -> None:
        first, *rest = jax.random.split(key, layers + 1)
        self.embed = dense(first, inputs * token_samples, width)
        self.blocks = tuple(Block(k, width=width, heads=heads) for k in rest)
        self.gain = jnp.ones(width)
        self.out = jnp.zeros((width, outputs * token_samples))
        self.offset = jnp.zeros(outputs)
        self.token_samples = token_samples

    def __call__(self, x: Float[Array, "time inputs"], valid: Bool[Array, " time"]) -> Float[Array, "time outputs"]:
        """Return the answer (time, outputs); samples that are not ``valid`` are seen by no other sample. Time must fill whole tokens."""
        time, inputs = x.shape
        tokens = time // self.token_samples
        seen = jnp.any(valid.reshape(tokens, self.token_samples), axis=1)
        place = np.arange(tokens)
        distance = np.abs(place[:, None] - place[None, :]).astype(np.float32)
        bias = -distance_slopes(self.blocks[0].heads)[:, None, None].astype(np.float32) * distance
        bias = jnp.where(seen[None, None, :], bias, MASKED)
        hidden = jnp.where(valid[:, None], x, 0.0).reshape(tokens, self.token_samples * inputs) @ self.embed
        for block in self.blocks:
            hidden = block(hidden, bias)
        answer = (normalized(hidden, self.gain) @ self.out).reshape(time, -1)
        return answer + self.offset

    def over_windows(self, x: Float[Array, "time inputs"], valid: Bool[Array, " time"]) -> Float[Array, "time outputs"]:
        """Return the answer to a sequence of any length (in whole tokens): long ones are seen through windows that overlap.

        Each window's margins are seen but not answered, so that time and memory grow with the length, not with its square. A sequence that
        fits one window is answered as by a plain call.
        """
        time = x.shape[0]
        window, margin = WINDOW_TOKENS * self.token_samples, MARGIN_TOKENS * self.token_samples
        if time <= window:
            return self(x, valid)
        stride = window - 2 * margin
        count = -(-time // stride)
        around = (margin, count * stride + margin - time)
        padded, known = jnp.pad(x, (around, (0, 0))), jnp.pad(valid, around)

        def middle(begin: Int[Array, ""]) -> Float[Array, "stride outputs"]:
            cut = jax.lax.dynamic_slice_in_dim
            return self(cut(padded, begin, window), cut(known, begin, window))[margin : margin + stride]

        answers: Float[Array, "window stride outputs"] = jax.lax.map(middle, jnp.arange(count) * stride)
        return answers.reshape(count * stride, -1)[:time]
