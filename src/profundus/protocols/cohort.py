"""A study of many people: each fitted by whichever worker is free, on disk the moment he is done, a failure of one nobody else's."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from numbers import Integral
from pathlib import Path
from typing import Any

from profundus.errors import InputError, Problem
from profundus.io.anatomy_file import ANATOMY, write_anatomy_file
from profundus.io.manifest import write_manifest
from profundus.io.run_directory import BEGUN_BY, MANIFEST, SUBJECTS, RunDirectory, refuse_contradiction, start_run
from profundus.io.store import sole_writer, sweep
from profundus.io.study_people import StudyOutline
from profundus.model.settings import with_prior
from profundus.protocols.cohort_anatomy import cohort_anatomy
from profundus.protocols.cohort_cluster import DaskCluster
from profundus.protocols.cohort_jobs import CohortFailure, Crew, Finished, Job
from profundus.protocols.cohort_processes import Processes, cores
from profundus.protocols.cohort_progress import Listener, Watch
from profundus.protocols.cohort_resume import Declared, Earlier, closing_facts, earlier_run, vouched_for, whole
from profundus.protocols.cohort_work import FitPerson, PersonTask
from profundus.protocols.fitting import LIBRARIES
from profundus.protocols.people import chosen_names
from profundus.protocols.prior_choice import prior_identity
from profundus.protocols.provenance import study_facts, surroundings
from profundus.records import Anatomy


@dataclass(frozen=True)
class CohortResult:
    """A cohort that came to its end: how many people were fitted and how many kept from earlier, and who failed, and why.

    ``doubtful`` are those whose earlier results were removed, as nobody knew what they were made from.
    """

    run: RunDirectory
    done: int
    kept: int
    failures: tuple[CohortFailure, ...]
    seconds: float
    doubtful: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Cohort:
    """What the fits of a cohort depend on."""

    outline: StudyOutline
    anatomy: Anatomy
    facts: dict[str, Any]
    declared: Declared
    seed: int


def fit_cohort(
    outline: StudyOutline,
    out: Path,
    *,
    seed: int = 0,
    crew: Crew | None = None,
    resume: bool = False,
    overwrite: bool = False,
    subjects: Sequence[str] | None = None,
    on_progress: Listener | None = None,
    before_finish: Callable[[RunDirectory], object] | None = None,
) -> CohortResult:
    """Fit the people of a study by a ``crew`` (default: one process a core), and leave the run directory that `fit` would.

    A person who fails does not stop the others: why stands in ``failures/<id>.json`` and in the manifest, and ``resume`` tries him again.
    A finished run in which nobody is missing is left as it is. ``before_finish`` hears of the run when all is in it, if anybody is. Raises
    InputError for people who are not in the study, a folder that holds something else or that another command is writing, and a run that
    was made from other data or settings.
    """
    began = time.perf_counter()
    refuse_contradiction(out, resume=resume, overwrite=overwrite)
    people = chosen_names(outline.people, subjects, file=outline.settings.source)
    cohort = _cohort(outline, seed)
    with sole_writer(out):
        earlier = Earlier()
        if resume:
            earlier = earlier_run(out, outline, cohort.anatomy, cohort.declared, cohort.facts)
        turn = [person for person in people if person not in earlier.done]
        watch = Watch(on_progress, len(people) - len(turn), len(people))
        watch.tell("")
        run = RunDirectory(out)
        if turn or not earlier.finished:
            vouched_for(run, outline, cohort.declared, earlier.done)
            run = _started(out, cohort, resume=resume, overwrite=overwrite)
            for person in earlier.doubtful:
                run.forget_subject(person)
            _fit(run, cohort, turn, crew or crew_of(), watch)
            _close(run, cohort, began, before_finish)
    seconds = time.perf_counter() - began
    return CohortResult(run, watch.done, watch.kept, tuple(watch.failures), seconds, earlier.doubtful)


def crew_of(workers: int | None = None, scheduler: str | None = None, *, threads: int | None = None) -> Crew:
    """Return ``workers`` processes of this machine (default: one a core), or the workers of the Dask ``scheduler`` at an address.

    ``threads`` is how many each process computes with (default: as many as this one would). Raises InputError for what is below one, and
    for workers or threads of a cluster, which has those it has.
    """
    asked = {"workers": workers, "threads": threads}
    given = {name: number for name, number in asked.items() if number is not None}
    wrong = {name: n for name, n in given.items() if isinstance(n, bool) or not isinstance(n, Integral) or n < 1}
    problems = [Problem("error", f"{name} is {n!r}", expected="a whole number, 1 or more") for name, n in wrong.items()]
    if scheduler is not None and given:
        what = f"a scheduler and {' and '.join(given)} are given"
        problems.append(Problem("error", what, expected="one of them", remedy="A cluster has the workers it has"))
    if problems:
        raise InputError(problems)
    return Processes(workers or cores(), threads) if scheduler is None else DaskCluster(scheduler)


def _cohort(outline: StudyOutline, seed: int) -> _Cohort:
    anatomy = cohort_anatomy(outline)
    prior = prior_identity(outline.settings, anatomy) if with_prior(outline.settings.fit) else None
    facts = {**study_facts(outline.settings, seed), "prior": prior}
    return _Cohort(outline, anatomy, facts, Declared(outline.settings, facts), seed)


def _started(out: Path, cohort: _Cohort, *, resume: bool, overwrite: bool) -> RunDirectory:
    settings = cohort.outline.settings
    manifest = {**cohort.facts, **surroundings(settings, cohort.anatomy, LIBRARIES), BEGUN_BY: "cohort"}
    source = Path(settings.source) if settings.source else None
    run = start_run(out, manifest, study_file=source, overwrite=overwrite, resume=resume)
    if settings.model_file:
        write_anatomy_file(cohort.anatomy, run.path / ANATOMY)
    return run


def _fit(run: RunDirectory, cohort: _Cohort, turn: Sequence[str], crew: Crew, watch: Watch) -> None:
    """Have people fitted, and note how each of them ends."""
    outline = cohort.outline
    settings = replace(outline.settings, source=str(Path(outline.settings.source).resolve()))
    work = FitPerson(uuid.uuid4().hex, run.path.resolve(), settings, cohort.anatomy, cohort.seed)

    def jobs() -> Iterator[Job]:
        watch.began()
        for person in turn:
            yield Job(person, PersonTask(outline.sheet(person), cohort.declared.of(person)))

    with closing(crew(jobs(), work)) as ends:
        for end in ends:
            _noted(run, end)
            watch.heard(end)
    sweep(run.path / SUBJECTS)


def _noted(run: RunDirectory, end: Finished) -> None:
    """Keep why a person failed, or forget that he once did."""
    if end.failure is None:
        run.forget_failure(end.subject)
    else:
        run.write_failure(end.subject, asdict(end.failure))


def _close(
    run: RunDirectory, cohort: _Cohort, began: float, before_finish: Callable[[RunDirectory], object] | None
) -> None:
    """Join the scores, write what is known at the end into the manifest, and finish the run if nobody of the study is missing."""
    run.join_scores()
    complete = whole(run, cohort.outline)
    for stranger in set(run.failures()) - set(cohort.outline.people):
        run.forget_failure(stranger)
    failures = run.failures()
    outdated = {"failures", BEGUN_BY} if complete else {"failures"}
    manifest = {name: value for name, value in run.manifest.items() if name not in outdated}
    manifest |= closing_facts(run, cohort.outline, cohort.anatomy, cohort.facts)
    manifest["seconds"] = round(time.perf_counter() - began, 3)
    write_manifest(manifest | ({"failures": _brief(failures)} if failures else {}), run.path / MANIFEST)
    if before_finish is not None and run.subjects:
        before_finish(run)
    if complete:
        run.finish()


def _brief(failures: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {key: failure[key] for key in ("reason", "problems", "tries")} for name, failure in failures.items()}
