"""The judge: scores of a reconstruction against what is known, whoever made it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profundus.records import Reconstruction, Scorecard, ScoreRow, TrialReconstruction
from profundus.validate import metrics

Floats = NDArray[np.float64]
LAG_REACH_MS = 300.0
EDGE_S = 0.3


def score(
    rec: Reconstruction,
    *,
    edge_s: float = EDGE_S,
    hidden: Collection[str] = (),
    quantities: Collection[str] = ("emg", "moment"),
) -> Scorecard:
    """Return the scores of every muscle with a truth and every coordinate with a measured moment.

    One row a trial; one pooled over the trials of a role (trial "all"); one pooled over those of a role and a known load (trial "load").
    ``edge_s`` [s] is left out at both ends of a trial, and so are samples that are missing or excluded. Muscles in ``hidden`` are marked
    as such; ``quantities`` are what is scored. A lag never looks across two trials. Band scores are NaN where a method gives no band (lower
    = upper).
    """
    columns = [column for column in scored_columns(rec, edge_s=edge_s) if column.kind in quantities]
    rows = []
    for (kind, name), parts in _by_name(columns).items():
        marked = kind == "emg" and name in hidden
        for trial, load_kg, role, chosen in _poolings(parts):
            values = _scores(_joined(chosen))
            rows.append(
                ScoreRow(rec.method, rec.subject, trial, load_kg, role, kind, name, **values, hidden=marked)  # type: ignore[arg-type]
            )
    return Scorecard(tuple(rows))


@dataclass(frozen=True)
class ScoredColumn:
    """One muscle's or coordinate's samples (time,) of one trial, or of several one after the other."""

    kind: Literal["emg", "moment"]
    name: str
    trial: str
    load_kg: float
    role: str
    step: float
    truth: Floats
    estimate: Floats
    lower: Floats
    upper: Floats


def scored_columns(rec: Reconstruction, *, edge_s: float = EDGE_S) -> Iterator[ScoredColumn]:
    """Yield every muscle and coordinate of every trial as it is judged: ``edge_s`` [s] left out at both ends, gaps as NaN."""
    for part in rec.trials:
        trial = part.trial
        inner = (trial.time >= trial.time[0] + edge_s - 1e-9) & (trial.time <= trial.time[-1] - edge_s + 1e-9)
        facts = (trial.name, trial.load_kg, trial.role, trial.step)
        unknown = np.full(int(inner.sum()), np.nan)
        for i, muscle in enumerate(trial.muscles):
            truth = np.where(trial.emg_valid[:, i] | ~trial.measured[i], trial.truth[:, i], np.nan)
            lower, upper = _band(part, i)
            yield ScoredColumn(
                "emg", muscle, *facts, truth[inner], part.excitation[inner, i], lower[inner], upper[inner]
            )
        if part.moment is not None:
            for i, coordinate in enumerate(trial.coordinates):
                measured = np.where(trial.moment_valid[:, i], trial.moment[:, i], np.nan)
                yield ScoredColumn(
                    "moment", coordinate, *facts, measured[inner], part.moment[inner, i], unknown, unknown
                )


def _band(part: TrialReconstruction, muscle: int) -> tuple[Floats, Floats]:
    lower, upper = part.lower[:, muscle], part.upper[:, muscle]
    given = bool(np.any(upper > lower))
    nothing = np.full_like(lower, np.nan)
    return (lower, upper) if given else (nothing, nothing)


def _by_name(columns: Sequence[ScoredColumn]) -> dict[tuple[Literal["emg", "moment"], str], list[ScoredColumn]]:
    """Return the columns that can be scored, muscles before coordinates, each in the order of the model."""
    known = [column for column in columns if np.any(np.isfinite(column.truth) & np.isfinite(column.estimate))]
    names = dict.fromkeys((column.kind, column.name) for column in known)
    return {
        key: [column for column in known if (column.kind, column.name) == key]
        for key in sorted(names, key=lambda key: key[0])
    }


def _poolings(parts: Sequence[ScoredColumn]) -> Iterator[tuple[str, float, str, list[ScoredColumn]]]:
    """Yield trial, load, role and columns of every row: each trial, then per role all of them, then per role and load."""
    for part in parts:
        yield part.trial, part.load_kg, part.role, [part]
    for role in dict.fromkeys(part.role for part in parts):
        those = [part for part in parts if part.role == role]
        yield "all", np.nan, role, those
        for load_kg in sorted({part.load_kg for part in those if not np.isnan(part.load_kg)}):
            yield "load", load_kg, role, [part for part in those if part.load_kg == load_kg]


def _joined(parts: Sequence[ScoredColumn]) -> ScoredColumn:
    """Return the columns one after the other, with gaps of NaN between them that no lag can bridge."""
    first = parts[0]
    gap = np.full(round(LAG_REACH_MS / 1000.0 / first.step) + 1, np.nan)
    series = (
        np.concatenate([piece for part in parts for piece in (getattr(part, key), gap)][:-1])
        for key in ("truth", "estimate", "lower", "upper")
    )
    return ScoredColumn(first.kind, first.name, first.trial, first.load_kg, first.role, first.step, *series)


def _scores(column: ScoredColumn) -> dict[str, float]:
    truth, estimate = column.truth, column.estimate
    known = np.isfinite(truth) & np.isfinite(estimate)
    lower, upper = np.where(known, (column.lower, column.upper), np.nan)
    return {
        "r": metrics.pearson_r(truth, estimate),
        "rmse": metrics.rmse(truth, estimate),
        "nrmse": metrics.nrmse(truth, estimate),
        "amplitude_ratio": metrics.amplitude_ratio(truth, estimate),
        "rmse_scaled": metrics.rmse_scaled(truth, estimate),
        "lag_ms": metrics.lag_ms(truth, estimate, step=column.step, reach_ms=LAG_REACH_MS),
        "vaf": metrics.vaf(truth, estimate),
        "coverage90": metrics.coverage90(truth, lower, upper),
        "band_width": metrics.band_width(lower, upper),
        "interval_score90": metrics.interval_score90(truth, lower, upper),
        "n": int(known.sum()),
        "r2": metrics.r2(truth, estimate),
    }
