"""OpenSim tables (.sto, .mot): motions, forces and envelopes over time, read with every doubt said and written whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profundus.errors import FileFormatError, InputError, Problem
from profundus.io.incoming import Findings, opened, shown
from profundus.io.store import write_whole
from profundus.io.table_body import Floats, Lines, table_rows
from profundus.io.table_header import MAX_HEAD_BYTES, Header, is_entry, is_numbers, parsed_header
from profundus.records import Table

MAX_BYTES = 2 * 2**30
FULL_TURN = 2 * np.pi
BLOCK_ROWS = 10_000  # that are made into text at once
Duplicates = Literal["error", "last"]


def read_table(path: str | Path, *, duplicates: Duplicates = "error") -> Table:
    """Return a .sto or .mot file as a table, in the file's own units.

    Fields may be separated by tabs, blanks or commas. ``duplicates`` says what happens to rows of the same time: they are an error, or the
    last of them stays. ``in_degrees`` is what the header says; where it says nothing and names no version, .mot means degrees and .sto
    radians (OpenSim's rule), with a warning. nan stays NaN. Everything doubtful is in ``problems`` of the table.
    Raises MissingFileError, UnsafeInputError, or one FileFormatError that lists every defect with its line and column.
    """
    path = Path(path)
    findings = Findings(str(path))
    with opened(path, limit=MAX_BYTES, kind="an OpenSim table") as file:
        head = file.read(MAX_HEAD_BYTES)
        header = parsed_header(head, findings)
        if header is None:
            raise FileFormatError(findings.listed("error"))
        body = head[header.body :] + file.read()  # `opened` has weighed the file
    values, lines = table_rows(body, header, findings)
    time, columns = values[:, 0], values[:, 1:]
    if not len(values) and not findings.failed:
        findings.add(
            "error", "there are no rows of numbers after the labels", line=header.line, expected="at least one"
        )
    _check_claims(header, len(values), findings, complete=body.endswith((b"\n", b"\r")))
    _report_missing(columns, lines, header.labels[1:], findings)
    keep = _rows_to_keep(time, lines, duplicates, findings)
    findings.raise_errors()
    if not keep.all():
        time, columns = time[keep], columns[keep]
    in_degrees = _in_degrees(header, path.suffix.lower(), columns, findings)
    if header.delimiter == ",":
        findings.add("note", "fields are separated by commas; OpenSim itself cannot read this file")
    problems = findings.listed("warning", "note")
    return Table(header.labels[1:], time, columns, header.name, in_degrees, str(path), problems)


def write_table(table: Table, path: str | Path) -> None:
    """Write a table so that OpenSim's program and programming interface both read it, bit for bit, whole or not at all.

    The header says version=1, nRows, nColumns, and inDegrees if the table knows. An empty name becomes the file's.
    Raises InputError for what could not be read back: labels with white space, infinite values, time that does not increase.
    """
    path = Path(path)
    if not table.name:
        table = replace(table, name=f"table {path.stem}" if is_numbers(path.stem) else path.stem)
    if problems := _unwritable(table):
        raise InputError(problems)
    head = table_head(table.name, table.labels, rows=len(table.time), in_degrees=table.in_degrees)
    pattern = row_pattern(table.labels)
    values = np.column_stack([table.time, table.values])
    blocks = np.split(values, range(BLOCK_ROWS, len(values), BLOCK_ROWS))
    rows = [pattern * len(block) % tuple(block.ravel().tolist()) for block in blocks]
    write_whole(path, "".join([head, *rows]))


def row_pattern(labels: Sequence[str]) -> str:
    """Return what time and a value for each label are formatted with: a line of which nothing is lost."""
    return "\t".join(["%.17g"] * (len(labels) + 1)) + "\n"


def table_head(name: str, labels: tuple[str, ...], *, rows: int | None, in_degrees: bool | None) -> str:
    """Return all lines of a table before its numbers, the labels last; without ``rows`` it does not say how many there are."""
    count = [] if rows is None else [f"nRows={rows}"]
    degrees = [] if in_degrees is None else [f"inDegrees={'yes' if in_degrees else 'no'}"]
    head = [name, "version=1", *count, f"nColumns={len(labels) + 1}", *degrees, "endheader"]
    return "\n".join([*head, "\t".join(("time", *labels)), ""])


def _check_claims(header: Header, rows: int, findings: Findings, *, complete: bool) -> None:
    for key, what, number, line in header.claims:
        found = rows if what == "rows" else len(header.labels)
        if number != found and rows:
            cut = what == "rows" and number > found and not complete
            remedy = (
                "The last line has no line end: the file may have been cut off" if cut else "What is there was read"
            )
            findings.add(
                "warning",
                f"the header says {key}={number}, there are {found}",
                line=line,
                expected="the true count",
                remedy=remedy,
            )


def _report_missing(columns: Floats, lines: Lines, labels: tuple[str, ...], findings: Findings) -> None:
    missing = np.isnan(columns)
    if missing.any() and not findings.failed:
        where = [shown(labels[i]) for i in np.flatnonzero(missing.any(axis=0))]
        names = ", ".join(where[:8]) + (f" and {len(where) - 8} more" if len(where) > 8 else "")
        first = int(lines[np.argmax(missing.any(axis=1))])
        findings.add(
            "warning", f"{int(missing.sum())} values are nan, in {names}; the first is in this line", line=first
        )


def _rows_to_keep(time: Floats, lines: Lines, duplicates: Duplicates, findings: Findings) -> NDArray[np.bool_]:
    """Return which rows (row,) stay; time that is missing, decreases or stands still goes into ``findings``."""
    keep = np.ones(len(time), dtype=np.bool_)
    if findings.failed:
        return keep  # with cells or lines missing, what time does says nothing
    for row in np.flatnonzero(np.isnan(time)):
        findings.add("error", "time is nan", line=int(lines[row]), expected="a finite number of seconds")
    step = np.diff(time)
    for row in np.flatnonzero(step < 0) + 1:
        what = f"time goes back from {time[row - 1]:.9g} to {time[row]:.9g} s"
        findings.add("error", what, line=int(lines[row]), expected="increasing time")
    severity: Literal["error", "warning"] = "error" if duplicates == "error" else "warning"
    remedy = 'Remove one, or set duplicates = "last"' if duplicates == "error" else "The last row of this time was kept"
    for row in np.flatnonzero(step == 0) + 1:
        what = f"time {time[row]:.9g} s stands here again"
        findings.add(severity, what, line=int(lines[row]), expected="increasing time", remedy=remedy)
    if duplicates == "last":
        keep[:-1] = step != 0
    return keep


def _in_degrees(header: Header, suffix: str, columns: Floats, findings: Findings) -> bool | None:
    """Return whether rotations are in degrees, inferred by OpenSim's rule for old files where the header is silent."""
    if header.in_degrees is not None or header.version is not None:
        return header.in_degrees
    inferred = {".mot": True, ".sto": False}.get(suffix)
    largest = float(np.nanmax(np.abs(columns))) if columns.size and not np.isnan(columns).all() else 0.0
    if inferred is None:
        what = "the header does not say whether rotations are in degrees"
    else:
        what = f"the header says neither version nor inDegrees: rotations taken to be in {'degrees' if inferred else 'radians'}"
        if inferred != (largest > FULL_TURN):
            what += f", though the largest value is {largest:.4g}"
    findings.add("warning", what, expected="a line inDegrees=yes or inDegrees=no", remedy="Add it, or set angle_unit")
    return inferred


def _unwritable(table: Table) -> list[Problem]:
    """Return what about a table could not be read back."""
    complaints: list[str] = []
    if not table.name.isprintable() or table.name != table.name.strip() or is_entry(table.name):
        complaints.append(f"the name {shown(table.name)} would not be read as a name")
    elif is_numbers(table.name):
        complaints.append(f"the name {shown(table.name)} is a number, which OpenSim's TimeSeriesTable takes for data")
    for label in table.labels:
        if not label.isprintable() or label != "".join(label.split()) or not label or label.casefold() == "time":
            complaints.append(f"label {shown(label)} is empty, 'time', or holds white space or control characters")
    if len(set(table.labels)) < len(table.labels):
        complaints.append("labels stand more than once")
    if not len(table.time):
        complaints.append("there are no rows")
    if not np.isfinite(table.time).all() or (np.diff(table.time) <= 0).any():
        complaints.append("time is not finite and increasing")
    if np.isinf(table.values).any():
        complaints.append("values are infinite: nan is the word for a missing value")
    return [Problem("error", what, file=table.source, expected="a table that can be read back") for what in complaints]
