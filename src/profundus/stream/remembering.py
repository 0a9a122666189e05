"""A whole trial's channels as a stream would remember them: vectorized, sample after sample in order, gaps and all."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from profundus.stream.features import RESTART_S, memory_gains

Floats = NDArray[np.float64]
NEVER = np.iinfo(np.int32).max


def delayed(values: Floats, rows: int) -> Floats:
    """Return channels (time, channel) that come so many samples later; what came before is missing."""
    return np.concatenate([np.full((rows, values.shape[1]), np.nan), values])[: len(values)]


def remembered(values: Floats, memories_s: tuple[float, ...], step: float) -> tuple[Floats, NDArray[np.int64]]:
    """Return low-passed channels (memory, time, channel) and for how many samples each has been missing (time, channel).

    ``values`` (time, channel) has NaN where a sample is missing: memories hold, and start anew after more than a second.
    """
    out = np.zeros((len(memories_s), *values.shape))
    age = np.full(values.shape, NEVER, dtype=np.int64)
    gains = memory_gains(memories_s, step)
    for channel, series in enumerate(values.T):
        known = np.flatnonzero(np.isfinite(series))
        if not len(known):
            continue
        last = np.searchsorted(known, np.arange(len(series)), side="right") - 1  # the newest sample that is known
        begun = last >= 0
        age[begun, channel] = np.flatnonzero(begun) - known[last[begun]]
        for memory, gain in enumerate(gains):
            out[memory, begun, channel] = _followed(series[known], known, float(gain), step)[last[begun]]
    return out, age


def _followed(samples: Floats, rows: NDArray[np.intp], gain: float, step: float) -> Floats:
    """Return samples after a one-pole low-pass that starts at the first of them, and again after every long gap."""
    starts = [0, *(np.flatnonzero((np.diff(rows) - 1) * step > RESTART_S + 1e-9) + 1), len(samples)]
    parts = [samples[start:stop] for start, stop in pairwise(starts)]
    return np.concatenate([lfilter([gain], [1.0, gain - 1.0], p, zi=(1.0 - gain) * p[:1])[0] for p in parts])
