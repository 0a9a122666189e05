"""A fitted person while he moves: one sample of envelopes and angles in, the excitations of all muscles with their bands out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.stream.features import ANGLE_MEMORY_S, EMG_MEMORY_S, FLOOR, RESTART_S, features, memory_gains
from profundus.stream.remembering import NEVER
from profundus.stream.stillness import Stillness
from profundus.stream.student import LEAST, NINETY_PERCENT, Answering, Student

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
UNUSUAL = 2.0  # an envelope so many times above the loudest that was met, or below the quietest, is outside


class Frame(NamedTuple):
    """What was measured at one ``time`` [s]: ``emg`` (measured,) envelopes, fractions of maximum, and ``angle`` (coordinate,) [rad]; NaN
    where a sample is missing."""

    time: float
    emg: Floats
    angle: Floats


class Answer(NamedTuple):
    """Excitations of all muscles at one ``time`` [s], fractions of maximum: ``excitation``, ``lower`` and ``upper`` (muscle,), the latter
    two a 90 % band. ``flags`` name channels that are ``held``, ``lost`` or ``outside`` of what the person had shown."""

    time: float
    excitation: Floats
    lower: Floats
    upper: Floats
    flags: tuple[str, ...]


@dataclass(frozen=True)
class StreamCounts:
    """How a stream went: ``answered`` frames, ``missed`` ones (nothing came at their time), ``late`` ones (out of order or twice; not used)
    and ``restarts`` of channels; ``missing`` {channel: frames that came without it}, ``lost`` {channel: answered without it}, ``outside``
    {channel: frames in which it was beyond what the person had shown}."""

    answered: int
    missed: int
    late: int
    restarts: int
    missing: dict[str, int]
    lost: dict[str, int]
    outside: dict[str, int]


class LiveSubject:
    """Carries a person's state from frame to frame on the clock of his run.

    A channel whose sample is missing keeps its last value for 50 ms (the band of what rests on it widens meanwhile), then it is lost: all
    muscles, its own included, are answered from the channels that are left, with the wider band that this has had on trials left out. When
    it comes back it goes on, or after more than a second starts anew. An envelope that has not moved for a second, or was at or below 0 for
    as long, counts as missing. A frame that comes late or twice is counted and not used. ``load_kg`` is what is held; NaN: unknown.
    """

    def __init__(self, student: Student, *, load_kg: float = float("nan")) -> None:
        if not np.isnan(load_kg) and not 0.0 <= load_kg <= 1000.0:
            raise InputError(Problem("error", f"load_kg is {load_kg:g}", expected="0 to 1000 kg"))
        self.student = student
        self.channels = (*student.measured, *student.coordinates)
        self._no_load = bool(np.isnan(load_kg) or np.isnan(student.low[-1]))
        self._load = 0.0 if self._no_load else load_kg
        self._many = len(student.measured)
        self._emg_gain = memory_gains(EMG_MEMORY_S, student.step)[:, None]
        self._angle_gain = memory_gains(ANGLE_MEMORY_S, student.step)[:, None]
        self._emg = np.zeros((len(EMG_MEMORY_S), self._many))
        self._angle = np.zeros((len(ANGLE_MEMORY_S), len(student.coordinates)))
        self._age = np.full(len(self.channels), NEVER, dtype=np.int64)
        self._longest = round(RESTART_S / student.step)
        self._stillness = Stillness(self._many, rate_hz=1 / student.step, floor=0.0)
        self._low = np.append(np.exp(student.quietest) / UNUSUAL, student.low)
        self._high = np.append(np.exp(student.loudest) * UNUSUAL, student.high)
        self._time = float("nan")
        self._answered = self._missed = self._late = self._restarts = 0
        self._missing, self._lost_for = np.zeros((2, len(self.channels)), dtype=np.int64)
        self._outside: Counter[str] = Counter()
        self._known: dict[bytes, Answering] = {}
        for lost in [np.zeros(len(self.channels), dtype=bool), *np.eye(len(self.channels), dtype=bool)]:
            self._answering(lost)

    def over(self, frames: Iterable[Frame]) -> Iterator[Answer]:
        """Yield an answer for each frame that is in time."""
        for frame in frames:
            answer = self.step(frame)
            if answer is not None:
                yield answer

    def start_anew(self) -> None:
        """Forget what was remembered, and when: the next frame may have any time. What was counted stays."""
        self._time = float("nan")
        self._age[:] = NEVER
        self._stillness.start_anew()

    def step(self, frame: Frame) -> Answer | None:
        """Return what the muscles do now; None for a frame that is late, was there already, or has no time."""
        values = np.concatenate([frame.emg, frame.angle])
        if values.shape != self._age.shape:
            what = f"a frame of {len(frame.emg)} envelopes and {len(frame.angle)} angles"
            raise InputError(Problem("error", what, expected="one each of " + ", ".join(self.channels)))
        if not self._in_time(frame.time):
            return None
        values[: self._many] = self._stillness.moving(values[None, : self._many])[0]
        self._remember(values)
        lost = self._age > self.student.bridged
        self._lost_for += lost
        how = self._answering(lost)
        middle, sd = self._told(how)
        self._answered += 1
        return Answer(
            frame.time,
            np.exp(middle),
            np.exp(middle - NINETY_PERCENT * sd),
            np.exp(np.minimum(middle + NINETY_PERCENT * sd, 0.0)),
            self._flags(lost, values),
        )

    @property
    def counts(self) -> StreamCounts:
        """Return how the stream went so far."""
        missing, lost = (
            {name: int(n) for name, n in zip(self.channels, counted, strict=True) if n}
            for counted in (self._missing, self._lost_for)
        )
        return StreamCounts(
            self._answered, self._missed, self._late, self._restarts, missing, lost, dict(self._outside)
        )

    def _in_time(self, time: float) -> bool:
        """Take note of a frame's time; return whether it comes after the last one."""
        steps = 1.0 if np.isnan(self._time) else (time - self._time) / self.student.step
        if not np.isfinite(time) or steps <= 0.5:
            self._late += 1
            return False
        skipped = round(steps) - 1 if steps > 1.5 else 0
        if skipped:
            self._stillness.start_anew()
        self._missed += skipped
        self._age = np.minimum(self._age + skipped, NEVER)
        self._time = time
        return True

    def _remember(self, values: Floats) -> None:
        present = np.isfinite(values)
        anew = present & (self._age > self._longest)
        self._restarts += int(np.count_nonzero(anew & (self._age < NEVER)))
        many = self._many
        _follow(self._emg, values[:many], self._emg_gain, present[:many], anew[:many])
        _follow(self._angle, values[many:], self._angle_gain, present[many:], anew[many:])
        self._age = np.where(present, 0, np.minimum(self._age + 1, NEVER))
        self._missing += ~present

    def _told(self, how: Answering) -> tuple[Floats, Floats]:
        """Return the log excitation and its sd (muscle,)."""
        shown = features(self._emg, self._angle - self.student.middle, self._load)
        middle = np.clip(shown @ how.slope + how.rest, np.log(LEAST), 0.0)
        age = self._age[: self._many]
        if not age.any():
            return middle, how.sd
        held = np.where(age <= self.student.bridged, age, 0) / self.student.bridged
        return middle, np.sqrt(how.sd**2 + held**2 @ how.holding)

    def _answering(self, lost: Flags) -> Answering:
        key = lost.tobytes()
        if key not in self._known:
            self._known[key] = self.student.answering(np.append(lost, self._no_load))
        return self._known[key]

    def _flags(self, lost: Flags, values: Floats) -> tuple[str, ...]:
        said = []
        if self._age.any():
            said += [f"lost:{name}" for name, gone in zip(self.channels, lost, strict=True) if gone]
            held = (self._age > 0) & ~lost
            said += [f"held:{name}" for name, there in zip(self.channels, held, strict=True) if there]
        outside = self._beyond(values)
        if outside.any():
            names = [name for name, far in zip((*self.channels, "load"), outside, strict=True) if far]
            self._outside.update(names)
            said += [f"outside:{name}" for name in names]
        return tuple(said)

    def _beyond(self, values: Floats) -> Flags:
        """Return which channels, the load last (measured + coordinate + 1,), are beyond what the person had shown."""
        level = np.where(self._age[: self._many] == 0, np.maximum(self._emg[0], FLOOR), np.nan)
        shown = np.concatenate([level, values[self._many :], [np.nan if self._no_load else self._load]])
        return np.asarray((shown < self._low) | (shown > self._high))


def _follow(memory: Floats, values: Floats, gain: Floats, present: Flags, anew: Flags) -> None:
    """Let the memories (memory, channel) follow the samples that are present, in place."""
    if present.all() and not anew.any():
        memory += gain * (values - memory)
        return
    moved = np.where(anew, values, memory + gain * (values - memory))
    memory[:, present] = moved[:, present]
