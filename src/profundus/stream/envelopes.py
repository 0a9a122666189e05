"""Raw EMG as it comes, to its envelope: the filters of the study, forward only, their state carried from sample to sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, iirnotch, sosfilt, tf2sos

from profundus.errors import InputError, Problem
from profundus.records import EmgSettings

Floats = NDArray[np.float64]
NOTCH_QUALITY = 30.0  # as in the filters that run forward and backward


def delay_s(settings: EmgSettings) -> float:
    """Return by how much a causal envelope comes later than one that ran forward and backward [s]; 0 for envelopes that came as such.

    The group delay of the two-pole low-pass at rest, sqrt(2) / (2 pi cut-off); the band-pass adds 3 ms at 80 Hz, which is left out.
    """
    return 0.0 if settings.kind == "envelope" else float(np.sqrt(2.0) / (2.0 * np.pi * settings.low_pass_hz))


class LiveEnvelope:
    """Band-pass, notch where the study has one, absolute value and low-pass, one pass each.

    A channel with a missing sample starts anew, and gives NaN for half a period of the low-pass, as it does at first: a filter that has
    just begun tells nothing. Any cutting of the samples into chunks gives the same envelope.
    """

    def __init__(self, settings: EmgSettings, *, rate_hz: float, channels: int) -> None:
        highest = max(settings.band_pass_hz[1], settings.notch_hz or 0.0)
        if not highest < rate_hz / 2:
            what = f"raw EMG at {rate_hz:g} Hz, and the study's filters reach {highest:g} Hz"
            raise InputError(Problem("error", what, expected=f"a rate above {2 * highest:g} Hz"))
        low_pass = butter(2, settings.low_pass_hz, fs=rate_hz, output="sos")
        before = [butter(2, settings.band_pass_hz, btype="bandpass", fs=rate_hz, output="sos")]
        if settings.notch_hz is not None:
            before.append(tf2sos(*iirnotch(settings.notch_hz, NOTCH_QUALITY, fs=rate_hz)))
        self._before, self._after = np.concatenate(before), low_pass
        self._settling = round(0.5 * rate_hz / settings.low_pass_hz)
        self._states = [self._empty() for _ in range(channels)]
        self._since = np.zeros(channels, dtype=np.int64)  # samples since a channel began

    def push(self, values: Floats) -> Floats:
        """Return the envelope (sample, channel) of raw samples (sample, channel), in their unit; NaN where there is none."""
        columns = [self._pushed(channel, series) for channel, series in enumerate(values.T)]
        return np.column_stack(columns) if columns else np.empty(values.shape)

    def _empty(self) -> list[Floats]:
        return [np.zeros((len(self._before), 2)), np.zeros((len(self._after), 2))]

    def _pushed(self, channel: int, series: Floats) -> Floats:
        out = np.full(len(series), np.nan)
        gaps = np.flatnonzero(~np.isfinite(series))
        start = 0
        for stop in (*gaps, len(series)):
            if stop > start:
                out[start:stop] = self._filtered(channel, series[start:stop])
            if stop < len(series):
                self._states[channel], self._since[channel] = self._empty(), 0
            start = stop + 1
        return out

    def _filtered(self, channel: int, series: Floats) -> Floats:
        state = self._states[channel]
        passed, state[0] = sosfilt(self._before, series, zi=state[0])
        smooth, state[1] = sosfilt(self._after, np.abs(passed), zi=state[1])
        count = self._since[channel] + np.arange(len(series))
        self._since[channel] += len(series)
        return np.where(count < self._settling, np.nan, np.maximum(smooth, 0.0))
