"""A table of muscle parameters (CSV), as papers publish them: for studies that bring lengths and moment arms in place of a model."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from profundus.errors import Problem
from profundus.io.incoming import Findings, opened, shown
from profundus.io.study_names import NAME_RULE, is_name, nearest_name
from profundus.quantities import declared_quantities, out_of_range
from profundus.records.anatomy import Anatomy, CoordinateRange, MuscleRow

SUFFIX = ".csv"
LARGEST = 1_000_000
NUMBERS = tuple(declared_quantities(MuscleRow))
COLUMNS = ("muscle", *NUMBERS)
UNITS = {"m": "Was it given in millimeters?", "rad": "Was it given in degrees?"}
ANY_ANGLE = float(2.0 * np.pi)


def is_muscle_table(file: str) -> bool:
    """Return whether a study's ``model_file`` is a table of muscle parameters."""
    return file.lower().endswith(SUFFIX)


def read_muscle_table(path: Path) -> tuple[MuscleRow, ...]:
    """Return the muscles of a table.

    Its columns are muscle, max_isometric_force, optimal_fiber_length, tendon_slack_length, pennation [N, m, m, rad]; ``group`` is optional,
    others are refused; lines that begin with # are comments. Raises MissingFileError, and FileFormatError with every missing column,
    unreadable or impossible number, and muscle that comes twice.
    """
    with opened(path, limit=LARGEST, kind="a table of muscle parameters") as file:
        text = file.read().decode("utf-8-sig", errors="replace")
    findings = Findings(str(path))
    numbered = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip() and line[0] != "#"]
    cells = [(n, [cell.strip() for cell in row]) for n, line in numbered for row in csv.reader([line])]
    header = cells[0][1] if cells else []
    _check_header(header, cells[0][0] if cells else None, findings)
    findings.raise_errors()
    rows = [row for n, line in cells[1:] if (row := _row(header, line, n, findings)) is not None]
    for muscle, times in Counter(row.muscle for row in rows).items():
        if times > 1:
            findings.add("error", f"{muscle} comes {times} times", remedy="Name it once")
    if not rows and not findings.failed:
        findings.add("error", "there is no muscle", expected="one line a muscle")
    findings.raise_errors()
    return tuple(rows)


def muscles_outline(rows: Sequence[MuscleRow], *, name: str, coordinates: Sequence[str]) -> Anatomy:
    """Return what is known of the muscles before their paths are fitted: parameters, declared groups, and ``coordinates`` of any range."""
    return Anatomy(
        name=name,
        muscles=tuple(row.muscle for row in rows),
        coordinates=tuple(CoordinateRange(coordinate, -ANY_ANGLE, ANY_ANGLE) for coordinate in coordinates),
        groups=tuple(row.group for row in rows),
        max_isometric_force=np.array([row.max_isometric_force for row in rows]),
        optimal_fiber_length=np.array([row.optimal_fiber_length for row in rows]),
        tendon_slack_length=np.array([row.tendon_slack_length for row in rows]),
        pennation_at_optimal=np.array([row.pennation for row in rows]),
        base_length=np.full(len(rows), np.nan),
        paths=(),
    )


def _check_header(header: Sequence[str], line: int | None, findings: Findings) -> None:
    known = [field.name for field in fields(MuscleRow)]
    expected = ", ".join(COLUMNS)
    for name in COLUMNS:
        if name not in header:
            findings.add("error", f"there is no column '{name}'", line=line, expected=f"the columns {expected}")
    for name in header:
        if name not in known:
            findings.add("error", f"unknown column {shown(name)}", line=line, remedy=nearest_name(name, known))
        elif header.count(name) > 1:
            findings.add("error", f"the column {name} comes twice", line=line)


def _row(header: Sequence[str], line: Sequence[str], number: int, findings: Findings) -> MuscleRow | None:
    if len(line) != len(header):
        findings.add("error", f"{len(line)} cells", line=number, expected=f"{len(header)} cells, one a column")
        return None
    cells = dict(zip(header, line, strict=True))
    muscle, group = cells["muscle"], cells.get("group", "")
    for what, name in (("muscle", muscle), *([("group", group)] if group else [])):
        if not is_name(name):
            findings.add("error", f"{shown(name)} cannot name a {what}", line=number, expected=NAME_RULE)
            return None
    values = {name: _number(cells[name]) for name in NUMBERS}
    for name, value in values.items():
        if not math.isfinite(value):
            findings.add("error", f"{muscle}: {name} is {shown(cells[name])}", line=number, expected="a number")
    if not all(map(math.isfinite, values.values())):
        return None
    row = MuscleRow(muscle, group=group, **values)
    for problem in out_of_range(row):
        findings.add(
            "error", f"{muscle}: {problem.what}", line=number, expected=problem.expected, remedy=_hint(problem)
        )
    return row


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _hint(problem: Problem) -> str:
    return UNITS.get(problem.expected.split()[-1], "")
