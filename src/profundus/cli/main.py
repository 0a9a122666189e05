"""The command line: arguments in, one call, files and words out."""

from __future__ import annotations

import io
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from types import FrameType

import typer

from profundus.cli.commands_cohort import app
from profundus.cli.failures import INTERRUPTED, Failure, failure
from profundus.cli.outcome import Outcome, deliver, printable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 our bug, 2 bad input, 3 resource, 4 not converged, 5 some, 130 interrupted."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    as_json, debug = "--json" in given, "--debug" in given
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with _terminable(), redirect_stdout(sys.stderr) if as_json else nullcontext():
            outcome = _run(given)
    except (Exception, KeyboardInterrupt) as error:
        failed = failure(error, given)
        _lament(failed, error if debug else None)
        if as_json:
            deliver(Outcome(failed.facts), as_json=True)
        return failed.exit_code
    if isinstance(outcome, int):
        return outcome
    deliver(outcome, as_json=as_json)
    return outcome.exit_code


def _run(given: list[str]) -> Outcome | int:
    """Return the outcome of a command, or the exit code where there was nothing to run (help, version)."""
    job = typer.main.get_command(app)(given, prog_name="profundus", standalone_mode=False)
    if job == INTERRUPTED:
        raise KeyboardInterrupt
    return job() if callable(job) else int(job or 0)


def _lament(failed: Failure, error: BaseException | None) -> None:
    if error is not None:
        traceback.print_exception(error)
    for problem in failed.problems:
        print(printable(problem), file=sys.stderr)
    if failed.advice:
        print(failed.advice, file=sys.stderr)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let a polite request to end (SIGTERM) be what Ctrl-C is: work in progress is closed, and --resume goes on."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
