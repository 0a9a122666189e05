"""Muscle lengths and moment arms of a trial: read from OpenSim's tables, and held against each other along the recorded motion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from profundus.errors import Problem
from profundus.io.study_names import nearest_name, shown
from profundus.io.study_paths import StudyData
from profundus.io.study_schema import StudyFile, TrialSection
from profundus.io.study_text import Location
from profundus.records.recording import Recording
from profundus.records.table import Table

Floats = NDArray[np.float64]
LONGEST = 2.0  # m
LARGEST_ARM = 0.5  # m
UNEXPLAINED = 0.05  # share of a muscle's excursion that moment arms may leave unexplained
TELLING = 0.1  # share of a muscle's motion that a coordinate must make before its sign is judged
LISTED = 6
SIDES = {"_l": "left", "_r": "right"}


@dataclass(frozen=True)
class PathTables:
    """Reads the tables of one study's trials; what is wrong with them is noted in ``data``."""

    study: StudyFile
    muscles: Sequence[str]
    data: StudyData

    def added(self, recording: Recording | None, trial: TrialSection, subject: str) -> Recording | None:
        """Return a trial's recording with its lengths and moment arms [m], where the study brings them; tables that are wrong are left out.

        Where the recording could not be used its tables are looked at, all the same.
        """
        section = self.study.geometry
        if section is None or section.lengths is None:
            return recording
        lengths = self._read(_written(section.lengths, trial, subject), ("geometry", "lengths"), "length", LONGEST)
        arms = {
            name: self._read(_written(path, trial, subject), ("geometry", "moment_arms"), "moment arm", LARGEST_ARM)
            for name, path in section.moment_arms.items()
        }
        if recording is None:
            return None
        known = {name: table for name, table in arms.items() if table is not None}
        whole = replace(recording, lengths=lengths, moment_arms=known)
        moved = recording.angles.labels
        if all(name in known for name in moved):
            for problem in path_problems(whole, moved, allow_mm=section.allow_mm):
                self.data.report(problem)
        return whole

    def _read(self, written: str, at: Location, kind: str, largest: float) -> Table | None:
        table = self.data.table(written, at)
        if table is None:
            return None
        missing = [muscle for muscle in self.muscles if muscle not in table]
        for problem in _missing(missing, table, kind):
            self.data.report(problem)
        if missing:
            return None
        chosen = table.select({muscle: muscle for muscle in self.muscles})
        reached = float(np.nanmax(np.abs(chosen.values), initial=0.0))
        if reached > largest:
            what, remedy = f"a {kind} reaches {reached:.4g} m", "Was it given in mm? Convert the table to m"
            self.data.report(Problem("error", what, table.source, expected=f"below {largest:g} m", remedy=remedy))
            return None
        return chosen


def sampled(recording: Recording, coordinates: Sequence[str], muscles: Sequence[str]) -> tuple[Floats, Floats, Floats]:
    """Return posture (sample, coordinate) [rad], length (sample, muscle) and moment arm (sample, coordinate, muscle) [m] of a recording.

    On the clock of the lengths, where motion and all tables are known.
    """
    lengths = recording.lengths
    if lengths is None:
        return (
            np.empty((0, len(coordinates))),
            np.empty((0, len(muscles))),
            np.empty((0, len(coordinates), len(muscles))),
        )
    clock, order = lengths.time, {muscle: muscle for muscle in muscles}
    posture = _at(clock, recording.angles.select({name: name for name in coordinates}))
    length = lengths.select(order).values
    arm = np.stack([_at(clock, recording.moment_arms[name].select(order)) for name in coordinates], axis=1)
    known = np.isfinite(posture).all(axis=1) & np.isfinite(length).all(axis=1) & np.isfinite(arm).all(axis=(1, 2))
    return posture[known], length[known], arm[known]


def path_problems(recording: Recording, coordinates: Sequence[str], *, allow_mm: float) -> Iterator[Problem]:
    """Yield where a trial's lengths, moment arms and motion do not belong together: other times, signs, or motions.

    The moment arm is minus the derivative of length: along the motion, every change of length is minus the sum of moment arms times changes
    of angle (An et al. 1984, J Biomech Eng 106, 280-282, tendon excursion).
    """
    lengths = recording.lengths
    if lengths is None:
        return
    posture, length, arm = sampled(recording, coordinates, lengths.labels)
    if len(posture) < 3:
        what = f"trial {recording.name}: lengths, moment arms and kinematics have no stretch of time in common"
        yield Problem("error", what, lengths.source, remedy="Are the files of the same trial, on the same clock?")
        return
    made = -0.5 * (arm[1:] + arm[:-1]) * np.diff(posture, axis=0)[:, :, None]
    change = np.diff(length, axis=0)
    excursion = np.ptp(length, axis=0)
    left = _left(change - made.sum(axis=1))
    strays = np.flatnonzero(left > np.maximum(allow_mm * 1e-3, UNEXPLAINED * excursion))
    wrong: dict[str, list[str]] = {}
    unexplained: dict[str, float] = {}
    for at in strays:
        flipped = _flipped(change[:, at], made[:, :, at], max(allow_mm * 1e-3, UNEXPLAINED * float(excursion[at])))
        for column in flipped:
            wrong.setdefault(coordinates[column], []).append(lengths.labels[at])
        if not flipped:
            unexplained[lengths.labels[at]] = float(left[at])
    yield from _told(recording, lengths, wrong, unexplained)


def _told(
    recording: Recording, lengths: Table, wrong: Mapping[str, list[str]], unexplained: Mapping[str, float]
) -> Iterator[Problem]:
    for name, muscles in wrong.items():
        what = f"the moment arms of {_listed(muscles)} about {name} have the wrong sign: their lengths shorten where these say lengthen"
        remedy = "A moment arm is minus the derivative of length, as OpenSim writes it: turn the sign, of the table or of the angle"
        yield Problem("error", what, recording.moment_arms[name].source, remedy=remedy)
    if unexplained:
        what = (
            f"trial {recording.name}: lengths of {_listed(list(unexplained))} change by up to {max(unexplained.values()) * 1e3:.1f} mm "
            "that moment arms and motion do not explain"
        )
        remedy = (
            "Let every coordinate that they cross move (moving under [kinematics]), with its moment arms. Or are these tables of another "
            "motion, or a motion in other units?"
        )
        yield Problem("error", what, lengths.source, remedy=remedy)


def _flipped(change: Floats, made: Floats, allowed: float) -> tuple[int, ...]:
    """Return the fewest coordinates whose moment arms, with the other sign, explain the change of length; none where signs are not it."""
    judged = [c for c in range(made.shape[1]) if made[:, c].std() > TELLING * change.std()]
    choices = sorted(product((False, True), repeat=len(judged)), key=sum)
    for choice in choices[1:]:
        turned = [c for c, turn in zip(judged, choice, strict=True) if turn]
        if _left((change - made.sum(axis=1) + 2.0 * made[:, turned].sum(axis=1))[:, None])[0] <= allowed:
            return tuple(turned)
    return ()


def _left(rest: Floats) -> Floats:
    """Return over how much (muscle,) [m] a path goes in steps (step, muscle) that nothing explains."""
    return np.asarray(np.ptp(np.cumsum(rest, axis=0), axis=0), dtype=np.float64)


def _at(clock: Floats, table: Table) -> Floats:
    """Return a table's values on a clock, NaN outside of it."""
    columns = [np.interp(clock, table.time, values, left=np.nan, right=np.nan) for values in table.values.T]
    return np.column_stack(columns)


def _missing(muscles: Sequence[str], table: Table, kind: str) -> Iterator[Problem]:
    """Yield what a table lacks: muscles one by one, or all at once where it is of the other leg."""
    other = {"_l": "_r", "_r": "_l"}
    across = [m for m in muscles if m[-2:] in other and m[:-2] + other[m[-2:]] in table]
    if across and len(across) == len(muscles):
        side = SIDES[other[muscles[0][-2:]]]
        what = f"is a table of the {side} leg: it has {across[0][:-2] + other[across[0][-2:]]}, not {across[0]}"
        yield Problem("error", what, table.source, remedy="Name the other side's table, or the other side's muscles")
        return
    for muscle in muscles:
        what = f"there is no column {shown(muscle)} for the {kind} of {muscle}"
        hint = nearest_name(muscle, table.labels)
        remedy = hint if hint.startswith("Did") else "Analyze this muscle, too, or put it under study.ignored"
        yield Problem("error", what, table.source, remedy=remedy)


def _written(template: str, trial: TrialSection, subject: str) -> str:
    return template.replace("{trial}", trial.name).replace("{subject}", subject)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
