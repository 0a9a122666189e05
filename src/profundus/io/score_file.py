"""The score file: one line for each method, person, trial and muscle or joint."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from profundus.errors import FileFormatError, Problem
from profundus.io.rows_file import read_rows, write_rows
from profundus.io.store import write_through
from profundus.records import Scorecard, ScoreRow

COLUMNS = tuple(field.name for field in fields(ScoreRow))


def write_scores(card: Scorecard, path: Path) -> None:
    """Write ``scores.csv``; what is unknown or not defined (the load, a band that was not given) is an empty cell."""
    write_rows(card.rows, path, columns=COLUMNS)


def read_scores(path: Path) -> Scorecard:
    """Return the scores that a ``scores.csv`` holds. Raises FileFormatError with every missing column and unreadable cell."""
    return Scorecard(read_rows(path, ScoreRow))


def join_scores(parts: Iterable[Path], path: Path) -> None:
    """Write the scores of several files into one, in their order, one file in memory at a time.

    Raises FileFormatError for a part with other columns.
    """
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(COLUMNS)

    def joined(unfinished: Path) -> None:
        with unfinished.open("w", encoding="utf-8", newline="") as whole:
            whole.write(header.getvalue())
            for part in parts:
                with part.open(encoding="utf-8", newline="") as rows:
                    if rows.readline() != header.getvalue():
                        what = "the columns are not those of scores"
                        raise FileFormatError(Problem("error", what, str(part), 1, f"the columns {', '.join(COLUMNS)}"))
                    for row in rows:
                        whole.write(row)

    write_through(path, joined)
