"""Time series as compact text: rounded, predicted, written in base-64 digits of variable length."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from profundus.records import TrialReconstruction
from profundus.report.content import PageContent, SubjectContent

Floats = NDArray[np.float64]
ALPHABET = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", dtype=np.uint8)
GAP = ord("~")
STRIDES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 25, 40, 50, 80, 100)
SLOWEST_HZ = 10.0
RESOLUTION = {"angle": 0.1, "moment": 0.005, "excitation": 0.0005}  # deg, N.m, fraction of maximum
COARSEST = 4  # thinned series are rounded up to this many times coarser: what is lost is below a line's width


@dataclass(frozen=True)
class PackedSeries:
    """The page's time series.

    ``subjects`` holds the trials of each person as plain values, ``resolution`` what the texts count in (deg, N.m, fraction of maximum),
    ``left_out`` how many trials have no series because there was no room.
    """

    subjects: list[list[dict[str, object]]]
    rate_hz: float
    original_rate_hz: float
    resolution: dict[str, float]
    left_out: int = 0


def packed(values: Floats, resolution: float) -> str:
    """Return a series (time,) as text; ``~`` is a gap.

    Each value is rounded to ``resolution``, the straight-line prediction from the two values before is subtracted, and the rest is written
    as base-64 digits of variable length (the code of JavaScript source maps: 5 bits a character, sign in the lowest bit).
    """
    finite = np.isfinite(values)
    steps = np.rint(values[finite] / resolution).astype(np.int64)
    rest = np.diff(np.concatenate([np.zeros(2, np.int64), steps]), n=2)
    code = np.zeros(len(values), np.int64)
    code[finite] = (np.abs(rest) << 1) | (rest < 0)
    digits = np.ones(len(values), np.int64)
    for k in range(1, 12):
        digits += code >> (5 * k) > 0
    start = np.cumsum(digits) - digits
    text = np.empty(int(digits.sum()), np.uint8)
    for k in range(int(digits.max(initial=1))):
        there = digits > k
        more = (digits[there] > k + 1).astype(np.int64)
        text[start[there] + k] = ALPHABET[(code[there] >> (5 * k) & 31) | (more << 5)]
    text[start[~finite]] = GAP
    return text.tobytes().decode("ascii")


def packed_series(content: PageContent, budget: int) -> PackedSeries:
    """Return all time series within ``budget`` characters: every sample if there is room, else every second, third ... sample.

    Below 10 Hz trials are left out instead: those of role fit first, then from the last one back.
    """
    rate = 1.0 / min(answer.trial.step for subject in content.subjects for answer in subject.reconstruction.trials)
    strides = [stride for stride in STRIDES if stride == 1 or rate / stride >= SLOWEST_HZ]
    tried: dict[int, PackedSeries] = {}

    def fits(stride: int) -> bool:
        tried[stride] = _at(content, stride, rate)
        return _size(tried[stride].subjects) <= budget

    place = bisect_left(strides, True, key=fits)
    if place < len(strides):
        return tried[strides[place]]
    return _shortened(tried[strides[-1]], budget)


def _at(content: PageContent, stride: int, rate: float) -> PackedSeries:
    resolution = {kind: value * min(stride, COARSEST) for kind, value in RESOLUTION.items()}
    subjects = [
        [_trial(content, subject, answer, stride, resolution) for answer in subject.reconstruction.trials]
        for subject in content.subjects
    ]
    return PackedSeries(subjects, rate / stride, rate, resolution)


def _shortened(series: PackedSeries, budget: int) -> PackedSeries:
    trials = [trial for subject in series.subjects for trial in subject][::-1]
    excess, left_out = _size(series.subjects) - budget, 0
    for trial in sorted(trials, key=lambda trial: trial["role"] != "fit"):
        if excess <= 0:
            break
        excess -= _size(trial["series"]) + _size(trial["others"])
        trial.update(series={}, others={})
        left_out += 1
    return replace(series, left_out=left_out)


def _size(value: object) -> int:
    if isinstance(value, dict):
        return sum(len(key) + 6 + _size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(_size(item) for item in value) + 2
    return len(str(value)) + 3


def _trial(
    content: PageContent,
    subject: SubjectContent,
    answer: TrialReconstruction,
    stride: int,
    resolution: dict[str, float],
) -> dict[str, object]:
    trial, fraction = answer.trial, resolution["excitation"]
    coordinates = _Columns(trial.coordinates, content.coordinates, stride)
    muscles = _Columns(trial.muscles, content.muscles, stride)
    deep = _Columns(trial.muscles, tuple(name if name in content.deep else None for name in content.muscles), stride)
    series = {
        "angle": coordinates.packed(np.degrees(trial.angle), resolution["angle"]),
        "moment": coordinates.packed(np.where(trial.moment_valid, trial.moment, np.nan), resolution["moment"]),
        "emg": muscles.packed(np.where(trial.emg_valid, trial.emg, np.nan), fraction),
        "excitation": muscles.packed(answer.excitation, fraction),
        "truth": deep.packed(trial.truth, fraction),
    }
    if answer.moment is not None:
        series["model_moment"] = coordinates.packed(answer.moment, resolution["moment"])
    if np.any(answer.upper > answer.lower):
        series |= {"lower": deep.packed(answer.lower, fraction), "upper": deep.packed(answer.upper, fraction)}
    return {
        "name": trial.name,
        "role": trial.role,
        "load": trial.load_kg if np.isfinite(trial.load_kg) else None,
        "start": round(float(trial.time[0]), 6),
        "step": round(trial.step * stride, 9),
        "samples": len(trial.time[::stride]),
        "series": series,
        "others": {
            other.method: deep.packed(found.excitation, fraction)
            for other in subject.others
            for found in other.trials
            if found.trial.name == trial.name and found.excitation.shape == answer.excitation.shape
        },
    }


@dataclass(frozen=True)
class _Columns:
    """Which columns of a trial's arrays are wanted, in the page's order, every ``stride``-th sample."""

    names: tuple[str, ...]
    wanted: tuple[str | None, ...]
    stride: int

    def packed(self, values: Floats, resolution: float) -> list[str | None]:
        """Return one text for each wanted name, None where there is nothing but gaps."""
        found: list[str | None] = []
        for name in self.wanted:
            column = values[:: self.stride, self.names.index(name)] if name in self.names else np.empty(0)
            found.append(packed(column, resolution) if np.isfinite(column).any() else None)
        return found
