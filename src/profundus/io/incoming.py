"""The door for files from outside: opened within limits, with every complaint collected before one is raised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from profundus.errors import FileFormatError, InputError, MissingFileError, Problem, Severity, UnsafeInputError

MAX_LISTED = 50
MAX_SHOWN = 40


def shown(text: str | bytes, *, most: int = MAX_SHOWN) -> str:
    """Return a piece of a file as it may stand in a message: shortened, nothing in it that could steer a terminal."""
    if isinstance(text, bytes):
        text = text[: 4 * most].decode("utf-8", errors="backslashreplace")
    short = text[:most] + ("..." if len(text) > most else "")
    return "'" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in short) + "'"


class Findings:
    """What is wrong, doubtful or worth knowing about one file; of each severity the first fifty word for word."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._kept: list[Problem] = []
        self._seen: Counter[Severity] = Counter()

    def add(
        self, severity: Severity, what: str, *, line: int | None = None, expected: str = "", remedy: str = ""
    ) -> None:
        """Keep one complaint; ``line`` counts from 1."""
        self._seen[severity] += 1
        if self._seen[severity] <= MAX_LISTED:
            self._kept.append(Problem(severity, what, self.file, line, expected, remedy))

    def listed(self, *severities: Severity) -> tuple[Problem, ...]:
        """Return the problems of these severities, the many beyond the first fifty as one count."""
        problems = [problem for problem in self._kept if problem.severity in severities]
        for severity in severities:
            if more := max(0, self._seen[severity] - MAX_LISTED):
                problems.append(Problem(severity, f"and {more} more of the kind", self.file))
        return tuple(problems)

    @property
    def failed(self) -> bool:
        """Return whether an error was found."""
        return self._seen["error"] > 0

    def raise_errors(self) -> None:
        """Raise one FileFormatError that lists every error found, if there was one."""
        if self.failed:
            raise FileFormatError(self.listed("error"))


@contextmanager
def opened(path: Path, *, limit: int, kind: str) -> Iterator[BinaryIO]:
    """Open a regular file of at most ``limit`` bytes for reading.

    Raises MissingFileError where there is none or it cannot be read, UnsafeInputError where it is larger than a ``kind`` has reason to be.
    """
    try:
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is no regular file" if path.exists() else "is not there"
            raise MissingFileError(Problem("error", what, str(path), expected=kind, remedy="Check the path"))
        if path.stat().st_size > limit:
            raise UnsafeInputError(
                Problem("error", f"has {path.stat().st_size} bytes", str(path), expected=f"{kind} of at most {limit}")
            )
        with path.open("rb") as file:
            yield file
    except InputError:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise MissingFileError(Problem("error", f"cannot be read: {reason}", str(path), expected=kind)) from error
