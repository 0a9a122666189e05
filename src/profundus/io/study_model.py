"""The model of a study: one that is shipped, or what an OpenSim file says of the names and ranges that the study uses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from profundus.errors import InputError, Problem
from profundus.io.anatomy import read_anatomy
from profundus.io.anatomy_file import ANATOMY, read_anatomy_file
from profundus.io.muscle_table import is_muscle_table, muscles_outline, read_muscle_table
from profundus.io.osim import ModelSketch, is_osim, read_sketch
from profundus.io.study_checks import columns_agree, muscles_agree
from profundus.io.study_geometry import BRING, brings_tables
from profundus.io.study_names import is_name, nearest_name
from profundus.io.study_paths import StudyData
from profundus.io.study_schema import StudyFile
from profundus.io.study_text import Location, StudyText
from profundus.records.anatomy import Anatomy
from profundus.records.study import Study

MODEL_AT: Location = ("study", "model")


@dataclass(frozen=True)
class StudyModel:
    """The model that a study file names: ``file`` with the muscles that its patterns mean, ``anatomy`` (of an OpenSim file: its names and
    ranges), and the ``place`` of the file that it is from; empty for a shipped one.
    """  # fmt: skip

    file: StudyFile
    anatomy: Anatomy | None
    place: str = ""


def study_model(
    file: StudyFile, text: StudyText, aside: frozenset[str], data: StudyData | None
) -> tuple[StudyModel, list[Problem]]:
    """Return the model of a study, its anatomy None where it cannot be had, and what does not agree with it.

    ``data`` finds the model's file; None: the study is that of a run, which keeps the anatomy beside it.
    """
    if aside & {"study", "study.model"}:
        return StudyModel(file, None), []
    try:
        if data is None and (is_osim(file.study.model) or brings_tables(file)):
            kept = Path(text.file).parent / ANATOMY
            return StudyModel(_explicit(file), read_anatomy_file(kept), str(kept)), []
        if data is not None and brings_tables(file):
            return _listed(file, text, aside, data)
        if data is None or not is_osim(file.study.model):
            anatomy = read_anatomy(file.study.model)
            return _agreeing(file, anatomy, text, aside, lambda name: _matching(name, anatomy.muscles))
        place = data.file(file.study.model, MODEL_AT)
        return (StudyModel(file, None), []) if place is None else _outlined(file, place, text, aside)
    except InputError as error:
        said = [
            text.problem(
                "error", problem.what, MODEL_AT, expected=f"{problem.expected}, {BRING}", remedy=problem.remedy
            )
            if problem.file in {"", file.study.model}
            else problem
            for problem in error.problems
        ]
        return StudyModel(file, None), said


def outline_of(study: Study) -> Anatomy:
    """Return what is known of a study's muscles and coordinates without OpenSim: of its models no paths, and only declared groups."""
    if not study.model_file:
        anatomy = read_anatomy(study.model, ignored=study.ignored)
    elif is_muscle_table(study.model_file):
        anatomy = _of_table(Path(study.model_file), study.model, {*study.measured, *study.deep}, study.moved)
    elif is_osim(study.model_file):
        anatomy = read_sketch(study.model_file).outline({*study.measured, *study.deep}, study.moved)
    else:
        anatomy = read_anatomy_file(Path(study.model_file))
    groups = tuple(study.groups.get(name, own) for name, own in zip(anatomy.muscles, anatomy.groups, strict=True))
    return replace(anatomy, groups=groups)


def _listed(
    file: StudyFile, text: StudyText, aside: frozenset[str], data: StudyData
) -> tuple[StudyModel, list[Problem]]:
    """Return what a table of muscle parameters says of the muscles that the study uses."""
    if file.study.muscle_parameters is None or not is_muscle_table(file.study.muscle_parameters):
        return StudyModel(file, None), []  # that has been told
    place = data.beside(file.study.muscle_parameters, ("study", "muscle_parameters"))
    if place is None:
        return StudyModel(file, None), []
    moved = (*file.study.coordinates, *file.kinematics.moving)
    whole = _of_table(place, file.study.model, None, moved)
    found, problems = _agreeing(file, whole, text, aside, lambda name: _matching(name, whole.muscles))
    section = found.file.study
    return StudyModel(
        found.file, _of_table(place, section.model, {*section.measured, *section.deep}, moved), str(place)
    ), problems


def _of_table(place: Path, name: str, muscles: Collection[str] | None, coordinates: Collection[str]) -> Anatomy:
    rows = [row for row in read_muscle_table(place) if muscles is None or row.muscle in muscles]
    return muscles_outline(rows, name=name, coordinates=tuple(dict.fromkeys(coordinates)))


def _outlined(file: StudyFile, place: Path, text: StudyText, aside: frozenset[str]) -> tuple[StudyModel, list[Problem]]:
    """Return what an OpenSim file says of the muscles that the study uses, and of the coordinates on which their paths may depend."""
    sketch = read_sketch(place)
    found, problems = _agreeing(file, sketch.outline(), text, aside, sketch.matching)
    section = found.file.study
    used = [name for name in (*section.measured, *section.deep) if name in sketch.muscles]
    moving = [*section.coordinates, *file.kinematics.moving]
    known = {c.name for c in sketch.coordinates}
    held = [name for name in file.kinematics.fixed if name in known and name not in moving]
    problems += sketch.strange_muscles(dict.fromkeys(used))
    problems += sketch.unusable([name for name in moving if name in known], held)
    problems += _uncrossed(sketch, used, section.coordinates, text)
    return StudyModel(found.file, sketch.outline(used, moving), str(place)), problems


def _uncrossed(
    sketch: ModelSketch, muscles: Collection[str], explained: Collection[str], text: StudyText
) -> Iterator[Problem]:
    """Yield an error for each muscle that cannot cross any coordinate whose moment is explained."""
    for name in muscles:
        leading = sketch.leading(name)
        if not leading & set(explained):
            what = f"{name} crosses none of {', '.join(explained)}: it says nothing of these moments"
            near = f"It crosses {', '.join(sorted(leading))}" if leading else ""
            yield text.problem("error", what, ("study",), remedy=near or "Put it under study.ignored")


def _agreeing(
    file: StudyFile,
    anatomy: Anatomy,
    text: StudyText,
    aside: frozenset[str],
    matching: Callable[[str], Collection[str]],
) -> tuple[StudyModel, list[Problem]]:
    section = file.study
    meant = {pattern: matching(pattern) for pattern in section.ignored if pattern not in anatomy.muscles}
    problems = [
        text.problem("error", f"no muscle fits {pattern}", ("study", "ignored"), remedy="Correct the pattern")
        for pattern, names in meant.items()
        if not names and not is_name(pattern)
    ]
    named = {*section.measured, *section.deep}
    plain = [name for name in section.ignored if not meant.get(name) and is_name(name)]
    matched = [name for names in meant.values() for name in names if name not in named and name not in plain]
    whole = file.model_copy(update={"study": section.model_copy(update={"ignored": (*plain, *dict.fromkeys(matched))})})
    problems += [*muscles_agree(whole, anatomy, text, aside), *columns_agree(whole, anatomy, text)]
    problems += _groups_agree(whole, text)
    return StudyModel(whole, anatomy), problems


def _groups_agree(file: StudyFile, text: StudyText) -> Iterator[Problem]:
    """Yield where [groups] names a muscle that the study does not have, or one twice."""
    used = (*file.study.measured, *file.study.deep)
    for group, muscles in file.groups.items():
        for name in muscles:
            if name not in used:
                what = f"group {group}: {name} is neither measured nor deep"
                yield text.problem("error", what, ("groups", group), remedy=nearest_name(name, used))
    for name, times in Counter(name for muscles in file.groups.values() for name in muscles).items():
        if times > 1:
            yield text.problem(
                "error", f"{name} is named {times} times in [groups]", ("groups",), remedy="Name it once"
            )


def _matching(pattern: str, muscles: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in muscles if fnmatchcase(name, pattern))


def _explicit(file: StudyFile) -> StudyFile:
    """Return the file without ignored muscles: the anatomy that a run keeps does not have them."""
    return file.model_copy(update={"study": file.study.model_copy(update={"ignored": ()})})
