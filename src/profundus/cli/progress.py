"""How far a fit is: a bar in a terminal, a line every few seconds elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from profundus.cli.outcome import printable

if TYPE_CHECKING:
    from profundus.protocols.fitting import FitProgress

Listener = Callable[["FitProgress"], None]
LINE_EVERY_S = 5.0
NEGLIGIBLE = 0.01  # nats
TRAINING = 0.95  # of a person's time; the rest is reconstructing and writing
STAGES = {"prepare": "reading recordings", "train": "training", "reconstruct": "reconstructing", "done": "done"}


@contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[Listener | None]:
    """Yield who is to be told of a fit's progress; nobody with ``quiet``."""
    if quiet:
        yield None
    elif not sys.stderr.isatty():
        yield Lines()
    else:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[terms]}", markup=False, style="dim"),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("preparing", total=1.0, terms="")

            def tell(now: FitProgress) -> None:
                bar.update(task, completed=share_done(now), description=described(now), terms=loss_terms(now))

            yield tell


class Lines:
    """Tells progress as lines: each stage once, and training every few seconds with the time left."""

    def __init__(self) -> None:
        self.last = 0.0
        self.stage = ("", "")
        self.first: tuple[float, float] | None = None

    def __call__(self, now: FitProgress) -> None:
        """Print a line if there is something new to tell."""
        moment, stage = time.monotonic(), (now.subject, now.stage)
        left = self._left(moment, now)
        if stage == self.stage and moment - self.last < LINE_EVERY_S:
            return
        terms = loss_terms(now)
        line = f"{described(now)}, {share_done(now):.0%}{left}{f'; {terms}' if terms else ''}"
        print(line, file=sys.stderr, flush=True)
        self.last, self.stage = moment, stage

    def _left(self, moment: float, now: FitProgress) -> str:
        """Return the time left, from the first training step on: compilation comes before it and only once."""
        done = share_done(now)
        if self.first is None:
            self.first = (moment, done) if now.stage == "train" else None
            return ""
        gained = done - self.first[1]
        return f", about {(moment - self.first[0]) * (1 - done) / gained:.0f} s left" if gained > 0 and done < 1 else ""


def share_done(now: FitProgress) -> float:
    """Return how much of the whole fit is done [0 to 1]."""
    own = 1.0 if now.stage == "done" else TRAINING * now.step / max(now.steps, 1)
    return (now.index + own) / max(now.subjects, 1)


def described(now: FitProgress) -> str:
    """Return whose fit it is, and at which stage."""
    which = f" ({now.index + 1} of {now.subjects})" if now.subjects > 1 else ""
    step = f" {now.step}/{now.steps}" if now.stage == "train" else ""
    return f"{printable(now.subject)}{which}: {STAGES.get(now.stage, now.stage)}{step}"


def loss_terms(now: FitProgress) -> str:
    """Return the terms of the loss that weigh anything, in the order of the objective; one that is not finite does."""
    return ", ".join(f"{name.replace('_', ' ')} {v:.3g}" for name, v in now.terms.items() if not abs(v) < NEGLIGIBLE)
