"""What the normalization of a person's EMG is, and what the checks of a recording found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from profundus.errors import Problem

Verdict = Literal["ok", "note", "warning"]


@dataclass(frozen=True)
class EmgScale:
    """What a subject's envelopes are divided by, muscle by muscle: one constant for all trials, kept for trials to come.

    ``maximum`` is in the unit of the envelope (V for raw EMG), ``source`` says in words where it was found, ``problems`` are those of the
    recordings of maximal contractions.
    """

    subject: str
    normalization: str
    maximum: dict[str, float]
    source: dict[str, str]
    problems: tuple[Problem, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class QualityRow:
    """One check of one channel in one trial: the value found, the threshold it is held against, the verdict."""

    trial: str
    channel: str
    check: str
    value: float
    threshold: float
    verdict: Verdict
