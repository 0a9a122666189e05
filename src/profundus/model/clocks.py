"""The clock on which a learned prior sees trials: slower than they were recorded, in windows of one length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from profundus.records import Trial

Floats = NDArray[np.float64]
INSET_S = 0.2  # at either end, where filters know one side only
LATE_S = 0.09  # moments and muscles' capacities are those of so long after the EMG: delay and rise of force
TRUTH_HZ = 6.0
FLOOR = 0.002  # fraction of maximum, keeps logarithms finite


class Clock(NamedTuple):
    """``hz`` of the samples, ``samples`` of a window, ``overlap`` that neighboring windows of a long trial share, and the low-passes of
    what is seen fast and slow [Hz]."""

    hz: float
    samples: int
    overlap: int
    fast_hz: float
    slow_hz: float


SLOW = Clock(hz=10.0, samples=76, overlap=16, fast_hz=3.0, slow_hz=1.0)  # arms that lift: windows of 7.6 s
BRISK = Clock(hz=40.0, samples=96, overlap=24, fast_hz=6.0, slow_hz=1.5)  # legs that walk: windows of 2.4 s


class Place(NamedTuple):
    """Where windows of a trial lie: ``time`` [s] of every sample of the trial on the clock, ``starts`` the first sample of every window."""

    time: Floats
    starts: tuple[int, ...]


def placed(trial: Trial, clock: Clock) -> Place:
    """Return where the windows of a trial lie: at least one sample, in the middle of the shortest trials."""
    length = float(trial.time[-1] - trial.time[0])
    count = max(1, int(np.floor((length - 2 * INSET_S) * clock.hz + 1e-6)))
    first = trial.time[0] + 0.5 * (length - (count - 1) / clock.hz)
    pieces = max(1, int(np.ceil((count - clock.overlap) / (clock.samples - clock.overlap))))
    starts = np.round(np.linspace(0, max(count - clock.samples, 0), pieces)).astype(int)
    return Place(first + np.arange(count) / clock.hz, tuple(int(start) for start in starts))


def true_windows(trials: Sequence[Trial], clock: Clock) -> Floats:
    """Return the logarithm of the true excitations (window, sample, muscle) of trials, NaN where there is none."""
    found = []
    for trial in trials:
        place = placed(trial, clock)
        truth = np.log(np.maximum(at_times(trial, low_passed(trial, trial.truth, TRUTH_HZ), place.time), FLOOR))
        found.append(cut(truth, place, clock))
    return np.concatenate(found)


def spread_out(values: Floats, trial: Trial, clock: Clock, *, along: Floats | None = None) -> Floats:
    """Return values (window, sample, ...) of one trial's windows on the trial's own clock: where windows overlap, one fades into the other.

    Between samples, values are interpolated; before the first and after the last they stay as they are. With a course to go ``along``
    (time, ...), which is known on the trial's own clock, this holds for the distance to it.
    """
    place = placed(trial, clock)
    if along is not None:
        apart = values - cut(at_times(trial, along, place.time), place, clock)
        return along + spread_out(apart, trial, clock)
    count = len(place.time)
    total, weight = np.zeros((count, *values.shape[2:])), np.zeros(count)
    samples = clock.samples
    fade = np.minimum(np.arange(1, samples + 1), np.arange(samples, 0, -1)).clip(max=clock.overlap).astype(float)
    for window, start in zip(values, place.starts, strict=True):
        length = min(samples, count - start)
        share = fade[:length]
        weight[start : start + length] += share
        total[start : start + length] += share.reshape(-1, *[1] * (values.ndim - 2)) * window[:length]
    flat = (total / weight.reshape(-1, *[1] * (values.ndim - 2))).reshape(count, -1)
    columns = [np.interp(trial.time, place.time, column) for column in flat.T]
    return np.stack(columns, axis=1).reshape(len(trial.time), *values.shape[2:])


def seen_columns(trial: Trial, clock: Clock) -> dict[str, Floats]:
    """Return what is seen of envelopes and motion, on the trial's own clock, by name.

    ``fast`` and ``slow`` (time, muscle) are log envelopes below the clock's low-passes, ``motion`` (time, 3 x coordinate) angles [rad] and
    their two rates, ``later`` (time, 2 x coordinate) angles and velocities of 90 ms later.
    """
    envelope = _bridged_emg(trial)
    angle = low_passed(trial, trial.angle, clock.fast_hz)
    velocity = np.gradient(angle, trial.step, axis=0)
    acceleration = np.gradient(velocity, trial.step, axis=0)
    return {
        "fast": _log_below(trial, envelope, clock.fast_hz),
        "slow": _log_below(trial, envelope, clock.slow_hz),
        "motion": np.concatenate([angle, velocity, acceleration], axis=1),
        "later": late(trial, np.concatenate([angle, velocity], axis=1)),
    }


def heard_course(trial: Trial, weights: Floats, clock: Clock) -> Floats:
    """Return the ``fast`` course (time, muscle) of `seen_columns`, averaged for every muscle with ``weights`` (muscle, other)."""
    return _log_below(trial, _bridged_emg(trial), clock.fast_hz) @ weights.T


def padded(values: NDArray[Any], clock: Clock) -> NDArray[Any]:
    """Return values (sample, ...) followed by zeros (False) up to the length of a window."""
    return np.pad(values, [(0, clock.samples - len(values))] + [(0, 0)] * (values.ndim - 1))


def cut(values: NDArray[Any], place: Place, clock: Clock) -> NDArray[Any]:
    """Return values (sample, ...) of a trial as windows (window, sample, ...)."""
    return np.stack([padded(values[start : start + clock.samples], clock) for start in place.starts])


def low_passed(trial: Trial, values: Floats, cutoff_hz: float) -> Floats:
    """Return columns (time, column) after 2 poles, forward and backward."""
    sections = butter(2, min(cutoff_hz, 0.45 / trial.step), fs=1.0 / trial.step, output="sos")
    return np.asarray(sosfiltfilt(sections, values, axis=0, padlen=min(round(0.9 / trial.step), len(values) - 2)))


def _bridged_emg(trial: Trial) -> Floats:
    return bridged(trial.time, np.where(trial.emg_valid, trial.emg, np.nan))


def _log_below(trial: Trial, envelope: Floats, cutoff_hz: float) -> Floats:
    return np.asarray(np.log(np.maximum(low_passed(trial, envelope, cutoff_hz), FLOOR)))


def bridged(time: Floats, values: Floats) -> Floats:
    """Return columns whose gaps are bridged by straight lines; zeros where nothing is known."""
    out = np.zeros_like(values)
    for column, series in enumerate(values.T):
        known = np.isfinite(series)
        if known.any():
            out[:, column] = np.interp(time, time[known], series[known])
    return out


def at_times(trial: Trial, values: NDArray[Any], times: Floats) -> NDArray[Any]:
    """Return values (time, ...) at the samples nearest to ``times``."""
    index = np.round((times - trial.time[0]) / trial.step).astype(int)
    return np.asarray(values[index.clip(0, len(trial.time) - 1)])


def late(trial: Trial, values: NDArray[Any]) -> NDArray[Any]:
    """Return values (time, ...) as they are 90 ms later; at the end the last holds."""
    rows = round(LATE_S / trial.step)
    return np.concatenate([values[rows:], np.repeat(values[-1:], min(rows, len(values)), axis=0)])[: len(values)]
