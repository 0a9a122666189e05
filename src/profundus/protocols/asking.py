"""Methods asked about people, one by one: answers kept as they come, failures noted, everything scored at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from profundus.errors import ConvergenceError, InputError, Problem
from profundus.io.comparison_directory import KIND, ComparisonDirectory, start_comparison
from profundus.io.manifest import read_manifest
from profundus.io.run_directory import MANIFEST, refuse_contradiction, refuse_kind
from profundus.io.store import sole_writer
from profundus.protocols.fitting import FitProgress
from profundus.protocols.methods import METHODS, PERSONALIZED, Bench, Case, answer
from profundus.protocols.models import groups_of
from profundus.protocols.people import chosen_people
from profundus.protocols.prior_choice import prior_identity
from profundus.protocols.provenance import fingerprint, refuse_others, study_facts, surroundings
from profundus.protocols.recordings import recorded
from profundus.records import Flag, Reconstruction, Scorecard, ScoreRow, Study, Trial
from profundus.validate import plausibility

Timed = tuple[Reconstruction, float]
LIBRARIES = ("jax", "equinox", "optax", "numpy", "scipy", "scikit-learn", "clarabel")


@dataclass(frozen=True)
class Asked:
    """What the numbers depend on: methods by name, seed, number of virtual people who teach the regression, split, hidden muscles."""

    methods: tuple[str, ...]
    seed: int = 0
    people: int = 100
    split: str = "roles"
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class How:
    """What the numbers do not depend on: who is asked about, what becomes of earlier results, who is told."""

    subjects: Sequence[str] | None = None
    resume: bool = False
    overwrite: bool = False
    on_progress: Callable[[FitProgress], None] | None = None
    before_finish: Callable[[ComparisonDirectory], object] | None = None


class Person(Protocol):
    """One person as a protocol asks about him."""

    @property
    def recorded(self) -> tuple[Trial, ...]:
        """Return the trials with the truth that answers are scored against."""
        ...

    def ask(self, method: str) -> Timed:
        """Return a method's answer and the seconds that it took."""
        ...

    def rows(self, rec: Reconstruction) -> tuple[ScoreRow, ...]:
        """Return the scores of an answer."""
        ...


@dataclass(frozen=True)
class ComparisonResult:
    """A finished comparison: where it is, its scores, ``failures`` as (method, person, why), and all flags that were raised, by method."""

    directory: ComparisonDirectory
    scores: Scorecard
    failures: tuple[tuple[str, str, str], ...]
    flags: tuple[tuple[str, Flag], ...]
    warnings: tuple[Problem, ...]
    seconds: float


def asked_about(
    study: Study,
    out: Path,
    bench: Bench,
    person_of: Callable[[Bench, tuple[Trial, ...]], Person],
    *,
    asked: Asked,
    how: How,
) -> ComparisonResult:
    """Ask all methods about all people of a study and leave a folder with answers, scores and what ``how.before_finish`` adds.

    Raises InputError for people who do not exist, folders of other data, and one that another command is writing; ConvergenceError where no
    method had an answer for anybody.
    """
    began = time.perf_counter()
    refuse_contradiction(out, resume=how.resume, overwrite=how.overwrite)
    those = chosen_people(study, how.subjects)
    _ = bench.prior  # a bad one is told before anything is written
    with sole_writer(out):
        folder = _started(study, out, bench, asked, how)
        said = list(study.problems)
        for index, one in enumerate(those):
            found = recorded(study, one, bench.anatomy)
            said += [problem for problem in found.heard if problem.severity != "note"]
            person = person_of(bench, found.trials)
            folder.write_recorded(one.id, person.recorded)
            for place, method in enumerate(asked.methods):
                _tell(how, FitProgress(one.id, index, len(those), place, len(asked.methods), {}, method))
                _ask(folder, person, one.id, method)
            _tell(how, FitProgress(one.id, index, len(those), len(asked.methods), len(asked.methods), {}, "done"))
        rows = (row for name in folder.noted for row in _scored(folder, name, partial(person_of, bench)))
        return _finished(folder, Scorecard(tuple(rows)), said, began=began, how=how)


def timed_answer(case: Case, method: str) -> Timed:
    """Return a method's answer with its flags, and the seconds it took: a personalization that others share counts for each of them."""
    shared = case.personalization_seconds if method.endswith(PERSONALIZED) else 0.0
    began = time.perf_counter()
    rec = answer(method, case)
    seconds = shared + time.perf_counter() - began
    found = plausibility.flags(rec, groups=groups_of(case.bench.anatomy), scaled=case.bench.study.emg.scaled)
    return replace(rec, flags=(*found, *rec.flags)), seconds


def _ask(folder: ComparisonDirectory, person: Person, subject: str, method: str) -> None:
    """Keep a method's answer about a person, or why there is none; what is there already is not asked again."""
    if folder.is_done(subject, method):
        return
    try:
        rec, seconds = person.ask(method)
    except (InputError, ConvergenceError) as error:
        folder.note(subject, method, {"failure": str(error)})
    else:
        folder.write_answer(rec, {"seconds": round(seconds, 3)})


def _scored(
    folder: ComparisonDirectory, subject: str, person_of: Callable[[tuple[Trial, ...]], Person]
) -> Iterator[ScoreRow]:
    """Yield the scores of all answers about a person, those of an earlier start included."""
    person = person_of(folder.recorded(subject))
    for rec in folder.answers(subject):
        yield from person.rows(rec)


def _tell(how: How, progress: FitProgress) -> None:
    if how.on_progress is not None:
        how.on_progress(progress)


def _started(study: Study, out: Path, bench: Bench, asked: Asked, how: How) -> ComparisonDirectory:
    """Return the folder of a comparison. Raises InputError where it holds one of other data, settings, split or seed."""
    facts = {
        **study_facts(study, asked.seed),
        "prior": prior_identity(study, bench.anatomy),
        "people": asked.people,
        "split": asked.split,
        "hidden": list(asked.hidden),
    }
    known = fingerprint(facts, study)
    if how.resume:
        refuse_kind(out, KIND)
        refuse_others(out, facts, known, what="comparison")
    made = surroundings(study, bench.anatomy, LIBRARIES)
    manifest = {**facts, **made, "fingerprint": known, "methods": _all_methods(out, asked, how)}
    source = Path(study.source) if study.source else None
    return start_comparison(out, manifest, study_file=source, overwrite=how.overwrite, resume=how.resume)


def _all_methods(out: Path, asked: Asked, how: How) -> list[str]:
    """Return the methods that are asked, and those that were asked before where a comparison goes on, in the order of `METHODS`."""
    there = how.resume and (out / MANIFEST).is_file()
    earlier = read_manifest(out / MANIFEST).get("methods", ()) if there else ()
    everyone = dict.fromkeys([*asked.methods, *earlier])
    return sorted(everyone, key=lambda name: METHODS.index(name) if name in METHODS else len(METHODS))


def _finished(
    folder: ComparisonDirectory, card: Scorecard, said: Sequence[Problem], *, began: float, how: How
) -> ComparisonResult:
    """Write scores, page and the end of the manifest."""
    noted = folder.noted
    told = [(subject, method, facts) for subject, methods in noted.items() for method, facts in methods.items()]
    failures = tuple((method, subject, facts["failure"]) for subject, method, facts in told if facts.get("failure"))
    if len(failures) == len(told):
        reasons = "; ".join(dict.fromkeys(why for _, _, why in failures))
        raise ConvergenceError(f"no method found an answer: {reasons}")
    folder.run.write_scores(card)
    seconds = time.perf_counter() - began
    folder.run.write_manifest({"seconds": round(seconds, 3), "said": [problem.as_dict() for problem in said]})
    if how.before_finish is not None:
        how.before_finish(folder)
    folder.run.finish()
    flags = tuple((method, Flag(**flag)) for _, method, facts in told for flag in facts.get("flags", ()))
    warnings = tuple(problem for problem in said if problem.severity != "note")
    return ComparisonResult(folder, card, failures, flags, warnings, seconds)
