"""Strides of a periodic motion, found where a joint angle repeats itself, and what is the same in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from profundus.records import Trial

Floats = NDArray[np.float64]
FEWEST = 5  # strides of a trial that is called periodic
SHORTEST_S = 0.4
ALIKE = 0.8  # autocorrelation one period apart, at least
NEARLY = 0.9  # of the highest peak: the first peak as high as this is one period, later ones are several
SPREAD = 0.25  # of the median: a stride that lasts longer or shorter by more is left out
POINTS = 101  # 0 to 100 % of a stride


@dataclass(frozen=True)
class Strides:
    """The strides of one trial: ``begin`` and ``end`` (stride,) [s]; each goes from one extreme of the angle ``coordinate`` to the next."""

    coordinate: str
    begin: Floats
    end: Floats

    @property
    def duration(self) -> float:
        """Return the median duration of a stride [s]."""
        return float(np.median(self.end - self.begin))


def strides_of(trial: Trial) -> Strides | None:
    """Return the strides of a trial; None where no joint angle repeats itself at least `FEWEST` times.

    Of the angles whose autocorrelation one period apart is 0.8 or more, the one that moves most is taken. A stride begins at its extreme
    on the side that lies farther from its median (knee: the most flexed posture of the swing), because that peak is the sharpest.
    """
    found = [(float(np.ptp(angle)), place) for place, angle in enumerate(trial.angle.T) if _period(angle, trial.step)]
    if not found:
        return None
    place = max(found)[1]
    angle = trial.angle[:, place]
    peaks = _extremes(angle, round((_period(angle, trial.step) or 0.0) / trial.step))
    length = np.diff(peaks)
    usual = np.abs(length - np.median(length)) <= SPREAD * np.median(length) if len(length) else np.zeros(0, bool)
    if usual.sum() < FEWEST:
        return None
    return Strides(trial.coordinates[place], trial.time[peaks[:-1][usual]], trial.time[peaks[1:][usual]])


def by_stride(time: Floats, values: Floats, strides: Strides) -> Floats:
    """Return values (time, column) as (stride, percent, column): linear at 0 to 100 % of each stride, NaN beside what is unknown."""
    at = np.linspace(strides.begin, strides.end, POINTS, axis=1)
    columns = [np.interp(at, time, column) for column in values.T]
    return np.stack(columns, axis=-1) if columns else np.empty((*at.shape, 0))


def pooled_by_stride(trials: Sequence[tuple[Trial, Floats]]) -> tuple[Floats, str] | None:
    """Return values (time, column) of several trials as (stride, percent, column), and the angle that repeats itself.

    Trials whose strides follow another angle than the first's, or that have none, are left out; None where all are.
    """
    known = [(found, trial, values) for trial, values in trials if (found := strides_of(trial)) is not None]
    if not known:
        return None
    coordinate = known[0][0].coordinate
    parts = [by_stride(trial.time, values, found) for found, trial, values in known if found.coordinate == coordinate]
    return np.concatenate(parts), coordinate


def _period(angle: Floats, step: float) -> float | None:
    """Return the time after which an angle (time,) repeats itself [s], None where it does not."""
    centered = angle - angle.mean()
    size = len(angle)
    if size * step < FEWEST * SHORTEST_S or not np.ptp(angle) > 0.0:
        return None
    spectrum = np.abs(np.fft.rfft(centered, 2 * size)) ** 2
    alike = np.fft.irfft(spectrum)[: size // FEWEST] / np.arange(size, size - size // FEWEST, -1)
    alike /= alike[0]
    first = round(SHORTEST_S / step)
    peaks = find_peaks(alike[first:])[0] + first
    if not len(peaks) or alike[peaks].max() < ALIKE:
        return None
    return float(peaks[alike[peaks] >= NEARLY * alike[peaks].max()][0] * step)


def _extremes(angle: Floats, period: int) -> NDArray[np.intp]:
    """Return the samples of the sharper extremes of a periodic angle (time,)."""
    low, middle, high = angle.min(), np.median(angle), angle.max()
    side = 1.0 if high - middle >= middle - low else -1.0
    found, _ = find_peaks(side * angle, distance=max(1, round(0.6 * period)), prominence=0.5 * (high - low))
    return np.asarray(found, dtype=np.intp)
