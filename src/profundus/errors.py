"""What can go wrong, and how it is said: where, what, what was expected, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]


def sentences(*parts: str) -> str:
    """Return what is said as sentences: a full stop after each, but not after a question or an ellipsis; empty parts are left out."""
    return " ".join(part if part.endswith(("?", "...")) else part.rstrip(".") + "." for part in parts if part)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong (error), doubtful (warning) or worth knowing (note) about the input."""

    severity: Severity
    what: str
    file: str = ""
    line: int | None = None
    expected: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line is not None else "")
        said = sentences(self.what, self.expected and f"Expected {self.expected}", self.remedy)
        return f"{place}: {said}" if place else said

    def as_dict(self) -> dict[str, object]:
        """Return the problem as plain values, for ``--json``."""
        return asdict(self)


class ProfundusError(Exception):
    """Root of everything that profundus raises on purpose; ``exit_code`` is what a command ends with."""

    exit_code = 1


class InputError(ProfundusError, ValueError):
    """Bad input. Lists every problem that was found, not only the first."""

    exit_code = 2

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class FileFormatError(InputError):
    """A file is not what its name or header promises."""


class StudyError(InputError):
    """The study file asks for something that cannot be done."""


class UnsafeInputError(InputError):
    """Input that looks like an attack or an accident of the same effect: refused by name."""


class MissingFileError(InputError, OSError):
    """A file that the input names is not there or cannot be read."""


class ResourceError(ProfundusError, OSError):
    """Disk or memory is short, or a place cannot be written."""

    exit_code = 3


class ConvergenceError(ProfundusError, ValueError):
    """A fit or a root search did not reach its goal."""

    exit_code = 4
