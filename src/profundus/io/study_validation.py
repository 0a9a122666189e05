"""Hold a parsed study file against what it may say, and go on with what is left of it, so that no problem hides another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from profundus.errors import Problem
from profundus.io import study_schema as schema
from profundus.io.study_names import is_name, nearest_name, shown
from profundus.io.study_text import NO_FILE, Location, StudyText
from profundus.io.study_types import Section
from profundus.records.fitting import FitSettings, LossSettings, NetworkSettings

S = TypeVar("S", bound=Section)

SECTIONS: dict[str, type] = {
    "study": schema.StudySection,
    "emg": schema.EmgSection,
    "kinematics": schema.KinematicsSection,
    "moments": schema.MomentsSection,
    "inverse_dynamics": schema.InverseDynamicsSection,
    "geometry": schema.GeometrySection,
    "calibration": schema.CalibrationSection,
    "exclude": schema.ExcludeSection,
    "subject": schema.SubjectSection,
    "subject.trial": schema.TrialSection,
    "trial": schema.NewTrialSection,
    "fit": FitSettings,
    "fit.network": NetworkSettings,
    "fit.loss": LossSettings,
}
REASONS = {
    "trial_max": "Dividing each trial by its own maximum destroys the relation between loads, on which the fit rests: "
    'record an MVC, or use "session_max"'
}
STAND_INS: dict[
    str, Any
] = {  # with these the rest is checked when a required key is wrong; such a study is never returned
    "study": {"name": "-", "model": "-", "coordinates": [], "measured": [], "deep": []},
    "study.name": "-",
    "study.model": "-",
    "study.coordinates": [],
    "study.measured": [],
    "study.deep": [],
    "emg": {"kind": "envelope", "normalization": "none"},
    "emg.kind": "envelope",
    "emg.normalization": "none",
    "subject.id": "subject",
    "subject.trial.name": "trial",
    "subject.trial.role": "fit",
    "subject.trial.kinematics": NO_FILE,
    "subject.trial.emg": NO_FILE,
    "trial.name": "trial",
    "trial.kinematics": NO_FILE,
    "trial.emg": NO_FILE,
}


def validate(
    kind: type[S], text: StudyText, *, sections: Mapping[str, type] = SECTIONS
) -> tuple[S | None, list[Problem], frozenset[str]]:
    """Return the file, its problems, and the keys that had to be set aside to read it (dotted, without numbers).

    ``sections`` are the tables that such a file may have.

    After a problem the file is what remains without the wrong key or item, which is taken out of ``text.tables``; None where nothing can be
    made of it.
    """
    problems = _mark_items(text)
    aside: set[str] = set()
    for attempt in range(10):
        try:
            return kind.model_validate(text.tables), problems, frozenset(aside)
        except ValidationError as failure:
            errors = failure.errors(include_url=False)
            if attempt == 0:
                problems += [_problem(kind, error, text, sections) for error in errors]
            aside |= {_section(error["loc"]) for error in errors}
            _set_aside(text.tables, errors)
    return None, problems, frozenset(aside)


def _mark_items(text: StudyText) -> list[Problem]:
    """Write its location into every item of a list of tables: indices move when a wrong item is set aside."""

    def items(table: Any, key: str, at: Location) -> list[tuple[Location, dict[str, Any]]]:
        found = table.get(key)
        return [((*at, key, n), i) for n, i in enumerate(found if isinstance(found, list) else []) if type(i) is dict]

    subjects = items(text.tables, "subject", ())
    marked = subjects + [found for at, subject in subjects for found in items(subject, "trial", at)]
    marked += [found for key in ("calibration", "exclude", "trial") for found in items(text.tables, key, ())]
    problems = [text.problem("error", f"unknown key '{schema.AT}'", at) for at, item in marked if schema.AT in item]
    for at, item in marked:
        item[schema.AT] = at
    return problems


def _section(at: Location) -> str:
    return ".".join(part for part in at if isinstance(part, str) and part != "[key]")


def _spoken(at: Location, tables: Any) -> str:
    """Return a key as a reader finds it: ``subject[sub-01].trial[curl].load_kg``."""
    said = ""
    for part in at:
        if isinstance(part, str):
            said += ("." if said else "") + (part if is_name(part) else shown(part)) if part != "[key]" else ""
        tables = _step(tables, part)
        if isinstance(part, int):
            name = (tables.get("id") or tables.get("name")) if isinstance(tables, dict) else None
            said += f"[{name if isinstance(name, str) and is_name(name) else part + 1}]"
    return said


def _step(tables: Any, part: str | int) -> Any:
    try:
        return tables[part]
    except (KeyError, IndexError, TypeError):
        return None


def _keys(section: type) -> list[str]:
    if is_dataclass(section):
        return [key.name for key in fields(section)]
    return [key for key in getattr(section, "model_fields", ()) if key != "at"]


def _problem(kind: type[Section], error: ErrorDetails, text: StudyText, sections: Mapping[str, type]) -> Problem:
    at, given, context = error["loc"], error["input"], error.get("ctx", {})
    key, expected = _spoken(at, text.tables), str(context.get("expected", ""))
    if error["type"] == "extra_forbidden":
        section = _section(at[:-1])
        known = _keys(sections.get(section, kind))
        others = [f"[{name}]" for name, other in sections.items() if at[-1] in _keys(other)]
        remedy = f"It belongs under {' or '.join(others)}" if others else nearest_name(str(at[-1]), known)
        return text.problem("error", f"unknown key '{key}'", at, remedy=remedy)
    if error["type"] == "missing":
        expected = "two numbers" if isinstance(at[-1], int) else ""
        return text.problem("error", f"'{key}' is missing", at, expected=expected, remedy="Add it")
    what = f"{key} is {shown(given)}"
    if "[key]" in at or error["type"] in {"name", "text", "window"}:
        what = f"{key}: {shown(given)} {error['msg'] if error['type'] in {'name', 'text', 'window'} else 'is wrong'}"
    remedy = str(context.get("remedy", ""))
    if error["type"] == "literal_error":
        choices = expected.replace(" or ", ", ").replace("'", "").split(", ")
        remedy = REASONS.get(str(given)[:20]) or (nearest_name(given, choices) if isinstance(given, str) else "")
        remedy = "" if remedy.startswith("There is") else remedy
    expected = expected or error["msg"].removeprefix("Input should be ")
    return text.problem("error", what, at, expected=expected, remedy=remedy)


def _set_aside(tables: dict[str, Any], errors: Iterable[ErrorDetails]) -> None:
    """Take what is wrong out of the tables; where it is required, put a stand-in, or take out the item around it."""
    wrong: set[Location] = set()
    for error in errors:
        at = error["loc"][: error["loc"].index("[key]")] if "[key]" in error["loc"] else error["loc"]
        of_pair = error["type"] == "missing" or (at[0] != "study" and not isinstance(error["input"], dict))
        if isinstance(at[-1], int) and of_pair:
            wrong.add(at[:-1])
        elif error["type"] != "missing":
            wrong.add(at)
        elif _section(at) in STAND_INS:
            _put(tables, at)
        else:
            numbers = [n for n, part in enumerate(at, start=1) if isinstance(part, int)]
            wrong.add(at[: numbers[-1]] if numbers else at[:1])
    outer = {at for at in wrong if not any(at[:n] in wrong for n in range(1, len(at)))}
    for at in sorted(outer, key=lambda at: [(isinstance(part, int), str(part).zfill(9)) for part in at], reverse=True):
        parent: Any = tables
        for part in at[:-1]:
            parent = _step(parent, part)
        if _step(parent, at[-1]) is not None:
            del parent[at[-1]]


def _put(tables: Any, at: Location) -> None:
    for part in at[:-1]:
        tables = _step(tables, part)
    stand_in = deepcopy(STAND_INS[_section(at)])
    numbers = [str(part + 1) for part in at if isinstance(part, int)]
    tables[at[-1]] = "-".join([stand_in, *numbers]) if numbers and at[-1] in {"id", "name"} else stand_in
