"""Where a study's files are: found under one folder that no path may leave, each read once."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from profundus.errors import InputError, Problem
from profundus.io.study_names import nearest_name, shown
from profundus.io.study_text import NO_FILE, Location, StudyText
from profundus.io.tables import read_table
from profundus.records.table import Table


def data_folder(text: StudyText, *, asked: Path | None, named: str | None) -> Path | Problem:
    """Return the folder where relative paths start.

    The first of: ``asked`` for (``--data DIR``), PROFUNDUS_DATA, ``named`` by the file (relative to the file), the file's own folder.
    """
    here = Path(text.file).parent
    from_environment = os.environ.get("PROFUNDUS_DATA")
    if asked is not None:
        root, origin = Path(asked), "--data"
    elif from_environment:
        root, origin = Path(from_environment), "PROFUNDUS_DATA"
    else:
        root, origin = here / (named or "."), "data_root"
    if root.is_dir():
        return root.resolve()
    at: Location = ("study", "data_root") if origin == "data_root" else ()
    remedy = "Correct it, or name the folder of the recordings with --data DIR"
    return text.problem("error", f"{origin}: there is no folder {root}", at, remedy=remedy)


def unsafe_path(written: str, path: Path, root: Path) -> str:
    """Return why a path of the study file is refused, or nothing."""
    if not path.is_relative_to(root):
        return "leads out of the folder of the recordings"
    if path.exists() and not path.is_file():
        return "is not a file"
    return "" if written.isprintable() else "is not a path"


def _reader(path: Path) -> Callable[[Path], Table]:
    if path.suffix.lower() == ".c3d":
        from profundus.io.c3d import read_c3d_analog

        return read_c3d_analog
    return read_table


@dataclass
class StudyData:
    """The files of a study, each read and digested once, and the problems that were met on the way.

    ``expected`` says how often each path will be asked for, so that a table is let go after its last use. ``incomplete``: the study file
    lacks paths, and that has been told.
    """

    text: StudyText
    root: Path
    expected: Counter[str]
    incomplete: bool = False
    problems: dict[Problem, None] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    _kept: dict[str, Table | None] = field(default_factory=dict)

    def report(self, problem: Problem) -> None:
        """Take note of a problem, once."""
        self.problems[problem] = None

    def table(self, written: str, at: Location) -> Table | None:
        """Return the table of a file as the study names it, or None where it cannot be read (then the reason is noted)."""
        if written == NO_FILE and self.incomplete:
            return None
        if written not in self._kept:
            self._kept[written] = self._read(written, at)
        self.expected[written] -= 1
        return self._kept[written] if self.expected[written] > 0 else self._kept.pop(written)

    def file(self, written: str, at: Location) -> Path | None:
        """Return where a file is that the study names, its digest noted; None where it is refused or missing (then the reason is noted)."""
        path = self._place(written, at)
        return path if path is not None and self._digested(written, path) else None

    def beside(self, written: str, at: Location) -> Path | None:
        """Return where a file is that may stand beside the study file, too, which comes first; else as `file`."""
        here = Path(self.text.file).resolve().parent
        try:
            path = (here / written).resolve()
            found = path.is_file() and not unsafe_path(written, path, here)
        except (OSError, ValueError, RuntimeError):  # no path at all: `file` says so
            found = False
        if not found:
            return self.file(written, at)
        return path if self._digested(written, path) else None

    def _read(self, written: str, at: Location) -> Table | None:
        path = self._place(written, at)
        return None if path is None else self._attempt(written, path)

    def _place(self, written: str, at: Location) -> Path | None:
        try:
            path = (self.root / written).resolve()
            refusal = unsafe_path(written, path, self.root)
        except (OSError, ValueError, RuntimeError) as error:  # a NUL in it, a loop of links
            path, refusal = self.root, f"is not a path: {error}"
        if refusal:
            expected, remedy = (
                f"a file below {self._folder()}",
                "Name the folder that holds all recordings with --data DIR or data_root",
            )
            what = f"unsafe path: {shown(written)} {refusal}"
            self.report(self.text.problem("error", what, at, expected=expected, remedy=remedy))
            return None
        if not path.exists():
            self.report(self._missing(written, path, at))
            return None
        return path

    def _digested(self, written: str, path: Path) -> bool:
        try:
            with path.open("rb") as stream:
                self.digests[written] = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            self.report(
                Problem("error", f"cannot be read: {error.strerror}", str(path), remedy="Check its permissions")
            )
            return False
        return True

    def _attempt(self, written: str, path: Path) -> Table | None:
        if not self._digested(written, path):
            return None
        try:
            table = _reader(path)(path)
        except InputError as error:
            self._report_all(error.problems)
            return None
        self._report_all(table.problems)
        if len(table.time) < 2:
            self.report(Problem("error", "has fewer than two rows", str(path), expected="a recording over time"))
            return None
        return table

    def _report_all(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.report(problem)

    def _folder(self) -> str:
        """Return how errors call the folder of the recordings: from the study file, as they are kept in results that others read."""
        here = Path(self.text.file).parent.resolve()
        if self.root == here:
            return "the folder of the study file"
        return f"its folder {self.root.relative_to(here)}" if self.root.is_relative_to(here) else str(self.root)

    def _missing(self, written: str, path: Path, at: Location) -> Problem:
        folder = path.parent
        while not folder.is_dir():
            path, folder = folder, folder.parent
        hint = nearest_name(path.name, sorted(entry.name for entry in folder.iterdir())[:1000])
        remedy = hint if hint.startswith("Did") else "Correct the path, or name its folder with --data DIR"
        what = f"there is no file {shown(written)} in {self._folder()}"
        return self.text.problem("error", what, at, remedy=remedy)
