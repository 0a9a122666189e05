"""Who is told the answers of a stream: a stream of its own, a file, lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from math import inf
from pathlib import Path
from typing import Any, TextIO

from profundus.errors import InputError
from profundus.io.growing_table import GrowingTable, place_problems
from profundus.stream.live import Answer
from profundus.stream.lsl import Outlet, outlet_labels, outlet_values
from profundus.stream.student import Student


@dataclass(frozen=True)
class Heard:
    """Who is told the answers, beside the caller: ``outlet`` names a stream, ``record`` a file (.sto), that is replaced only with
    ``overwrite``, ``frames`` takes a JSON object a line."""

    outlet: str | None = None
    record: Path | None = None
    frames: TextIO | None = None
    overwrite: bool = False

    def refuse_places(self) -> None:
        """Raise InputError where the record cannot be written, or is there already."""
        if self.record is not None and (problems := place_problems(self.record, overwrite=self.overwrite)):
            raise InputError(problems)


class Listeners:
    """Opens who is told the answers, and closes the record at the end, whatever ended the stream. ``records`` are the files that were
    written."""

    def __init__(self, student: Student, heard: Heard, *, network: bool = False) -> None:
        heard.refuse_places()
        self._record = None if heard.record is None else _Record(heard.record, student)
        self.listeners: list[Callable[[Answer], object]] = []
        if heard.outlet is not None:
            self.listeners.append(Outlet(heard.outlet, student, network=network))
        if self._record is not None:
            self.listeners.append(self._record)
        if heard.frames is not None:
            self.listeners.append(_Lines(heard.frames, student.muscles))

    def __enter__(self) -> Listeners:
        return self

    def __exit__(self, *reason: object) -> None:
        if self._record is not None:
            self._record.close()

    @property
    def records(self) -> tuple[Path, ...]:
        """Return the files that hold answers."""
        return () if self._record is None else tuple(self._record.paths)


class _Record:
    """Keeps answers in a table as they come: excitations, both ends of their bands, and how many channels are lost.

    A table's time only grows: where clocks were reset so that time goes back, another file begins, NAME_2.sto and so on.
    """

    def __init__(self, path: Path, student: Student) -> None:
        self._path, self._student = path, student
        self._table: GrowingTable | None = None
        self._newest = -inf
        self.paths: list[Path] = []

    def __call__(self, answer: Answer) -> None:
        if answer.time <= self._newest:
            self.close()
        if self._table is None:
            self._table = self._opened()
            self.paths.append(self._table.path)
        self._newest = answer.time
        self._table.append(answer.time, outlet_values(answer).tolist())

    def close(self) -> None:
        """Move what was kept into place."""
        if self._table is not None:
            self._table.close()
            self._table = None

    def _opened(self) -> GrowingTable:
        numbered = (self._path.with_stem(f"{self._path.stem}_{number}") for number in count(2))
        free = (path for path in numbered if not place_problems(path))
        path = next(free) if self.paths else self._path
        return GrowingTable(path, outlet_labels(self._student.muscles), name=f"{self._student.subject} streamed")


class _Lines:
    """Writes an answer as a JSON object a line."""

    def __init__(self, stream: TextIO, muscles: Sequence[str]) -> None:
        self._stream, self._muscles = stream, muscles

    def __call__(self, answer: Answer) -> None:
        columns = zip(
            self._muscles, answer.excitation.tolist(), answer.lower.tolist(), answer.upper.tolist(), strict=True
        )
        said: dict[str, Any] = {name: [round(v, 6) for v in values] for name, *values in columns}
        line = {"time": round(answer.time, 6), "excitation": said, "flags": list(answer.flags)}
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()
