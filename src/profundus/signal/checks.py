"""What can be wrong with one EMG channel: each check is a number, a threshold and what lies beyond it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import welch

from profundus.signal.filters import stretches

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Check:
    """A measure of a channel's finite samples (row,) and rate [Hz]; beyond ``threshold`` it is the ``verdict``, and ``means`` says what."""

    name: str
    measure: Callable[[Floats, float], float]
    threshold: float
    verdict: Literal["note", "warning"]
    means: str


def longest_flat(values: Floats, rate_hz: float) -> float:
    """Return how long the value stays the same at most [s]."""
    return max((part.stop - part.start + 1 for part in stretches(np.diff(values) == 0)), default=1) / rate_hz


def clipped_share(values: Floats, _: float) -> float:
    """Return the share of samples [-] that sit at the largest or smallest value together with a neighbor."""
    if np.ptp(values) == 0:
        return 0.0
    shares = []
    for extreme in (values.min(), values.max()):
        runs = [part.stop - part.start for part in stretches(values == extreme)]
        shares.append(sum(length for length in runs if length > 1))
    return float(sum(shares)) / len(values)


def hum_share(values: Floats, rate_hz: float) -> float:
    """Return the share of power [-] in narrow lines at 50 or 60 Hz and two harmonics, above the level of their neighborhood.

    Whichever mains frequency has more. Lines are 3 Hz wide; the neighborhood is 3 to 12 Hz off, its level the median of the periodogram.
    """
    frequency, power = _spectrum(values, rate_hz)
    shares = []
    for mains in (50.0, 60.0):
        excess = 0.0
        for harmonic in (1, 2, 3):
            off = np.abs(frequency - harmonic * mains)
            line, around = power[off <= 1.5], power[(off > 3) & (off <= 12)]
            if len(line) and len(around):
                excess += max(0.0, float(line.sum() - len(line) * 1.5 * np.median(around)))
        shares.append(excess)
    return max(shares) / max(float(power.sum()), 1e-300)


def low_share(values: Floats, rate_hz: float) -> float:
    """Return the share of power [-] below 20 Hz, where movement of electrode and cable is and little of a muscle's EMG."""
    frequency, power = _spectrum(values, rate_hz)
    return float(power[frequency < 20].sum()) / max(float(power.sum()), 1e-300)


def offset_ratio(values: Floats, _: float) -> float:
    """Return the mean as a fraction of the standard deviation [-]; infinite for a constant that is not zero."""
    spread, mean = float(np.std(values)), abs(float(np.mean(values)))
    return mean / spread if spread > 0 else (np.inf if mean > 0 else 0.0)


def floor_to_peak(values: Floats, _: float) -> float:
    """Return the 5th percentile as a fraction of the 95th [-]: white noise alone gives 0.74 to 0.78."""
    low, high = np.percentile(values, [5, 95])
    return float(low / high) if high > 0 else 1.0


def share_above_one(values: Floats, _: float) -> float:
    """Return the share of samples [-] above 1."""
    return float(np.mean(values > 1))


def depth_below_zero(values: Floats, _: float) -> float:
    """Return how far the envelope falls below zero [-], as a fraction of the 95th percentile of its size."""
    depth, size = max(0.0, -float(values.min())), float(np.percentile(np.abs(values), 95))
    return depth / size if size > 0 else (np.inf if depth > 0 else 0.0)


def _spectrum(values: Floats, rate_hz: float) -> tuple[Floats, Floats]:
    rows = min(len(values), round(rate_hz))  # 1 Hz apart, where there is a second of data
    return welch(values - values.mean(), rate_hz, nperseg=rows)  # type: ignore[no-any-return]


RAW = (
    Check(
        "flat",
        longest_flat,
        0.1,
        "warning",
        "the value does not change for longer than 0.1 s: electrode off or channel dead",
    ),
    Check("clipping", clipped_share, 0.001, "warning", "samples sit at the end of the amplifier's range"),
    Check("hum", hum_share, 0.05, "warning", "mains hum; set emg.notch_hz if it bothers"),
    Check("movement artefact", low_share, 0.1, "warning", "power below 20 Hz: electrode or cable moved"),
    Check("offset", offset_ratio, 0.1, "note", "the mean is not zero (the band-pass removes it)"),
)
ENVELOPE = (
    Check("flat", longest_flat, 0.5, "warning", "the envelope does not change for longer than 0.5 s"),
    Check("below zero", depth_below_zero, 0.2, "warning", 'the envelope is negative: raw EMG? set emg.kind = "raw"'),
)
FRACTION = (
    Check(
        "no modulation", floor_to_peak, 0.72, "warning", "the envelope hardly changes: noise, or a muscle held steady"
    ),
    Check("above one", share_above_one, 0.0, "warning", "the envelope exceeds the maximum it was divided by"),
)
