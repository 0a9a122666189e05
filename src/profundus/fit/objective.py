"""What training holds the model against: each term a negative log density with a standard deviation in its own unit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from profundus.fit.priors import GainPrior, ParameterPrior
from profundus.model.inputs import Batch
from profundus.model.musculoskeletal import Geometry, MuscleResponse, MusculoskeletalModel, Parameters
from profundus.model.nmm import Layout, Member, excitations
from profundus.model.settings import with_physics
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
    gain: GainPrior
    step: float

    def respond(self, member: Member, batch: Batch, center: Center) -> Response:
        """Return excitations and the muscles' response to them for all trials (trial, time, ...)."""
        parameters = self.prior.parameters(member.personal)
        log_gain = self.log_gain(member, center)
        held = self.layout.deep & ~self.layout.alone  # what no electrode of the group tells of, only the moment can
        share = jnp.where(held, self.settings.loss.deep_moment_share, 1.0)

        def one(row: Batch, ratio: Float[Array, "time muscle"]) -> Response:
            excitation, found = excitations(
                member,
                self.layout,
                self.settings,
                features=row.features,
                neighbor=row.neighbor,
                anchor=ratio,
                log_gain=log_gain,
                valid=row.valid,
            )
            felt = share * excitation + (1.0 - share) * jax.lax.stop_gradient(excitation)
            return Response(excitation, found, self.muscles(felt, row, parameters))

        return jax.vmap(one)(batch, center.ratio)

    def muscles(self, excitation: Float[Array, "time muscle"], row: Batch, parameters: Parameters) -> MuscleResponse:
        """Return what the muscles do in one trial."""
        geometry = Geometry(row.path_length, row.path_velocity, row.moment_arm)
        return self.model.respond(
            excitation,
            geometry,
            parameters,
            muscle=self.settings.muscle,
            tendon=self.settings.tendon,
            smoothing=self.settings.activation_smoothing,
            step=self.step,
            substeps=1,
        )

    def log_gain(self, member: Member, center: Center) -> Float[Array, " muscle"]:
        """Return the log of what turns the excitation of a measured muscle into its envelope (muscle,); 0 for deep ones."""
        prior = self.gain
        moved = member.gain if prior.learned else jax.lax.stop_gradient(member.gain)
        free = np.asarray(self.layout.measured) & (not self.settings.paper)
        return jnp.where(free, prior.mean + prior.sd * (center.gain + moved), 0.0)

    def moment_weight(
        self, batch: Batch
    ) -> tuple[Float[Array, "*trial time coordinate"], Bool[Array, "*trial time coordinate"]]:
        """Return the standard deviation of every moment [N.m], and whether it counts: not where activation still remembers its start.

        The paper's form has one for all, whatever the trials say.
        """
        loss = self.settings.loss
        constant = loss.moment_sd if batch.moment_sd is None or self.settings.paper else batch.moment_sd
        settled = np.arange(batch.moment.shape[-2])[:, None] >= moment_start(self.step)
        return jnp.hypot(constant, loss.moment_relative_sd * batch.moment), batch.moment_valid & settled

    def terms(
        self, member: Member, batch: Batch, center: Center, duration: Float[Array, ""]
    ) -> dict[str, Float[Array, ""]]:
        """Return every loss term, as negative log density of all trials."""
        loss = self.settings.loss
        response = self.respond(member, batch, center)
        level = jax.nn.sigmoid(batch.neighbor)  # smoothed: weights that follow the noise itself would pull the fit down
        emg_sd = jnp.hypot(loss.emg_sd, loss.emg_relative_sd * level)
        emg_error = (batch.emg - response.excitation * jnp.exp(self.log_gain(member, center))) / emg_sd
        electrodes = sum(self.layout.measured)
        emg_errors = duration * electrodes / loss.emg_correlation_s
        seen = jnp.sum(batch.valid) * max(1, electrodes)
        out = {"emg": emg_errors * _mean_square(emg_error, batch.emg_valid, among=seen)}
        if with_physics(self.settings):
            out["moment"] = self._moment_term(batch, response, duration)
        if loss.parameter_prior:
            out["parameters"] = 0.5 * (jnp.sum(member.personal**2) + jnp.sum(member.gain**2))
        return out | self._deep_terms(member, batch, response, duration)

    def _moment_term(self, batch: Batch, response: Response, duration: Float[Array, ""]) -> Float[Array, ""]:
        sd, seen = self.moment_weight(batch)
        coordinates = batch.moment.shape[-1]
        settled = jnp.sum(batch.valid[:, moment_start(self.step) :]) * coordinates
        errors = duration * coordinates / self.settings.loss.moment_correlation_s
        return errors * _mean_square((batch.moment - response.muscles.joint_moment) / sd, seen, among=settled)

    def _deep_terms(
        self, member: Member, batch: Batch, response: Response, duration: Float[Array, ""]
    ) -> dict[str, Float[Array, ""]]:
        loss = self.settings.loss
        deep = batch.valid[..., None] & self.layout.deep
        many = int(self.layout.deep.sum())
        deviations = duration * many / loss.group_correlation_s
        out = {}
        if loss.group_amplitude_sd is not None:
            strayed = deviations * _mean_square(response.found, deep)
            out["group"] = strayed + 0.5 * jnp.sum(member.amplitude**2)
        if loss.effort_sd is not None:
            out["effort"] = many * _mean_square(response.excitation / loss.effort_sd, deep)
        if loss.smoothness_sd is not None:
            spread = np.hypot(loss.group_pattern_sd, loss.group_drive_sd)
            rate = jnp.diff(response.found, axis=1) * spread / self.step / loss.smoothness_sd
            out["smoothness"] = deviations * _mean_square(rate, deep[:, 1:])
        return out

    def __call__(
        self, member: Member, batch: Batch, center: Center, duration: Float[Array, ""]
    ) -> tuple[Float[Array, ""], Float[Array, " term"]]:
        """Return the loss per second of recording and its terms, in the order of ``TERMS`` (0 where a term is left out)."""
        terms = self.terms(member, batch, center, duration)
        listed = jnp.stack([terms.get(name, jnp.zeros(())) for name in TERMS])
        return jnp.sum(listed) / duration, listed


class Center(NamedTuple):
    """Where a member's prior has its center: log ratios of the deep muscles (trial, time, muscle), EMG gains (muscle,) in prior sd."""

    ratio: Float[Array, "trial time muscle"]
    gain: Float[Array, " muscle"]


class Response(NamedTuple):
    """Excitations (trial, time, muscle), how far the network moved deep ones from their prior's center [sd], and what the muscles do."""

    excitation: Float[Array, "trial time muscle"]
    found: Float[Array, "trial time muscle"]
    muscles: MuscleResponse


def moment_start(step: float) -> int:
    """Return the first sample of a stretch whose activation no longer remembers how it was started."""
    return math.ceil(WARM_UP_S / step - 1e-9)


def _mean_square(error: Float[Array, "..."], seen: Bool[Array, "..."], *, among: Any = None) -> Float[Array, ""]:
    """Return half the sum of squares over what is seen, divided by the number of samples ``among`` which it is (or of those seen)."""
    count = jnp.sum(seen) if among is None else among
    return 0.5 * jnp.sum(jnp.where(seen, error, 0.0) ** 2) / jnp.maximum(count, 1)
