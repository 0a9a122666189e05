"""A study from recordings to a run directory: person by person, resumable, every result whole or not there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from profundus.errors import InputError, Problem
from profundus.fit.together import by_default
from profundus.fit.training import Progress
from profundus.io.anatomy_file import ANATOMY, write_anatomy_file
from profundus.io.run_directory import MANIFEST, RunDirectory, refuse_contradiction, refuse_kind, start_run
from profundus.io.store import sole_writer
from profundus.model.settings import with_prior
from profundus.protocols.fitting_group import GROUP, Asked, fit_group
from profundus.protocols.fitting_person import FitGround, PersonFit, fit_ground, fit_person, flags_in, write_person
from profundus.protocols.learned import lacking_prior
from profundus.protocols.models import model_of
from profundus.protocols.people import chosen_people
from profundus.protocols.prior_choice import prior_identity
from profundus.protocols.provenance import fingerprint, refuse_others, study_facts, surroundings
from profundus.records import Anatomy, Flag, Scorecard, Study, Subject

LIBRARIES = ("jax", "jaxlib", "equinox", "optax", "numpy", "scipy")


@dataclass(frozen=True)
class FitProgress:
    """How far a fit is: which person of how many, which step of how many, and the loss terms.

    ``stage`` is "prepare", "train", "reconstruct" or "done".
    """

    subject: str
    index: int
    subjects: int
    step: int
    steps: int
    terms: dict[str, float]
    stage: str


@dataclass(frozen=True)
class SubjectResult:
    """What a fit says of one person. ``moment_r2`` is that of the test trials, by coordinate; empty where there are none."""

    id: str
    converged: bool
    seconds: float
    moment_r2: dict[str, float]
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class FitResult:
    """A finished run."""

    run: RunDirectory
    subjects: tuple[SubjectResult, ...]
    warnings: tuple[Problem, ...]
    seconds: float
    scores: Scorecard


Listener = Callable[[FitProgress], None]


def fit_study(
    study: Study,
    out: Path,
    *,
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    subjects: Sequence[str] | None = None,
    on_progress: Listener | None = None,
    before_finish: Callable[[RunDirectory], object] | None = None,
    together: bool | None = None,
) -> FitResult:
    """Fit every person of a study, reconstruct all trials, and leave a run directory.

    ``resume`` takes up a run that was interrupted, to the same numbers, and leaves one alone that has everybody. ``before_finish`` hears of
    the run when all is in it, before it is declared finished (the page is written there). ``together`` computes people of the same shapes
    in one program, by default where JAX finds an accelerator. Raises InputError for people that are not in the study, for a run made from
    other data or settings, and for one that another command is writing; ConvergenceError where no person's loss stayed finite.
    """
    began = time.perf_counter()
    refuse_contradiction(out, resume=resume, overwrite=overwrite)
    people = chosen_people(study, subjects)
    names = [person.id for person in people]
    anatomy, model = model_of(study)
    ground = fit_ground(study, anatomy, model, seed=seed)
    with sole_writer(out):
        run = _started(study, out, anatomy, names, seed=seed, resume=resume, overwrite=overwrite)
        if not run.finished:
            size = GROUP if (by_default() if together is None else together) else 1
            _fit_all(run, ground, study, _waiting(run, ground, people, on_progress), size)
            _finish(run, began, before_finish)
        return _result(study, run, names, began)


def _waiting(
    run: RunDirectory, ground: FitGround, people: Sequence[Subject], on_progress: Listener | None
) -> list[Asked]:
    """Return the people whose results are not there yet."""
    done, steps = set(run.noted), ground.objectives.settings.steps
    return [
        Asked(person, run.checkpoints(person.id), _Told(on_progress, person.id, index, len(people), steps))
        for index, person in enumerate(people)
        if person.id not in done
    ]


def _fit_all(run: RunDirectory, ground: FitGround, study: Study, waiting: Sequence[Asked], size: int) -> None:
    """Fit people in groups of a ``size``, and note where there is no prior for any of them."""
    if with_prior(study.fit) and ground.prior is None:
        known = [*run.manifest["problems"], lacking_prior(study).as_dict()]
        run.write_manifest({"problems": list({str(one): one for one in known}.values())})
    for first in range(0, len(waiting), size):
        _fit_and_write(run, ground, study, waiting[first : first + size])


def _fit_and_write(run: RunDirectory, ground: FitGround, study: Study, asked: Sequence[Asked]) -> None:
    """Fit a group of people, or one, and write their results; the first error is raised when those of the others are on the disk."""
    found = fit_group(ground, study, asked) if len(asked) > 1 else [fit_person(ground, study, *asked[0])]
    for one, fit in zip(asked, found, strict=True):
        if isinstance(fit, PersonFit):
            write_person(run, fit, ground)
            one.told("done", None)
    for fit in found:
        if not isinstance(fit, PersonFit):
            raise fit


@dataclass(frozen=True)
class _Told:
    """A listener who need not be told each time whose fit it is."""

    listener: Listener | None
    subject: str
    index: int
    subjects: int
    steps: int

    def __call__(self, stage: str, progress: Progress | None = None) -> None:
        if self.listener is not None:
            step = progress.step if progress else (0 if stage == "prepare" else self.steps)
            terms = progress.terms if progress else {}
            self.listener(FitProgress(self.subject, self.index, self.subjects, step, self.steps, terms, stage))


def _started(
    study: Study, out: Path, anatomy: Anatomy, names: Sequence[str], *, seed: int, resume: bool, overwrite: bool
) -> RunDirectory:
    """Return a run that is ready to be written to, or one that is finished and has everybody of these ``names`` as it is."""
    prior = prior_identity(study, anatomy) if with_prior(study.fit) else None
    facts = {**study_facts(study, seed), "prior": prior}
    known = fingerprint(facts, study)
    if resume and (out / MANIFEST).is_file():
        refuse_kind(out, None)
        _refuse_cohort(out)
        refuse_others(out, facts, known, what="run")
        run = RunDirectory(out)
        if run.finished and set(names) <= set(run.noted):
            return run
    manifest = {**facts, **surroundings(study, anatomy, LIBRARIES), "fingerprint": known}
    source = Path(study.source) if study.source else None
    run = start_run(out, manifest, study_file=source, overwrite=overwrite, resume=resume)
    if study.model_file:
        write_anatomy_file(anatomy, run.path / ANATOMY)
    return run


def _refuse_cohort(out: Path) -> None:
    """Raise InputError for a cohort in which somebody is missing: a fit does not know what its people were fitted from."""
    if (command := RunDirectory(out).command) != "fit":
        what = f"the run in this folder was begun by `profundus {command}`, and somebody is missing in it"
        remedy = f"Go on with `profundus {command} ... --resume`, choose another folder, or start over with --overwrite"
        raise InputError(Problem("error", what, file=str(out), remedy=remedy))


def _finish(run: RunDirectory, began: float, before_finish: Callable[[RunDirectory], object] | None) -> None:
    """Score everything that is on disk and close the run."""
    run.join_scores()
    run.write_manifest({"seconds": round(time.perf_counter() - began, 3), "subjects": run.overview()})
    if before_finish is not None:
        before_finish(run)
    run.finish()


def _result(study: Study, run: RunDirectory, names: Sequence[str], began: float) -> FitResult:
    """Return what a finished run tells of these people."""
    noted = {name: run.facts(name) for name in names}
    results = tuple(
        SubjectResult(name, facts["converged"], facts["seconds"], facts["moment_r2"], flags_in(facts))
        for name, facts in noted.items()
    )
    said = [Problem(**p) for facts in noted.values() for p in facts["problems"] if p["severity"] != "note"]
    more = [Problem(**problem) for problem in run.manifest["problems"][len(study.problems) :]]
    said += [problem for problem in more if problem.severity != "note"]
    return FitResult(run, results, (*study.problems, *said), time.perf_counter() - began, run.scores())
