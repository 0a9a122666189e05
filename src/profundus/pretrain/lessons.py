"""What a network is asked about virtual people, and how wrong it was: all muscles that it may not see, in levels and in courses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from numpy.typing import NDArray

from profundus.model.clues import COMMON_SCALE, MIDDLE_RAD, OWN_SCALE
from profundus.model.limb_windows import LimbWindows
from profundus.model.views import AnyWindows, clues_of
from profundus.model.windows import Windows
from profundus.network.person import PersonTransformer, Scale, Told
from profundus.records import View

NOISE_FLOOR = 0.1  # of the reference: smaller errors are luck
LEVEL_SHARE = COURSE_SHARE = 0.1  # of the likelihood of the errors, beside their size
SHARES: Mapping[
    View, tuple[float, float]
] = {  # lessons with the recipe's electrodes, and with one of them less; the rest: any
    "hinge": (0.55, 0.27),
    "limb": (0.3, 0.5),  # of many electrodes each is missing rarely enough
}
HIDDEN: Mapping[View, float] = {"hinge": 1.0, "limb": 5.0}  # weight of a usual electrode's muscle where it is missing
NONE, BLIND = 0.04, 0.5  # lessons without electrodes, and those of them without moments: what motion alone tells
ANY_SEEN = 0.6
NO_MOMENT, NO_LOAD, SHORT = 0.08, 0.08, 0.15
SCALE_SDS = (0.6, 1.0)  # of log gains, without maximal contractions
UNSURE_SCALE_SD = 0.3  # beyond which nobody can be asked for levels
SHORTEST = 12  # samples
MOST_ERROR = 1.5  # of the sizes that follow; uniform from none
MOMENT_FACTOR_SD = 0.08  # log factor of the moment
MOMENT_BEND_SD = 0.01  # 1/(N.m), of the moment times its size
MOMENT_SD = (0.5, 0.4, 0.4, 0.25)  # N.m per 1, angle, velocity, load x sin(angle)


class Lesson(NamedTuple):
    """One person: his windows, the log of the truth (window, sample, muscle), and which muscles have electrodes (window, muscle)."""

    windows: AnyWindows
    truth: Float[np.ndarray, "window sample muscle"]
    seen: Bool[np.ndarray, "window muscle"]


class Wrong(NamedTuple):
    """Errors of one person, (muscle,): root mean square over that of the reference, log of the factor between estimate and truth, and the
    negative log likelihoods of that factor and of the course; zero where a muscle had an electrode."""

    size: Float[Array, " muscle"]
    level: Float[Array, " muscle"]
    level_surprise: Float[Array, " muscle"]
    course_surprise: Float[Array, " muscle"]


def answer(
    network: PersonTransformer,
    scale: Scale,
    windows: AnyWindows,
    seen: Bool[Array | np.ndarray, "window muscle"],
    together: NDArray[np.float64],
) -> tuple[Told, Float[Array, "window sample muscle"]]:
    """Return what the network says of a person, and the reference that its ratios are relative to."""
    clues = clues_of(windows, seen, together)
    return network(clues.each, clues.person, jnp.asarray(windows.valid), scale), clues.reference


def wrong_by(told: Told, reference: Array, lesson: Lesson) -> Wrong:
    """Return the errors of an answer.

    The size is relative to the reference, which is known: relative to the truth it would pay to answer too little. In a limb whose
    envelopes have no common scale it is what one factor a muscle leaves, relative to the truth.
    """
    asked = (
        jnp.asarray(~lesson.seen, reference.dtype)[:, None, :]
        * jnp.asarray(lesson.windows.valid, reference.dtype)[..., None]
    )
    count = jnp.maximum(jnp.sum(asked, axis=(0, 1)), 1.0)

    def mean(values: Array) -> Array:
        return jnp.sum(asked * values, axis=(0, 1)) / count

    true, estimate, usual = jnp.exp(lesson.truth), jnp.exp(reference + told.ratio), jnp.exp(reference)
    level = jnp.log((mean(true * estimate) + 1e-12) / (mean(estimate**2) + 1e-12))
    size = jnp.sqrt(mean((estimate - true) ** 2) + 1e-8) / jnp.sqrt(mean(usual**2) + 1e-8)
    if isinstance(lesson.windows, LimbWindows):
        scaled = jnp.sqrt(mean((jnp.exp(level) * estimate - true) ** 2) + 1e-8) / jnp.sqrt(mean(true**2) + 1e-8)
        size = jnp.where(jnp.asarray(lesson.windows.scale_sd)[0] > UNSURE_SCALE_SD, scaled, size)
    held_level = jax.lax.stop_gradient(level)
    course = jax.lax.stop_gradient(jnp.asarray(lesson.truth) - reference - told.ratio) - held_level
    level_surprise = 0.5 * (held_level * jnp.exp(-told.level_log_sd)) ** 2 + told.level_log_sd
    course_surprise = mean(0.5 * (course * jnp.exp(-told.log_sd)) ** 2 + told.log_sd)
    some = jnp.any(asked > 0, axis=(0, 1))
    return Wrong(*(jnp.where(some, values, 0.0) for values in (size, level, level_surprise, course_surprise)))


def loss(
    network: PersonTransformer,
    scale: Scale,
    lesson: Lesson,
    together: NDArray[np.float64],
    weight: Float[np.ndarray, " muscle"],
) -> Float[Array, ""]:
    """Return the mean over the muscles that had no electrode, each with its ``weight``.

    Sizes count by their logarithm: methods are compared by ratios, and people who are easy teach as much as people who are hard.
    """
    told, reference = answer(network, scale, lesson.windows, lesson.seen, together)
    wrong = wrong_by(told, reference, lesson)
    asked = jnp.any(~lesson.seen & jnp.any(lesson.windows.valid, axis=1)[:, None], axis=0)
    each = jnp.log(wrong.size + NOISE_FLOOR) + LEVEL_SHARE * wrong.level_surprise + COURSE_SHARE * wrong.course_surprise
    return jnp.sum(jnp.where(asked, weight * each, 0.0)) / jnp.maximum(jnp.sum(asked * weight), 1.0)


def electrodes(chance: np.random.Generator, usual: NDArray[np.bool_], view: View = "hinge") -> NDArray[np.bool_]:
    """Return which muscles (muscle,) have an electrode in a lesson.

    Mostly the usual ones, often one less, sometimes any; rarely none, never all.
    """
    if chance.uniform() < NONE:
        return np.zeros_like(usual)
    coin, seen = chance.uniform(), usual.copy()
    all_there, one_less = SHARES[view]
    if coin >= all_there:
        if coin < all_there + one_less:
            seen[chance.choice(np.flatnonzero(usual))] = False
        else:
            seen = chance.uniform(size=len(usual)) < ANY_SEEN
    if seen.all():
        seen[chance.integers(len(seen))] = False
    return seen


def disturbed(windows: AnyWindows, chance: np.random.Generator, *, seen: bool = True, no_mvc: float = 0.12) -> Any:
    """Return a person's windows as some laboratories have them: without moments, loads or maximal contractions, some of them short.

    Where no electrode is ``seen``, moments are missing in half of the laboratories; ``no_mvc`` is the share without maximal contractions.
    """
    load, valid = windows.load, windows.valid
    fast, slow, scale_sd = windows.fast, windows.slow, windows.scale_sd
    if chance.uniform() < no_mvc:
        sd = float(chance.choice(SCALE_SDS))
        off = sd * (COMMON_SCALE * chance.normal() + OWN_SCALE * chance.normal(size=fast.shape[-1]))
        fast, slow = (np.asarray(level + off, dtype=level.dtype) for level in (fast, slow))
        scale_sd = np.full_like(scale_sd, sd)
    if isinstance(windows, Windows):
        windows = windows._replace(moment=_misjudged(windows, chance))
    if chance.uniform() < (NO_MOMENT if seen else BLIND):
        windows = windows.silent()
    if chance.uniform() < NO_LOAD:
        load = np.full_like(load, np.nan)
    samples = valid.shape[1]
    lengths = np.where(chance.uniform(size=len(valid)) < SHORT, chance.integers(SHORTEST, samples, len(valid)), samples)
    changed: Any = windows._replace(fast=fast, slow=slow, load=load, scale_sd=scale_sd)
    return changed._replace(valid=valid & (np.arange(samples) < lengths[:, None]))


def _misjudged(windows: Windows, chance: np.random.Generator) -> NDArray[Any]:
    """Return the moment (window, sample) with an error that all of the person's trials share: smooth in moment, angle, velocity and load.

    No person has the muscles of a simulator: a network that trusts the moment as far as simulated people deserve it is misled by others.
    """
    size = chance.uniform(0.0, MOST_ERROR)
    factor, bend = np.exp(size * MOMENT_FACTOR_SD * chance.normal()), size * MOMENT_BEND_SD * chance.normal()
    angle, velocity = windows.motion[..., 0], windows.motion[..., 1]
    load = np.nan_to_num(windows.load)[:, None]
    basis = (np.ones_like(angle), angle - MIDDLE_RAD, velocity / 2.0, load * np.sin(angle))
    other = sum(size * sd * chance.normal() * values for sd, values in zip(MOMENT_SD, basis, strict=True))
    moment = windows.moment
    return np.asarray(moment * (factor + bend * np.abs(moment)) + other, dtype=moment.dtype)
