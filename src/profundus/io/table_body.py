"""The numbers of a table: read in one go where they are clean, line by line where not, so that a defect has a place."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from profundus.io.incoming import Findings, shown
from profundus.io.table_header import Delimiter, Header

Floats = NDArray[np.float64]
Lines = NDArray[np.int64]

_NAN = ("nan", "NaN", "NAN", "-nan", "-NaN", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "-nan(ind)", "nan(ind)")
_NAN_WORDS = frozenset(word.encode() for word in _NAN)
_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_INFINITE = re.compile(rb"[+-]?(?:inf|infinity|1\.#inf)", re.IGNORECASE)
_FORTRAN = re.compile(rb"[+-]?[\d.]+[dD][+-]?\d+")
_DECIMAL_COMMA = re.compile(rb"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
# Before pandas 3 the default parser was off by one in the last digit; since then the option is deprecated.
_EXACT: dict[str, Any] = {} if int(pd.__version__.split(".")[0]) >= 3 else {"float_precision": "round_trip"}


def table_rows(body: bytes, header: Header, findings: Findings) -> tuple[Floats, Lines]:
    """Return the rows (row, label) with time in the first column, and the line number (row,) of each.

    Every cell that is no number becomes an error in ``findings`` with its line and column.
    """
    if b"\0" in body:
        where = header.line + body.count(b"\n", 0, body.find(b"\0"))
        findings.add("error", "there are NUL bytes among the numbers", line=where, expected="plain text")
        return np.empty((0, len(header.labels))), np.empty(0, np.int64)
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    complete = body.endswith(b"\n")
    body = body.rstrip(b" \t\n,") if header.delimiter == "," else body.rstrip()
    values = _at_once(body, len(header.labels), header.delimiter)
    if values is not None:
        return values, header.line + np.arange(len(values))
    return _line_by_line(body, header, findings, complete=complete)


def _at_once(body: bytes, columns: int, delimiter: Delimiter) -> Floats | None:
    """Return the rows (row, column) if all of them are clean, None if somebody has to look closer.

    The shape is known before pandas starts, so that no file makes it allocate more than the file's own size calls for.
    """
    if b"\t\n" in body:
        body = body.replace(b"\t\n", b"\n")
    rows = body.count(b"\n") + 1
    first = body[: body.find(b"\n")] if rows > 1 else body
    width = len(first.split()) if delimiter == " " else first.count(delimiter.encode()) + 1
    if not body or width != columns or 2 * rows * columns > len(body) + 1:
        return None
    try:
        frame: pd.DataFrame = pd.read_csv(
            io.BytesIO(body),
            sep=r"\s+" if delimiter == " " else delimiter,
            header=None,
            dtype=np.float64,
            quoting=3,
            keep_default_na=False,
            na_values=list(_NAN),
            **_EXACT,
        )
    except (ValueError, pd.errors.ParserError):
        return None  # not swallowed: the caller goes on line by line and says where it is
    values = frame.to_numpy(dtype=np.float64)
    return None if values.shape != (rows, columns) or np.isinf(values).any() else values


def _line_by_line(body: bytes, header: Header, findings: Findings, *, complete: bool) -> tuple[Floats, Lines]:
    """Return what ``_at_once`` returns, slower, with every defect in ``findings``."""
    rows: list[Floats] = []
    lines: list[int] = []
    commas: list[tuple[int, str, bytes]] = []
    size = 0
    for number, raw in enumerate(io.BytesIO(body), start=header.line):
        size += len(raw)
        text = raw.strip()
        if not text.strip(b","):
            if size < len(body):
                findings.add("warning", "blank line among the data; OpenSim's API stops reading here", line=number)
            continue
        cells = _cells(text, len(header.labels), header.delimiter)
        if cells is None:
            cut = size == len(body) and not complete
            _report_width(text, header, number, findings, cut=cut)
            continue
        commas += [
            (number, label, cell)
            for cell, label in zip(cells, header.labels, strict=True)
            if _DECIMAL_COMMA.fullmatch(cell)
        ]
        row = [_value(cell, label, number, findings) for cell, label in zip(cells, header.labels, strict=True)]
        rows.append(np.array(row))
        lines.append(number)
    _report_commas(commas, findings)
    values = np.array(rows) if rows else np.empty((0, len(header.labels)))
    return values, np.array(lines, dtype=np.int64)


def _cells(text: bytes, columns: int, delimiter: Delimiter) -> list[bytes] | None:
    """Return the cells of one line, None if there are more or fewer than ``columns``. Never splits further than needed."""
    if delimiter == ",":
        cells = [cell.strip() for cell in text.rstrip(b", \t").split(b",", columns)]
    elif delimiter == "\t" and b"\t" in text:
        cells = [cell.strip() for cell in text.split(b"\t", columns)]
        if len(cells) != columns and all(cells):
            cells = text.split(None, columns)
    else:
        cells = text.split(None, columns)
    return cells if len(cells) == columns else None


def _report_width(text: bytes, header: Header, line: int, findings: Findings, *, cut: bool) -> None:
    separator = None if header.delimiter == " " else header.delimiter.encode()
    count = len(text[: 2**20].split(separator))
    remedy = ""
    if cut:
        remedy = "The file ends in the middle of this line: it was cut off"
    elif header.delimiter == "," and count > len(header.labels):
        remedy = "Are these decimal commas? Write numbers with a point"
    findings.add(
        "error", f"the line has {count} values", line=line, expected=f"{len(header.labels)}, one a label", remedy=remedy
    )


def _report_commas(commas: list[tuple[int, str, bytes]], findings: Findings) -> None:
    """Tell of decimal commas once, at the first: who has one has them in every row."""
    if commas:
        line, label, cell = commas[0]
        more = f", and {len(commas) - 1} more cells are like it" if len(commas) > 1 else ""
        remedy = "This is a decimal comma: write numbers with a point"
        what = f"column {shown(label)} holds {shown(cell)}{more}"
        findings.add("error", what, line=line, expected="a finite number", remedy=remedy)


def _value(cell: bytes, label: str, line: int, findings: Findings) -> float:
    """Return the number in a cell; what is none becomes NaN and, but for a decimal comma, an error."""
    if _NUMBER.fullmatch(cell):
        value = float(cell)
        if np.isfinite(value):
            return value
        remedy = "It is larger than a double can hold"
    elif cell in _NAN_WORDS:
        return float("nan")
    elif not cell:
        remedy = "The cell is empty: write nan where a value is missing"
    elif _DECIMAL_COMMA.fullmatch(cell):
        return float("nan")  # told once a file
    elif _FORTRAN.fullmatch(cell):
        remedy = "Write the exponent with E, not with Fortran's D"
    elif _INFINITE.fullmatch(cell):
        remedy = "Write nan where a value is missing"
    else:
        remedy = ""
    findings.add(
        "error", f"column {shown(label)} holds {shown(cell)}", line=line, expected="a finite number", remedy=remedy
    )
    return float("nan")
