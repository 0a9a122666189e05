"""Whether a joint moment can be the work of the muscles whose EMG was recorded: its sign, its time and its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from profundus.records import QualityRow, Trial
from profundus.records.quality import Verdict
from profundus.signal.timing import PLAUSIBLE_S

Floats = NDArray[np.float64]
ALL = "all"
SHIFTS_S, STEP_S = 1.0, 0.04
AGAINST = -0.3
"""Correlation, at the best plausible delay, below which a moment is not its muscles' work."""
ELSEWHERE = 0.5
"""Correlation at another time from which on the moment is believed to belong there."""
SMALL, LARGE = 0.01, 2.0
"""Size of a moment as a share of what generic muscles can make; walking shows .05 to .2, divided by body mass .001 to .003."""
FEWEST = 100


def agreement_rows(
    trials: Sequence[Trial], arms: Sequence[Floats], strength: Mapping[str, float]
) -> tuple[QualityRow, ...]:
    """Return, for each coordinate with moments, how they agree with generic muscles that the envelopes drive.

    ``arms`` holds the moment arms (time, coordinate, muscle) [m] of each trial, ``strength`` {muscle: maximum isometric force} [N]. Each
    envelope over its 99th percentile (gains are unknown) times arm and strength is a muscle's share of the moment, and their sum is
    correlated with the measured moment: at delays of 0 to 0.2 s ("moment sign"), and, where that says no, at shifts up to 1 s either way
    ("moment of other leg", the shift): the two legs of a walker are half a stride apart. What muscles without an electrode and passive
    forces do is left out, so only a clear contradiction counts. "moment size" is the 95th percentile of the moment over that of all
    muscles' arms times strengths.
    """
    rows: list[QualityRow] = []
    for place, name in enumerate(trials[0].coordinates if trials else ()):
        if any(trial.moment_valid[:, place].any() for trial in trials):
            rows += _time_rows(trials, arms, strength, place, name)
            rows += _size_rows(trials, arms, strength, place, name)
    return tuple(rows)


def _time_rows(
    trials: Sequence[Trial], arms: Sequence[Floats], strength: Mapping[str, float], place: int, name: str
) -> list[QualityRow]:
    muscles = np.flatnonzero(np.all([trial.measured for trial in trials], axis=0))
    top = [np.concatenate([t.emg[t.emg_valid[:, k], k] for t in trials]) for k in muscles]
    largest = np.array([max(float(np.quantile(values, 0.99)), 1e-12) for values in top])
    gain = np.array([strength[trials[0].muscles[k]] for k in muscles]) / largest
    found = {
        shift: value
        for shift in np.arange(-SHIFTS_S, SHIFTS_S + STEP_S / 2, STEP_S)
        if np.isfinite(value := _correlation(trials, arms, place, shift, muscles=muscles, gain=gain))
    }
    low, high = PLAUSIBLE_S
    plausible = [value for shift, value in found.items() if low - 1e-9 <= shift <= high + 1e-9]
    if not plausible:
        return []
    here = max(plausible)
    wrong = here < AGAINST
    rows = [QualityRow(ALL, name, "moment sign", here, AGAINST, "warning" if wrong else "ok")]
    shift = max(found, key=lambda at: found[at])
    if wrong and found[shift] > ELSEWHERE:
        rows.append(QualityRow(ALL, name, "moment of other leg", float(shift), high, "warning"))
    return rows


def _correlation(
    trials: Sequence[Trial],
    arms: Sequence[Floats],
    place: int,
    shift: float,
    *,
    muscles: NDArray[np.intp],
    gain: Floats,
) -> float:
    """Return the correlation of the moment with its ``muscles``' envelopes times ``gain`` (electrode,) [N] ``shift`` [s] earlier.

    NaN where too little is known.
    """
    made, moment = [], []
    for trial, arm in zip(trials, arms, strict=True):
        late, every = round(shift / trial.step), max(1, round(STEP_S / trial.step))
        rows = np.arange(max(0, late), min(len(trial.time), len(trial.time) + late), every)
        known = trial.moment_valid[rows, place] & trial.emg_valid[rows - late][:, muscles].all(axis=1)
        rows = rows[known]
        made.append(np.sum(trial.emg[rows - late][:, muscles] * gain * arm[rows, place][:, muscles], axis=1))
        moment.append(trial.moment[rows, place])
    x, y = np.concatenate(made), np.concatenate(moment)
    if len(x) < FEWEST or x.std() == 0 or y.std() == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def _size_rows(
    trials: Sequence[Trial], arms: Sequence[Floats], strength: Mapping[str, float], place: int, name: str
) -> list[QualityRow]:
    forces = np.array([strength[muscle] for muscle in trials[0].muscles])
    able = np.concatenate([np.abs(arm[:, place]) @ forces for arm in arms])
    sizes = np.abs(np.concatenate([trial.moment[trial.moment_valid[:, place], place] for trial in trials]))
    if not able.max() > 0.0:
        return []
    value = float(np.quantile(sizes, 0.95) / np.quantile(able, 0.95))
    verdict: Verdict = "ok" if SMALL <= value <= LARGE else "warning"
    return [QualityRow(ALL, name, "moment size", value, SMALL if value < SMALL else LARGE, verdict)]
