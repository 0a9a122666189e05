"""`pretrain`: a network learns from virtual people what envelopes, motion and moments can tell about deep muscles."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from profundus.cli.fitting import warning_words
from profundus.cli.outcome import Outcome, Words, table
from profundus.cli.progress import LINE_EVERY_S
from profundus.io.recipe_file import read_recipe
from profundus.pages.prior import write_prior_page
from profundus.protocols.pretraining import CARD_TEXT, Listener, Pretrained, pretrain

if TYPE_CHECKING:
    from profundus.protocols.pretraining import PretrainProgress

SHOWN = {"rmse": "RMSE", "rmse_ratio": "x reference", "r": "r", "level_rms": "level rms", "held": "90 % band holds"}


def pretrained(
    recipe_file: Path | None,
    out: Path,
    *,
    data: Path | None = None,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    quiet: bool = False,
) -> Outcome:
    """Return the outcome of teaching a prior by a recipe, the built-in one by default."""
    recipe = read_recipe(recipe_file)
    if data is not None:
        recipe = replace(recipe, data=str(data.resolve()))
    with shown_progress(quiet=quiet) as tell:
        result = pretrain(recipe, out, workers=workers, resume=resume, overwrite=overwrite, on_progress=tell)
    page = write_prior_page(result.path)
    return Outcome({**_facts(result), "page": page}, [*_words(result), f"Page:  {page}"])


@contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[Listener | None]:
    """Yield who is to be told of the progress: a bar in a terminal, lines elsewhere, nobody with ``quiet``."""
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
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            tasks: dict[str, Any] = {}

            def tell(now: PretrainProgress) -> None:
                done, total = counted(now)
                if now.stage not in tasks:  # each stage has a pace of its own
                    tasks[now.stage] = bar.add_task("", total=total)
                bar.update(tasks[now.stage], completed=done, description=described(now))

            yield tell


class Lines:
    """Tells progress as lines: each stage once, and every few seconds with the time that the stage still takes."""

    def __init__(self) -> None:
        self.stage, self.last = "", 0.0
        self.start = 0
        self.first: tuple[float, int] | None = None

    def __call__(self, now: PretrainProgress) -> None:
        """Print a line if there is something new to tell."""
        moment, (done, total) = time.monotonic(), counted(now)
        if now.stage != self.stage:
            self.stage, self.start, self.first = now.stage, done, None
        elif self.first is None and done > self.start:  # compilation comes before, and only once
            self.first = (moment, done)
        elif moment - self.last < LINE_EVERY_S and done < total:
            return
        self.last = moment
        print(f"{described(now)}{self._left(moment, done, total)}", file=sys.stderr, flush=True)

    def _left(self, moment: float, done: int, total: int) -> str:
        if self.first is None or not self.first[1] < done < total:
            return ""
        pace = (moment - self.first[0]) / (done - self.first[1])
        return f", about {_spoken(pace * (total - done))} left"


def counted(now: PretrainProgress) -> tuple[int, int]:
    """Return how much of a stage is done, and how much there is."""
    return (now.people, now.of_people) if now.stage == "people" else (now.step, now.steps)


def described(now: PretrainProgress) -> str:
    """Return what is being done."""
    if now.stage == "people":
        return f"making virtual people: {now.people} of {now.of_people}"
    if now.stage == "learn":
        loss = f", loss {now.loss:.3f}" if math.isfinite(now.loss) else ""
        return f"learning from {now.people} people: step {now.step} of {now.steps}{loss}"
    return "judging by people held out" if now.stage == "judge" else "done"


def _spoken(seconds: float) -> str:
    """Return a duration as one would say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


def _facts(result: Pretrained) -> dict[str, object]:
    card = result.card
    told = {name: card[name] for name in ("population", "learning", "calibration", "scores", "seconds")}
    return {"prior": result.prior, "card": result.path / CARD_TEXT, **told, "warnings": result.warnings}


def _words(result: Pretrained) -> list[Words]:
    card = result.card
    people = card["population"]
    return [
        table(
            [_row(score) for score in card["scores"]], title="Scores on virtual people held out (medians over people)"
        ),
        *warning_words(result.warnings),
        f"\nTaught by {people['taught']} virtual people, judged by {people['held_out']} others.",
        "Scores on virtual people are scores on virtual people: they show what a prior can do, not that it works.",
        f"Prior: {result.prior}",
        f"Card:  {result.path / CARD_TEXT}",
    ]


def _row(score: Mapping[str, Any]) -> dict[str, str]:
    shown = {title: f"{score[key]:.3f}" for key, title in SHOWN.items()}
    return {"electrodes": score["electrodes"], "muscle": score["muscle"], **shown}
