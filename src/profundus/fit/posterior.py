"""How sure the data make us of the parameters: Laplace around the fit, and the spread between the members."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.fit.objective import WARM_UP_S, Objective
from profundus.model.inputs import Batch
from profundus.model.musculoskeletal import Geometry
from profundus.model.nmm import Member, excitations
from profundus.records import ParameterRow

Floats = NDArray[np.float64]


def parameter_rows(objective: Objective, members: Member, batch: Batch, anchors: Float[np.ndarray, "member trial time muscle"]) -> tuple[
    ParameterRow, ...
]:  # fmt: skip
    """Return the table of the person's parameters.

    The posterior variance is that of the moment's linearization with the excitations held (Laplace) plus the variance between the
    members, whose deep excitations differ as the prior lets them.
    """
    prior = objective.prior
    personal = np.asarray(members.personal, dtype=float)
    values = np.stack([np.asarray(prior.values(jnp.asarray(p))) for p in personal])
    slope = np.asarray(jax.jacfwd(prior.values)(jnp.asarray(personal.mean(axis=0))), dtype=float)
    information = np.mean(
        [
            _information(objective, jax.tree.map(lambda a, i=i: a[i], members), batch, anchors[i])
            for i in range(len(personal))
        ],
        axis=0,
    )
    covariance = np.linalg.inv(np.asarray(information, dtype=float) + np.eye(personal.shape[1]))
    variance = np.einsum("ij,jk,ik->i", slope, covariance, slope) + values.var(axis=0, ddof=1)
    fenced = np.sqrt(np.einsum("ij,ij->i", slope, slope))
    return tuple(
        ParameterRow(muscle, name, unit, generic, fitted, low, high, sd, wide)
        for (muscle, name, unit), generic, fitted, low, high, sd, wide in zip(
            prior.names, prior.generic.tolist(), values.mean(axis=0).tolist(), prior.low.tolist(), prior.high.tolist(),
            np.sqrt(variance).tolist(), np.maximum(prior.sd, fenced).tolist(), strict=True,
        )
    )  # fmt: skip


@eqx.filter_jit
def _information(
    objective: Objective, member: Member, batch: Batch, anchor: Float[Array, "trial time muscle"]
) -> Float[Array, "parameter parameter"]:
    """Return what the moments of all trials say about the whitened parameters, in units of the prior's information."""
    loss = objective.settings.loss
    settled = np.arange(batch.valid.shape[1]) * objective.step >= WARM_UP_S
    weight = np.sqrt(objective.step / loss.moment_correlation_s)

    def one(row: Batch, center: Array) -> Array:
        excitation, _ = excitations(
            member,
            objective.layout,
            objective.settings,
            features=row.features,
            neighbor=row.neighbor,
            anchor=center,
            valid=row.valid,
        )
        geometry = Geometry(row.path_length, row.path_velocity, row.moment_arm)
        moment_sd = jnp.hypot(loss.moment_sd, loss.moment_relative_sd * row.moment)
        seen = row.moment_valid & settled[:, None]

        def residual(personal: Array) -> Any:
            muscles = objective.model.respond(
                excitation, geometry, objective.prior.parameters(personal), muscle=objective.settings.muscle,
                smoothing=objective.settings.activation_smoothing, step=objective.step,
            )  # fmt: skip
            return jnp.where(seen, muscles.joint_moment / moment_sd, 0.0).ravel() * weight

        jacobian = jax.jacfwd(residual)(member.personal)
        return jnp.asarray(jacobian.T @ jacobian)

    return jnp.sum(jax.lax.map(lambda pair: one(*pair), (batch, anchor)), axis=0)
