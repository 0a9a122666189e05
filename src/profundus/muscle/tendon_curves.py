"""How far a tendon stretches under a force, and how hard it pulls when stretched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

TOE_SHAPE, TOE_FORCE, TOE_STRAIN, STEEPNESS = 3.0, 0.33, 0.609, 1.712
OFFSET = 0.2  # c1 = c3 of De Groote's tendon; c2 is one
LAST_CURVED = 1.9  # strains at one; De Groote's tendon pulls 5.8 maximal isometric forces there


class TendonCurve(NamedTuple):
    """Tendon ``strain`` [-] of a force in maximum isometric forces, and its inverse, ``force``; both also take the strain at one."""

    strain: Callable[..., Any]
    force: Callable[..., Any]


def thelen_strain(
    norm_force: Float[Array, "*shape"], strain_at_one: float | Float[Array, " muscle"]
) -> Float[Array, "*shape"]:
    """Return tendon strain [-] at a force in maximal isometric forces: exponential toe, then a straight line (Thelen 2003, eq. 5)."""
    force = jnp.maximum(norm_force, 0.0)
    toe = jnp.minimum(force, TOE_FORCE)
    bent = TOE_STRAIN / TOE_SHAPE * jnp.log1p(toe * jnp.expm1(TOE_SHAPE) / TOE_FORCE)
    return strain_at_one * (bent + (force - toe) / STEEPNESS)


def thelen_force(
    strain: Float[Array, "*shape"], strain_at_one: float | Float[Array, " muscle"]
) -> Float[Array, "*shape"]:
    """Return tendon force in maximal isometric forces [-] at a strain (Thelen 2003, eq. 5); none when slack."""
    relative = jnp.maximum(strain / strain_at_one, 0.0)
    toe = jnp.minimum(relative, TOE_STRAIN)
    bent = TOE_FORCE / float(np.expm1(TOE_SHAPE)) * jnp.expm1(TOE_SHAPE * toe / TOE_STRAIN)
    return bent + STEEPNESS * (relative - toe)


def degroote_strain(
    norm_force: Float[Array, "*shape"], strain_at_one: float | Float[Array, " muscle"]
) -> Float[Array, "*shape"]:
    """Return tendon strain [-] at a force in maximal isometric forces (De Groote et al. 2016, supplement, with c2 = 1)."""
    return strain_at_one * jnp.log1p(jnp.maximum(norm_force, 0.0) / OFFSET) / jnp.log(1.0 + 1.0 / OFFSET)


def degroote_force(
    strain: Float[Array, "*shape"], strain_at_one: float | Float[Array, " muscle"]
) -> Float[Array, "*shape"]:
    """Return tendon force in maximal isometric forces [-] at a strain: c1 exp(kT strain) - c3 with c1 = c3 = 0.2; none when slack.

    De Groote et al. (2016), supplement, with c2 = 1 as in OpenSim's DeGrooteFregly2016Muscle. Departures: OpenSim's slack tendon pushes;
    above 1.9 strains at one the curve goes on as a straight line, so that 32-bit numbers do not overflow.
    """
    stiffness = float(np.log1p(1.0 / OFFSET))
    relative = jnp.maximum(strain / strain_at_one, 0.0)
    curved = jnp.minimum(relative, LAST_CURVED)
    rising = jnp.exp(stiffness * curved)
    return OFFSET * (rising - 1.0 + stiffness * rising * (relative - curved))


TENDON_CURVES: Mapping[str, TendonCurve] = {
    "degroote": TendonCurve(degroote_strain, degroote_force),
    "thelen": TendonCurve(thelen_strain, thelen_force),
}
