"""Where the 32 parameters of a person are expected, how widely, and the fence around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.model.musculoskeletal import ActivationParameters, MuscleParameters, Parameters
from profundus.records import Anatomy

Floats = NDArray[np.float64]
COMMON_STRENGTH_SD = 0.33
OWN_STRENGTH_SD = 0.25
PENNATION_SD = 0.05
PENNATION_SD_AT_ZERO = 0.02
MUSCLE_FIELDS = (
    ("max_isometric_force", "N"),
    ("optimal_fiber_length", "m"),
    ("tendon_slack_length", "m"),
    ("pennation_at_optimal", "rad"),
    ("electromechanical_delay", "s"),
)
PERSON_FIELDS = (("shape_factor", "-"), ("time_constant", "s"))


@dataclass(frozen=True)
class ParameterPrior:
    """A normal prior inside a fence, over the parameters as one vector (parameter,), muscle by muscle within each quantity.

    ``center``, ``low`` and ``high`` in the parameters' units; ``mixing`` (parameter, parameter) turns independent unit normals into
    deviations from the center (a square root of the prior covariance): people are strong or weak in all muscles at once.
    """

    names: tuple[tuple[str, str, str], ...]
    generic: Floats
    center: Floats
    low: Floats
    high: Floats
    mixing: Floats

    @property
    def sd(self) -> Floats:
        """Return the prior standard deviation of each parameter (parameter,), in its unit."""
        return np.asarray(np.sqrt((self.mixing**2).sum(axis=1)))

    def values(self, personal: Float[Array, " parameter"]) -> Float[Array, " parameter"]:
        """Return parameter values from unit normals. Near the center one unit is one prior sd; the fence is never crossed."""
        share = (self.center - self.low) / (self.high - self.low)
        start = np.log(share) - np.log1p(-share)
        slope = 1.0 / ((self.high - self.low) * share * (1.0 - share))
        moved = start + slope * (jnp.asarray(self.mixing, personal.dtype) @ personal)
        low = jnp.asarray(self.low, personal.dtype)
        return low + jnp.asarray(self.high - self.low, personal.dtype) * jax.nn.sigmoid(moved)

    def parameters(self, personal: Float[Array, " parameter"]) -> Parameters:
        """Return the parameters of muscles and person from unit normals (parameter,)."""
        value = self.values(personal)
        muscles = (len(value) - len(PERSON_FIELDS)) // len(MUSCLE_FIELDS)
        columns = {name: value[i * muscles : (i + 1) * muscles] for i, (name, _) in enumerate(MUSCLE_FIELDS)}
        person = {name: value[len(MUSCLE_FIELDS) * muscles + i] for i, (name, _) in enumerate(PERSON_FIELDS)}
        return Parameters(muscles=MuscleParameters(**columns), activation=ActivationParameters(**person))


def parameter_prior(anatomy: Anatomy, *, delay_prior: tuple[float, float] = (0.06, 0.02)) -> ParameterPrior:
    """Return the prior of a person's parameters around a generic anatomy.

    Fences: maximal force x 0.5 to 2.5 and lengths x 0.85 to 1.15 (CEINMS, Pizzolato et al. 2015), delay 0 to 125 ms (NMSM Pipeline),
    time constant 7.5 to 35 ms, shape factor -3 to 0 (Lloyd and Besier 2003), pennation 0 to 0.35 rad (two prior sd above that of a steeper
    muscle). A muscle without pennation has its center at 0.01 rad, where the fence still has a slope, and its fence at 0.1 rad.
    ``delay_prior`` is (mean, sd) [s].
    """
    force, fiber, slack = anatomy.max_isometric_force, anatomy.optimal_fiber_length, anatomy.tendon_slack_length
    pennation = anatomy.pennation_at_optimal
    n = len(anatomy.muscles)
    flat = pennation <= 0
    steepest = np.maximum(0.35, pennation + 2.0 * PENNATION_SD)
    delay, delay_sd = delay_prior
    if not 0.0 < delay < 0.125 or delay_sd <= 0.0:
        what = f"the prior of the electromechanical delay is {1000 * delay:g} ms with a standard deviation of {1000 * delay_sd:g} ms"
        raise InputError(
            Problem("error", what, expected="a mean between 0 and 125 ms", remedy="Correct emg.delay_prior_ms")
        )
    generic = np.concatenate([force, fiber, slack, pennation, np.full(n, delay), [-0.5, 0.015]])
    center = np.concatenate([force, fiber, slack, np.where(flat, 0.01, pennation), np.full(n, delay), [-0.5, 0.015]])
    low = np.concatenate([0.5 * force, 0.85 * fiber, 0.85 * slack, np.zeros(n), np.zeros(n), [-3.0, 0.0075]])
    high = np.concatenate(
        [2.5 * force, 1.15 * fiber, 1.15 * slack, np.where(flat, 0.1, steepest), np.full(n, 0.125), [-1e-3, 0.035]]
    )
    sd = np.concatenate(
        [
            force,
            0.06 * fiber,
            0.027 * slack,
            np.where(flat, PENNATION_SD_AT_ZERO, PENNATION_SD),
            np.full(n, delay_sd),
            [0.4, 0.005],
        ]
    )
    mixing = np.diag(sd)
    strength = COMMON_STRENGTH_SD**2 * np.ones((n, n)) + OWN_STRENGTH_SD**2 * np.eye(n)
    mixing[:n, :n] = force[:, None] * np.linalg.cholesky(strength)
    names = tuple((muscle, name, unit) for name, unit in MUSCLE_FIELDS for muscle in anatomy.muscles)
    names += tuple(("", name, unit) for name, unit in PERSON_FIELDS)
    return ParameterPrior(names, generic, center, low, high, mixing)


class GainPrior(NamedTuple):
    """Mean and standard deviation of the log EMG gain (envelope over excitation), and whether the data may move it."""

    mean: float
    sd: float
    learned: bool


def gain_prior(normalization: str) -> GainPrior:
    """Return what a normalization leaves open of the EMG gain.

    A maximal contraction reaches 80 to 110 % of the maximum. The data may not move that, because a moment that a slightly wrong muscle
    model explains would pull the envelopes off their scale. A session's maximum says only that it was less, and no normalization says
    nothing: there the sd spans a factor of about 2 and 3, and strength and gain are found together.
    """
    return {
        "mvc": GainPrior(0.0, 0.08, learned=False),
        "session_max": GainPrior(float(np.log(2.0)), 0.6, learned=True),
        "none": GainPrior(0.0, 1.0, learned=True),
    }[normalization]
