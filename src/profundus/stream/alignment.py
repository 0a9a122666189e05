"""Samples of several devices, each at its own rate, put on one clock as they arrive."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import ceil, floor, nan

import numpy as np
from numpy.typing import NDArray

from profundus.stream.live import Frame

Floats = NDArray[np.float64]
PATIENCE_S = 0.1  # how long one device may be behind the other before its samples count as missing
SAME_S = 1e-6  # two times that differ by less are one
LONGEST_S = 0.03  # between two samples, or two and a half of the device's steps, where that is more: beyond is a gap


class Channels:
    """The samples of one device that are still needed; those that come out of order or twice are counted (``late``) and not used."""

    def __init__(self, count: int, *, rate_hz: float) -> None:
        self._gap = max(LONGEST_S, 2.5 / rate_hz) if rate_hz > 0 else LONGEST_S
        self._samples: deque[tuple[float, Floats]] = deque()
        self._unknown = np.full(count, np.nan)
        self.newest, self.first, self.late = -np.inf, nan, 0

    def push(self, times: Floats, values: Floats) -> None:
        """Take samples (sample, channel) with their times [s]."""
        for time, row in zip(times.tolist(), values, strict=True):
            if not time > self.newest:  # a time that is no number neither
                self.late += 1
                continue
            self.first = time if np.isnan(self.first) else self.first
            self.newest = time
            self._samples.append((time, row))

    def at(self, time: float) -> Floats:
        """Return the channels at a time, on a straight line between two samples; NaN in gaps. Times may only grow."""
        samples = self._samples
        while len(samples) > 1 and samples[1][0] <= time + SAME_S:
            samples.popleft()
        if not samples or samples[0][0] > time + SAME_S:
            return self._unknown
        before, here = samples[0]
        if time - before <= SAME_S:
            return here
        if len(samples) < 2 or samples[1][0] - before > self._gap:
            return self._unknown
        after, there = samples[1]
        return np.asarray(here + (there - here) * ((time - before) / (after - before)))

    def next_after(self, time: float) -> float:
        """Return when the next sample after a time is, as far as has arrived; infinity where nothing has."""
        return next((there for there, _ in self._samples if there > time + SAME_S), np.inf)


class Alignment:
    """Puts EMG and angles on multiples of ``step`` [s].

    A frame is made as soon as both devices have a sample at its time or later, or one of them has been silent for 0.1 s of the other's
    time: then its channels are NaN. Stretches in which nothing came at all make no frames. The first is when both have begun. How the
    samples are cut into chunks makes no difference as long as no device is later than that.
    """

    def __init__(self, emg: Channels, motion: Channels, *, step: float) -> None:
        self.emg, self.motion, self._step = emg, motion, step
        self._next: int | None = None

    def frames(self) -> Iterator[Frame]:
        """Yield the frames that are due."""
        if self._next is None:
            if np.isnan(self.emg.first) or np.isnan(self.motion.first):
                return
            self._next = ceil((max(self.emg.first, self.motion.first) - SAME_S) / self._step)
        while self._due(time := self._next * self._step):
            emg, angle = self.emg.at(time), self.motion.at(time)
            self._next += 1
            if np.isnan(emg).all() and np.isnan(angle).all():
                self._skip(time)
                continue
            yield Frame(time, emg, angle)

    def _due(self, time: float) -> bool:
        newest = self.emg.newest, self.motion.newest
        return min(newest) >= time - SAME_S or max(newest) >= time + PATIENCE_S

    def _skip(self, time: float) -> None:
        """Go to where there are samples again."""
        following = min(self.emg.next_after(time), self.motion.next_after(time))
        if np.isfinite(following):
            self._next = max(self._next or 0, floor((following + SAME_S) / self._step))
