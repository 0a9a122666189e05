"""What went wrong, whose fault it is, and the exit code that says so."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from profundus.errors import InputError, Problem, ProfundusError

OUR_BUG, BAD_INPUT, RESOURCE, INTERRUPTED = 1, 2, 3, 130
UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # typer exports no other name for it
SHORTAGES = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOMEM),
    *(errno.EMFILE, errno.ENFILE, errno.EIO),
}
REPORT = (
    "This is a fault of profundus, not of your data. Please report it with the output of `profundus sysinfo` "
    "and of the same command with --debug"
)


@dataclass(frozen=True)
class Failure:
    """How a command ended that did not reach its end: exit code, problems, and what to do next."""

    exit_code: int
    problems: tuple[Problem, ...] = ()
    advice: str = ""

    @property
    def facts(self) -> dict[str, object]:
        """Return the failure for ``--json``."""
        return {"problems": self.problems, "exit_code": self.exit_code, "advice": self.advice}


def failure(error: BaseException, arguments: Sequence[str] = ()) -> Failure:
    """Return what an exception means to the user; what nobody raised on purpose is our bug."""
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return Failure(INTERRUPTED, advice=_go_on(arguments))
    if isinstance(error, InputError):
        return Failure(error.exit_code, error.problems)
    if isinstance(error, ProfundusError):
        return Failure(error.exit_code, (Problem("error", str(error)),))
    return _usage(error) or _shortage(error) or _bug(error)


def _usage(error: BaseException) -> Failure | None:
    if not isinstance(error, UsageError):
        return None
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    command = getattr(getattr(error, "ctx", None), "command_path", "profundus")
    remedy = f"`{command} --help` tells what there is"
    return Failure(BAD_INPUT, (Problem("error", message.rstrip("?."), remedy=remedy),))


def _shortage(error: BaseException) -> Failure | None:
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
        remedy = "Close other programs, fit fewer subjects at once (--subject), or lower [fit] members"
        return Failure(RESOURCE, (Problem("error", "there is not enough memory", remedy=remedy),))
    if isinstance(error, OSError) and error.errno in SHORTAGES:
        what = error.strerror or str(error)
        return Failure(RESOURCE, (Problem("error", what, file=str(error.filename or "")),))
    return None


def _bug(error: BaseException) -> Failure:
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Failure(OUR_BUG, (Problem("error", what, file=_place(error)),), REPORT)


def _place(error: BaseException) -> str:
    """Return the last place in profundus' own code that the exception came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "profundus" in Path(frame.filename).parts] or list(frames)
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""


def _go_on(arguments: Sequence[str]) -> str:
    command = next(iter(arguments), "")
    if command in {"fit", "cohort"}:
        return "Interrupted. What was done is kept: the same command with --resume goes on from there."
    if command == "demo":
        return "Interrupted. `profundus demo --overwrite` starts over."
    return "Interrupted."
