"""Whether a person is like those that a prior was taught on: marks against what they had, and flags that say so in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from profundus.model.balance import EFFORTS, Balance
from profundus.model.context import Context
from profundus.model.habits import habit_names
from profundus.model.prior import DeepPrior
from profundus.model.strange_words import WORDS
from profundus.model.strangeness import DIRECT, ELECTRODE, LEAD, WINDOWS, complete, marks, with_moments
from profundus.model.windows import Windows
from profundus.records import Flag

Floats = NDArray[np.float64]
Reference = Mapping[str, NDArray[Any]]
PREFIX = "outside_"
PROBABILITIES = (0.0005, 0.005, 0.05, 0.5, 0.95, 0.995, 0.9995)
BEYOND = 0.6  # decades of chance beyond the quantiles 0.005 and 0.995: one person in thirty raises any flag
LOAD, ELECTRODE_GAIN, STRATEGY = "load", "electrode_gain", "strategy"
JUDGED = (*DIRECT, LOAD, ELECTRODE_GAIN, STRATEGY)


class Outside(NamedTuple):
    """A ``name`` of a flag without its prefix, ``why`` in a sentence, and how far beyond the bound, in widths of the range."""

    name: str
    why: str
    beyond: float


def features(muscles: int) -> tuple[str, ...]:
    """Return the names of the marks that mean something together, in the order of the reference's arrays."""
    return (*habit_names(muscles), *EFFORTS)


def outside(found: Mapping[str, float], reference: Reference) -> tuple[Outside, ...]:
    """Return what of a person's `marks` lies outside of what the people of a reference had, the most extreme first, each name once.

    With fewer windows than the reference knows, or without a reference, nothing can be told.
    """
    if not reference or found[WINDOWS] < 0.99 * reference["counts"][0]:
        return ()
    count, electrodes = places(found, reference)
    judged = dict(found) | together(found, reference, electrodes)
    strange = []
    for mark, words in WORDS.items():
        low, high = bounds(reference[mark][count, electrodes])
        value = judged[mark]
        off = max((low - value) * words.ends[0], (value - high) * words.ends[1])
        if off > 0:  # never where something is NaN
            beyond = off / max(high - low, 1e-6)
            strange.append(Outside(words.flag, words.sentence(value, low, high, lead=found[LEAD]), float(beyond)))
    first: dict[str, Outside] = {}
    for one in sorted(strange, key=lambda one: -one.beyond):
        first.setdefault(one.name, one)
    return tuple(first.values())


def flags(subject: str, prior: DeepPrior, context: Context) -> tuple[Flag, ...]:
    """Return a flag ``outside_...`` for each kind of strangeness of a person's windows; the most extreme first.

    ``electrode_swap`` and ``electrode_gain`` name the muscles that are suspected. None where the prior has no reference.
    """
    if not prior.strangeness or not isinstance(context.windows, Windows):
        return ()
    found = marks(context.windows, context.seen, prior.groups)
    suspects: dict[str, Sequence[int]] = {}
    strange = outside(found, prior.strangeness)
    if any(one.name == "electrode_swap" for one in strange):
        whole, electrodes = complete(context.windows, context.seen)
        suspects["electrode_swap"] = Balance(with_moments(whole), electrodes, prior.groups).exchanged()[1]
    if any(one.name == ELECTRODE_GAIN for one in strange):
        gains = electrode_gains(found, prior.strangeness, places(found, prior.strangeness)[1])
        suspects[ELECTRODE_GAIN] = [int(np.nanargmax(np.abs(gains)))]
    named = {name: ", ".join(prior.muscles[i] for i in muscles) for name, muscles in suspects.items()}
    return tuple(Flag(f"{PREFIX}{one.name}", subject, named.get(one.name, ""), one.why) for one in strange)


def places(found: Mapping[str, float], reference: Reference) -> tuple[int, int]:
    """Return where in a reference people with as many windows and the same electrodes are; the last electrodes are any."""
    count = int(np.flatnonzero(reference["counts"] <= max(found[WINDOWS] / 0.99, reference["counts"][0]))[-1])
    muscles = reference["electrodes"].shape[1]
    own = np.array([found[f"{ELECTRODE} {muscle}"] > 0 for muscle in range(muscles)])
    same = np.flatnonzero(np.all(reference["electrodes"] == own, axis=1))
    return count, int(same[0]) if len(same) and own.any() else len(reference["electrodes"]) - 1


def bounds(quantiles: Floats) -> tuple[float, float]:
    """Return the lowest and the highest value (of quantiles at `PROBABILITIES`) that raises nothing.

    Tails are drawn on as exponentials, which a decade of chance moves by as much as the last: the outermost people are too few to count.
    """
    lowest, low, high, highest = (float(quantiles[i]) for i in (1, 2, -3, -2))
    return lowest - BEYOND * (low - lowest), highest + BEYOND * (highest - high)


def together(found: Mapping[str, float], reference: Reference, electrodes: int) -> dict[str, float]:
    """Return the marks that need all features of a person together, ``load`` [kg], ``electrode_gain`` (log) and ``strategy``.

    The first two are by how much an input would have to be wrong to make this person of a usual one: generalized least squares along what
    that error does to the features, with the covariance that people have. The third is Mahalanobis' distance,
    as the standard normal deviate of its chi-square, so that people of whom fewer features are known compare.
    """
    off, precision, known = _whitened(found, reference, electrodes)
    nothing = float("nan")
    if not known.any():
        return {LOAD: nothing, ELECTRODE_GAIN: nothing, STRATEGY: nothing}
    way = reference["load_way"][electrodes][known]
    told = np.isfinite(found[EFFORTS[0]]) and np.any(way)
    gains = electrode_gains(found, reference, electrodes)
    return {
        LOAD: _along(way, off, precision) if told else nothing,
        ELECTRODE_GAIN: float(np.nanmax(np.abs(gains))) if np.isfinite(gains).any() else nothing,
        STRATEGY: _normal(float(off @ precision @ off), len(off)),
    }


def electrode_gains(found: Mapping[str, float], reference: Reference, electrodes: int) -> Floats:
    """Return by what factor (log) each electrode (muscle,) would be wrong if only it were; NaN where none is or its level means nothing."""
    off, precision, known = _whitened(found, reference, electrodes)
    ways = reference["gain_way"][electrodes]
    told = [np.isfinite(found[f"level {muscle}"]) for muscle in range(len(ways))]
    return np.array([_along(way[known], off, precision) if t else np.nan for way, t in zip(ways, told, strict=True)])


def _whitened(
    found: Mapping[str, float], reference: Reference, electrodes: int
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return the deviation of the known features from their mean, the inverse of their covariance, and which are known."""
    mean, covariance = reference["mean"][electrodes], reference["covariance"][electrodes]
    names = features(reference["electrodes"].shape[1])
    values = np.array([found[name] for name in names])
    known = np.isfinite(values) & np.isfinite(mean)
    return (values - mean)[known], np.linalg.inv(covariance[np.ix_(known, known)]), known


def _normal(chi_square: float, count: int) -> float:
    """Return the standard normal deviate of a chi-square with ``count`` degrees of freedom (Wilson and Hilferty 1931)."""
    spread = 2.0 / (9.0 * count)
    return float(((chi_square / count) ** (1.0 / 3.0) - (1.0 - spread)) / np.sqrt(spread))


def _along(way: Floats, off: Floats, precision: Floats) -> float:
    return float(way @ precision @ off / (way @ precision @ way + 1e-12))
