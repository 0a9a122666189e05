"""The score file: one line for each method, person, trial and muscle or joint."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from profundus.io.rows_file import read_rows, write_rows
from profundus.records import Scorecard, ScoreRow

COLUMNS = tuple(field.name for field in fields(ScoreRow))


def write_scores(card: Scorecard, path: Path) -> None:
    """Write ``scores.csv``; what is unknown or not defined (the load, a band that was not given) is an empty cell."""
    write_rows(card.rows, path, columns=COLUMNS)


def read_scores(path: Path) -> Scorecard:
    """Return the scores that a ``scores.csv`` holds. Raises FileFormatError with every missing column and unreadable cell."""
    return Scorecard(read_rows(path, ScoreRow))
