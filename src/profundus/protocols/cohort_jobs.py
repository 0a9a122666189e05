"""Turns of people in a cohort and how they end, for whoever has the work done; nothing heavy is loaded for it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from profundus.errors import ConvergenceError, InputError, Problem, ProfundusError, ResourceError

Reason = Literal["input", "resource", "convergence", "memory", "died", "bug"]
MEMORY = "Give the machine more memory, or use fewer workers (--workers)"


@dataclass(frozen=True)
class CohortFailure:
    """Why a person was not fitted, after how many ``tries``; ``traceback`` tells where an exception came from that nobody expected."""

    subject: str
    reason: Reason
    problems: tuple[Problem, ...]
    traceback: str = ""
    tries: int = 1


@dataclass(frozen=True)
class Job:
    """One person's turn: the name, and what the work is called with."""

    subject: str
    payload: Any = None


@dataclass(frozen=True)
class Finished:
    """A job's end: ``failure`` is None where it was done."""

    subject: str
    failure: CohortFailure | None = None


Work = Callable[[Any], object]
"""What a worker does with a job's payload. It leaves its results on the disk; it is sent to other processes."""
Crew = Callable[[Iterator[Job], Work], Generator[Finished, None, None]]
"""Whoever has jobs done: processes of this machine, or a cluster. Yields each job's end as it comes."""


def attempted(work: Work, job: Job) -> Finished:
    """Return how a job ended; whatever it raises is its failure, and nobody else's."""
    try:
        work(job.payload)
    except Exception as error:
        return Finished(job.subject, failure_from(error, job.subject))
    return Finished(job.subject)


def failure_from(error: BaseException, subject: str) -> CohortFailure:
    """Return what an exception says about a person's fit."""
    if isinstance(error, InputError):
        return CohortFailure(subject, "input", error.problems)
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
        short = Problem("error", "there was not enough memory", remedy=MEMORY)
        return CohortFailure(subject, "memory", (short,))
    if isinstance(error, ProfundusError):
        known: dict[type[ProfundusError], Reason] = {ResourceError: "resource", ConvergenceError: "convergence"}
        return CohortFailure(subject, known.get(type(error), "bug"), (Problem("error", str(error)),))
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    told = "".join(traceback.format_exception(error))
    remedy = "This is a fault of profundus, not of the data: please report it with the traceback"
    return CohortFailure(subject, "bug", (Problem("error", what, remedy=remedy),), told)
