"""Whether the files of a trial are of the same time, and how much of it they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from profundus.errors import Problem
from profundus.io.study_schema import TrialSection
from profundus.io.study_text import StudyText
from profundus.records.table import Table

Span = tuple[float, float]
SHORT = 2.0
"""A trial of less than this many seconds is worth a warning."""
SLACK = 0.05
"""How far a window may reach beyond the data before that is worth a warning [s]."""


def clock_problems(
    trial: TrialSection, tables: Mapping[str, Table | None], text: StudyText, *, emg_late: float
) -> Iterator[Problem]:
    """Yield where the files of a trial do not overlap in time, where its window lies outside, and how little is left.

    ``tables`` are by their key in the study file; the time stamps of EMG are late by ``emg_late`` [s].
    """
    common: Span = (float("-inf"), float("inf"))
    for key, table in tables.items():
        if table is None:
            continue
        late = emg_late if key == "emg" else 0.0
        span = (float(table.time[0]) - late, float(table.time[-1]) - late)
        rest, common = common, _shared(common, span)
        if common[0] >= common[1]:
            what = f"trial {trial.name}: {key} ({_said(span)}) does not overlap in time with the rest ({_said(rest)})"
            remedy = "Are the files of the same trial, on the same clock, in seconds?"
            yield text.problem("error", what, (*trial.at, key), remedy=remedy)
            return
    if trial.time is not None:
        yield from _window_problems(trial, trial.time, common, text)
        common = _shared(common, trial.time)
    if 0 < (length := common[1] - common[0]) < SHORT:
        what = f"trial {trial.name}: {length:.2f} s are common to its files"
        rest_of_it = "scores leave out 0.3 s at each end, and little remains to learn from"
        yield text.problem("warning", what, trial.at, remedy=f"Give a longer stretch if there is one: {rest_of_it}")


def _window_problems(trial: TrialSection, asked: Span, there: Span, text: StudyText) -> Iterator[Problem]:
    what, at = f"trial {trial.name}: the window {_said(asked)}", (*trial.at, "time")
    remedy = f"Choose a window inside {_said(there)}"
    if asked[1] <= there[0] or asked[0] >= there[1]:
        yield text.problem("error", f"{what} lies outside of the data", at, remedy=remedy)
    elif asked[0] < there[0] - SLACK or asked[1] > there[1] + SLACK:
        what += " reaches beyond the data, what is common to the files is used"
        yield text.problem("warning", what, at, remedy=remedy)


def _shared(one: Span, other: Span) -> Span:
    return max(one[0], other[0]), min(one[1], other[1])


def _said(span: Span) -> str:
    return f"{span[0]:.3f} to {span[1]:.3f} s"
