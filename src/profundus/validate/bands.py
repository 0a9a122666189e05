"""Whether a method's bands hold what they say: where in its band the truth lies, person by person, and beside simpler bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from profundus.records import Reconstruction, TrialReconstruction
from profundus.records.recording import Role
from profundus.validate import metrics
from profundus.validate.hiding import TO_THE_EDGE
from profundus.validate.scores import ScoredColumn, scored_columns

Floats = NDArray[np.float64]
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
BINS = 10
FEWEST_OTHERS = 4  # people whose errors make a band for another
SMALLEST = 0.01  # of maximum: below it ratios of excitations say nothing


@dataclass(frozen=True)
class PersonBand:
    """How much one person's 90 % band of one muscle holds.

    ``held`` (share,) of the truth in log-normal bands of nominal `SHARES`, ``ranks`` (bin,) shares of the truth in `BINS` equal parts of
    its own distribution, ``coverage`` of the band itself, ``by_load`` {kg: coverage}, mean ``width`` and ``interval_score``, and
    that of the ``constant`` band with the same coverage (all fractions of maximum).
    """

    subject: str
    held: Floats
    ranks: Floats
    coverage: float
    by_load: Mapping[float, float]
    width: float
    interval_score: float
    constant: float


def places(truth: Floats, middle: Floats, lower: Floats, upper: Floats) -> Floats:
    """Return where the truth lies in its log-normal band (time,), in standard deviations from the middle; only where all is known.

    The standard deviation is that from the lower end of the 90 % band to the middle, as bands end at 1; from the middle to the upper end
    where the band starts at zero. A truth of zero lies infinitely low.
    """
    y, m, low, high = metrics.both(truth, middle, lower, upper)
    inside = (m > 0.0) & (high > low) & ((low > 0.0) | (high > m))
    y, m, low, high = y[inside], m[inside], low[inside], high[inside]
    downward = (low > 0.0) & (low < m)
    sd = np.log(np.where(downward, m / np.where(downward, low, 1.0), high / m)) / TO_THE_EDGE
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.maximum(y, 0.0) / m) / np.maximum(sd, 1e-9))


def held_shares(place: Floats, shares: Sequence[float] = SHARES) -> Floats:
    """Return how much of the truth (share,) lies in central bands of these nominal shares; ``place`` is that of `places`."""
    edges = ndtri(0.5 + 0.5 * np.asarray(shares))
    return np.asarray([np.mean(np.abs(place) <= edge) if len(place) else np.nan for edge in edges])


def rank_shares(place: Floats, bins: int = BINS) -> Floats:
    """Return the histogram (bin,) of the probability integral transform, in shares: flat where bands are right.

    Dawid (1984); heaps at both ends: bands too narrow; a heap in the middle: too wide; a slope: the middle is off.
    """
    counts = np.histogram(ndtr(place), bins, (0.0, 1.0))[0]
    return counts / len(place) if len(place) else np.full(bins, np.nan)


def person_band(rec: Reconstruction, muscle: str, *, role: Role) -> PersonBand | None:
    """Return how much one person's band of a muscle holds over all trials of a role; None without band or truth."""
    parts = _judged(rec, muscle, role)
    if not parts:
        return None
    truth, middle, lower, upper = _together(parts)
    coverage = metrics.coverage90(truth, lower, upper)
    place = places(truth, middle, lower, upper)
    loads = sorted({part.load_kg for part in parts if np.isfinite(part.load_kg)})
    known = {load: _together([part for part in parts if part.load_kg == load]) for load in loads}
    return PersonBand(
        rec.subject,
        held_shares(place),
        rank_shares(place),
        coverage,
        {load: metrics.coverage90(y, low, high) for load, (y, _, low, high) in known.items()},
        metrics.band_width(lower, upper),
        metrics.interval_score90(truth, lower, upper),
        metrics.constant_band_score(truth, middle, coverage),
    )


def with_others_errors(answers: Sequence[Reconstruction], muscle: str) -> tuple[Reconstruction, ...]:
    """Return one method's answers, the copy's as a rule, with a band for a muscle made of its errors in *other* people.

    A person's band reaches from the 5 to the 95 % quantile of the log ratio of truth to estimate over all fit trials of the others
    (split conformal prediction: Lei et al. 2018, leaving one person out), and ends at 1. Those with fewer than four others are left out.
    """
    errors = {rec.subject: _log_ratios(_known(rec, muscle, "fit")) for rec in answers}
    found = []
    for rec in answers:
        others = [error for subject, error in errors.items() if subject != rec.subject and len(error)]
        if len(others) >= FEWEST_OTHERS:
            low, high = np.exp(np.quantile(np.concatenate(others), [0.05, 0.95]))
            parts = tuple(_banded(part, muscle, float(low), float(high)) for part in rec.trials)
            found.append(replace(rec, trials=parts))
    return tuple(found)


def _banded(part: TrialReconstruction, muscle: str, low: float, high: float) -> TrialReconstruction:
    """Return an answer with a band around a muscle from ``low`` to ``high`` times the estimate."""
    if muscle not in part.trial.muscles:
        return part
    at, lower, upper = part.trial.muscles.index(muscle), part.lower.copy(), part.upper.copy()
    estimate = np.maximum(part.excitation[:, at], SMALLEST)
    lower[:, at], upper[:, at] = np.minimum(low * estimate, 1.0), np.minimum(high * estimate, 1.0)
    return replace(part, lower=lower, upper=upper)


def _known(rec: Reconstruction, muscle: str, role: Role) -> list[ScoredColumn]:
    """Return a muscle's trials of a role with truth and estimate."""
    return [
        column
        for column in scored_columns(rec)
        if (column.kind, column.name, column.role) == ("emg", muscle, role)
        and np.any(np.isfinite(column.truth) & np.isfinite(column.estimate))
    ]


def _judged(rec: Reconstruction, muscle: str, role: Role) -> list[ScoredColumn]:
    """Return those with a band, too."""
    return [part for part in _known(rec, muscle, role) if np.any(part.upper > part.lower)]


def _together(parts: Sequence[ScoredColumn]) -> tuple[Floats, ...]:
    """Return truth, estimate, lower and upper end of several trials, one after the other, where truth and estimate are known."""
    whole = [np.concatenate([getattr(part, key) for part in parts]) for key in ("truth", "estimate", "lower", "upper")]
    known = np.isfinite(whole[0]) & np.isfinite(whole[1])
    return tuple(series[known] for series in whole)


def _log_ratios(parts: Sequence[ScoredColumn]) -> Floats:
    if not parts:
        return np.empty(0)
    truth, middle, *_ = _together(parts)
    return np.asarray(np.log(np.maximum(truth, SMALLEST) / np.maximum(middle, SMALLEST)))
