"""From a study to what inverse dynamics is told about a trial: model, motion of the whole body, forces from outside, a held mass."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from profundus.errors import InputError, Problem
from profundus.io.external_loads import read_external_loads
from profundus.io.osim_joints import Joints, read_joints
from profundus.io.study_angles import Report, rotation_scale
from profundus.io.study_names import nearest_name, shown
from profundus.io.study_paths import StudyData
from profundus.io.study_schema import InverseDynamicsSection, StudyFile, TrialSection
from profundus.io.study_text import Location, StudyText
from profundus.records.inverse_dynamics import ExternalForces, HeldLoad, InverseDynamics
from profundus.records.table import Table

LOW_PASS_HZ = 6.0
"""Cut-off of the motion where the study names none: that of an envelope, so that moment and EMG are of one band."""
MODEL_AT: Location = ("inverse_dynamics", "model")
LOAD_AT: Location = ("inverse_dynamics", "load_body")


def dynamics_agree(study: StudyFile, text: StudyText) -> Iterator[Problem]:
    """Yield where [inverse_dynamics] lacks something, or is not used."""
    section = study.inverse_dynamics
    if section is None:
        return
    if not any(trial.inverse_dynamics for subject in study.subject for trial in subject.trial):
        what, remedy = "[inverse_dynamics] is not used", 'Set inverse_dynamics = "opensim" for the trials that need it'
        yield text.problem("warning", what, ("inverse_dynamics",), remedy=remedy)
    if section.load_body is not None and section.load_position is None:
        what = f"where on {section.load_body} the load is held is not said"
        expected = "load_position = [x, y, z], in m in the body's frame"
        yield text.problem("error", what, LOAD_AT, expected=expected, remedy="Add it")
    if section.load_body is None and (section.load_position is not None or section.load_radius):
        what = "the load has a position or a radius, but no body"
        yield text.problem("error", what, ("inverse_dynamics",), remedy="Name the body: load_body")


def whole_body(study: StudyFile, motion: Table, joints: Joints, report: Report) -> Table:
    """Return the model's coordinates that a motion file has, in rad and m."""
    section = study.kinematics
    named = {name: section.columns.get(name, name) for name in joints.joint_of}
    present = {name: column for name, column in named.items() if column in motion}
    angles = [present[name] for name in study.study.coordinates if name in present]  # the unit was told from these
    scale = rotation_scale(motion, section.angle_unit, angles, report) if angles else 1.0
    factors = [scale if joints.motion_types[name] == "rotational" else 1.0 for name in present]
    values = motion.select(present).values * np.array(factors)
    return Table(tuple(present), motion.time, values, motion.name, in_degrees=False, source=motion.source)


@dataclass(frozen=True)
class DynamicsReader:
    """Puts together what the trials of one study need for inverse dynamics; what is wrong is noted in ``data``."""

    study: StudyFile
    data: StudyData

    def asked(self, trial: TrialSection, motion: Table) -> InverseDynamics | None:
        """Return what inverse dynamics is told about a trial, or None where something is missing."""
        path, joints = self._model
        external = self._external(trial) if trial.external_loads else None
        load, load_agrees = self._load(trial)
        if path is None or joints is None or not load_agrees or (trial.external_loads and external is None):
            return None
        posture = whole_body(self.study, motion, joints, self.data.report)
        others = [name for name in joints.joint_of if name not in posture.labels]
        held = {name: self.study.kinematics.fixed[name] for name in others if name in self.study.kinematics.fixed}
        at_default = tuple(name for name in others if name not in held)
        if at_default:
            what = (
                f"inverse dynamics of {trial.name}: not recorded, stand at the model's default: {', '.join(at_default)}"
            )
            self.data.report(Problem("note", what, motion.source))
        kinds: dict[str, str] = {name: joints.motion_types[name] for name in posture.labels}
        low_pass = self._low_pass_hz
        return InverseDynamics(str(path), posture, kinds, low_pass, held, at_default, load, external)

    @property
    def _section(self) -> InverseDynamicsSection:
        return self.study.inverse_dynamics or InverseDynamicsSection()

    @property
    def _low_pass_hz(self) -> float | None:
        if "low_pass_hz" in self._section.model_fields_set:
            return self._section.low_pass_hz
        return self.study.kinematics.low_pass_hz or LOW_PASS_HZ

    @cached_property
    def _model(self) -> tuple[Path | None, Joints | None]:
        """Return the file of the model with masses and its joints, read once; None where it cannot be used."""
        written = self._section.model or self.study.study.model
        at: Location = MODEL_AT if self._section.model else ("study", "model")
        if not written.lower().endswith(".osim"):
            remedy = 'Name an .osim file with these coordinates: model = "..." under [inverse_dynamics]'
            what = f"inverse dynamics needs masses, which the model {shown(written)} has not"
            self.data.report(self.data.text.problem("error", what, at, expected="an OpenSim model", remedy=remedy))
            return None, None
        path = self.data.file(written, at)
        try:
            joints = read_joints(path) if path is not None else None
        except InputError as error:
            self._report(error)
            return None, None
        lost = [name for name in self.study.study.coordinates if joints and name not in joints.joint_of]
        for name in lost:
            what, hint = (
                f"{shown(written)} has no coordinate {name}",
                nearest_name(name, joints.joint_of if joints else ()),
            )
            self.data.report(self.data.text.problem("error", what, at, remedy=hint))
        return (None, None) if lost else (path, joints)

    def _load(self, trial: TrialSection) -> tuple[HeldLoad | None, bool]:
        """Return the mass that is held, and whether what is said of it can be used."""
        section, text, at = self._section, self.data.text, (*trial.at, "load_kg")
        if section.load_body is None or section.load_position is None:
            if trial.load_kg > 0 and not trial.external_loads:
                what = f"trial {trial.name}: the load of {trial.load_kg:g} kg is left out of the inverse dynamics"
                remedy = "Name load_body and load_position under [inverse_dynamics], unless the model holds it"
                self.data.report(text.problem("warning", what, at, remedy=remedy))
            return None, True
        bodies = self._model[1].bodies if self._model[1] else ()
        if bodies and section.load_body not in bodies:
            what = f"the model has no body {section.load_body} to hold the load"
            self.data.report(text.problem("error", what, LOAD_AT, remedy=nearest_name(section.load_body, bodies)))
            return None, False
        if math.isnan(trial.load_kg):
            what = f"trial {trial.name}: the load that {section.load_body} holds is unknown"
            self.data.report(text.problem("error", what, trial.at, remedy="Give load_kg, 0 for none"))
            return None, False
        load = HeldLoad(section.load_body, trial.load_kg, section.load_position, section.load_radius)
        return (load if load.mass > 0 else None), True

    def _external(self, trial: TrialSection) -> ExternalForces | None:
        """Return the forces from outside, their data found relative to the file that names them."""
        assert trial.external_loads is not None
        at: Location = (*trial.at, "external_loads")
        path = self.data.file(trial.external_loads, at)
        try:
            loads = read_external_loads(path) if path is not None else None
        except InputError as error:
            self._report(error)
            return None
        if path is None or loads is None:
            return None
        place = str(PurePosixPath(trial.external_loads.replace("\\", "/")).parent / loads.datafile)
        forces = self.data.table(place, at)
        if forces is None:
            return None
        for problem in loads.disagreements(self._model[1].bodies if self._model[1] else loads.bodies, forces):
            self.data.report(problem)
        return ExternalForces(str(path), forces.source, (float(forces.time[0]), float(forces.time[-1])))

    def _report(self, error: InputError) -> None:
        for problem in error.problems:
            self.data.report(problem)
