"""Clocks: whether time stamps are uniform, and how columns get from one clock to another without inventing anything."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator

from profundus.errors import InputError, Problem
from profundus.records import Table
from profundus.signal.filters import ZeroLagFilter, filtered, low_pass, stretches

Floats = NDArray[np.float64]
Interpolation = Literal["cubic", "pchip"]
JITTER = 0.01


def uniform(table: Table, *, what: str) -> tuple[Table, float, tuple[Problem, ...]]:
    """Return a table on its own mean clock, that clock's rate [Hz], and what had to be done to get there.

    Rows that are missing (a jump of the time stamps by a whole number of steps) come back as NaN. Stamps off the mean clock by up to half a
    step are jitter of the stamps, not of the samples: the row keeps its value. Times that do not increase, or keep to no clock, are errors.
    """
    step_by_step = np.diff(table.time)
    if len(table.time) < 4 or np.any(step_by_step <= 0) or not np.all(np.isfinite(table.time)):
        at = table.time[1:][step_by_step <= 0]
        where = f"time does not increase at {at[0]:g} s" if len(at) else f"{len(table.time)} rows"
        raise InputError(
            Problem("error", f"{what}: {where}", file=table.source, expected="four or more rows whose time increases")
        )
    typical = float(np.median(step_by_step))
    step = float(np.mean(step_by_step[step_by_step < 1.5 * typical]))
    index = np.concatenate(([0], np.cumsum(np.maximum(1, np.rint(step_by_step / step)).astype(np.int64))))
    slope, origin = np.polyfit(index.astype(np.float64), table.time, 1)
    off = float(np.max(np.abs(origin + slope * index - table.time)) / slope)
    if off > 0.5:
        raise InputError(
            Problem(
                "error",
                f"{what}: the time stamps stray from a uniform clock of {1 / slope:g} Hz by {off:.1f} steps",
                file=table.source,
                expected="samples at equal intervals (whole rows may be missing)",
                remedy="Export with the device's own sampling rate and with enough decimals",
            )
        )
    missing = int(index[-1]) + 1 - len(index)
    if not missing and off < JITTER:
        return table, float(1 / slope), ()
    values = np.full((int(index[-1]) + 1, len(table.labels)), np.nan)
    values[index] = table.values
    time = origin + slope * np.arange(len(values))
    said = f"{missing} rows are missing between {table.time[0]:g} and {table.time[-1]:g} s" if missing else ""
    said = said or f"the time stamps jitter by up to {100 * off:.0f} % of a step; samples are taken as uniform"
    problem = Problem("warning" if missing else "note", f"{what}: {said}", file=table.source)
    return Table(table.labels, time, values, table.name, table.in_degrees, table.source), float(1 / slope), (problem,)


def anti_alias(rate_hz: float, target_hz: float, *, already_hz: float | None, what: str) -> ZeroLagFilter | None:
    """Return the low-pass (4 poles, 0.4 of the new rate) that going down needs; None if ``already_hz`` is below that."""
    if rate_hz <= 1.05 * target_hz or (already_hz is not None and already_hz <= 0.4 * target_hz):
        return None
    return low_pass(0.4 * target_hz, rate_hz=rate_hz, what=what, order=4)


def grid(start: float, end: float, rate_hz: float) -> Floats:
    """Return the multiples of the step [s] that lie within ``start`` and ``end``, ends included to a millionth of a step."""
    first, last = np.ceil(start * rate_hz - 1e-6), np.floor(end * rate_hz + 1e-6)
    return np.arange(first, last + 1) / rate_hz + 0.0  # no negative zero


def sampled(time: Floats, values: Floats, at: Floats, *, how: Interpolation) -> Floats:
    """Return columns (row, column) at other times; NaN outside of the recorded time and inside gaps: nothing is extrapolated.

    "cubic" (smooth: motion, moment) or "pchip" (monotone between samples, hence no overshoot: envelopes).
    """
    out = np.full((len(at), values.shape[1]), np.nan)
    finite = np.asarray(np.isfinite(values))
    together = bool(np.all(finite))
    columns = [slice(None)] if together else [slice(c, c + 1) for c in range(values.shape[1])]
    for column in columns:
        for part in stretches(np.asarray(np.all(finite[:, column], axis=1))):
            if part.stop - part.start < 2:
                continue
            here, there = time[part], values[part, column]
            slack = 1e-6 * (here[1] - here[0])
            inside = (at >= here[0] - slack) & (at <= here[-1] + slack)
            with np.errstate(over="ignore"):  # pchip divides by the slope: one of 1e-310 overflows to what is right
                curve = CubicSpline(here, there) if how == "cubic" else PchipInterpolator(here, there)
            out[inside, column] = curve(np.clip(at[inside], here[0], here[-1]))
    return out


def resampled(table: Table, at: Floats, *, guard: ZeroLagFilter | None, how: Interpolation) -> Floats:
    """Return a uniform table's columns (time, column) on another clock, after the anti-alias filter that going there needs."""
    values = table.values if guard is None else filtered(table.values, guard)
    return sampled(table.time, values, at, how=how)
