"""Angles of a motion file in radians, held against what the joint can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profundus.errors import Problem
from profundus.io.study_schema import StudyFile
from profundus.records.anatomy import Anatomy
from profundus.records.table import Table

Report = Callable[[Problem], None]
DEGREE = float(np.pi / 180.0)
FULL_TURN = float(2.0 * np.pi)
STRAY = 5.0 * DEGREE
"""How far a joint may leave the model's range, or stray from where it is held, before that is worth a warning."""


def rotation_scale(table: Table, unit: Literal["deg", "rad"] | None, columns: Iterable[str], report: Report) -> float:
    """Return what turns the table's angles into radians.

    ``unit`` of the study file overrides the header. Where neither says anything the unit is inferred from the columns that hold angles:
    beyond a full turn they are degrees; with a warning.
    """
    says = {True: "deg", False: "rad", None: None}[table.in_degrees]
    if unit is None and says is None:
        largest = max(max(map(abs, _extent(table[column]))) for column in columns)
        says = "deg" if largest > FULL_TURN else "rad"
        what = f"the header does not tell the unit of angles; they reach {largest:.4g} and were taken to be in {says}"
        remedy = "Add inDegrees=yes or no to the header, or set angle_unit under [kinematics]"
        report(Problem("warning", what, table.source, remedy=remedy))
    if unit is not None and says is not None and says != unit:
        what = f"the file has angles in {says}, but kinematics.angle_unit = '{unit}' was taken"
        report(Problem("warning", what, table.source, remedy="Correct the header's inDegrees, or leave out angle_unit"))
    return DEGREE if (unit or says) == "deg" else 1.0


def angle_in_radians(
    table: Table, anatomy: Anatomy, scale: float, unit: Literal["deg", "rad"] | None, report: Report
) -> Table:
    """Return angles in rad; a unit that the values contradict is an error, values beyond the model's range a warning."""
    ranges = {coordinate.name: coordinate for coordinate in anatomy.coordinates}
    where = f"kinematics.angle_unit = '{unit}'" if unit else "the header"
    for name in table.labels:
        low, high = _extent(table[name])
        joint = ranges[name]
        if scale == 1.0 and max(abs(low), abs(high)) > FULL_TURN:
            what = f"column of {name} goes from {low:.4g} to {high:.4g}: degrees, but {where} says radians"
            remedy = 'Correct the header (inDegrees=yes), or set angle_unit = "deg" under [kinematics]'
            report(Problem("error", what, table.source, remedy=remedy))
        elif scale != 1.0 and not unit and high - low < 3.0 and _fits_radians(low, high, joint.low, joint.high):
            what = f"column of {name} goes from {low:.4g} to {high:.4g}: radians, but {where} says degrees"
            remedy = (
                'Correct the header (inDegrees=no), or set angle_unit ("rad"; "deg" if it is true) under [kinematics]'
            )
            report(Problem("error", what, table.source, remedy=remedy))
        elif low * scale < joint.low - STRAY or high * scale > joint.high + STRAY:
            reach, valid = (_degrees(a, b) for a, b in ((low * scale, high * scale), (joint.low, joint.high)))
            what = f"{name} goes from {reach}, beyond the range in which the model's muscle paths are valid"
            report(Problem("warning", what, table.source, expected=valid, remedy="Check zero and sign of the angle"))
    return replace(table, values=table.values * scale, in_degrees=False)


def held_coordinates(table: Table, study: StudyFile, anatomy: Anatomy, scale: float, report: Report) -> None:
    """Note the range of each coordinate that the model holds still although it moved by more than a degree; warn where it strays."""
    for joint in anatomy.coordinates:
        column = study.kinematics.columns.get(joint.name, joint.name)
        moves = joint.name in (*study.study.coordinates, *study.kinematics.moving)
        if moves or joint.translation or column not in table:
            continue
        held = study.kinematics.fixed.get(joint.name, joint.default)
        low, high = (float(value * scale) for value in _extent(table[column]))
        if max(held - low, high - held) < DEGREE:
            continue
        what = f"{joint.name} goes from {_degrees(low, high)} but is held at {held / DEGREE:.4g} deg"
        strays = low < held - STRAY or high > held + STRAY
        remedy = (
            f'Let it move: moving = ["{joint.name}"] under [kinematics]; or set kinematics.fixed to where it was held'
        )
        remedy = f"{remedy} [rad]" if strays else ""
        report(Problem("warning" if strays else "note", what, table.source, remedy=remedy))


def _fits_radians(low: float, high: float, lowest: float, highest: float) -> bool:
    """Return whether values move through more than 0.3 and stay within a joint's range [rad]."""
    return high - low > 0.3 and low >= lowest - STRAY and high <= highest + STRAY


def _extent(values: NDArray[np.float64]) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)


def _degrees(low: float, high: float) -> str:
    return f"{low / DEGREE:.1f} to {high / DEGREE:.1f} deg"
