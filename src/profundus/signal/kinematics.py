"""Recorded angles made whole: gaps, low-pass, velocity, acceleration."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator

from profundus.errors import InputError, Problem
from profundus.records import Recording, Study, Table
from profundus.signal.clocks import anti_alias, resampled, uniform
from profundus.signal.derivatives import derivative
from profundus.signal.derivatives import described as differentiation
from profundus.signal.filters import ZeroLagFilter, filtered, low_pass, stretches

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
LONGEST_FILL_S = 0.1
FEWEST_ROWS = 8


@dataclass(frozen=True)
class WholeStretch:
    """The part of a table that a trial uses: uniform, without gaps, filtered; and what was done to it."""

    table: Table
    rate_hz: float
    guard: ZeroLagFilter | None
    processing: dict[str, object]
    problems: tuple[Problem, ...]

    def sampled(self, time: Floats, *, order: int) -> Floats:
        """Return the ``order``-th derivative (time, column) on another clock."""
        values = derivative(self.table.values, rate_hz=self.rate_hz, order=order) if order else self.table.values
        table = Table(self.table.labels, self.table.time, values, self.table.name)
        return resampled(table, time, guard=self.guard, how="cubic")


@dataclass(frozen=True)
class Motion:
    """Angles of a recording, and velocities where they were recorded, too (from an inertial sensor)."""

    angles: WholeStretch
    velocities: WholeStretch | None

    @property
    def span(self) -> tuple[float, float]:
        """Return the first and last time [s] at which all of it is known."""
        times = [w.table.time for w in (self.angles, self.velocities) if w is not None]
        return max(float(t[0]) for t in times), min(float(t[-1]) for t in times)

    def on(self, time: Floats) -> tuple[Floats, Floats, Floats]:
        """Return angle, velocity and acceleration (time, coordinate) on another clock; recorded velocities as they are."""
        angle, velocity, acceleration = (self.angles.sampled(time, order=n) for n in (0, 1, 2))
        if self.velocities is not None:
            columns = [self.angles.table.labels.index(label) for label in self.velocities.table.labels]
            velocity[:, columns] = self.velocities.sampled(time, order=0)
            acceleration[:, columns] = self.velocities.sampled(time, order=1)
        return angle, velocity, acceleration


def motion(study: Study, recording: Recording) -> Motion:
    """Return the motion of one recording.

    Gaps up to 0.1 s are filled with a cubic spline, longer ones inside a stretch whose kinematics the study excludes with a monotone cubic:
    each is a warning and stands in ``processing``. A longer gap inside the window asked for is an error; outside, it ends the usable
    stretch.
    """
    angles = whole_stretch(study, recording, _of_study(study, recording.angles, recording.name), "angle")
    there = () if recording.velocities is None else tuple(c for c in study.moved if c in recording.velocities)
    if recording.velocities is None or not there:
        return Motion(angles, None)
    chosen = recording.velocities.select({c: c for c in there})
    return Motion(angles, whole_stretch(study, recording, chosen, "velocity"))


def _of_study(study: Study, table: Table, trial: str) -> Table:
    missing = [c for c in study.moved if c not in table]
    if missing:
        raise InputError(
            [
                Problem("error", f"{trial}: no angle of '{c}'", table.source, expected=", ".join(table.labels))
                for c in missing
            ]
        )
    return table.select({c: c for c in study.moved})


def whole_stretch(study: Study, recording: Recording, recorded: Table, quantity: str) -> WholeStretch:
    """Return the stretch of a motion that a recording uses, on its own clock; ``quantity`` names it in problems. See `motion`."""
    what = f"{recording.name}: {quantity}"
    table, rate, problems = uniform(recorded, what=what)
    values, filled = _gaps_filled(table, _excluded(recording, table.time), rate)
    part = _longest_usable(values, table, recording, what)
    filled = [gap for gap in filled if table.time[part.start] <= gap[1] <= table.time[part.stop - 1]]
    processing: dict[str, object] = {"rate_hz": rate, "gaps_filled": [list(gap) for gap in filled]}
    values = values[part]
    if study.kinematics_low_pass_hz is not None:
        smooth = low_pass(study.kinematics_low_pass_hz, rate_hz=rate, what=what)
        values, processing["low_pass"] = filtered(values, smooth), smooth.described()
    guard = anti_alias(rate, study.rate_hz, already_hz=study.kinematics_low_pass_hz, what=what)
    processing["anti_alias"] = guard.described() if guard else None
    processing["differentiation"] = differentiation(rate, len(values))
    problems += tuple(
        Problem("warning", f"{what} of {label} is missing from {start:.3f} to {end:.3f} s; filled by interpolation")
        for label, start, end in filled
    )
    return WholeStretch(Table(table.labels, table.time[part], values, what), rate, guard, processing, problems)


def _excluded(recording: Recording, time: Floats) -> Flags:
    out = np.zeros(len(time), dtype=np.bool_)
    for exclusion in recording.exclusions:
        if exclusion.what in ("kinematics", "all"):
            out |= (time >= exclusion.time[0]) & (time <= exclusion.time[1])
    return out


def _gaps_filled(table: Table, excluded: Flags, rate_hz: float) -> tuple[Floats, list[tuple[str, float, float]]]:
    """Return values with the fillable gaps filled, and (label, start, end) [s] of each; gaps at the ends stay."""
    values, filled = table.values.copy(), []
    longest = round(LONGEST_FILL_S * rate_hz)
    for column, label in enumerate(table.labels):
        present = np.isfinite(table.values[:, column])
        if present.sum() < FEWEST_ROWS:
            continue
        known = table.time[present], table.values[present, column]
        smooth, bounded = CubicSpline(*known), PchipInterpolator(*known)
        for gap in stretches(~present):
            short = gap.stop - gap.start <= longest
            inside = gap.start > 0 and gap.stop < len(present)
            if inside and (short or bool(np.all(excluded[gap]))):
                values[gap, column] = (smooth if short else bounded)(table.time[gap])
                filled.append((label, float(table.time[gap.start]), float(table.time[gap.stop - 1])))
    return values, filled


def _longest_usable(values: Floats, table: Table, recording: Recording, what: str) -> slice:
    """Return the rows of the stretch without gaps that covers the window; an error where a gap lies inside the window."""
    time = table.time
    parts = [p for p in stretches(np.asarray(np.all(np.isfinite(values), axis=1))) if p.stop - p.start >= FEWEST_ROWS]
    start, end = recording.time if recording.time is not None else (float(time[0]), float(time[-1]))
    within = [p for p in parts if time[p.start] < end and time[p.stop - 1] > start]
    if len(within) == 1:
        return within[0]
    if not within:
        raise InputError(
            Problem(
                "error",
                f"{what}: nothing without gaps between {start:g} and {end:g} s",
                file=table.source,
                expected=f"{FEWEST_ROWS} rows in a row, of every coordinate",
            )
        )
    gaps = [(time[a.stop - 1], time[b.start]) for a, b in pairwise(within)]
    raise InputError(
        [
            Problem(
                "error",
                f"{what} is missing from {a:.3f} to {b:.3f} s",
                file=table.source,
                expected=f"gaps of {LONGEST_FILL_S:g} s at most",
                remedy='Set a time window without the gap, or exclude it with what = "kinematics"',
            )
            for a, b in gaps
        ]
    )
