"""Records of one kind as the rows of a CSV file: plain decimal numbers, empty where unknown."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import numpy as np

from profundus.errors import FileFormatError, MissingFileError, Problem
from profundus.io.store import write_whole

Row = TypeVar("Row")
_WORDS = {"true": True, "false": False}


def write_rows(rows: Iterable[Any], path: Path, *, columns: Sequence[str]) -> None:
    """Write one line a record, with the named fields or properties as ``columns`` (a header line first)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(getattr(row, column)) for column in columns] for row in rows)
    write_whole(path, text.getvalue())


def read_rows(path: Path, kind: type[Row]) -> tuple[Row, ...]:
    """Return the records of ``kind`` (a dataclass of text, numbers and yes/no) that a file of ``write_rows`` holds.

    Columns that are no field of ``kind`` are passed over: they follow from the others. Raises FileFormatError that lists every missing
    column and every cell that cannot be read.
    """
    if not path.is_file():
        raise MissingFileError(Problem("error", "there is no such file", file=str(path)))
    try:
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileFormatError(Problem("error", f"not a CSV file ({error})", file=str(path))) from error
    header = lines[0] if lines else []
    wanted = {field.name: hint for field in fields(kind) for hint in [get_type_hints(kind)[field.name]]}  # type: ignore[arg-type]
    missing = [name for name in wanted if name not in header]
    if missing:
        raise FileFormatError(
            Problem("error", f"there is no column '{name}'", str(path), 1, f"the columns {', '.join(wanted)}")
            for name in missing
        )
    problems: list[Problem] = []
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            problems.append(
                Problem("error", f"{len(line)} cells", str(path), number, f"{len(header)} cells, one a column")
            )
            continue
        cells = dict(zip(header, line, strict=True))
        rows.append(
            {name: _value(cells[name], hint, (str(path), number, name), problems) for name, hint in wanted.items()}
        )
    if problems:
        raise FileFormatError(problems)
    return tuple(kind(**row) for row in rows)


def _cell(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if math.isnan(value) else np.format_float_positional(value, trim="-")
    return str(value)


def _value(cell: str, hint: Any, place: tuple[str, int, str], problems: list[Problem]) -> Any:
    try:
        if hint is float:
            return float(cell) if cell else math.nan
        if hint is int:
            return int(cell)
        if hint is bool:
            return _WORDS[cell.lower()]
    except (ValueError, KeyError):
        file, line, name = place
        expected = {float: "a number", int: "a whole number", bool: "true or false"}[hint]
        problems.append(Problem("error", f"{name} is '{cell}'", file, line, expected))
        return None
    return cell
