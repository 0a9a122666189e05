"""Filters that run forward and backward, so that they move nothing in time, and what the second pass makes of their cut-off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.signal import butter, iirnotch, sosfiltfilt, sosfreqz, tf2sos

from profundus.errors import InputError, Problem

Floats = NDArray[np.float64]
HALF_POWER = float(np.sqrt(0.5))
NOTCH_QUALITY = 30.0


@dataclass(frozen=True)
class ZeroLagFilter:
    """A filter in second-order sections that runs over a signal twice, forward and backward.

    ``order`` counts the poles of one pass; ``design_hz`` are the -3 dB points of one pass. ``extension`` continues the signal beyond its
    ends for ``pad_s``: "odd" for what moves on (angles), "even" for what has no sign to change (envelopes), which keeps an envelope's ends
    8 times closer to those of a longer recording than "odd" does.
    """

    name: str
    order: int
    design_hz: tuple[float, ...]
    rate_hz: float
    sections: Floats
    pad_s: float
    extension: Literal["odd", "even"] = "odd"

    def __call__(self, values: Floats) -> Floats:
        """Return finite values (row, ...) filtered along the first axis."""
        pad = min(round(self.pad_s * self.rate_hz), len(values) - 1)
        return np.asarray(sosfiltfilt(self.sections, values, axis=0, padtype=self.extension, padlen=pad))

    def gain(self, frequency_hz: float) -> float:
        """Return the amplitude gain after both passes [-]."""
        _, response = sosfreqz(self.sections, worN=[frequency_hz], fs=self.rate_hz)
        return float(np.abs(response[0]) ** 2)

    @property
    def effective_hz(self) -> tuple[float, ...]:
        """Return where the gain after both passes is -3 dB, one frequency for each of ``design_hz``."""
        nyquist = self.rate_hz / 2
        inside = {"low-pass": 0.0, "band-pass": float(np.sqrt(np.prod(self.design_hz)))}.get(self.name)
        if inside is None:  # a notch: from its center outward, to its neighborhood
            center = self.design_hz[0]
            return tuple(self._half_power(center, center * far) for far in (0.5, min(1.5, 0.999 * nyquist / center)))
        outside = [1e-6 * nyquist, (1 - 1e-9) * nyquist] if len(self.design_hz) == 2 else [(1 - 1e-9) * nyquist]
        return tuple(self._half_power(inside, end) for end in outside)

    def _half_power(self, start: float, end: float) -> float:
        difference: Callable[[float], float] = lambda hz: self.gain(hz) - HALF_POWER  # noqa: E731
        return float(brentq(difference, *sorted((start, end)), xtol=1e-9))

    def described(self) -> dict[str, object]:
        """Return the filter as plain values for the manifest."""
        return {
            "filter": f"Butterworth {self.name}" if self.name != "notch" else "notch",
            "poles_of_one_pass": self.order,
            "passes": "forward and backward",
            "design_hz": list(self.design_hz),
            "effective_hz": [round(hz, 4) for hz in self.effective_hz],
            "rate_hz": self.rate_hz,
            "extension": self.extension,
        }


def low_pass(
    cutoff_hz: float, *, rate_hz: float, what: str, order: int = 2, extension: Literal["odd", "even"] = "odd"
) -> ZeroLagFilter:
    """Return a Butterworth low-pass; ``what`` names the signal in the refusal of a cut-off above the Nyquist frequency."""
    _refuse_above_nyquist((cutoff_hz,), rate_hz, what, "low-pass")
    sections = butter(order, cutoff_hz, fs=rate_hz, output="sos")
    return ZeroLagFilter("low-pass", order, (cutoff_hz,), rate_hz, sections, 1 / cutoff_hz, extension)


def band_pass(edges_hz: tuple[float, float], *, rate_hz: float, what: str, order: int = 4) -> ZeroLagFilter:
    """Return a Butterworth band-pass of ``order`` poles (half of them on either side); refused above the Nyquist frequency."""
    _refuse_above_nyquist(edges_hz, rate_hz, what, "band-pass")
    if not edges_hz[0] < edges_hz[1]:
        low, high = edges_hz
        raise InputError(Problem("error", f"{what}: band-pass from {low:g} to {high:g} Hz", expected="low, high"))
    sections = butter(order // 2, edges_hz, btype="bandpass", fs=rate_hz, output="sos")
    return ZeroLagFilter("band-pass", order, edges_hz, rate_hz, sections, 1 / edges_hz[0])


def notch(center_hz: float, *, rate_hz: float, what: str) -> ZeroLagFilter:
    """Return a second-order notch of quality 30 (1.7 Hz wide at 50 Hz, one pass)."""
    _refuse_above_nyquist((center_hz,), rate_hz, what, "notch")
    sections = tf2sos(*iirnotch(center_hz, NOTCH_QUALITY, fs=rate_hz))
    return ZeroLagFilter("notch", 2, (center_hz,), rate_hz, sections, NOTCH_QUALITY / center_hz)


def stretches(present: NDArray[np.bool_]) -> Iterator[slice]:
    """Yield the runs of True in ``present`` (row,), in order."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], present, [False])).astype(np.int8)))
    for start, stop in edges.reshape(-1, 2):
        yield slice(int(start), int(stop))


def filtered(values: Floats, by: Callable[[Floats], Floats], *, shortest: int = 2) -> Floats:
    """Return columns (row, column) with ``by`` run over each finite stretch on its own; a stretch under ``shortest`` rows becomes NaN."""
    if len(values) >= shortest and np.all(np.isfinite(values)):
        return by(values)
    out = np.full(values.shape, np.nan)
    for column in range(values.shape[1]):
        for part in stretches(np.isfinite(values[:, column])):
            if part.stop - part.start >= shortest:
                out[part, column] = by(values[part, column])
    return out


def _refuse_above_nyquist(edges_hz: tuple[float, ...], rate_hz: float, what: str, name: str) -> None:
    wrong = [hz for hz in edges_hz if not 0 < hz < rate_hz / 2]
    if wrong:
        raise InputError(
            Problem(
                "error",
                f"{what}: {name} at {', '.join(f'{hz:g}' for hz in wrong)} Hz on a signal sampled at {rate_hz:g} Hz",
                expected=f"more than 0 and less than half the sampling rate, {rate_hz / 2:g} Hz",
                remedy="A signal holds nothing above half its sampling rate: lower the cut-off, or bring the signal at its full rate",
            )
        )
