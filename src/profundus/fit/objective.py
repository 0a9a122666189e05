"""What training holds the model against: each term a negative log density with a standard deviation in its own unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from profundus.fit.priors import ParameterPrior
from profundus.model.inputs import Batch
from profundus.model.musculoskeletal import Geometry, MuscleResponse, MusculoskeletalModel
from profundus.model.nmm import Layout, Member, excitations
from profundus.records import FitSettings

WARM_UP_S = 0.25
TERMS = ("emg", "moment", "parameters", "group", "effort", "smoothness")


@dataclass(frozen=True, eq=False)
class Objective:
    """The loss of one member on stretches of trials.

    Terms are scaled to ``duration`` [s], the length of all trials to fit, so that a step on short stretches estimates the log density of
    the whole. Two subjects with the same electrodes and settings share one objective, and so one compilation.
    """

    model: MusculoskeletalModel
    layout: Layout
    prior: ParameterPrior
    settings: FitSettings
    gain: tuple[float, float]
    step: float

    def respond(self, member: Member, batch: Batch, anchor: Float[Array, "trial time muscle"]) -> Response:
        """Return excitations and the muscles' response to them for all trials (trial, time, ...)."""
        parameters = self.prior.parameters(member.personal)

        def one(row: Batch, center: Float[Array, "time muscle"]) -> Response:
            excitation, found = excitations(
                member,
                self.layout,
                self.settings,
                features=row.features,
                neighbor=row.neighbor,
                anchor=center,
                valid=row.valid,
            )
            geometry = Geometry(row.path_length, row.path_velocity, row.moment_arm)
            share = jnp.where(self.layout.deep, self.settings.loss.deep_moment_share, 1.0)
            felt = share * excitation + (1.0 - share) * jax.lax.stop_gradient(excitation)
            muscles = self.model.respond(
                felt,
                geometry,
                parameters,
                muscle=self.settings.muscle,
                smoothing=self.settings.activation_smoothing,
                step=self.step,
                substeps=1,
            )
            return Response(excitation, found, muscles)

        return jax.vmap(one)(batch, anchor)

    def emg_gain(self, member: Member) -> Float[Array, " muscle"]:
        """Return what turns the excitation of a measured muscle into its envelope (muscle,)."""
        mean, sd = self.gain
        free = np.asarray(self.layout.measured) & (not self.settings.paper)
        return jnp.where(free, jnp.exp(mean + sd * member.gain), 1.0)

    def terms(
        self, member: Member, batch: Batch, anchor: Float[Array, "trial time muscle"], duration: Float[Array, ""]
    ) -> dict[str, Float[Array, ""]]:
        """Return every loss term, as negative log density of all trials."""
        loss = self.settings.loss
        response = self.respond(member, batch, anchor)
        level = jax.nn.sigmoid(
            batch.neighbor
        )  # the smoothed envelope: weights that follow the noise itself would pull the fit down
        emg_sd = jnp.hypot(loss.emg_sd, loss.emg_relative_sd * level)
        emg_error = (batch.emg - response.excitation * self.emg_gain(member)) / emg_sd
        moment_sd = jnp.hypot(loss.moment_sd, loss.moment_relative_sd * batch.moment)
        moment_error = (batch.moment - response.muscles.joint_moment) / moment_sd
        settled = np.arange(batch.valid.shape[1]) * self.step >= WARM_UP_S
        moment_seen = batch.moment_valid & settled[None, :, None]
        channels = max(1, sum(self.layout.measured))
        out = {
            "emg": duration * channels * _mean_square(emg_error, batch.emg_valid) / loss.emg_correlation_s,
            "moment": duration
            * moment_error.shape[-1]
            * _mean_square(moment_error, moment_seen)
            / loss.moment_correlation_s,
        }
        if loss.parameter_prior:
            out["parameters"] = 0.5 * (jnp.sum(member.personal**2) + jnp.sum(member.gain**2))
        deep = batch.valid[..., None] & self.layout.deep
        many = max(1, int(self.layout.deep.sum()))
        if loss.group_amplitude_sd is not None:
            strayed = duration * many * _mean_square(response.found, deep) / loss.group_correlation_s
            out["group"] = strayed + 0.5 * jnp.sum(member.amplitude**2)
        if loss.effort_sd is not None:
            out["effort"] = many * _mean_square(response.excitation / loss.effort_sd, deep)
        if loss.smoothness_sd is not None:
            spread = np.hypot(loss.group_pattern_sd, loss.group_drive_sd)
            rate = jnp.diff(response.found, axis=1) * spread / self.step / loss.smoothness_sd
            out["smoothness"] = duration * many * _mean_square(rate, deep[:, 1:]) / loss.group_correlation_s
        return out

    def __call__(
        self, member: Member, batch: Batch, anchor: Float[Array, "trial time muscle"], duration: Float[Array, ""]
    ) -> tuple[Float[Array, ""], Float[Array, " term"]]:
        """Return the loss per second of recording and its terms, in the order of ``TERMS`` (0 where a term is left out)."""
        terms = self.terms(member, batch, anchor, duration)
        listed = jnp.stack([terms.get(name, jnp.zeros(())) for name in TERMS])
        return jnp.sum(listed) / duration, listed


class Response(NamedTuple):
    """Excitations (trial, time, muscle), how far the network moved deep ones from their prior's center [sd], and what the muscles do."""

    excitation: Float[Array, "trial time muscle"]
    found: Float[Array, "trial time muscle"]
    muscles: MuscleResponse


def _mean_square(error: Float[Array, "..."], seen: Float[Array, "..."]) -> Float[Array, ""]:
    """Return half the mean square over what is seen; 0 where nothing is."""
    return 0.5 * jnp.sum(jnp.where(seen, error, 0.0) ** 2) / jnp.maximum(jnp.sum(seen), 1)
