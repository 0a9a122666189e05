"""One live session: samples of devices in, answers to everyone who listens, and a tally of how it went."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from profundus.records import EmgSettings
from profundus.stream.alignment import Alignment, Channels
from profundus.stream.devices import Wiring
from profundus.stream.envelopes import LiveEnvelope
from profundus.stream.live import Answer, LiveSubject, StreamCounts
from profundus.stream.stillness import Stillness

Floats = NDArray[np.float64]
Listener = Callable[[Answer], object]
QUANTILES = (0.5, 0.99, 0.999, 1.0)
EMG, ANGLES = "EMG", "angles"
SILENT_S = 1.0  # a device that has sent nothing for longer is said to be silent


@dataclass(frozen=True)
class Source:
    """How one device is wired, at which rate it samples."""

    wiring: Wiring
    rate_hz: float


@dataclass(frozen=True)
class SessionSummary:
    """How a session went: ``counts`` of frames, ``late_samples`` of either device (out of order, twice, or with a time that cannot be
    believed), and ``latency_s``, the quantiles {0.5, 0.99, 0.999, 1} of the time from a frame's last sample to its answer's being told;
    empty without frames. ``clock_resets`` {device: how often} tells whose clock went back, ``silent`` who has sent nothing for a second."""

    counts: StreamCounts
    late_samples: int
    latency_s: Mapping[float, float]
    clock_resets: Mapping[str, int] = field(default_factory=dict)
    silent: tuple[str, ...] = ()


class Session:
    """Takes samples as devices send them, and tells listeners the answers.

    ``maximum`` (measured,) is what envelopes are divided by, ``emg`` how raw EMG becomes one. The time stamps of the EMG are late by the
    study's offset, as in its files.
    """

    def __init__(
        self,
        live: LiveSubject,
        emg: EmgSettings,
        maximum: Floats,
        *,
        electrodes: Source,
        joints: Source,
        listeners: Sequence[Listener] = (),
    ) -> None:
        student = live.student
        self.live, self._listeners, self._maximum = live, tuple(listeners), maximum
        self._electrodes, self._joints = electrodes, joints
        self._late = emg.sync_offset_ms / 1000.0
        many = len(student.measured)
        raw = emg.kind == "raw"
        self._envelope = LiveEnvelope(emg, rate_hz=electrodes.rate_hz, channels=many) if raw else None
        self._stillness = Stillness(many, rate_hz=electrodes.rate_hz)
        emg_channels = Channels(many, rate_hz=electrodes.rate_hz)
        motion = Channels(len(student.coordinates), rate_hz=joints.rate_hz)
        self._alignment = Alignment(emg_channels, motion, step=student.step)
        self._latencies = array("d")
        self._devices = {EMG: emg_channels, ANGLES: motion}
        self._came = dict.fromkeys(self._devices, perf_counter())
        self._beginnings = 0

    def push_emg(self, times: Floats, values: Floats) -> None:
        """Take samples of the EMG device (sample, channel) with their times [s]."""
        if not len(times):
            return
        self._came[EMG] = perf_counter()
        picked = _picked(values, self._electrodes.wiring)
        found = picked if self._envelope is None else self._envelope.push(self._stillness.moving(picked))
        self._alignment.emg.push(times - self._late, found / self._maximum)

    def push_motion(self, times: Floats, values: Floats) -> None:
        """Take samples of the device that tells angles (sample, channel) with their times [s]."""
        if len(times):
            self._came[ANGLES] = perf_counter()
            self._alignment.motion.push(times, _picked(values, self._joints.wiring))

    @property
    def waits_for_motion(self) -> bool:
        """Return whether the angles are behind the EMG, so that a frame waits for them."""
        return self._alignment.motion.newest < self._alignment.emg.newest

    def answer(self) -> list[Answer]:
        """Answer all frames that are due, tell the listeners, and return the answers."""
        answers = []
        for frame in self._alignment.frames():
            began = perf_counter()
            if self._alignment.beginnings > self._beginnings:
                self._beginnings = self._alignment.beginnings
                self.live.start_anew()
            answer = self.live.step(frame)
            if answer is not None:
                for listener in self._listeners:
                    listener(answer)
                answers.append(answer)
            self._latencies.append(perf_counter() - began)
        return answers

    @property
    def summary(self) -> SessionSummary:
        """Return how the session went so far."""
        found = np.quantile(self._latencies, QUANTILES).tolist() if len(self._latencies) else []
        return SessionSummary(
            self.live.counts,
            sum(device.late for device in self._devices.values()),
            dict(zip(QUANTILES, found, strict=bool(found))),
            {name: device.resets for name, device in self._devices.items() if device.resets},
            tuple(name for name, came in self._came.items() if perf_counter() - came > SILENT_S),
        )


def _picked(values: Floats, wiring: Wiring) -> Floats:
    return np.asarray(values[:, wiring.columns] * np.asarray(wiring.factors))
