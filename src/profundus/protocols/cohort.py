"""A study of many people: each fitted by whichever worker is free, on disk the moment he is done, a failure of one nobody else's."""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.io.anatomy_file import ANATOMY, read_anatomy_file, write_anatomy_file
from profundus.io.manifest import write_manifest
from profundus.io.osim import is_osim
from profundus.io.run_directory import MANIFEST, SUBJECTS, RunDirectory, refuse_kind, start_run
from profundus.io.store import sweep
from profundus.io.study_people import StudyOutline
from profundus.model.settings import with_prior
from profundus.protocols.cohort_cluster import DaskCluster
from profundus.protocols.cohort_jobs import CohortFailure, Crew, Finished, Job
from profundus.protocols.cohort_processes import Processes, cores
from profundus.protocols.cohort_resume import Declared, closing_facts, done_already
from profundus.protocols.cohort_work import FitPerson, PersonTask
from profundus.protocols.fitting import LIBRARIES
from profundus.protocols.models import anatomy_of
from profundus.protocols.prior_choice import prior_identity
from profundus.protocols.provenance import study_facts, surroundings
from profundus.protocols.tables import brings_tables
from profundus.records import Anatomy, Subject

RECENT = 50
"""People over whose ends the rate is taken: the first ones wait for compilation."""


@dataclass(frozen=True)
class CohortProgress:
    """How far a cohort is: people of this call who are done and failed, those ``kept`` from earlier, and how many there are in all.

    ``per_second`` is the rate of the latest people and ``seconds_left`` what follows from it, both NaN until two have ended; ``subject`` is
    who ended last, empty at the start.
    """

    subject: str
    done: int
    failed: int
    kept: int
    subjects: int
    per_second: float
    seconds_left: float

    @property
    def remaining(self) -> int:
        """Return how many have had no turn yet."""
        return self.subjects - self.kept - self.done - self.failed


@dataclass(frozen=True)
class CohortResult:
    """A cohort that came to its end: how many people were fitted and how many kept from earlier, and who failed, and why."""

    run: RunDirectory
    done: int
    kept: int
    failures: tuple[CohortFailure, ...]
    seconds: float


Listener = Callable[[CohortProgress], None]


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
    ``before_finish`` hears of the run when all is in it, if anybody is. Raises InputError for people who are not in the study, a folder
    that holds something else, and a run that was made from other data or settings.
    """
    began = time.perf_counter()
    people = _chosen(outline, subjects)
    anatomy = cohort_anatomy(outline)
    prior = prior_identity(outline.settings, anatomy) if with_prior(outline.settings.fit) else None
    facts = {**study_facts(outline.settings, seed), "prior": prior}
    declared = Declared(outline.settings, facts)
    earlier, before = _earlier(out, outline, anatomy, declared, facts) if resume else (frozenset[str](), None)
    run = _started(out, outline, anatomy, facts, resume=resume, overwrite=overwrite)
    kept = [person for person in people if person in earlier]
    turn = [person for person in people if person not in earlier]
    settings = replace(outline.settings, source=str(Path(outline.settings.source).resolve()))
    work = FitPerson(uuid.uuid4().hex, run.path.resolve(), settings, anatomy, seed)
    jobs = (Job(person, PersonTask(outline.sheet(person), declared.of(person))) for person in turn)
    watch = _Watch(on_progress, len(kept), len(people))
    watch.tell("")
    with closing((crew or crew_of())(jobs, work)) as ends:
        for end in ends:
            _noted(run, end)
            watch.heard(end)
    sweep(run.path / SUBJECTS)
    run.join_scores()
    seconds = time.perf_counter() - began
    _close(run, {**closing_facts(run, outline, anatomy, facts, before), "seconds": round(seconds, 3)})
    if before_finish is not None and run.subjects:
        before_finish(run)
    if set(outline.people) <= set(run.noted):
        run.finish()
    return CohortResult(run, watch.done, watch.kept, tuple(watch.failures), seconds)


def crew_of(workers: int | None = None, scheduler: str | None = None, *, threads: int | None = None) -> Crew:
    """Return ``workers`` processes of this machine (default: one a core), or the workers of the Dask ``scheduler`` at an address.

    ``threads`` is how many each process computes with (default: as many as this one would). Raises InputError for what is below one, and
    for workers or threads of a cluster, which has those it has.
    """
    asked = {"workers": workers, "threads": threads}
    given = {name: number for name, number in asked.items() if number is not None}
    problems = [Problem("error", f"{name} is {n}", expected="1 or more") for name, n in given.items() if n < 1]
    if scheduler is not None and given:
        what = f"a scheduler and {' and '.join(given)} are given"
        problems.append(Problem("error", what, expected="one of them", remedy="A cluster has the workers it has"))
    if problems:
        raise InputError(problems)
    return Processes(workers or cores(), threads) if scheduler is None else DaskCluster(scheduler)


class _Watch:
    """Counts how people ended, and tells it."""

    def __init__(self, listener: Listener | None, kept: int, subjects: int) -> None:
        self.listener, self.kept, self.subjects = listener, kept, subjects
        self.done, self.failures = 0, list[CohortFailure]()
        self.recent: deque[float] = deque(maxlen=RECENT)

    def heard(self, end: Finished) -> None:
        """Count one person."""
        if end.failure is None:
            self.done += 1
        else:
            self.failures.append(end.failure)
        self.recent.append(time.perf_counter())
        self.tell(end.subject)

    def tell(self, subject: str) -> None:
        """Tell how far the cohort is."""
        if self.listener is None:
            return
        span = self.recent[-1] - self.recent[0] if len(self.recent) > 1 else 0.0
        rate = (len(self.recent) - 1) / span if span > 0 else float("nan")
        left = self.subjects - self.kept - self.done - len(self.failures)
        told = CohortProgress(subject, self.done, len(self.failures), self.kept, self.subjects, rate, left / rate)
        self.listener(told)


def _chosen(outline: StudyOutline, subjects: Sequence[str] | None) -> tuple[str, ...]:
    """Return the people who were asked for, in the file's order. Raises InputError that names the strangers among them."""
    if subjects is None:
        return outline.people
    strangers = [name for name in subjects if name not in outline.people]
    if strangers:
        source = outline.settings.source
        raise InputError(Problem("error", f"there is no subject '{name}'", file=source) for name in strangers)
    return tuple(person for person in outline.people if person in set(subjects))


def cohort_anatomy(outline: StudyOutline) -> Anatomy:
    """Return the anatomy of a cohort. Paths that follow the recorded motion need everybody's: it is read once, and only it is kept."""
    settings = outline.settings
    if not (is_osim(settings.model_file) or brings_tables(settings)):
        return anatomy_of(settings)
    return anatomy_of(replace(settings, subjects=tuple(_in_motion(outline))))


def _in_motion(outline: StudyOutline) -> Iterator[Subject]:
    """Yield the motion of everybody who can be read; who cannot fails when it is his turn."""
    for name in outline.people:
        try:
            (person,) = outline.sheet(name).read().subjects
        except InputError:
            continue
        bare = (
            replace(r, emg=r.angles, moments=None, truth=None, wire=None, velocities=None) for r in person.recordings
        )
        yield replace(person, recordings=tuple(bare), mvc=())


def _earlier(
    out: Path, outline: StudyOutline, anatomy: Anatomy, declared: Declared, facts: dict[str, Any]
) -> tuple[frozenset[str], dict[str, Any] | None]:
    """Return who is done in an earlier run, and its manifest where it was finished. Raises InputError where it was made from other data."""
    refuse_kind(out, None)
    run = RunDirectory(out)
    if not (out / MANIFEST).is_file():
        return frozenset(), None
    kept = out / ANATOMY
    if outline.settings.model_file and kept.is_file() and not _same(read_anatomy_file(kept), anatomy):
        what = "the muscles' paths were sampled over the motion of other people than can be read now"
        remedy = "Start over with --overwrite, or restore the recordings as they were"
        raise InputError(Problem("error", what, file=str(out), remedy=remedy))
    manifest = run.manifest
    return frozenset(done_already(run, outline, declared, facts)), manifest if manifest.get("finished") else None


def _same(one: Anatomy, other: Anatomy) -> bool:
    """Return whether two anatomies have the same paths."""
    return all(
        len(ours) == len(theirs) and all(map(np.array_equal, ours, theirs))
        for ours, theirs in ((one.muscles, other.muscles), (_numbers(one), _numbers(other)))
    )


def _numbers(anatomy: Anatomy) -> list[NDArray[Any]]:
    paths = [array for spline in anatomy.paths for array in (spline.knots, spline.coefficients)]
    return paths + [
        array for several in anatomy.products for array in (several.low, several.high, several.coefficients)
    ]


def _started(
    out: Path, outline: StudyOutline, anatomy: Anatomy, facts: dict[str, Any], *, resume: bool, overwrite: bool
) -> RunDirectory:
    settings = outline.settings
    manifest = {**facts, **surroundings(settings, anatomy, LIBRARIES)}
    source = Path(settings.source) if settings.source else None
    run = start_run(out, manifest, study_file=source, overwrite=overwrite, resume=resume)
    if settings.model_file:
        write_anatomy_file(anatomy, run.path / ANATOMY)
    return run


def _noted(run: RunDirectory, end: Finished) -> None:
    """Keep why a person failed, or forget that he once did."""
    if end.failure is None:
        run.forget_failure(end.subject)
    else:
        run.write_failure(end.subject, asdict(end.failure))


def _close(run: RunDirectory, facts: dict[str, Any]) -> None:
    """Write what is known at the end, with those who failed, into the manifest."""
    failures = run.failures()
    manifest = {name: value for name, value in run.manifest.items() if name != "failures"} | facts
    write_manifest(manifest | ({"failures": _brief(failures)} if failures else {}), run.path / MANIFEST)


def _brief(failures: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {key: failure[key] for key in ("reason", "problems", "tries")} for name, failure in failures.items()}
