"""The cost of a person's parameters in plain NumPy: what a laboratory would write; time runs in a Python loop."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DEACTIVATION_RATIO, MAXIMAL_SPEED, SHORTEST = 4.0, 10.0, 0.01
CURVATURE, LENGTHENING_FORCE, LAST_CURVED, REST, LEAST_ACTIVE = 0.3, 1.8, 0.95, 1e-4, 0.01


class Trials(NamedTuple):
    """Trials of one person (trial, time, ...), with what the muscle model has to know."""

    excitation: Floats
    path_length: Floats
    path_velocity: Floats
    moment_arm: Floats
    moment: Floats
    weight: Floats


class Prior(NamedTuple):
    """What turns unit normals into parameters inside their fence."""

    center: Floats
    low: Floats
    high: Floats
    mixing: Floats


def cost(
    unknown: Floats, trials: Trials, prior: Prior, *, step: float, smoothing: float, passive_strain: float
) -> float:
    """Return half the sum of squares of moment errors [sd] and unit normals."""
    value = values(unknown, prior)
    muscles = trials.excitation.shape[-1]
    force, optimal, slack, pennation, delay = value[: 5 * muscles].reshape(5, muscles)
    shape_factor, time_constant = value[5 * muscles :]
    late = delayed(np.clip(trials.excitation, 0.0, 1.0), delay, step)
    bent = np.expm1(shape_factor * late) / np.expm1(shape_factor)
    active = activation(bent, step, time_constant, DEACTIVATION_RATIO * time_constant, smoothing)
    along = trials.path_length - slack
    none = along <= SHORTEST * optimal
    along = np.where(none, SHORTEST * optimal, along)
    length = np.sqrt(along**2 + (optimal * np.sin(pennation)) ** 2)
    cosine = along / length
    pull = fiber_force(
        active, length / optimal, trials.path_velocity * cosine / (MAXIMAL_SPEED * optimal), passive_strain
    )
    tendon = np.where(none, 0.0, force * pull * cosine)
    error = (np.einsum("rscm,rsm->rsc", trials.moment_arm, tendon) - trials.moment) * trials.weight
    return float(0.5 * (np.sum(error**2) + np.sum(unknown**2)))


def values(unknown: Floats, prior: Prior) -> Floats:
    """Return the parameters (parameter,) of unit normals."""
    width = prior.high - prior.low
    share = (prior.center - prior.low) / width
    moved = np.log(share) - np.log1p(-share) + prior.mixing @ unknown / (width * share * (1.0 - share))
    return np.asarray(prior.low + width / (1.0 + np.exp(-moved)))


def delayed(excitation: Floats, delay: Floats, step: float) -> Floats:
    """Return the excitation (trial, time, muscle) as it was a ``delay`` (muscle,) [s] earlier."""
    at = np.arange(excitation.shape[1]) * step
    out = np.empty_like(excitation)
    for trial in range(len(excitation)):
        for muscle, late in enumerate(delay):
            out[trial, :, muscle] = np.interp(at - late, at, excitation[trial, :, muscle])
    return out


def activation(excitation: Floats, step: float, rising: float, falling: float, smoothing: float) -> Floats:
    """Return activation (trial, time, muscle): exponential midpoint steps, one a sample."""

    def rate(active: Floats, excited: Floats) -> Floats:
        up = 1.0 / (1.0 + np.exp(-2.0 * smoothing * (excited - active)))
        ease = 0.5 + 1.5 * active
        return up / (rising * ease) + (1.0 - up) * ease / falling

    def followed(frozen: Floats, active: Floats, start: Floats, rise: Floats, share: float) -> Floats:
        exponent = frozen * (share * step)
        gone = 1.0 - np.exp(-exponent)
        return active + (start - active) * gone + share * rise * (1.0 - gone / exponent)

    out = np.empty_like(excitation)
    out[:, 0] = excitation[:, 0]
    for now in range(excitation.shape[1] - 1):
        active, start = out[:, now], excitation[:, now]
        rise = excitation[:, now + 1] - start
        middle = followed(rate(active, start), active, start, rise, 0.5)
        out[:, now + 1] = followed(rate(middle, start + 0.5 * rise), active, start, rise, 1.0)
    return out


def fiber_force(active: Floats, length: Floats, velocity: Floats, passive_strain: float) -> Floats:
    """Return the force along the fiber [-] of Thelen's muscle (2003)."""
    active = np.maximum(active, LEAST_ACTIVE)
    speed = velocity / (0.25 + 0.75 * active)
    smooth = np.hypot(speed, REST)
    slower, faster = 0.5 * (speed - smooth + REST), 0.5 * (speed + smooth - REST)
    held = np.maximum(slower, -1.0)
    below = 1.0 - held / CURVATURE
    shortening = (1.0 + held) / below + (1.0 + 1.0 / CURVATURE) / below**2 * (slower - held)
    steepness = (2.0 + 2.0 / CURVATURE) / (LENGTHENING_FORCE - 1.0)
    last = LAST_CURVED * LENGTHENING_FORCE
    held = np.minimum(faster, (last - 1.0) / (steepness * (LENGTHENING_FORCE - last)))
    below = 1.0 + steepness * held
    lengthening = (1.0 + steepness * LENGTHENING_FORCE * held) / below
    lengthening += steepness * (LENGTHENING_FORCE - 1.0) / below**2 * (faster - held)
    stretch, beyond = np.clip(length, 1.0, 1.8) - 1.0, np.maximum(length - 1.8, 0.0)
    stiffness = 4.0 / passive_strain
    passive = (np.exp(stiffness * stretch) * (1.0 + stiffness * beyond) - 1.0) / np.expm1(4.0)
    return np.asarray(active * np.exp(-((length - 1.0) ** 2) / 0.5) * (shortening + lengthening - 1.0) + passive)
