"""What the results of a cohort were made from: kept person by person, held against the files when a cohort is gone on with."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from profundus import __version__
from profundus.errors import InputError, Problem
from profundus.io.anatomy_file import ANATOMY, read_anatomy_file
from profundus.io.run_directory import MANIFEST, RunDirectory, refuse_kind
from profundus.io.store import digest
from profundus.io.study_people import StudyOutline
from profundus.model.settings import with_prior
from profundus.protocols.cohort_anatomy import same_anatomy
from profundus.protocols.cohort_work import inputs_file, read_inputs, write_inputs
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


@dataclass(frozen=True)
class Earlier:
    """What an earlier run holds: who is ``done``, from what is there now, and whether the run was ``finished``.

    Nobody knows what the results of those who are ``doubtful`` were made from.
    """

    done: frozenset[str] = frozenset()
    doubtful: tuple[str, ...] = ()
    finished: bool = False


def earlier_run(out: Path, outline: StudyOutline, anatomy: Anatomy, declared: Declared, facts: Facts) -> Earlier:
    """Return what is in a folder, nothing where there is no run.

    Of runs that `fit` began the manifest tells what they were made from, of those of a cohort what was kept person by person. Raises
    InputError that names all whose files, or whose part of the study file, are others than when they were fitted.
    """
    refuse_kind(out, None)
    if not (out / MANIFEST).is_file():
        return Earlier()
    kept = out / ANATOMY
    if outline.settings.model_file and kept.is_file() and not same_anatomy(read_anatomy_file(kept), anatomy):
        what = "the muscles' paths were sampled over the motion of other people than can be read now"
        remedy = "Start over with --overwrite, or restore the recordings as they were"
        raise InputError(Problem("error", what, file=str(out), remedy=remedy))
    run = RunDirectory(out)
    known = {subject: read_inputs(run, subject) for subject in run.noted}
    unknown = tuple(subject for subject, inputs in known.items() if inputs is None)
    by_fit = run.finished or run.command == "fit"
    if by_fit:
        _refuse_another(run, outline, facts)
    if problems := list(_others(run, outline, declared, known)):
        raise InputError(problems)
    doubtful = () if by_fit else unknown
    return Earlier(frozenset(known) - set(doubtful), doubtful, run.finished)


def vouched_for(run: RunDirectory, outline: StudyOutline, declared: Declared, done: Iterable[str]) -> None:
    """Keep person by person what results were made from where the manifest alone told it, and held: it is about to be written anew."""
    for person in sorted(done):
        if read_inputs(run, person) is None:
            write_inputs(run, person, outline.sheet(person).read(), declared.of(person))


def whole(run: RunDirectory, outline: StudyOutline) -> bool:
    """Return whether everybody of a study is in a run, and known to be fitted from what is there."""
    there = set(run.noted)
    return all(person in there and inputs_file(run, person).is_file() for person in outline.people)


def closing_facts(run: RunDirectory, outline: StudyOutline, anatomy: Anatomy, facts: Facts) -> dict[str, Any]:
    """Return what a manifest tells when all people have had their turn: what `fit` tells of the same people."""
    digests, heard = dict(outline.settings.digests), dict[Problem, None]()
    there = set(run.noted)
    for person in outline.people:
        if person in there and (inputs := read_inputs(run, person)) is not None:
            digests |= inputs["digests"]
            heard |= dict.fromkeys(Problem(**problem) for problem in inputs["problems"])
    settings = outline.settings
    said = [*settings.problems, *heard, *outline.left_open, *anatomy.problems, *_lacking(settings, facts)]
    known = {**facts, "digests": digests}
    return {
        "digests": digests,
        "problems": [problem.as_dict() for problem in said],
        "fingerprint": fingerprint(known, settings),
        "subjects": run.overview(),
    }


def _others(
    run: RunDirectory, outline: StudyOutline, declared: Declared, known: Mapping[str, Facts | None]
) -> Iterator[Problem]:
    """Yield whose results were made from something else than what is there now."""
    for subject, inputs in known.items():
        if inputs is None:
            continue
        changed = _changed(outline, inputs["digests"])
        if inputs["declared"] != declared.of(subject):
            changed.insert(0, "the study file or the settings")
        if changed:
            what = f"{subject} was fitted with other data, settings or seed, or by another version: {', '.join(changed[:3])}"
            yield Problem("error", what, file=str(run.path), remedy=REMEDY)


def _lacking(settings: Study, facts: Facts) -> list[Problem]:
    return [lacking_prior(settings)] if with_prior(settings.fit) and facts["prior"] is None else []


def _refuse_another(run: RunDirectory, outline: StudyOutline, facts: Facts) -> None:
    """Raise InputError where a run, of which the manifest tells it, was made from something else."""
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
