"""From the files of a trial to a recording: columns become the model's names, values become SI units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from profundus.errors import Problem, sentences
from profundus.io.study_angles import angle_in_radians, held_coordinates, rotation_scale
from profundus.io.study_clock import clock_problems
from profundus.io.study_dynamics import DynamicsReader
from profundus.io.study_names import nearest_name, other_side, shown
from profundus.io.study_paths import StudyData
from profundus.io.study_schema import StudyFile, SubjectSection, TrialSection
from profundus.io.study_text import Location
from profundus.records.anatomy import Anatomy
from profundus.records.recording import Exclusion, Recording
from profundus.records.table import Table

VOLTS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6}
LARGEST_MOMENT = 1000.0
LARGEST_ENVELOPE = 5.0
SLOWEST_EMG_HZ = 10.0
WIRE = "Write what the wire recorded, filtered and divided by its maximum, to a file and name that under truth"


@dataclass(frozen=True)
class RecordingReader:
    """Reads the recordings of one study; what is wrong with them is noted in ``data``."""

    study: StudyFile
    anatomy: Anatomy
    data: StudyData

    def recording(
        self, trial: TrialSection, exclusions: tuple[Exclusion, ...] = (), wired: tuple[str, ...] = ()
    ) -> Recording | None:
        """Return the recording of a trial with what was met while reading it, or None where motion or EMG cannot be used.

        The envelopes of deep muscles that are ``wired`` must be in the trial's truth, or be columns of its EMG.
        """
        before = len(self.data.problems)
        motion = self._table(trial.kinematics, (*trial.at, "kinematics"))
        angles, velocities = self._motion(motion) if motion else (None, None)
        emg = self.emg(trial.emg, (*trial.at, "emg"))
        moments = self._moments(trial.moments, (*trial.at, "moments")) if trial.moments else None
        computed = self._dynamics.asked(trial, motion) if motion and angles and trial.inverse_dynamics else None
        truth = self._truth(trial.truth, (*trial.at, "truth")) if trial.truth else None
        wire = self._wire(trial, wired, truth) if wired else None
        if angles is None or emg is None:
            return None
        tables = {"kinematics": angles, "emg": emg, "moments": moments, "truth": truth}
        late = self.study.emg.sync_offset_ms / 1000.0
        for problem in clock_problems(trial, tables, self.data.text, emg_late=late):
            self.data.report(problem)
        return Recording(
            trial.name,
            trial.role,
            angles,
            emg,
            moments,
            velocities,
            truth,
            load_kg=trial.load_kg,
            motion=trial.motion,
            time=trial.time,
            exclusions=exclusions,
            problems=tuple(self.data.problems)[before:],
            wire=wire,
            inverse_dynamics=computed,
        )

    @cached_property
    def _dynamics(self) -> DynamicsReader:
        return DynamicsReader(self.study, self.data)

    def maxima(self, subject: SubjectSection) -> tuple[Table, ...]:
        """Return the recordings of maximal contractions: those of the study and those of the subject.

        A file needs to have the columns of the muscles that it is about, not of all.
        """
        named: list[tuple[str, Location]] = [(path, ("emg", "mvc")) for path in self.study.emg.mvc]
        named += [(path, (*subject.at, "mvc")) for path in subject.mvc]
        tables = [self.emg(path, at, partial=True) for path, at in named]
        read = tuple(table for table in tables if table is not None)
        without = set(self.study.study.measured) - {muscle for table in read for muscle in table.labels}
        if without and len(read) == len(tables) > 0:
            what = f"subject {subject.id}: no MVC recording has a column for {', '.join(sorted(without))}"
            remedy = "Add a recording, or name its column under [emg.channels]"
            self.data.report(self.data.text.problem("error", what, named[-1][1], remedy=remedy))
        return read

    def emg(self, written: str, at: Location, *, partial: bool = False) -> Table | None:
        """Return the EMG of the measured muscles, raw in volts or an envelope; C3D tells its unit, tables do not."""
        table = self._table(written, at)
        if table is None:
            return None
        section = self.study.emg
        columns = {muscle: section.channels.get(muscle, muscle) for muscle in self.study.study.measured}
        present = {muscle: column for muscle, column in columns.items() if column in table}
        remedy = "Name the column under [emg.channels]"
        if not self._has_columns(table, present if partial and present else columns, "muscle", remedy):
            return None
        chosen = table.select(present)
        if section.kind == "envelope":
            self._expect_fractions(chosen)
        elif not written.lower().endswith(".c3d"):
            chosen = replace(chosen, values=chosen.values * VOLTS[section.unit])
        self._expect_rate(chosen)
        return chosen

    def _table(self, written: str, at: Location) -> Table | None:
        return self.data.table(written, at)

    def _motion(self, table: Table) -> tuple[Table | None, Table | None]:
        section, report = self.study.kinematics, self.data.report
        moved = (*self.study.study.coordinates, *section.moving)
        columns = {name: section.columns.get(name, name) for name in moved}
        complete = self._has_columns(table, columns, "coordinate", "Name the column under [kinematics.columns]")
        speeds = {name: c for name, c in section.velocity_columns.items() if name in columns}
        complete &= self._has_columns(table, speeds, "the velocity of", "Correct [kinematics.velocity_columns]")
        if not complete:
            return None, None
        scale = rotation_scale(table, section.angle_unit, columns.values(), report)
        angles = angle_in_radians(table.select(columns), self.anatomy, scale, section.angle_unit, report)
        held_coordinates(table, self.study, self.anatomy, scale, report)
        velocities = table.select(speeds) if speeds else None
        if velocities is not None:
            velocities = replace(velocities, values=velocities.values * scale, in_degrees=False)
        return angles, velocities

    def _moments(self, written: str, at: Location) -> Table | None:
        table = self._table(written, at)
        section = self.study.moments
        columns = {name: section.columns.get(name, f"{name}_moment") for name in self.study.study.coordinates}
        remedy = "Name the column under [moments.columns]"
        if table is None or not self._has_columns(table, columns, "the moment of", remedy):
            return None
        signs = np.array([float(section.sign.get(name, 1)) for name in columns])
        chosen = table.select(columns)
        if _largest(chosen) > LARGEST_MOMENT:
            what = f"a joint moment reaches {_largest(chosen):.4g} N.m"
            remedy = "Were they given in N.mm? Convert them"
            self.data.report(Problem("error", what, table.source, expected="below 1000 N.m", remedy=remedy))
        return replace(chosen, values=chosen.values * signs)

    def _truth(self, written: str, at: Location) -> Table | None:
        table = self._table(written, at)
        if table is None:
            return None
        present = {muscle: muscle for muscle in self.anatomy.muscles if muscle in table}
        if not present:
            expected = "columns named after muscles: " + ", ".join(self.anatomy.muscles)
            self.data.report(Problem("error", "tells the truth of no muscle", table.source, expected=expected))
            return None
        return table.select(present)

    def _wire(self, trial: TrialSection, muscles: tuple[str, ...], truth: Table | None) -> Table | None:
        """Return the envelopes of muscles that calibrations name: from the truth, which comes first, or from the EMG."""
        if truth is not None and all(muscle in truth for muscle in muscles):
            return truth.select({muscle: muscle for muscle in muscles})
        section = self.study.emg
        ready = section.kind == "envelope" and section.normalization == "mvc"
        table = self._table(trial.emg, (*trial.at, "emg")) if ready else None
        columns = {muscle: section.channels.get(muscle, muscle) for muscle in muscles}
        if table is not None and all(column in table for column in columns.values()):
            return table.select(columns)
        what = f"trial {trial.name} calibrates {', '.join(muscles)}, but holds no envelope of it"
        expected = f"column {', '.join(muscles)} in its truth" + (" or its EMG" if ready else ", a fraction of maximum")
        self.data.report(self.data.text.problem("error", what, trial.at, expected=expected, remedy=WIRE))
        return None

    def _has_columns(self, table: Table, columns: dict[str, str], kind: str, remedy: str) -> bool:
        missing = {name: column for name, column in columns.items() if column not in table}
        for name, column in missing.items():
            hint = nearest_name(column, table.labels)
            what = f"there is no column {shown(column)} for {kind} {name}"
            if other := other_side(column, table.labels):
                what += f"; {shown(other)} is of the other side"
                hint = "Give the file of this side: a column of the other side under this name is a mistake that nothing tells"
            self.data.report(Problem("error", what, table.source, remedy=sentences(hint, remedy)))
        return not missing

    def _expect_fractions(self, table: Table) -> None:
        if self.study.emg.normalization == "mvc" and _largest(table) > LARGEST_ENVELOPE:
            what = f"an envelope reaches {_largest(table):.4g}, but normalization is 'mvc'"
            remedy = 'Divide by 100 if it is in percent, or set normalization = "session_max"'
            expected = "a fraction of the maximal voluntary contraction"
            self.data.report(Problem("error", what, table.source, expected=expected, remedy=remedy))

    def _expect_rate(self, table: Table) -> None:
        section = self.study.emg
        if len(table.time) < 2:
            return
        rate = 1.0 / float(np.median(np.diff(table.time)))
        if rate < SLOWEST_EMG_HZ:
            what, expected = f"the EMG's clock has {rate:.3g} Hz", f"{SLOWEST_EMG_HZ:g} Hz or more"
            remedy = "Is time in ms? Write it in seconds"
            self.data.report(Problem("error", what, table.source, expected=expected, remedy=remedy))
            return
        if section.rate_hz is not None and abs(rate - section.rate_hz) > 0.01 * section.rate_hz:
            what, expected = f"the EMG's clock has {rate:.5g} Hz", f"{section.rate_hz:g} Hz, as emg.rate_hz says"
            self.data.report(
                Problem("error", what, table.source, expected=expected, remedy="Correct emg.rate_hz, or leave it out")
            )
        if section.kind == "raw" and section.band_pass_hz[1] >= rate / 2:
            what = f"raw EMG at {rate:.5g} Hz cannot be filtered up to {section.band_pass_hz[1]:g} Hz"
            remedy = 'Lower emg.band_pass_hz, or set kind = "envelope" if the EMG is rectified and smoothed'
            expected = "more than twice that rate"
            self.data.report(Problem("error", what, table.source, expected=expected, remedy=remedy))


def _largest(table: Table) -> float:
    return float(np.max(np.abs(table.values), where=np.isfinite(table.values), initial=0.0))
