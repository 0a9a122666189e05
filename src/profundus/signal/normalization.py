"""What makes envelopes comparable: one maximum per muscle and person, never one per trial."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.records import EmgScale, EmgSettings, Recording, Study, Subject, Table
from profundus.signal.envelopes import Envelope, envelope
from profundus.signal.filters import stretches

Floats = NDArray[np.float64]


def emg_scale(study: Study, subject: Subject) -> EmgScale:
    """Return the constants that the subject's envelopes are divided by.

    ``mvc``: the largest mean of a window of ``mvc_window_s`` over the recordings of maximal contractions, which pass the same filters as
    the trials; envelopes that come without such recordings are fractions of the maximum already (1). ``session_max``: the largest value of
    the envelopes of all the subject's recordings, fit and test, inside and outside of their windows, without stretches whose EMG is
    excluded; not a window mean, which short efforts exceed by far (2.1 times in a box lift) while no excitation can exceed 1. ``none``: 1.
    Raises InputError with every muscle that has no maximum.
    """
    settings, muscles = study.emg, study.measured
    asked = settings.normalization
    if asked == "none" or (asked == "mvc" and settings.kind == "envelope" and not subject.mvc):
        why = "not normalized" if asked == "none" else "the envelope is a fraction of MVC as recorded"
        return EmgScale(subject.id, asked, dict.fromkeys(muscles, 1.0), dict.fromkeys(muscles, why))
    if asked == "mvc":
        window_s = settings.mvc_window_s
        named = [(f"MVC {n + 1} {PurePath(table.source).name}".rstrip(), table) for n, table in enumerate(subject.mvc)]
        envelopes = [(what, _envelope_of(table, settings, muscles, what)) for what, table in named]
        found = _largest([(what, made.table) for what, made in envelopes], window_s=window_s)
        problems = tuple(problem for _, made in envelopes for problem in made.problems)
    else:
        window_s, problems = 0.0, ()
        found = _largest([(r.name, _trusted(r, settings, muscles)) for r in subject.recordings], window_s=window_s)
    _refuse_missing(muscles, found, subject.id, asked, window_s)
    lasting = f"{window_s:g} s around" if window_s else "at"
    where = {muscle: f"{found[muscle][1]}, {lasting} {found[muscle][2]:.3f} s" for muscle in muscles}
    return EmgScale(subject.id, asked, {muscle: found[muscle][0] for muscle in muscles}, where, problems)


def largest_window_mean(time: Floats, values: Floats, *, window_s: float) -> tuple[float, float]:
    """Return the largest mean of ``window_s`` (0: of one row) of finite values (row,) and the time [s] of its middle; else NaN."""
    rows = max(1, round(window_s * (len(time) - 1) / float(time[-1] - time[0])))
    best, at = np.nan, np.nan
    for part in stretches(np.isfinite(values)):
        if part.stop - part.start < rows:
            continue
        total = np.cumsum(np.concatenate(([0.0], values[part])))
        means = (total[rows:] - total[:-rows]) / rows if rows > 1 else values[part]
        first = int(np.argmax(means))
        if not means[first] <= best:  # also where there is no best yet
            best, at = float(means[first]), float(time[part][first : first + rows].mean())
    return best, at


def _envelope_of(table: Table, settings: EmgSettings, muscles: Iterable[str], what: str) -> Envelope:
    there = {muscle: muscle for muscle in muscles if muscle in table}
    return envelope(table.select(there), settings, what=what)


def _trusted(recording: Recording, settings: EmgSettings, muscles: Iterable[str]) -> Table:
    """Return a trial's envelopes over the whole recording, NaN where its EMG is excluded."""
    table = _envelope_of(recording.emg, settings, muscles, recording.name).table
    time = table.time - settings.sync_offset_ms / 1000
    keep = np.ones(table.values.shape, dtype=np.bool_)
    for exclusion in recording.exclusions:
        if exclusion.what in ("emg", "all"):
            hit = np.array([exclusion.hits(muscle) for muscle in table.labels], dtype=np.bool_)
            keep &= ((time < exclusion.time[0]) | (time > exclusion.time[1]))[:, None] | ~hit
    return Table(table.labels, time, np.where(keep, table.values, np.nan), table.name)


def _largest(named: list[tuple[str, Table]], *, window_s: float) -> dict[str, tuple[float, str, float]]:
    """Return {muscle: (largest mean above zero, where, time [s])}."""
    found: dict[str, tuple[float, str, float]] = {}
    for name, table in named:
        for muscle in table.labels:
            mean, at = largest_window_mean(table.time, table[muscle], window_s=window_s)
            if mean > found.get(muscle, (0.0, "", 0.0))[0]:
                found[muscle] = (mean, name, at)
    return found


def _refuse_missing(
    muscles: Iterable[str], found: dict[str, tuple[float, str, float]], subject: str, asked: str, window_s: float
) -> None:
    where = "MVC recording" if asked == "mvc" else "trial"
    lasting = f"{window_s:g} s in a row of " if window_s else ""
    remedy = "Check the electrode and what is excluded"
    if asked == "mvc":
        remedy = 'Name a recording under emg.mvc, or set emg.normalization = "session_max"'
    problems = [
        Problem(
            "error",
            f"{subject}: {muscle}: no {where} has {lasting}EMG above zero to normalize by",
            expected=f"at least one {where} of this muscle",
            remedy=remedy,
        )
        for muscle in muscles
        if muscle not in found
    ]
    if problems:
        raise InputError(problems)
