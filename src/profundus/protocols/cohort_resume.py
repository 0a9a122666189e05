"""What the results of a cohort were made from: kept person by person, held against the files when a cohort is gone on with."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from profundus import __version__
from profundus.errors import InputError, Problem
from profundus.io.run_directory import RunDirectory
from profundus.io.store import digest
from profundus.io.study_people import StudyOutline
from profundus.model.settings import with_prior
from profundus.protocols.cohort_work import read_inputs
from profundus.protocols.learned import lacking_prior
from profundus.protocols.provenance import fingerprint
from profundus.records import Anatomy, Study

Facts = Mapping[str, Any]
REMEDY = "Ask as before, choose another folder, or start over with --overwrite"
PERSONAL = ("calibration", "exclude")


class Declared:
    """What a study file says of each person, as digests: all that is shared and what is his own."""

    def __init__(self, study: Study, facts: Facts) -> None:
        text = Path(study.source).read_text(encoding="utf-8-sig") if study.source else ""
        tables = tomllib.loads(text)
        self._own = {person["id"]: person for person in tables.pop("subject", [])}
        self._personal = {name: tables.pop(name, []) for name in PERSONAL}
        plain = {name: value for name, value in facts.items() if name != "digests"}
        self._shared = _digest([plain, tables, __version__])

    def of(self, person: str) -> str:
        """Return the digest for one person."""
        said = {
            n: [item for item in items if item.get("subject", person) == person] for n, items in self._personal.items()
        }
        return _digest([self._shared, self._own.get(person), said])


def done_already(run: RunDirectory, outline: StudyOutline, declared: Declared, facts: Facts) -> tuple[str, ...]:
    """Return the people whose results are in a run and were made from what is there now.

    Raises InputError that names all whose files, or whose part of the study file, are others than when they were fitted.
    """
    if run.finished:
        _refuse_another(run, outline, facts)
        return run.noted
    done, problems = [], []
    for subject in run.noted:
        inputs = read_inputs(run, subject)
        if inputs is None:  # the worker died between writing one and the other
            continue
        changed = _changed(outline, inputs["digests"])
        if inputs["declared"] != declared.of(subject):
            changed.insert(0, "the study file or the settings")
        if changed:
            what = f"{subject} was fitted with other data, settings or seed, or by another version: {', '.join(changed[:3])}"
            problems.append(Problem("error", what, file=str(run.path), remedy=REMEDY))
        done.append(subject)
    if problems:
        raise InputError(problems)
    return tuple(done)


def closing_facts(
    run: RunDirectory, outline: StudyOutline, anatomy: Anatomy, facts: Facts, before: Facts | None = None
) -> dict[str, Any]:
    """Return what a manifest tells when all people have had their turn: what `fit` tells of the same people.

    ``before`` is the manifest of the run where it was finished once: what it tells of its people is told again.
    """
    digests, heard = dict(outline.settings.digests), dict[Problem, None]()
    if before is not None:
        digests |= before["digests"]
        heard |= dict.fromkeys(Problem(**problem) for problem in before["problems"])
    there = set(run.noted)
    for person in outline.people:
        if person in there and (inputs := read_inputs(run, person)) is not None:
            digests |= inputs["digests"]
            heard |= dict.fromkeys(Problem(**problem) for problem in inputs["problems"])
    settings = outline.settings
    said = [*heard] if before is not None else [*settings.problems, *heard, *outline.left_open, *anatomy.problems]
    said += [] if before is not None else _lacking(settings, facts)
    known = {**facts, "digests": digests}
    return {
        "digests": digests,
        "problems": [problem.as_dict() for problem in said],
        "fingerprint": fingerprint(known, settings),
        "subjects": run.overview(),
    }


def _lacking(settings: Study, facts: Facts) -> list[Problem]:
    return [lacking_prior(settings)] if with_prior(settings.fit) and facts["prior"] is None else []


def _refuse_another(run: RunDirectory, outline: StudyOutline, facts: Facts) -> None:
    """Raise InputError where a finished run was made from something else."""
    manifest = run.manifest
    digests: dict[str, str] = manifest.get("digests", {})
    known = fingerprint({**facts, "digests": digests}, replace(outline.settings, digests=digests))
    changed = _changed(outline, digests)
    if manifest.get("fingerprint") != known:
        changed.insert(0, "the study file, the settings, the seed or the version")
    if changed:
        what = f"the run in this folder was made with other data or settings: {', '.join(changed[:3])}"
        raise InputError(Problem("error", what, file=str(run.path), remedy=REMEDY))


def _changed(outline: StudyOutline, digests: Mapping[str, str]) -> list[str]:
    """Return the files that are not what they were."""
    places: Sequence[Path] = (outline.root, Path(outline.settings.source).resolve().parent)
    return [
        name
        for name, before in digests.items()
        if not any((place / name).is_file() and digest(place / name) == before for place in places)
    ]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
