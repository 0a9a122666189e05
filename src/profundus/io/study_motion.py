"""The motion of the whole body that a run's study recorded, for programs that show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from profundus.errors import Problem
from profundus.io.osim_joints import Joints
from profundus.io.study_dynamics import whole_body
from profundus.io.study_paths import StudyData
from profundus.io.study_schema import StudyFile
from profundus.io.study_text import read_study_text
from profundus.io.study_validation import validate
from profundus.records.table import Table


def recorded_postures(
    study_toml: Path, root: Path, joints: Joints, *, subject: str, trials: Iterable[str], digests: Mapping[str, str]
) -> tuple[dict[str, Table], tuple[Problem, ...]]:
    """Return {trial: the model's coordinates in its motion file, rad and m}, and a note for each trial without one.

    ``root`` is where the paths of the study start. A file that is not there any more, or that is not what it was when its digest was
    taken, is left out.
    """
    text = read_study_text(study_toml)
    file, _, _ = validate(StudyFile, text)
    found: dict[str, Table] = {}
    notes: list[Problem] = []
    named = {} if file is None else {t.name: t for s in file.subject if s.id == subject for t in s.trial}
    for name in trials:
        data = StudyData(text, root, Counter())
        trial = named.get(name)
        motion = data.table(trial.kinematics, trial.at) if trial is not None else None
        if trial is None or file is None or motion is None:
            why = "is not in the run's study" if trial is None else "has no motion file any more"
        elif digests.get(trial.kinematics) != data.digests[trial.kinematics]:
            why = "has another motion file than when it was fitted"
        else:
            found[name] = whole_body(file, motion, joints, data.report)
            continue
        notes.append(Problem("note", f"trial {name} {why}: only the coordinates of the study are in its states"))
    return found, tuple(notes)
