"""How far a cohort is, how fast it goes, and when it will be over."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from profundus.protocols.cohort_jobs import CohortFailure, Finished

RECENT = 50
"""Fits over whose ends the rate is taken: the first ones wait for compilation."""
FEWEST = 3
"""Fits that have ended before anything is said of a rate."""


@dataclass(frozen=True)
class CohortProgress:
    """How far a cohort is: people of this call who are done and failed, those ``kept`` from earlier, and how many there are in all.

    ``per_second`` is the rate of the latest fits and ``seconds_left`` what follows from it for all who remain, both NaN until three fits
    have ended: people whose files cannot be used take no time, and are not counted. ``subject`` is who ended last, empty at the start.
    """

    subject: str
    done: int
    failed: int
    kept: int
    subjects: int
    per_second: float
    seconds_left: float

    @property
    def remaining(self) -> int:
        """Return how many have had no turn yet."""
        return self.subjects - self.kept - self.done - self.failed


Listener = Callable[[CohortProgress], None]


class Watch:
    """Counts how people ended, and tells it."""

    def __init__(self, listener: Listener | None, kept: int, subjects: int) -> None:
        self.listener, self.kept, self.subjects = listener, kept, subjects
        self.done, self.failures = 0, list[CohortFailure]()
        self._moments: deque[float] = deque(maxlen=RECENT + 1)

    def began(self) -> None:
        """Hear that the first person is handed out: from now on time is counted."""
        self._moments.append(time.perf_counter())

    def heard(self, end: Finished) -> None:
        """Count one person."""
        if end.failure is None:
            self.done += 1
        else:
            self.failures.append(end.failure)
        if end.failure is None or end.failure.reason != "input":
            self._moments.append(time.perf_counter())
        self.tell(end.subject)

    def tell(self, subject: str) -> None:
        """Tell how far the cohort is."""
        if self.listener is None:
            return
        fits = len(self._moments) - 1
        span = self._moments[-1] - self._moments[0] if fits >= FEWEST else 0.0
        rate = fits / span if span > 0 else float("nan")
        left = self.subjects - self.kept - self.done - len(self.failures)
        told = CohortProgress(subject, self.done, len(self.failures), self.kept, self.subjects, rate, left / rate)
        self.listener(told)
