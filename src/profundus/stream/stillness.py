"""Electrodes that have fallen silent: a signal that does not move at all, or an envelope that stays at zero, is no muscle's."""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STILL_S = 1.0  # no electrode is exactly constant, and no envelope at or below 0, for so long


class Stillness:
    """Takes out channels that have been still for a second: exactly constant, or at or below ``floor``. A missing sample begins anew.

    ``floor`` is 0 for envelopes; raw EMG has none. Any cutting of the samples into chunks gives the same.
    """

    def __init__(self, channels: int, *, rate_hz: float, floor: float = -inf) -> None:
        self._longest, self._floor = max(round(STILL_S * rate_hz), 1), floor
        self._run = np.zeros(channels, dtype=np.int64)
        self._last = np.full(channels, np.nan)

    def start_anew(self) -> None:
        """Forget what came before."""
        self._run[:], self._last[:] = 0, np.nan

    def moving(self, values: Floats) -> Floats:
        """Return samples (sample, channel) with NaN where the channel has been still for a second."""
        if not len(values):
            return values
        before = np.concatenate([self._last[None], values[:-1]])
        still = (values == before) | (values <= self._floor)
        self._last = values[-1].copy()
        if not still.any():
            self._run[:] = 0
            return values
        row = np.arange(1, len(values) + 1)[:, None]
        moved = np.maximum.accumulate(np.where(still, 0, row), axis=0)  # the last row that was not still; 0: none here
        run = np.where(moved > 0, row - moved, row + self._run)
        self._run = run[-1].copy()
        return np.where(run >= self._longest, np.nan, values)
