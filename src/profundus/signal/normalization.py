"""What makes envelopes comparable: one maximum per muscle and person, never one per trial."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.records import EmgScale, EmgSettings, Recording, Study, Subject, Table
from profundus.signal.envelopes import envelope
from profundus.signal.filters import stretches

Floats = NDArray[np.float64]


def emg_scale(study: Study, subject: Subject) -> EmgScale:
    """Return the constants that the subject's envelopes are divided by.

    ``mvc``: the largest mean of a window of ``mvc_window_s`` over the recordings of maximal contractions, which pass the same filters as
    the trials; envelopes that come without such recordings are fractions of the maximum already (1). ``session_max``: the same window over
    all the subject's trials, fit and test, within their time windows and without the stretches whose EMG is excluded. ``none``: 1.
    Raises InputError with every muscle that has no maximum.
    """
    settings, muscles = study.emg, study.measured
    asked = settings.normalization
    if asked == "none" or (asked == "mvc" and settings.kind == "envelope" and not subject.mvc):
        why = "not normalized" if asked == "none" else "the envelope is a fraction of MVC as recorded"
        return EmgScale(subject.id, asked, dict.fromkeys(muscles, 1.0), dict.fromkeys(muscles, why))
    if asked == "mvc":
        sources = [(f"MVC {n + 1}: {PurePath(table.source).name or table.name}", table) for n, table in enumerate(subject.mvc)]
        found = _largest([(name, _envelope_of(t, settings, muscles, name)) for name, t in sources], settings)
    else:
        found = _largest([(r.name, _trusted(r, settings, muscles)) for r in subject.recordings], settings)
    _refuse_missing(muscles, found, subject.id, asked, settings.mvc_window_s)
    return EmgScale(
        subject.id,
        asked,
        {muscle: found[muscle][0] for muscle in muscles},
        {
            muscle: f"{found[muscle][1]}, {settings.mvc_window_s:g} s around {found[muscle][2]:.3f} s"
            for muscle in muscles
        },
    )


def largest_window_mean(time: Floats, values: Floats, *, window_s: float) -> tuple[float, float]:
    """Return the largest mean of a moving window over finite values (row,) and the time [s] of its middle; NaN where no window fits."""
    rows = max(1, round(window_s * (len(time) - 1) / float(time[-1] - time[0])))
    best, at = np.nan, np.nan
    for part in stretches(np.isfinite(values)):
        if part.stop - part.start < rows:
            continue
        total = np.cumsum(np.concatenate(([0.0], values[part])))
        means = (total[rows:] - total[:-rows]) / rows
        first = int(np.argmax(means))
        if not means[first] <= best:
            best, at = float(means[first]), float(time[part][first : first + rows].mean())
    return best, at


def _envelope_of(table: Table, settings: EmgSettings, muscles: Iterable[str], what: str) -> Table:
    there = {muscle: muscle for muscle in muscles if muscle in table}
    return envelope(table.select(there), settings, what=what).table


def _trusted(recording: Recording, settings: EmgSettings, muscles: Iterable[str]) -> Table:
    """Return a trial's envelopes, NaN outside of its window and where its EMG is excluded."""
    table = _envelope_of(recording.emg, settings, muscles, recording.name)
    time = table.time - settings.sync_offset_ms / 1000
    keep = np.ones(len(time), dtype=np.bool_)
    if recording.time is not None:
        keep &= (time >= recording.time[0]) & (time <= recording.time[1])
    for exclusion in recording.exclusions:
        if exclusion.what != "moments":
            keep &= (time < exclusion.time[0]) | (time > exclusion.time[1])
    return Table(table.labels, time, np.where(keep[:, None], table.values, np.nan), table.name)


def _largest(named: list[tuple[str, Table]], settings: EmgSettings) -> dict[str, tuple[float, str, float]]:
    found: dict[str, tuple[float, str, float]] = {}
    for name, table in named:
        for muscle in table.labels:
            mean, at = largest_window_mean(table.time, table[muscle], window_s=settings.mvc_window_s)
            if mean > found.get(muscle, (0.0, "", 0.0))[0]:
                found[muscle] = (mean, name, at)
    return found


def _refuse_missing(
    muscles: Iterable[str], found: dict[str, tuple[float, str, float]], subject: str, asked: str, window_s: float
) -> None:
    where = "MVC recording" if asked == "mvc" else "trial"
    problems = [
        Problem(
            "error",
            f"{subject}: {muscle}: no {where} has {window_s:g} s of EMG in a row above zero to normalize by",
            expected=f"at least one {where} of this muscle",
            remedy='Name one under emg.mvc, or set emg.normalization = "session_max"'
            if asked == "mvc"
            else "Shorten emg.mvc_window_s, or check the electrode",
        )
        for muscle in muscles
        if muscle not in found
    ]
    if problems:
        raise InputError(problems)
