"""From raw EMG to its envelope: band-pass, notch, rectify, low-pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profundus.errors import Problem
from profundus.records import EmgSettings, Table
from profundus.signal.clocks import uniform
from profundus.signal.filters import ZeroLagFilter, band_pass, filtered, low_pass, notch, stretches

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Envelope:
    """Envelopes of a whole recording on its own clock, in its own unit, before any scale.

    ``table`` holds NaN where there is no trustworthy value. ``filters`` describes what was run, ``gaps`` lists
    (muscle, start, end) [s] of what was missing, ``cutoff_hz`` is the last low-pass (None for an envelope that came as one).
    """

    table: Table
    rate_hz: float
    filters: tuple[dict[str, object], ...]
    gaps: tuple[tuple[str, float, float], ...]
    cutoff_hz: float | None
    problems: tuple[Problem, ...]


def envelope(recorded: Table, settings: EmgSettings, *, what: str) -> Envelope:
    """Return the envelopes of a recording, over its whole length.

    Raw EMG: band-pass (4 poles), notch where asked for, absolute value, low-pass (2 poles), each forward and backward. Missing samples
    split a channel: each finite stretch is filtered on its own, and half a period of the low-pass on either side of a gap is given up, as
    is a stretch no longer than a period. An envelope that came as one is taken as it is.
    """
    table, rate_hz, problems = uniform(recorded, what=what)
    gaps = _gaps(table)
    if gaps:
        problems = (*problems, _gap_problem(gaps, what, recorded.source))
    if settings.kind == "envelope":
        return Envelope(table, rate_hz, (), gaps, None, problems)
    before = [band_pass(settings.band_pass_hz, rate_hz=rate_hz, what=what)]
    if settings.notch_hz is not None:
        before.append(notch(settings.notch_hz, rate_hz=rate_hz, what=what))
    smooth = low_pass(settings.low_pass_hz, rate_hz=rate_hz, what=what, extension="even")
    shortest = round(rate_hz / settings.low_pass_hz) + 1
    values = table.values
    for stage in before:
        values = filtered(values, stage, shortest=shortest)
    values = filtered(np.abs(values), smooth, shortest=shortest)
    values = _set_back_from_gaps(values, rows=round(0.5 * rate_hz / settings.low_pass_hz))
    done = Table(table.labels, table.time, values, table.name, table.in_degrees, table.source)
    return Envelope(done, rate_hz, _described([*before, smooth]), gaps, settings.low_pass_hz, problems)


def _described(stages: list[ZeroLagFilter]) -> tuple[dict[str, object], ...]:
    *before, smooth = (stage.described() for stage in stages)
    return (*before, {"filter": "absolute value"}, smooth)


def _gaps(table: Table) -> tuple[tuple[str, float, float], ...]:
    return tuple(
        (label, float(table.time[part.start]), float(table.time[part.stop - 1]))
        for label in table.labels
        for part in stretches(~np.isfinite(table[label]))
    )


def _gap_problem(gaps: tuple[tuple[str, float, float], ...], what: str, source: str) -> Problem:
    named = ", ".join(f"{label} {start:.3f} to {end:.3f} s" for label, start, end in gaps[:6])
    more = f" and {len(gaps) - 6} more" if len(gaps) > 6 else ""
    return Problem(
        "warning",
        f"{what}: EMG is missing: {named}{more}; it is left out with what lies close to it",
        file=source,
        expected="a number in every row",
    )


def _set_back_from_gaps(values: Floats, *, rows: int) -> Floats:
    """Return values with NaN on ``rows`` rows beside each gap (the recording's own ends are not gaps)."""
    out = values.copy()
    for column in range(values.shape[1]):
        for part in stretches(~np.isfinite(values[:, column])):
            out[max(0, part.start - rows) : part.stop + rows, column] = np.nan
    return out
