"""Strides whose joint moment is far from that of all others: both feet on one plate, or a hand on the rail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profundus.errors import Problem
from profundus.records import Trial
from profundus.validate.strides import Strides, by_stride, strides_of

Floats = NDArray[np.float64]
FEWEST = 10  # strides with a known moment that say what is usual
FAR = 6.0  # robust standard deviations of the strides' largest deviation
WORTH = 0.15  # of the median stride's range: what is smaller is no false moment
MARGIN_S = 0.1
WHY = "the moment is far from that of the other strides"


@dataclass(frozen=True)
class FalseStretch:
    """A stretch of one or more neighboring strides (``time``, start and end [s]) in which moments of ``coordinates`` are far from the
    others', by ``deviation`` [N.m] at most.
    """  # fmt: skip

    subject: str
    trial: str
    time: tuple[float, float]
    coordinates: tuple[str, ...]
    deviation: float


def false_stretches(trials: Sequence[Trial]) -> tuple[FalseStretch, ...]:
    """Return where the moment of a stride is far from that of the other strides of a person; nothing where no trial is periodic.

    Strides of one angle and load are held against each other. Each one's largest distance from the median stride is held against those of
    all: median and 1.4826 times the median absolute deviation. Far is beyond six of these, and 0.15 of the median stride's range. A stretch
    reaches as far as the distance is more than is usual at its largest, and 0.1 s beyond. What is excluded makes its stride unknown.
    """
    alike: dict[tuple[str, str], list[tuple[Trial, Strides]]] = {}
    for trial in trials:
        strides = strides_of(trial)
        if strides is not None:
            alike.setdefault((strides.coordinate, f"{trial.load_kg:g}"), []).append((trial, strides))
    return tuple(one for group in alike.values() for one in _of_group(group))


def _of_group(group: Sequence[tuple[Trial, Strides]]) -> Iterator[FalseStretch]:
    known = [by_stride(t.time, np.where(t.moment_valid, t.moment, np.nan), strides) for t, strides in group]
    judged = [_usual(np.concatenate([one[:, :, place] for one in known])) for place in range(known[0].shape[2])]
    for (trial, strides), curves in zip(group, known, strict=True):
        found = [
            (start, end, trial.coordinates[place], size)
            for place, usual in enumerate(judged)
            if usual is not None
            for start, end, size in usual.exceeded(curves[:, :, place], strides)
        ]
        yield from _merged(trial, sorted(found), strides.duration)


def false_moment_problems(trials: Sequence[Trial]) -> tuple[Problem, ...]:
    """Return a warning for each stretch with a false moment, with the lines that exclude it."""
    return tuple(
        Problem(
            "warning",
            f"{one.subject}: {one.trial}: the moment of {', '.join(one.coordinates)} from {one.time[0]:.1f} to {one.time[1]:.1f} s is up "
            f"to {one.deviation:.0f} N.m away from the other strides",
            remedy=f"To leave it out, add to the study file:\n{exclude_lines(one)}",
        )
        for one in false_stretches(trials)
    )


def exclude_lines(one: FalseStretch) -> str:
    """Return the table of the study file that excludes a stretch; it ends with a comment that asks what happened."""
    return (
        f'[[exclude]]\ntrial = "{one.trial}"\nsubject = "{one.subject}"\ntime = [{one.time[0]:.1f}, {one.time[1]:.1f}]\nwhat = "moments"\n'
        f'why = "{WHY}"  # were both feet on one plate?'
    )


@dataclass(frozen=True)
class _Usual:
    """The ``median`` stride (percent,) of one moment, the ``middle`` and the ``limit`` of how far strides go from it [N.m]."""

    median: Floats
    middle: float
    limit: float

    def exceeded(self, curves: Floats, strides: Strides) -> Iterator[tuple[float, float, float]]:
        """Yield start, end [s] and size [N.m] of what is far from the median in ``curves`` (stride, percent)."""
        away = np.abs(curves - self.median)
        for place in np.flatnonzero(np.isfinite(curves).all(axis=1)):
            if away[place].max() > self.limit:
                share = np.flatnonzero(away[place] > max(self.middle, 0.5 * self.limit)) / (len(self.median) - 1)
                begin, length = strides.begin[place], strides.end[place] - strides.begin[place]
                yield float(begin + share[0] * length), float(begin + share[-1] * length), float(away[place].max())


def _usual(curves: Floats) -> _Usual | None:
    """Return what is usual in ``curves`` (stride, percent), None for fewer than `FEWEST` that are whole."""
    whole = curves[np.isfinite(curves).all(axis=1)]
    if len(whole) < FEWEST:
        return None
    median = np.median(whole, axis=0)
    size = np.abs(whole - median).max(axis=1)
    middle = float(np.median(size))
    limit = middle + FAR * 1.4826 * float(np.median(np.abs(size - middle)))
    return _Usual(median, middle, max(limit, WORTH * float(np.ptp(median))))


def _merged(trial: Trial, found: Sequence[tuple[float, float, str, float]], apart: float) -> list[FalseStretch]:
    """Return stretches, in order, with a margin; those less than half a stride ``apart`` [s] become one."""
    out: list[FalseStretch] = []
    for start, end, coordinate, size in found:
        low, high = np.floor(10 * (start - MARGIN_S)) / 10, np.ceil(10 * (end + MARGIN_S)) / 10
        last = out[-1] if out else None
        if last is not None and low - last.time[1] < 0.5 * apart:
            names = tuple(dict.fromkeys((*last.coordinates, coordinate)))
            out[-1] = FalseStretch(
                trial.subject,
                trial.name,
                (last.time[0], max(last.time[1], float(high))),
                names,
                max(last.deviation, size),
            )
        else:
            out.append(
                FalseStretch(trial.subject, trial.name, (max(0.0, float(low)), float(high)), (coordinate,), size)
            )
    return out
