"""A person's causal student: linear in what the past shows, with its own error for every electrode that may come loose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profundus.stream.features import BRIDGED_S, sources

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
NINETY_PERCENT = 1.6448536269514722
LEAST = 1e-4  # fraction of maximum


@dataclass(frozen=True)
class Products:
    """All that a linear fit needs to know of samples, fold by fold: ``features`` (fold, feature + 1, feature + 1) are sums of products of
    standardized features and a constant, ``cross`` (fold, feature + 1, muscle) those with the targets, ``power`` (fold, muscle) sums of
    squared targets, ``count`` (fold,) samples."""

    features: Floats
    cross: Floats
    power: Floats
    count: Floats


@dataclass(frozen=True)
class Answering:
    """What to do with one sample's features while the same channels are there: the log excitation is ``features @ slope + rest``
    (muscle,), its standard deviation ``sd`` (muscle,); ``heard`` (muscle,) are those whose own envelope answers. ``holding`` (measured,
    muscle) is what the variance gains when an electrode's last value has stood in for the longest time allowed."""

    slope: Floats
    rest: Floats
    sd: Floats
    heard: Flags
    holding: Floats


@dataclass(frozen=True)
class Student:
    """What a finished run teaches about one person, to be applied to samples as they come.

    ``measured`` and ``coordinates`` are the channels, ``step`` [s] the clock. ``middle`` (coordinate,) [rad] is subtracted from angles;
    ``center`` and ``scale`` (feature,) standardize. ``target`` (muscle,) is subtracted from log excitations. ``penalty`` is that of the
    ridge, ``tail`` (muscle,) the 90 % quantile of its errors over that of a normal one, ``offline_sd`` (muscle,) the doubt of the answer
    that it learned from. ``offset`` (measured,) is log excitation minus log envelope, ``own_sd`` (measured,) what is left of that, and
    ``drift`` (measured,) the variance of an envelope's logarithm over the longest time for which its last value may stand in. ``low``
    and ``high`` (coordinate + 1,) are what was met while learning, the load last; NaN where that is unknown. ``quietest`` and ``loudest``
    (measured,) are the range of log envelopes that was met, remembered for 30 ms. ``late`` is by how many samples the envelopes of a stream
    come later than those of the run.
    """

    subject: str
    method: str
    muscles: tuple[str, ...]
    measured: tuple[str, ...]
    coordinates: tuple[str, ...]
    step: float
    middle: Floats
    center: Floats
    scale: Floats
    target: Floats
    products: Products
    penalty: float
    tail: Floats
    offline_sd: Floats
    offset: Floats
    own_sd: Floats
    drift: Floats
    low: Floats
    high: Floats
    quietest: Floats
    loudest: Floats
    late: int = 0

    @property
    def columns(self) -> list[int]:
        """Return where the measured muscles stand among all muscles."""
        return [self.muscles.index(muscle) for muscle in self.measured]

    @property
    def bridged(self) -> int:
        """Return for how many missing samples a channel's last value stands in."""
        return round(BRIDGED_S / self.step)

    def answering(self, lost: Flags) -> Answering:
        """Return how to answer without the ``lost`` channels (measured + coordinate + 1,), the last being the load.

        The ridge is solved anew on the features that are left, and its error found anew on the folds left out. A measured muscle is
        answered by its own envelope; where that is lost, by the others.
        """
        left = ~np.any(sources(len(self.measured), len(self.coordinates)) & lost, axis=1)
        slope, rest, variance = self._ridge(np.append(left, True))
        sd = np.hypot(self.tail * np.sqrt(variance), self.offline_sd)
        heard = np.zeros(len(self.muscles), dtype=bool)
        for number, muscle in enumerate(self.columns):
            if not lost[number]:
                heard[muscle] = True
                slope[:, muscle] = np.arange(len(slope)) == number
                rest[muscle], sd[muscle] = self.offset[number], np.hypot(self.own_sd[number], self.offline_sd[muscle])
        many = len(self.measured)
        holding = self.drift[:, None] * (slope[:many] - slope[many : 2 * many]) ** 2  # the slower memories move less
        return Answering(slope, rest, sd, heard, holding)

    def _ridge(self, left: Flags) -> tuple[Floats, Floats, Floats]:
        """Return slopes of raw features (feature, muscle), constants (muscle,) and the mean squared error on folds left out (muscle,)."""
        weights = ridge(self.products, self.penalty, left)
        slope = np.zeros((len(left), len(self.muscles)))
        slope[left] = weights
        raw = slope[:-1] / self.scale[:, None]
        return raw, slope[-1] + self.target - self.center @ raw, left_out_error(self.products, self.penalty, left)


def ridge(products: Products, penalty: float, left: Flags, *, without: int | None = None) -> Floats:
    """Return the weights (feature, muscle) of the features that are ``left``, of all folds or ``without`` one; the constant is free."""
    kept = np.arange(len(products.count)) != (-1 if without is None else without)
    count = products.count[kept].sum()
    whole = products.features[kept].sum(axis=0)[np.ix_(left, left)] / count
    stiff = np.full(len(whole), penalty)
    stiff[-1] = 1e-12
    return np.asarray(np.linalg.solve(whole + np.diag(stiff), products.cross[kept].sum(axis=0)[left] / count))


def left_out_error(products: Products, penalty: float, left: Flags) -> Floats:
    """Return the mean squared error (muscle,) on each fold of what the others taught, over all folds."""
    total = np.zeros(products.power.shape[1])
    for fold in range(len(products.count)):
        weights = ridge(products, penalty, left, without=fold)
        cross, own = products.cross[fold][left], products.features[fold][np.ix_(left, left)]
        total += products.power[fold] - 2 * np.sum(weights * cross, axis=0) + np.sum(weights * (own @ weights), axis=0)
    return np.asarray(np.maximum(total, 0.0) / products.count.sum())
