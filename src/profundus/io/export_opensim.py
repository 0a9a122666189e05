"""Answers as OpenSim reads them: controls for a forward simulation, states that turn muscles red in its window."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from profundus.io.file_names import refuse_names
from profundus.io.result_tables import excitations, states
from profundus.io.tables import write_table
from profundus.records import Reconstruction

ARM26_JOINTS = {"r_shoulder_elev": "r_shoulder", "r_elbow_flex": "r_elbow"}


def export_opensim(
    rec: Reconstruction,
    out: Path,
    *,
    joints: Mapping[str, str] = ARM26_JOINTS,
    fixed: Mapping[str, float] | None = None,
) -> tuple[Path, ...]:
    """Write ``<trial>_controls.sto`` and ``<trial>_states.sto`` of every trial into ``out``; return their paths.

    Controls are the excitations, one column a muscle, on the EMG's clock (before the electromechanical delay). States are
    ``/forceset/<muscle>/activation`` and ``fiber_length`` where the method knows them, and ``/jointset/<joint>/<coordinate>/value`` and
    ``speed`` in radians. ``joints`` maps coordinates to joints; ``fixed`` [rad] adds coordinates that were not recorded, at rest.
    Raises InputError for a coordinate without a joint or a name that is no file name, before anything is written.
    """
    refuse_names([], [part.trial.name for part in rec.trials])
    tables = {}
    for part in rec.trials:
        tables[out / f"{part.trial.name}_controls.sto"] = excitations(part)
        tables[out / f"{part.trial.name}_states.sto"] = states(part, joints=joints, fixed=fixed or {})
    for path, table in tables.items():
        write_table(table, path)
    return tuple(tables)
