"""`cohort`: a study of many people becomes a run, by all cores of a machine or a cluster; one who fails does not stop the others."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from profundus.cli.outcome import Outcome, Words, printable
from profundus.cli.progress import LINE_EVERY_S
from profundus.io.study_people import read_outline
from profundus.pages.run import PAGE, write_page
from profundus.protocols.cohort import CohortResult, crew_of, fit_cohort
from profundus.protocols.cohort_progress import CohortProgress, Listener

SOME_FAILED = 5
"""Exit code where some people could not be fitted, and all others were."""
FAILURES_SHOWN, REASONS_SHOWN = 20, 3


def cohorted(
    study_file: Path,
    out: Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    threads: int | None = None,
    data_root: Path | None = None,
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    subjects: Sequence[str] | None = None,
    quiet: bool = False,
) -> Outcome:
    """Return the outcome of fitting everybody by several workers; run directory and page have been written."""
    crew = crew_of(workers, scheduler, threads=threads)
    outline = read_outline(study_file, data_root=data_root)
    with shown(quiet=quiet) as tell:
        result = fit_cohort(
            outline,
            out,
            seed=seed,
            crew=crew,
            resume=resume,
            overwrite=overwrite,
            subjects=subjects,
            on_progress=tell,
            before_finish=write_page,
        )
    return Outcome(_facts(result), _words(result), SOME_FAILED if result.failures else 0)


@contextmanager
def shown(*, quiet: bool = False) -> Iterator[Listener | None]:
    """Yield who is to be told of a cohort's progress; nobody with ``quiet``."""
    if quiet:
        yield None
    elif not sys.stderr.isatty():
        yield Lines()
    else:
        columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), TaskProgressColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("starting", total=1)

            def tell(now: CohortProgress) -> None:
                ended = now.subjects - now.remaining
                bar.update(task, completed=ended, total=max(now.subjects, 1), description=described(now))

            yield tell


class Lines:
    """Tells progress as a line every few seconds, and each failure's count at once."""

    def __init__(self) -> None:
        self.last, self.failed = 0.0, 0

    def __call__(self, now: CohortProgress) -> None:
        """Print a line if it is time to."""
        moment = time.monotonic()
        if moment - self.last >= LINE_EVERY_S or now.failed > self.failed or not now.remaining:
            print(described(now), file=sys.stderr, flush=True)
            self.last, self.failed = moment, now.failed


def described(now: CohortProgress) -> str:
    """Return how many are done, failed and left, how fast it goes, and when it will be over."""
    said = f"{now.done} done, {now.failed} failed, {now.remaining} of {now.subjects} left"
    said += f", {now.kept} kept" if now.kept else ""
    if now.per_second == now.per_second and now.remaining:
        end = time.strftime("%a %H:%M", time.localtime(time.time() + now.seconds_left))
        said += f"; {60 * now.per_second:.1f} a minute, over at {end} (in {_spoken(now.seconds_left)})"
    return said


def _some(names: Sequence[str]) -> str:
    left = _left(names, FAILURES_SHOWN)
    return ", ".join(names[:FAILURES_SHOWN]) + (f" {left}" if left else "")


def _left(found: Sequence[object], shown: int) -> str:
    return f"and {len(found) - shown} more" if len(found) > shown else ""


def _spoken(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _facts(result: CohortResult) -> dict[str, object]:
    return {
        "run": result.run.path,
        "page": result.run.path / PAGE if result.run.subjects else None,
        "done": result.done,
        "kept": result.kept,
        "failures": [vars(failure) for failure in result.failures],
        "doubtful": result.doubtful,
        "seconds": result.seconds,
    }


def _words(result: CohortResult) -> list[Words]:
    kept = f", {result.kept} kept from earlier" if result.kept else ""
    words: list[Words] = [
        f"{result.done} {'person' if result.done == 1 else 'people'} fitted in {result.seconds:.0f} s{kept}, {len(result.failures)} failed."
    ]
    if result.doubtful:
        words.append(
            f"Removed, as nobody knows what they were made from: the earlier results of {_some(result.doubtful)}."
        )
    for failure in result.failures[:FAILURES_SHOWN]:
        words += [f"  {failure.subject}: {printable(problem)}" for problem in failure.problems[:REASONS_SHOWN]]
        if left := _left(failure.problems, REASONS_SHOWN):
            words.append(f"  {failure.subject}: {left}")
    if left := _left(result.failures, FAILURES_SHOWN):
        words.append(f"  {left}")
    if result.failures:
        words.append(f"Reasons: {result.run.path / 'failures'}. The same command with --resume tries them again.")
    page = [f"Page:    {result.run.path / PAGE}"] if result.run.subjects else []
    return [*words, f"Results: {result.run.path}", *page]
