"""Checks of a person's recordings that change nothing and only report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from profundus.errors import Problem
from profundus.records import QualityRow, Recording, Subject, Trial
from profundus.records.quality import Verdict
from profundus.signal.checks import ENVELOPE, FRACTION, RAW, Check
from profundus.signal.clocks import uniform
from profundus.signal.timing import PLAUSIBLE_S, TELLING, emg_lead

Floats = NDArray[np.float64]
ALL = "all"
SAME = 0.9999
AGAINST = -0.3
"""Correlation of a moment with its own muscles below which its sign is doubted."""
_SHARED: tuple[str, Verdict] = ("shared electrode", "note")
_IDENTICAL: tuple[str, Verdict] = ("identical", "warning")
FAINT = 0.005
"""Fraction of MVC that a muscle with an electrode exceeds in some trial [-]."""
SAID_ELSEWHERE = {"above one"}  # the trial's own problems say it
MEANS = {check.name: check.means for check in (*RAW, *ENVELOPE, *FRACTION)} | {
    "shared electrode": "one electrode serves both muscles",
    "identical": "two muscles have the same signal; if one electrode serves both, give both one column in [emg.channels]",
    "lead": f"EMG leads the moment by an implausible time [s] ({PLAUSIBLE_S[0]:g} to {PLAUSIBLE_S[1]:g} s): check emg.sync_offset_ms",
    "faint": "the largest value of all trials is tiny: volts instead of a fraction of MVC?",
    "moment sign": "the moment falls when its own muscles work more: the sign of the moment may be wrong, or flexor and extensor "
    "electrodes are swapped; check [moments] sign and [emg.channels]",
    "moment of other leg": "the moment would be its muscles' work were it shifted by this time [s]: is it the other leg's, half a "
    "stride off? check [moments] columns, and the sides of the electrodes",
    "moment size": "the moment as a share of what generic muscles can make: divided by body mass, or in N.mm?",
}


def quality_table(
    trials: Sequence[Trial], subject: Subject, *, arm_sign: Mapping[str, Mapping[str, float]] | None = None
) -> tuple[QualityRow, ...]:
    """Return every check of every channel of a person's trials; ``trial`` is "all" where the trials are looked at together.

    Raw EMG is looked at within the trial's time. ``arm_sign``, {coordinate: {muscle: sign of the moment arm}}, lets the sign of the moments
    be checked.
    """
    recordings = {recording.name: recording for recording in subject.recordings}
    rows: list[QualityRow] = []
    for trial in trials:
        recording = recordings.get(trial.name)
        if recording is not None and trial.processing.get("emg_kind") == "raw":
            rows += _raw_rows(trial, recording)
        rows += _envelope_rows(trial)
        rows += _pair_rows(trial)
    rows += _faint_rows(trials)
    coordinates = trials[0].coordinates if trials else ()
    for index, coordinate in enumerate(coordinates):
        rows += _lead_rows(trials, index)
        if arm_sign is not None and coordinate in arm_sign:
            rows += _sign_rows(trials, index, arm_sign[coordinate])
    return tuple(rows)


def quality_problems(rows: Sequence[QualityRow], subject: str) -> tuple[Problem, ...]:
    """Return what the checks found, one problem for each channel and check, with the worst trial."""
    found: dict[tuple[str, str, Verdict], list[QualityRow]] = {}
    for row in rows:
        if row.verdict != "ok" and row.check not in SAID_ELSEWHERE:
            found.setdefault((row.channel, row.check, row.verdict), []).append(row)
    problems = []
    for (channel, check, verdict), group in found.items():
        worst = max(group, key=lambda row: abs(row.value))
        where = "all trials together" if worst.trial == ALL else f"{len(group)} of the trials, most in {worst.trial}"
        said = f"{subject}: {channel}: {check} {worst.value:.4g}, threshold {worst.threshold:.4g} ({where}): {MEANS[check]}"
        problems.append(Problem("note" if verdict == "note" else "warning", said))
    return tuple(problems)


def _judged(trial: str, channel: str, check: Check, values: Floats, rate_hz: float) -> QualityRow:
    value = check.measure(values, rate_hz)
    return QualityRow(
        trial, channel, check.name, value, check.threshold, check.verdict if value > check.threshold else "ok"
    )


def _raw_rows(trial: Trial, recording: Recording) -> list[QualityRow]:
    table, rate_hz, _ = uniform(recording.emg, what=trial.name)
    late = trial.processing.get("emg_sync_offset_ms", 0.0)
    time = table.time - (late / 1000 if isinstance(late, float | int) else 0.0)
    inside = (time >= trial.time[0]) & (time <= trial.time[-1])
    rows = []
    for muscle in (m for m in trial.muscles if m in table):
        values = table[muscle][inside]
        values = values[np.isfinite(values)]
        if len(values) > 1:
            rows += [_judged(trial.name, muscle, check, values, rate_hz) for check in RAW]
    return rows


def _envelope_rows(trial: Trial) -> list[QualityRow]:
    scaled = trial.processing.get("emg_normalization") != "none"
    checks: tuple[Check, ...] = (*ENVELOPE, *FRACTION) if scaled else ENVELOPE
    rows = []
    for index in np.flatnonzero(trial.measured):
        values = trial.emg[trial.emg_valid[:, index], index]
        if len(values) > 1:
            rows += [_judged(trial.name, trial.muscles[index], check, values, 1 / trial.step) for check in checks]
    return rows


def _faint_rows(trials: Sequence[Trial]) -> list[QualityRow]:
    """Return the largest envelope of each muscle over all trials, where it is to be a fraction of MVC."""
    rows = []
    if trials and trials[0].processing.get("emg_normalization") == "mvc":
        for index, muscle in enumerate(trials[0].muscles):
            values = np.concatenate([trial.emg[trial.emg_valid[:, index], index] for trial in trials])
            if len(values):
                largest = float(values.max())
                rows.append(QualityRow(ALL, muscle, "faint", largest, FAINT, "warning" if largest < FAINT else "ok"))
    return rows


def _pair_rows(trial: Trial) -> list[QualityRow]:
    """Return a row for each pair of muscles with one signal: a note if the study gave them one column, else a warning."""
    named = trial.processing.get("emg_channels")
    columns = named if isinstance(named, dict) else {}
    rows = []
    for a, b in combinations(np.flatnonzero(trial.measured), 2):
        first, second = trial.muscles[a], trial.muscles[b]
        both = trial.emg_valid[:, a] & trial.emg_valid[:, b]
        x, y = trial.emg[both, a], trial.emg[both, b]
        if len(x) < 2 or x.std() == 0 or y.std() == 0:
            continue
        alike = float(np.corrcoef(x, y)[0, 1])
        if alike > SAME:
            shared = columns.get(first, first) == columns.get(second, second)
            check, verdict = _SHARED if shared else _IDENTICAL
            rows.append(QualityRow(trial.name, f"{first}, {second}", check, alike, SAME, verdict))
    return rows


def _lead_rows(trials: Sequence[Trial], index: int) -> list[QualityRow]:
    found = emg_lead(trials, index)
    if found is None:
        return []
    lead, telling = found
    low, high = PLAUSIBLE_S
    verdict: Verdict = "warning" if telling > TELLING and not low - 1e-9 <= lead <= high + 1e-9 else "ok"
    return [QualityRow(ALL, trials[0].coordinates[index], "lead", lead, high if lead > high else low, verdict)]


def _sign_rows(trials: Sequence[Trial], index: int, sign: Mapping[str, float]) -> list[QualityRow]:
    """Return the correlation of the moment with the envelopes, each with its arm's sign: clearly negative, one of them is wrong."""
    drive, moment = [], []
    for trial in trials:
        muscles = [k for k in np.flatnonzero(trial.measured) if trial.muscles[k] in sign]
        known = trial.moment_valid[:, index] & np.all(trial.emg_valid[:, muscles], axis=1)
        drive.append(trial.emg[known][:, muscles] @ np.array([np.sign(sign[trial.muscles[k]]) for k in muscles]))
        moment.append(trial.moment[known, index])
    x, y = np.concatenate(drive), np.concatenate(moment)
    if len(x) < 2 or x.std() == 0 or y.std() == 0:
        return []
    value = float(np.corrcoef(x, y)[0, 1])
    verdict: Verdict = "warning" if value < AGAINST else "ok"
    return [QualityRow(ALL, trials[0].coordinates[index], "moment sign", value, AGAINST, verdict)]
