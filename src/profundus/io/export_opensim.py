"""Answers as OpenSim reads them: controls and states over time, and the model with a person's muscles in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from profundus.io.file_names import refuse_names
from profundus.io.osim_edit import personalized_model
from profundus.io.osim_joints import JointCoordinate, Joints
from profundus.io.result_tables import Floats, excitations, states
from profundus.io.rows_file import write_rows
from profundus.io.store import write_whole
from profundus.io.tables import write_table
from profundus.records import ParameterRow, Reconstruction, Table

ARM26 = Joints(
    (
        JointCoordinate("r_shoulder_elev", "r_shoulder", "rotational"),
        JointCoordinate("r_elbow_flex", "r_elbow", "rotational"),
    ),
    bodies=("base", "r_humerus", "r_ulna_radius_hand"),
)
"""The joints of the shipped model."""
ARM26_JOINTS = ARM26.joint_of
PROPERTIES = {
    "max_isometric_force": "max_isometric_force",
    "optimal_fiber_length": "optimal_fiber_length",
    "tendon_slack_length": "tendon_slack_length",
    "pennation_at_optimal": "pennation_angle_at_optimal",
    "time_constant": "activation_time_constant",
}
"""The property of OpenSim's muscles that holds a parameter; delay and shape factor have none."""


@dataclass(frozen=True)
class MuscleRow:
    """One number of a person's muscles; ``opensim`` names the property that holds it, empty where OpenSim has none."""

    muscle: str
    parameter: str
    unit: str
    generic: float
    fitted: float
    posterior_sd: float
    opensim: str


def export_opensim(
    rec: Reconstruction,
    out: Path,
    *,
    joints: Mapping[str, str] = ARM26_JOINTS,
    fixed: Mapping[str, float] | None = None,
    postures: Mapping[str, Table] | None = None,
) -> tuple[Path, ...]:
    """Write ``<trial>_controls.sto`` and ``<trial>_states.sto`` of every trial into ``out``; return their paths.

    Controls are the excitations, one column a muscle, on the EMG's clock (before the electromechanical delay). States are
    ``/forceset/<muscle>/activation`` and ``fiber_length`` where the method knows them, and ``/jointset/<joint>/<coordinate>/value`` and
    ``speed`` in rad and m. ``joints`` maps coordinates to joints; ``postures`` {trial: coordinates over time, rad and m} adds what else was
    recorded of the body, ``fixed`` coordinates that were not, at rest. Raises InputError for a coordinate without a joint or a name that is
    no file name, before anything is written.
    """
    refuse_names([], [part.trial.name for part in rec.trials])
    tables = {}
    for part in rec.trials:
        posture = (postures or {}).get(part.trial.name)
        others = on_clock(posture, part.trial.time) if posture is not None else {}
        tables[out / f"{part.trial.name}_controls.sto"] = excitations(part)
        tables[out / f"{part.trial.name}_states.sto"] = states(part, joints=joints, fixed=fixed or {}, others=others)
    for path, table in tables.items():
        write_table(table, path)
    return tuple(tables)


def export_ceinms(rec: Reconstruction, out: Path) -> tuple[Path, ...]:
    """Write ``<trial>_excitations.sto`` of every trial into ``out``, as CEINMS reads excitations: a column a muscle, on the EMG's clock.

    Return their paths. Raises InputError for a name that is no file name.
    """
    refuse_names([], [part.trial.name for part in rec.trials])
    tables = {out / f"{part.trial.name}_excitations.sto": excitations(part) for part in rec.trials}
    for path, table in tables.items():
        write_table(table, path)
    return tuple(tables)


def export_muscles(rows: Sequence[ParameterRow], path: Path) -> Path:
    """Write every parameter of a person as a CSV file, with the name that OpenSim has for it; return its path."""
    table = [
        MuscleRow(r.muscle, r.parameter, r.unit, r.generic, r.fitted, r.posterior_sd, PROPERTIES.get(r.parameter, ""))
        for r in rows
    ]
    write_rows(table, path, columns=tuple(MuscleRow.__dataclass_fields__))
    return path


def export_model(rows: Sequence[ParameterRow], model: Path, path: Path, *, deactivation_ratio: float) -> Path:
    """Write a copy of a model file with a person's muscles in it; return its path. All else in the file stays, byte for byte.

    Time constants of activation (falling: ``deactivation_ratio`` times the rising one) are written where the muscle's class has them.
    Electromechanical delay and shape factor become a comment. Raises InputError for muscles that the model has not.
    """
    person = {row.parameter: row.fitted for row in rows if not row.muscle}
    rising = person.get("time_constant")
    constants = {} if rising is None else {
        "activation_time_constant": rising, "deactivation_time_constant": deactivation_ratio * rising
    }  # fmt: skip
    values: dict[str, dict[str, float]] = {}
    delays: dict[str, float] = {}
    for row in rows:
        if row.muscle and row.parameter in PROPERTIES:
            values.setdefault(row.muscle, dict(constants))[PROPERTIES[row.parameter]] = row.fitted
        elif row.parameter == "electromechanical_delay":
            delays[row.muscle] = row.fitted
    shape = person.get("shape_factor")
    remarks = {}
    for muscle in values:
        said = [f"electromechanical_delay {delays[muscle]:.6g} s"] if muscle in delays else []
        said += [f"shape_factor {shape:.6g}"] if shape is not None else []
        remarks[muscle] = f"profundus: {', '.join(said)}; OpenSim has no property for these" if said else ""
    write_whole(path, personalized_model(model, values, remarks=remarks))
    return path


def on_clock(posture: Table, time: Floats) -> dict[str, tuple[Floats, Floats]]:
    """Return {coordinate: (value, speed)} on another clock, by a cubic spline; what is missing for a while is left out."""
    span = (posture.time >= time[0] - 1e-9) & (posture.time <= time[-1] + 1e-9)
    whole = [name for name in posture.labels if span.any() and np.isfinite(posture[name][span]).all()]
    known = {name: np.isfinite(posture[name]) for name in whole}
    splines = {
        name: CubicSpline(posture.time[rows], posture[name][rows]) for name, rows in known.items() if rows.sum() > 1
    }
    return {name: (spline(time), spline(time, 1)) for name, spline in splines.items()}
