"""Who is told the answers of a stream: a stream of its own, a file, lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from profundus.errors import InputError, Problem
from profundus.io.tables import write_table
from profundus.records import Table
from profundus.stream.live import Answer
from profundus.stream.lsl import Outlet, outlet_labels, outlet_values
from profundus.stream.student import Student


@dataclass(frozen=True)
class Heard:
    """Who is told the answers, beside the caller: ``outlet`` names a stream, ``record`` a file (.sto), ``frames`` takes a JSON object a
    line."""

    outlet: str | None = None
    record: Path | None = None
    frames: TextIO | None = None


class Listeners:
    """Opens who is told the answers, and closes the files at the end, whatever ended the stream."""

    def __init__(self, student: Student, heard: Heard, *, network: bool = False) -> None:
        self._student, self._heard = student, heard
        self._kept: list[Answer] = []
        self.listeners: list[Callable[[Answer], object]] = []
        if heard.record is not None:
            _writable(heard.record)
            self.listeners.append(self._kept.append)
        if heard.outlet is not None:
            self.listeners.append(Outlet(heard.outlet, student, network=network))
        if heard.frames is not None:
            self.listeners.append(_Lines(heard.frames, student.muscles))

    def __enter__(self) -> Listeners:
        return self

    def __exit__(self, *reason: object) -> None:
        if self._heard.record is not None and self._kept:
            write_table(recorded_table(self._student, self._kept), self._heard.record)


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


def recorded_table(student: Student, answers: Sequence[Answer]) -> Table:
    """Return answers as a table: excitations, both ends of their bands, and how many channels are lost."""
    values = np.stack([outlet_values(answer) for answer in answers])
    times = np.array([answer.time for answer in answers])
    return Table(outlet_labels(student.muscles), times, values, f"{student.subject} streamed", in_degrees=False)


def _writable(path: Path) -> None:
    if path.suffix != ".sto" or not path.parent.is_dir():
        what, remedy = "answers cannot be recorded here", "Name a file NAME.sto in a folder that is there"
        raise InputError(Problem("error", what, file=str(path), remedy=remedy))
