"""How virtual people move a joint: curls, steps with holds, pulses, and wandering about."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from profundus.simulate.chance import slow_noise

Floats = NDArray[np.float64]
SMOOTH_HZ = 4.0


def angles(kind: str, chance: np.random.Generator, time: Floats, *, low: float, high: float) -> Floats:
    """Return the angle (time,) [rad] of one trial of a ``kind`` of `KINDS`, within ``low`` and ``high`` (to about a degree).

    It passes a low-pass of 4 Hz forward and backward, so that no excitation has to jump.
    """
    sections = butter(2, SMOOTH_HZ, fs=1.0 / (time[1] - time[0]), output="sos")
    return np.asarray(sosfiltfilt(sections, KINDS[kind](chance, time, low, high)))


def minimum_jerk(share: Floats) -> Floats:
    """Return the way gone [-] at a ``share`` of the time, from 0 to 1 (Flash and Hogan 1985, eq. 3); at rest before and after."""
    inside = np.clip(share, 0.0, 1.0)
    return np.asarray(inside**3 * (10.0 + inside * (6.0 * inside - 15.0)))


def _curls(chance: np.random.Generator, time: Floats, low: float, high: float) -> Floats:
    """Return cyclic flexion and extension, 0.2 to 0.5 Hz, whose pace, middle and amplitude drift."""
    step = time[1] - time[0]
    pace, middle, amplitude = slow_noise(chance, (3, len(time)), step=step, low_hz=0.0, high_hz=0.2)
    frequency = chance.uniform(0.2, 0.5) * np.exp(0.08 * pace)
    phase = 2.0 * np.pi * (chance.uniform() + np.cumsum(frequency) * step)
    size = chance.uniform(0.2, 0.4) * (1.0 + 0.08 * amplitude)
    center = chance.uniform(size[0], 1.0 - size[0]) if size[0] < 0.5 else 0.5
    return _inside(center + 0.03 * middle - size * np.cos(phase), low, high)


def _steps(chance: np.random.Generator, time: Floats, low: float, high: float) -> Floats:
    """Return minimum-jerk movements of 0.6 to 1.4 s to random places, with holds of 0.3 to 1.5 s between them."""
    at, place = time[0] + chance.uniform(0.0, 0.8), chance.uniform(0.2, 0.8)
    share = np.full(len(time), place)
    while at < time[-1]:
        target = np.clip(place + chance.choice([-1.0, 1.0]) * chance.uniform(0.15, 0.55), 0.05, 0.95)
        lasting = chance.uniform(0.6, 1.4)
        share += (target - place) * minimum_jerk((time - at) / lasting)
        at, place = at + lasting + chance.uniform(0.3, 1.5), float(target)
    return _inside(share, low, high)


def _pulses(chance: np.random.Generator, time: Floats, low: float, high: float) -> Floats:
    """Return quick movements there and back again, 0.3 to 0.65 s each way, from a place that is held."""
    share = np.full(len(time), chance.uniform(0.3, 0.7))
    at = time[0] + chance.uniform(0.1, 0.8)
    while at < time[-1]:
        lasting = chance.uniform(0.3, 0.65)
        size = chance.choice([-1.0, 1.0]) * chance.uniform(0.08, 0.3)
        back = at + lasting * chance.uniform(1.0, 1.4)
        share += size * (minimum_jerk((time - at) / lasting) - minimum_jerk((time - back) / lasting))
        at = back + lasting + chance.uniform(0.2, 1.2)
    return _inside(share, low, high)


def _wander(chance: np.random.Generator, time: Floats, low: float, high: float) -> Floats:
    """Return a random motion below 0.3 to 0.8 Hz."""
    step = time[1] - time[0]
    noise = slow_noise(chance, (1, len(time)), step=step, low_hz=0.03, high_hz=chance.uniform(0.3, 0.8))[0]
    return _inside(chance.uniform(0.4, 0.6) + chance.uniform(0.12, 0.22) * noise, low, high)


def _inside(share: Floats, low: float, high: float) -> Floats:
    """Return the angle [rad] at a ``share`` of the range, bent so that it never leaves it; straight over its middle 80 %."""
    beyond = np.abs(share - 0.5) - 0.4
    bent = 0.4 + 0.1 * np.tanh(np.maximum(beyond, 0.0) / 0.1)
    inside = np.where(beyond > 0.0, 0.5 + np.sign(share - 0.5) * bent, share)
    return np.asarray(low + (high - low) * inside)


KINDS: Mapping[str, Callable[[np.random.Generator, Floats, float, float], Floats]] = {
    "curls": _curls,
    "steps": _steps,
    "pulses": _pulses,
    "wander": _wander,
}
