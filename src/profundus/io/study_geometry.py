"""[geometry] and muscle_parameters of a study file: what a study must bring that has no model file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from profundus.errors import Problem
from profundus.io.anatomy import shipped_models
from profundus.io.muscle_table import SUFFIX
from profundus.io.osim import is_osim
from profundus.io.study_names import nearest_name, shown
from profundus.io.study_schema import GeometrySection, StudyFile
from profundus.io.study_text import Location, StudyText

PLACEHOLDERS = ("{trial}", "{subject}")
BRING = "or any other name, with [geometry] lengths and moment_arms and with study.muscle_parameters"


def brings_tables(study: StudyFile) -> bool:
    """Return whether a study file names tables of lengths and moment arms (or means to)."""
    return study.geometry is not None and bool(study.geometry.model_fields_set & {"lengths", "moment_arms"})


def geometry_agrees(study: StudyFile, text: StudyText) -> Iterator[Problem]:
    """Yield what is missing, too much, or of another coordinate under [geometry] and study.muscle_parameters."""
    model, at = study.study.model, ("study", "muscle_parameters")
    if not brings_tables(study) or study.geometry is None:
        if study.study.muscle_parameters is not None:
            what = "muscle_parameters are read only beside [geometry] lengths and moment_arms: a model has its own"
            yield text.problem("error", what, at, remedy="Leave it out, or add these tables")
        return
    if model in shipped_models() or is_osim(model):
        what = f"[geometry] brings tables of lengths and moment arms, but {model} has paths of its own"
        remedy = f'Leave the tables out and keep model = "{model}", or give the study\'s model another name'
        yield text.problem("error", what, ("geometry",), remedy=remedy)
        return
    if study.study.muscle_parameters is None:
        what, remedy = (
            "study.muscle_parameters is missing: tables of paths tell no force and no fiber",
            f"Name a {SUFFIX} file",
        )
        yield text.problem("error", what, ("study",), remedy=remedy)
    elif not study.study.muscle_parameters.lower().endswith(SUFFIX):
        what = f"study.muscle_parameters is {shown(study.study.muscle_parameters)}"
        yield text.problem("error", what, at, expected=f"a {SUFFIX} file")
    yield from _tables_agree(study, study.geometry, text)


def _tables_agree(study: StudyFile, section: GeometrySection, text: StudyText) -> Iterator[Problem]:
    moved = (*study.study.coordinates, *study.kinematics.moving)
    at: Location = ("geometry", "moment_arms")
    if section.lengths is None:
        what, remedy = "geometry.lengths is missing", 'Name the tables: lengths = "{trial}_Length.sto"'
        yield text.problem("error", what, ("geometry",), remedy=remedy)
    for name in moved:
        if name not in section.moment_arms:
            remedy = f'Name the tables: {name} = "{{trial}}_MomentArm_{name}.sto"'
            if name in study.kinematics.moving:
                remedy += ", or take it out of kinematics.moving"
            yield text.problem("error", f"there are no moment arms about {name}", at, remedy=remedy)
    for name in section.moment_arms:
        if name not in moved:
            what = f"moment arms about {name}, which is no coordinate of the study"
            hint = nearest_name(name, [known for known in moved if known not in section.moment_arms])
            remedy = hint if hint.startswith("Did") else "Let it move ([kinematics] moving), or leave its table out"
            yield text.problem("error", what, at, remedy=remedy)
    for path in (section.lengths or "", *section.moment_arms.values()):
        for strange in sorted({part for part in re.findall(r"\{[^}]*\}?", path) if part not in PLACEHOLDERS}):
            what = f"{shown(path)} has the placeholder {shown(strange)}"
            yield text.problem("error", what, ("geometry",), expected=" or ".join(PLACEHOLDERS))
