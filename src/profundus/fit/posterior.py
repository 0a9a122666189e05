"""How sure the data make us of the parameters: Laplace around the fit, and the spread between the members."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.fit.objective import Center, Objective
from profundus.model.inputs import Batch
from profundus.model.nmm import Member
from profundus.records import ParameterRow

Floats = NDArray[np.float64]


def parameter_rows(objective: Objective, members: Member, batch: Batch, centers: Center) -> tuple[ParameterRow, ...]:
    """Return the table of the person's parameters, muscle by muscle, and of the EMG gains.

    The posterior variance is that of the moment's linearization with the excitations held (Laplace) plus the variance between the
    members, whose deep excitations and EMG gains differ as the prior lets them.
    """
    prior = objective.prior
    personal = np.asarray(members.personal, dtype=float)
    values = np.stack([np.asarray(prior.values(jnp.asarray(p))) for p in personal])
    slope = np.asarray(jax.jacfwd(prior.values)(jnp.asarray(personal.mean(axis=0))), dtype=float)
    each = [jax.tree.map(lambda leaf, i=i: leaf[i], (members, centers)) for i in range(len(personal))]
    information = np.mean([_information(objective, member, batch, center) for member, center in each], axis=0)
    covariance = np.linalg.inv(np.asarray(information, dtype=float) + np.eye(personal.shape[1]))
    variance = np.einsum("ij,jk,ik->i", slope, covariance, slope) + values.var(axis=0, ddof=1)
    fenced = np.sqrt(np.einsum("ij,ij->i", slope, slope))
    columns = (
        prior.generic,
        values.mean(axis=0),
        prior.low,
        prior.high,
        np.sqrt(variance),
        np.maximum(prior.sd, fenced),
    )
    numbers = np.stack(columns, axis=1).tolist()
    rows = [ParameterRow(*name, *found) for name, found in zip(prior.names, numbers, strict=True)]
    rows += _gain_rows(objective, members, centers)
    muscles = list(dict.fromkeys(row.muscle for row in rows))
    return tuple(sorted(rows, key=lambda row: muscles.index(row.muscle)))


def _gain_rows(objective: Objective, members: Member, centers: Center) -> list[ParameterRow]:
    """Return the EMG gains (envelope over excitation) of the measured muscles, nuisances beside the 32; none in the paper's form."""
    if objective.settings.paper:
        return []
    prior = objective.gain
    gains = np.exp(np.asarray(jax.vmap(objective.log_gain)(members, centers), dtype=float))
    low, generic, high = np.exp(prior.mean + prior.sd * np.array([-3.0, 0.0, 3.0])).tolist()
    columns = [index for index, measured in enumerate(objective.layout.measured) if measured]
    return [
        ParameterRow(
            objective.layout.muscles[i], "emg_gain", "-", generic, float(gains[:, i].mean()), low, high,
            float(gains[:, i].std(ddof=1)) if prior.learned else generic * prior.sd, generic * prior.sd,
        )
        for i in columns
    ]  # fmt: skip


@eqx.filter_jit
def _information(
    objective: Objective, member: Member, batch: Batch, center: Center
) -> Float[Array, "parameter parameter"]:
    """Return what the moments of all trials say about the whitened parameters, in units of the prior's information."""
    weight = np.sqrt(objective.step / objective.settings.loss.moment_correlation_s)
    excitation = objective.respond(member, batch, center).excitation
    moment_sd, seen = objective.moment_weight(batch)

    def one(trial: tuple[Batch, Array, Array, Array]) -> Array:
        row, excited, sd, counts = trial

        def residual(personal: Array) -> Array:
            muscles = objective.muscles(excited, row, objective.prior.parameters(personal))
            return jnp.asarray(jnp.where(counts, muscles.joint_moment / sd, 0.0).ravel() * weight)

        jacobian = jax.jacfwd(residual)(member.personal)
        return jnp.asarray(jacobian.T @ jacobian)

    each: Float[Array, "trial parameter parameter"] = jax.lax.map(one, (batch, excitation, moment_sd, seen))
    return jnp.sum(each, axis=0)
