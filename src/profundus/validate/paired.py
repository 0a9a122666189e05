"""Methods held against each other person by person: what one does better, in how many people, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from profundus.errors import InputError, Problem
from profundus.records import Scorecard, ScoreRow
from profundus.records.recording import Role

Floats = NDArray[np.float64]
Error = Literal["rmse", "rmse_scaled"]
Key = tuple[str, float | None, bool]  # muscle, load (None: all), whether it was hidden
RESAMPLES, CONFIDENCE = 10_000, 0.9
SAME_SAMPLES = 0.9  # share of samples that both answered, at least, for two errors to be a pair


@dataclass(frozen=True)
class PairedRow:
    """One method against another for one muscle (``name``), over people.

    ``load_kg`` is NaN where all trials are pooled. ``people`` were scored under both methods; all other numbers are theirs. ``left_out``:
    those in whom one of the two errors is missing or zero, or is over fewer than 0.9 of the other's samples:
    silence where it is hard is no skill. ``ratio`` is the geometric mean of error / error of ``against``; ``lower`` and
    ``upper`` its 5 to 95 % interval, a percentile bootstrap over people, NaN for one person, in whom nothing can be said of others.
    ``wins``: people with the smaller error. r to interval_score90 and rmse_scaled are medians;
    ``log_amplitude_rms`` is the root mean square of the log of the amplitude ratio.
    """

    method: str
    against: str
    name: str
    load_kg: float
    hidden: bool
    people: int
    left_out: int
    ratio: float
    lower: float
    upper: float
    wins: int
    r: float
    rmse: float
    nrmse: float
    amplitude_ratio: float
    coverage90: float
    interval_score90: float
    log_amplitude_rms: float
    rmse_scaled: float = float("nan")


def paired(
    card: Scorecard,
    *,
    against: str = "copy",
    role: Role = "test",
    pooled: Literal["all", "load"] | float = "all",
    by: Error = "rmse",
    seed: int = 0,
) -> tuple[PairedRow, ...]:
    """Return every method of a scorecard held against one of them, muscle by muscle, ``against`` itself among them (ratio 1).

    ``pooled``: over "all" trials of the ``role``, or apart for every "load", or for one load [kg] alone. ``by`` is "rmse", or
    "rmse_scaled", that of the time course. A muscle that was hidden is kept apart from the same muscle measured. Raises InputError where
    there are no scores of ``against``, of that role or load, and where a person is scored twice.
    """
    rows = [row for row in card.rows if row.quantity == "emg" and row.role == role and _wanted(row, pooled)]
    problems = [*_missing(card, rows, against, role, pooled), *_doubled(rows)]
    if problems:
        raise InputError(problems)
    table: dict[Key, dict[str, dict[str, ScoreRow]]] = {}
    for row in rows:
        load = row.load_kg if row.trial == "load" else None
        table.setdefault((row.name, load, row.hidden), {}).setdefault(row.method, {})[row.subject] = row
    methods = list(dict.fromkeys(row.method for row in rows))
    return tuple(
        _held_against(
            key,
            method,
            against=against,
            ours=by_method[method],
            theirs=by_method.get(against, {}),
            by=by,
            seed=seed,
        )
        for key, by_method in table.items()
        for method in methods
        if method in by_method
    )


def _wanted(row: ScoreRow, pooled: str | float) -> bool:
    if isinstance(pooled, str):
        return row.trial == pooled
    return row.trial == "load" and abs(row.load_kg - pooled) < 1e-6


def _missing(
    card: Scorecard, rows: Sequence[ScoreRow], against: str, role: str, pooled: str | float
) -> Iterable[Problem]:
    known = [row for row in card.rows if row.quantity == "emg" and row.role == role]
    if not known:
        yield Problem(
            "error", f"no muscle is scored on trials of role '{role}'", expected="scores of trials with a truth"
        )
    elif against not in {row.method for row in known}:
        methods = ", ".join(dict.fromkeys(row.method for row in known))
        yield Problem(
            "error", f"there are no scores of '{against}' to hold others against", expected=f"one of {methods}"
        )
    elif not rows:
        loads = ", ".join(f"{load:g}" for load in sorted({row.load_kg for row in known if row.trial == "load"}))
        asked = f"the load of {pooled:g} kg" if not isinstance(pooled, str) else f"pooled by '{pooled}'"
        yield Problem(
            "error", f"there are no scores of {asked}", expected=f"one of {loads} kg" if loads else "known loads"
        )


def _doubled(rows: Sequence[ScoreRow]) -> Iterable[Problem]:
    seen = set()
    for row in rows:
        what = (row.method, row.subject, row.name, row.trial, str(row.load_kg), row.hidden)
        if what in seen:
            said = f"{row.subject}: {row.name} is scored twice under '{row.method}', role '{row.role}'"
            yield Problem("error", said, expected="one row a person, muscle and load")
        seen.add(what)


def _held_against(
    key: Key,
    method: str,
    *,
    against: str,
    ours: Mapping[str, ScoreRow],
    theirs: Mapping[str, ScoreRow],
    by: Error,
    seed: int,
) -> PairedRow:
    people = [
        person
        for person in ours
        if person in theirs
        and _error(ours, person, by) * _error(theirs, person, by) > 0
        and _alike(ours[person].n, theirs[person].n)
    ]
    logs = np.log([_error(ours, person, by) / _error(theirs, person, by) for person in people])
    ratio, lower, upper = np.exp(_mean_and_interval(logs, seed))
    scored = [ours[person] for person in people]
    muscle, load, hidden = key
    return PairedRow(
        method, against, muscle, np.nan if load is None else load, hidden,
        people=len(people),
        left_out=len({*ours, *theirs}) - len(people),
        ratio=float(ratio),
        lower=float(lower),
        upper=float(upper),
        wins=int(np.sum(logs < 0.0)),
        r=_median(row.r for row in scored),
        rmse=_median(row.rmse for row in scored),
        nrmse=_median(row.nrmse for row in scored),
        amplitude_ratio=_median(row.amplitude_ratio for row in scored),
        coverage90=_median(row.coverage90 for row in scored),
        interval_score90=_median(row.interval_score90 for row in scored),
        log_amplitude_rms=_log_rms(row.amplitude_ratio for row in scored),
        rmse_scaled=_median(row.rmse_scaled for row in scored),
    )  # fmt: skip


def _alike(ours: int, theirs: int) -> bool:
    return min(ours, theirs) >= SAME_SAMPLES * max(ours, theirs)


def _error(rows: Mapping[str, ScoreRow], person: str, by: Error) -> float:
    return rows[person].rmse if by == "rmse" else rows[person].rmse_scaled


def _mean_and_interval(logs: Floats, seed: int) -> tuple[float, float, float]:
    if not len(logs):
        return np.nan, np.nan, np.nan
    if len(logs) == 1:
        return float(logs[0]), np.nan, np.nan
    found = bootstrap(
        (logs,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",  # BCa is not defined where all people are alike
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    return float(np.mean(logs)), float(found.low), float(found.high)


def _median(values: Iterable[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.median(known)) if known else np.nan


def _log_rms(ratios: Iterable[float]) -> float:
    known = [ratio for ratio in ratios if np.isfinite(ratio) and ratio > 0.0]
    return float(np.sqrt(np.mean(np.log(known) ** 2))) if known else np.nan
