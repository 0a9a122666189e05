"""Samples of several devices, each at its own rate, put on one clock as they arrive."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from math import ceil, floor, inf, nan

import numpy as np
from numpy.typing import NDArray

from profundus.stream.live import Frame

Floats = NDArray[np.float64]
PATIENCE_S = 0.1  # how long one device may be behind the other before its samples count as missing
SAME_S = 1e-6  # two times that differ by less are one
LONGEST_S = 0.03  # between two samples, or two and a half of the device's steps, where that is more: beyond is a gap
LEAP_S = 3.0  # a device's clock that goes further ahead from one sample to the next is believed when another sample confirms it
FARTHEST_S = 1e11  # three thousand years; a stamp beyond is no time


class Channels:
    """The samples of one device that are still needed; those that come out of order, twice or without a time are not used.

    A stamp that leaps ahead by more than 3 s, or that is not later than the newest, is doubted. Two stamps that follow on each other after
    a leap are believed; after 0.1 s of stamps that follow on each other and stay behind, the device's clock was reset: what was kept is
    dropped, and the device starts anew (``resets``).
    """

    def __init__(self, count: int, *, rate_hz: float) -> None:
        self._gap = max(LONGEST_S, 2.5 / rate_hz) if rate_hz > 0 else LONGEST_S
        self._samples: deque[tuple[float, Floats]] = deque()
        self._doubted: list[tuple[float, Floats]] = []
        self._unknown = np.full(count, np.nan)
        self.newest, self.first, self.resets, self._unused = -inf, nan, 0, 0

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def late(self) -> int:
        """Return how many samples are not used, those that are doubted included."""
        return self._unused + len(self._doubted)

    def push(self, times: Floats, values: Floats) -> None:
        """Take samples (sample, channel) with their times [s]."""
        for time, row in zip(times.tolist(), values, strict=True):
            if not abs(time) < FARTHEST_S:
                self._unused += 1
            elif self.newest < time <= self.newest + LEAP_S or self.newest == -inf:
                self._forget_doubted()
                self._take(time, row)
            else:
                self._doubt(time, row)

    def _take(self, time: float, row: Floats) -> None:
        self.first = time if np.isnan(self.first) else self.first
        self.newest = time
        self._samples.append((time, row))

    def _forget_doubted(self) -> None:
        self._unused += len(self._doubted)
        self._doubted = []

    def _doubt(self, time: float, row: Floats) -> None:
        """Keep a sample aside until those after it tell whether its time can be believed."""
        if self._doubted and not self._doubted[-1][0] < time <= self._doubted[-1][0] + LEAP_S:
            self._forget_doubted()
        self._doubted.append((time, row))
        behind = time <= self.newest
        if len(self._doubted) < 2 or (behind and time - self._doubted[0][0] < PATIENCE_S - SAME_S):
            return
        if behind:
            self._samples.clear()
            self.newest, self.first = -inf, nan
            self.resets += 1
        believed, self._doubted = self._doubted, []
        for sample in believed:
            self._take(*sample)

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
    time: then its channels are NaN. Stretches in which nothing came at all make no frames. The first is when both have begun, or one has
    been alone for 0.1 s. Where clocks were reset so that no frame would be due, it begins anew (``beginnings``). How the samples are cut
    into chunks makes no difference as long as no device is later than 0.1 s.
    """

    def __init__(self, emg: Channels, motion: Channels, *, step: float) -> None:
        self.emg, self.motion, self._step = emg, motion, step
        self._next: int | None = None
        self.beginnings = 0

    def frames(self) -> Iterator[Frame]:
        """Yield the frames that are due."""
        if self._next is None or self._next * self._step > self._newest + 2 * self._step:
            self._begin()
        if self._next is None:
            return
        while self._due(time := self._next * self._step):
            emg, angle = self.emg.at(time), self.motion.at(time)
            self._next += 1
            if np.isnan(emg).all() and np.isnan(angle).all():
                self._skip(time)
                continue
            yield Frame(time, emg, angle)

    @property
    def _newest(self) -> float:
        return max(self.emg.newest, self.motion.newest)

    def _begin(self) -> None:
        """Find the first frame, where there is one yet."""
        begun = [device for device in (self.emg, self.motion) if not np.isnan(device.first)]
        alone = len(begun) == 1
        if not begun or (alone and self._newest - begun[0].first <= PATIENCE_S):
            self._next = None
            return
        first = self._newest - PATIENCE_S if alone else max(one.first for one in begun)
        self._next = ceil((first - SAME_S) / self._step)
        self.beginnings += 1

    def _due(self, time: float) -> bool:
        return min(self.emg.newest, self.motion.newest) >= time - SAME_S or self._newest >= time + PATIENCE_S

    def _skip(self, time: float) -> None:
        """Go to where there are samples again."""
        following = min(self.emg.next_after(time), self.motion.next_after(time))
        if np.isfinite(following):
            self._next = max(self._next or 0, floor((following + SAME_S) / self._step))
