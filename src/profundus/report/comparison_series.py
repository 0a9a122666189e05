"""The curves of a comparison as compact text: the truth, the measured moment, and what every method makes of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from profundus.records import Trial, TrialReconstruction
from profundus.report.comparison_content import ComparisonContent
from profundus.report.series import COARSEST, RESOLUTION, SLOWEST_HZ, STRIDES, PackedSeries, packed

Floats = NDArray[np.float64]


def comparison_series(content: ComparisonContent, budget: int) -> PackedSeries:
    """Return the shown trials of all people within ``budget`` characters, thinned to no less than 10 Hz.

    Where that is not enough, trials are left out: the last one at each load first, one person after the other.
    """
    shown = [trial for subject in content.subjects for trial in content.trials_of(subject)]
    rate = 1.0 / min(trial.step for trial in shown)
    strides = [stride for stride in STRIDES if stride == 1 or rate / stride >= SLOWEST_HZ]
    tried: dict[int, PackedSeries] = {}

    def fits(stride: int) -> bool:
        tried[stride] = _at(content, stride, rate)
        return size(tried[stride].subjects) <= budget

    place = bisect_left(strides, True, key=fits)
    return tried[strides[place]] if place < len(strides) else _shortened(tried[strides[-1]], budget)


def size(value: object) -> int:
    """Return about how many characters a value of texts and numbers takes as JSON, rather too many than too few."""
    if isinstance(value, dict):
        return sum(len(key) + 6 + size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(size(item) for item in value) + 2
    return len(str(value)) + 3


def _at(content: ComparisonContent, stride: int, rate: float) -> PackedSeries:
    resolution = {kind: value * min(stride, COARSEST) for kind, value in RESOLUTION.items()}
    subjects: list[list[dict[str, object]]] = []
    for subject in content.subjects:
        taken: dict[float | None, int] = {}
        subjects.append([])
        for trial in content.trials_of(subject):
            load = trial.load_kg if np.isfinite(trial.load_kg) else None
            taken[load] = taken.get(load, -1) + 1
            entry = _trial(content, trial, subject.parts(trial.name), stride, resolution)
            subjects[-1].append({**entry, "load": load, "turn": taken[load]})
    return PackedSeries(subjects, rate / stride, rate, resolution)


def _trial(
    content: ComparisonContent,
    trial: Trial,
    parts: dict[str, TrialReconstruction],
    stride: int,
    resolution: dict[str, float],
) -> dict[str, object]:
    fraction, newton_meters = resolution["excitation"], resolution["moment"]

    def muscles(values: Floats) -> list[str | None]:
        return _columns(values[::stride], trial.muscles, content.deep, fraction)

    def coordinates(values: Floats) -> list[str | None]:
        return _columns(values[::stride], trial.coordinates, content.coordinates, newton_meters)

    answers: dict[str, dict[str, list[str | None]]] = {}
    for method, part in parts.items():
        answers[method] = {"excitation": muscles(part.excitation)}
        if np.any(part.upper > part.lower):
            answers[method] |= {"lower": muscles(part.lower), "upper": muscles(part.upper)}
        if part.moment is not None:
            answers[method]["moment"] = coordinates(part.moment)
    return {
        "name": trial.name,
        "start": round(float(trial.time[0]), 6),
        "step": round(trial.step * stride, 9),
        "samples": len(trial.time[::stride]),
        "truth": muscles(trial.truth),
        "moment": coordinates(np.where(trial.moment_valid, trial.moment, np.nan)),
        "answers": answers,
    }


def _columns(values: Floats, names: Sequence[str], wanted: Sequence[str], step: float) -> list[str | None]:
    """Return one text for each wanted name, None where there is nothing but gaps."""
    found: list[str | None] = []
    for name in wanted:
        column = values[:, names.index(name)] if name in names else np.empty(0)
        found.append(packed(column, step) if np.isfinite(column).any() else None)
    return found


def _shortened(series: PackedSeries, budget: int) -> PackedSeries:
    turns = [
        (int(str(trial["turn"])), place, trial) for place, people in enumerate(series.subjects) for trial in people
    ]
    excess, left_out = size(series.subjects) - budget, 0
    for _, _, trial in sorted(turns, key=lambda found: found[:2], reverse=True):
        if excess <= 0:
            break
        before = size(trial)
        trial.update(truth=[], moment=[], answers={})
        excess -= before - size(trial)
        left_out += 1
    return PackedSeries(series.subjects, series.rate_hz, series.original_rate_hz, series.resolution, left_out)
