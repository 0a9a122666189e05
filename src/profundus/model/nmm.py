"""The neural musculoskeletal model: a network proposes the excitations of all muscles, deep ones by their ratio to their group."""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray
from numpy.typing import NDArray

from profundus.network.transformer import Transformer
from profundus.records import FitSettings

RESTING_LOGIT = -2.5
LONELY = 4.0  # times wider is the prior of a muscle whose group has no electrode: a factor of about 7 either way
LEAST, MOST = 1e-3, 0.99  # between which a measured excitation starts


@dataclass(frozen=True)
class Layout:
    """Which muscle has an electrode and which group it belongs to; static for the compiler.

    ``neighbors`` (muscle, muscle): row of a deep muscle holds equal weights on the measured muscles of its group, all others are zero.
    """

    muscles: tuple[str, ...]
    measured: tuple[bool, ...]
    groups: tuple[str, ...]

    @property
    def neighbors(self) -> NDArray[np.float64]:
        """Return the weights (muscle, muscle) with which the deep muscles follow the measured ones of their group."""
        same = np.asarray([[a == b for b in self.groups] for a in self.groups])
        weights = same & np.asarray(self.measured)[None, :] & ~np.asarray(self.measured)[:, None]
        return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1))

    @property
    def deep(self) -> NDArray[np.bool_]:
        """Return which muscles (muscle,) have no electrode."""
        return ~np.asarray(self.measured)

    @property
    def alone(self) -> NDArray[np.bool_]:
        """Return which deep muscles (muscle,) have no measured muscle in their group."""
        return np.asarray(self.deep & (self.neighbors.sum(axis=1) == 0))


class Member(eqx.Module):
    """What one member of the ensemble learns.

    ``personal`` (32,), ``gain`` and ``amplitude`` (muscle,) are in units of their prior standard deviations, zero at the member's center;
    ``gain`` concerns measured muscles, ``amplitude`` (the level of the log ratio to the group) deep ones.
    """

    network: Transformer
    personal: Float[Array, " parameter"]
    gain: Float[Array, " muscle"]
    amplitude: Float[Array, " muscle"]


def new_member(key: PRNGKeyArray, settings: FitSettings, *, channels: int, muscles: int, parameters: int) -> Member:
    """Return an untrained member: excitations at their group's, parameters at their prior's center."""
    size = settings.network
    network = Transformer(
        key, inputs=channels, outputs=muscles, width=size.width, layers=size.layers, heads=size.heads,
        token_samples=size.token_samples,
    )  # fmt: skip
    return Member(network, jnp.zeros(parameters), jnp.zeros(muscles), jnp.zeros(muscles))


def excitations(
    member: Member,
    layout: Layout,
    settings: FitSettings,
    *,
    features: Float[Array, "time channel"],
    neighbor: Float[Array, "time muscle"],
    anchor: Float[Array, "time muscle"],
    log_gain: Float[Array, " muscle"],
    valid: Bool[Array, " time"],
) -> tuple[Float[Array, "time muscle"], Float[Array, "time muscle"]]:
    """Return excitations (time, muscle) as fractions of maximum, and how far each is from where its prior expects it, in prior sd.

    Measured muscles: the smoothed envelope over its gain, times what the network finds (in the paper's form: the network alone). Deep
    muscles: the geometric mean of their group's excitations (in logits) times a ratio whose prior has its center at ``anchor``.
    """
    found = member.network.over_windows(features, valid)
    deep = layout.deep
    loss = settings.loss
    if loss.group_amplitude_sd is None:
        return jax.nn.sigmoid(found + RESTING_LOGIT), jnp.zeros_like(found)
    spread = np.hypot(loss.group_pattern_sd, loss.group_drive_sd)
    own = np.where(layout.alone, RESTING_LOGIT, 0.0)
    envelope = jnp.clip(jax.nn.sigmoid(neighbor) * jnp.exp(-log_gain), LEAST, MOST)
    shown = jax.scipy.special.logit(envelope) if settings.network.measured_emg else jnp.full_like(found, RESTING_LOGIT)
    measured_logit = jnp.where(deep, 0.0, shown + found)
    width = np.where(layout.alone, LONELY, 1.0)
    ratio = width * (anchor + loss.group_amplitude_sd * member.amplitude + spread * found)
    logits = jnp.where(deep, measured_logit @ layout.neighbors.T + own + ratio, measured_logit)
    return jax.nn.sigmoid(logits), jnp.where(deep, found, 0.0)
