"""An OpenSim table that grows row by row while it is measured, so that whatever ends the measurement leaves what came until then."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from profundus.errors import Problem
from profundus.io.store import disk_errors, write_through
from profundus.io.tables import row_pattern, table_head

FLUSH_S = 1.0


def unfinished_path(path: Path) -> Path:
    """Return where a table is while it grows: NAME.unfinished.sto beside NAME.sto."""
    return path.with_name(f"{path.stem}.unfinished{path.suffix}")


def place_problems(path: Path, *, overwrite: bool = False) -> list[Problem]:
    """Return why a table could not grow at ``path``: what is there already, or a folder that cannot be written. Nothing is made."""
    file, unfinished = str(path), unfinished_path(path)
    if path.suffix != ".sto" or path.is_dir() or not path.parent.is_dir():
        remedy = "Name a file NAME.sto in a folder that is there"
        return [Problem("error", "answers cannot be recorded here", file=file, remedy=remedy)]
    problems = []
    if not os.access(path.parent, os.W_OK | os.X_OK):
        problems.append(Problem("error", f"nothing can be written into the folder {path.parent}", file=file))
    if path.exists() and not overwrite:
        remedy = "Name another file, or replace it with --overwrite"
        problems.append(Problem("error", "there is such a file already", file=file, remedy=remedy))
    if unfinished.exists():
        what, remedy = "was left by a recording that did not end, or is being written", "Move it or remove it"
        problems.append(Problem("error", what, file=str(unfinished), remedy=remedy))
    return problems


class GrowingTable:
    """A table at `unfinished_path` until it is closed, then at ``path``, with the number of its rows; without rows nothing stays.

    The unfinished file is a table, too, that does not say how many rows it has. Every second the rows that came are handed to the system,
    whole ones only. Raises ResourceError where the disk is full or may not be written.
    """

    def __init__(self, path: Path, labels: Sequence[str], *, name: str) -> None:
        self.path, self._labels, self._name = path, tuple(labels), name
        self._pattern = row_pattern(self._labels)
        self._rows, self._flushed = 0, monotonic()
        self._waiting = [self._head(None)]
        with disk_errors(path):
            self._file = unfinished_path(path).open("xb")
        self._hand_on()

    def append(self, time: float, values: Sequence[float]) -> None:
        """Add a row: time [s] and a value for each label."""
        self._waiting.append(self._pattern % (time, *values))
        self._rows += 1
        if monotonic() - self._flushed >= FLUSH_S:
            self._hand_on()

    def close(self) -> None:
        """Move the table into place."""
        self._hand_on()
        with disk_errors(self.path):
            self._file.close()
        if self._rows:
            write_through(self.path, self._finish)
        unfinished_path(self.path).unlink()

    def _finish(self, target: Path) -> None:
        with unfinished_path(self.path).open("rb") as grown, target.open("wb") as whole:
            grown.seek(len(self._head(None).encode()))
            whole.write(self._head(self._rows).encode())
            shutil.copyfileobj(grown, whole)

    def _head(self, rows: int | None) -> str:
        return table_head(self._name, self._labels, rows=rows, in_degrees=False)

    def _hand_on(self) -> None:
        with disk_errors(self.path):
            self._file.write("".join(self._waiting).encode())
            self._file.flush()
        self._waiting, self._flushed = [], monotonic()
