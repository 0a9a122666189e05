"""Chance that can be repeated: every purpose of every person has a stream of its own."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def stream(seed: int, person: int, purpose: str) -> np.random.Generator:
    """Return the random numbers of one purpose of one person: the same however many people there are."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(person, zlib.crc32(purpose.encode()))))


def between(chance: np.random.Generator, ends: tuple[float, float]) -> float:
    """Return a number that is uniform between two ends."""
    return float(chance.uniform(*ends))


def log_between(chance: np.random.Generator, ends: tuple[float, float]) -> float:
    """Return a number whose logarithm is uniform between those of two positive ends."""
    return float(np.exp(chance.uniform(*np.log(ends))))


def slow_noise(
    chance: np.random.Generator, shape: tuple[int, ...], *, step: float, low_hz: float, high_hz: float
) -> Floats:
    """Return Gaussian noise of unit variance, (series, time, ...) by ``shape``, with a flat spectrum between two frequencies.

    Made of sines at the multiples of 1 / (1.5 x length), so that its end knows nothing of its beginning.
    """
    length = round(1.5 * shape[1])
    frequency = np.fft.rfftfreq(length, step)
    inside = (frequency >= low_hz) & (frequency <= high_hz)
    inside[max(1, int(np.argmin(np.abs(frequency - high_hz))))] = True  # short trials have few frequencies
    inside[0] = False
    parts = (shape[0], int(inside.sum()), *shape[2:])
    spectrum = np.zeros((shape[0], len(frequency), *shape[2:]), dtype=complex)
    spectrum[:, inside] = chance.normal(size=parts) + 1j * chance.normal(size=parts)
    power = 4.0 * inside.sum() / length**2  # of a real signal: both signs of every frequency
    return np.asarray(np.fft.irfft(spectrum, length, axis=1)[:, : shape[1]] / np.sqrt(power))
