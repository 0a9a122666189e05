"""A study from recordings to a run directory: person by person, resumable, every result whole or not there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from profundus.errors import InputError, Problem
from profundus.fit.decided import decided
from profundus.fit.saving import fitted_to_arrays, state_from_arrays, state_to_arrays
from profundus.fit.subject import Objectives, SubjectFit
from profundus.fit.taught_saving import taught_to_arrays
from profundus.fit.training import Progress, TrainingState
from profundus.io.anatomy_file import ANATOMY, write_anatomy_file
from profundus.io.run_directory import RunDirectory, refuse_kind, start_run
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.prior import DeepPrior
from profundus.model.settings import with_prior
from profundus.protocols.learned import answered, lacking_prior, maximal_trials, prior_for, taught_person
from profundus.protocols.models import copy_of_nearest, groups_of, model_of
from profundus.protocols.prior_choice import prior_identity
from profundus.protocols.provenance import fingerprint, refuse_others, study_facts, surroundings
from profundus.protocols.recordings import Recorded, recorded
from profundus.protocols.training import doubted, objectives_of, trained
from profundus.records import Anatomy, Flag, ParameterRow, Reconstruction, Scorecard, ScoreRow, Study, Subject
from profundus.validate import plausibility
from profundus.validate.scores import score

CHECKPOINT_EVERY_S = 2.0
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
Facts = dict[str, Any]
_Fitted = tuple[Reconstruction, tuple[ParameterRow, ...], tuple[Mapping[str, Any], Facts], Facts]


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
) -> FitResult:
    """Fit every person of a study, reconstruct all trials, and leave a run directory.

    ``resume`` takes up a run that was interrupted, to the same numbers. ``before_finish`` hears of the run when all is in it, before it is
    declared finished (the page is written there). Raises InputError for people that are not in the study and for a
    run made from other data or settings, ConvergenceError where no person's loss stayed finite.
    """
    began = time.perf_counter()
    people = chosen_people(study, subjects)
    anatomy, model = model_of(study)
    prior = prior_for(study, anatomy) if with_prior(study.fit) else None
    run = _started(study, out, anatomy, seed=seed, resume=resume, overwrite=overwrite)
    objectives = objectives_of(study, anatomy, model)
    if with_prior(study.fit) and prior is None:
        known = [*run.manifest["problems"], lacking_prior(study).as_dict()]
        run.write_manifest({"problems": list({str(one): one for one in known}.values())})
    worker = _Worker(study, anatomy, model, objectives, run, seed, prior)
    done = set(run.subjects) & set(run.manifest.get("subjects", {}))
    for index, person in enumerate(people):
        if person.id not in done:
            worker.fit(person, _Told(on_progress, person.id, index, len(people), objectives.settings.steps))
    return _finished(study, run, [person.id for person in people], began, before_finish)


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


@dataclass(frozen=True)
class _Worker:
    study: Study
    anatomy: Anatomy
    model: MusculoskeletalModel
    objectives: Objectives
    run: RunDirectory
    seed: int
    prior: DeepPrior | None

    def fit(self, person: Subject, told: _Told) -> None:
        """Fit one person and put the results into the run directory."""
        began = time.perf_counter()
        told("prepare")
        found = recorded(self.study, person, self.anatomy)
        rec, rows, network, more = self._taught(found, told) if self.prior else self._trained_on(found, person.id, told)
        rec = replace(rec, flags=(*self._implausible(rec), *rec.flags))
        self.run.write_subject(rec, rows, network, found.quality)
        self._note(rec, found, {**more, "seconds": round(time.perf_counter() - began, 3)})
        told("done")

    def _taught(self, found: Recorded, told: _Told) -> _Fitted:
        """Return the person as the learned prior knows him."""
        assert self.prior is not None
        fitted = taught_person(found.trials, self.study, self.anatomy, self.model, self.prior)
        told("reconstruct")
        rec = answered(fitted, self.model, found.trials)
        aside = maximal_trials(self.study, fitted.subject)
        told_apart = {
            "trade_offs": [asdict(pair) for pair in fitted.trade_offs],
            "decided": [asdict(row) for row in decided(fitted, self.model, found.trials, aside=aside)],
            "calibrations": [asdict(row) for row in fitted.calibrations],
        }
        facts = {"converged": fitted.converged, **told_apart}
        return rec, fitted.rows, taught_to_arrays(fitted, found.scale), facts

    def _trained_on(self, found: Recorded, subject: str, told: _Told) -> _Fitted:
        """Return the person after networks were trained on him."""
        work = SubjectFit(found.trials, self.objectives, seed=self.seed)
        state = self._trained(work, subject, told)
        told("reconstruct")
        fitted = work.fitted(state, subject=subject)
        rec = doubted(fitted, self.model, found.trials)
        return rec, fitted.rows, fitted_to_arrays(fitted, found.scale), {"converged": fitted.converged}

    def _trained(self, work: SubjectFit, subject: str, told: _Told) -> TrainingState:
        store = self.run.checkpoints(subject)
        state = work.start()
        saved = store.latest()
        if saved is not None:
            state = state_from_arrays(saved[0], state, file=str(store.folder))
        last = time.perf_counter()

        def after_chunk(now: TrainingState, progress: Progress) -> None:
            nonlocal last
            told("train", progress)
            if time.perf_counter() - last > CHECKPOINT_EVERY_S:
                store.save(now.step, state_to_arrays(now), {"subject": subject})
                last = time.perf_counter()

        remedy = "Lower [fit] learning_rate, or look at the data with `check`"
        return trained(work, state, who=subject, remedy=remedy, after_chunk=after_chunk)

    def _implausible(self, rec: Reconstruction) -> tuple[Flag, ...]:
        scaled = self.study.emg.scaled
        return plausibility.flags(rec, groups=groups_of(self.anatomy), scaled=scaled)

    def _note(self, rec: Reconstruction, found: Recorded, more: Facts) -> None:
        """Write into the manifest what the person's files do not hold."""
        facts = {
            **more,
            "moment_r2": moment_r2(score(rec)),
            "flags": [asdict(flag) for flag in rec.flags],
            "problems": [problem.as_dict() for problem in found.heard],
            "processing": {trial.name: trial.processing for trial in found.trials},
        }
        known = self.run.manifest.get("subjects", {})
        self.run.write_manifest({"subjects": {**known, rec.subject: facts}})


def chosen_people(study: Study, subjects: Sequence[str] | None) -> tuple[Subject, ...]:
    """Return the persons that were asked for, all by default. Raises InputError that names those there are."""
    if subjects is None:
        return study.subjects
    named = (subjects,) if isinstance(subjects, str) else subjects
    known = {person.id: person for person in study.subjects}
    if strangers := [name for name in named if name not in known]:
        listed = "one of " + ", ".join(known)
        raise InputError(
            Problem("error", f"there is no subject '{name}'", file=study.source, expected=listed) for name in strangers
        )
    return tuple(known[name] for name in named)


def _started(study: Study, out: Path, anatomy: Anatomy, *, seed: int, resume: bool, overwrite: bool) -> RunDirectory:
    prior = prior_identity(study, anatomy) if with_prior(study.fit) else None
    facts = {**study_facts(study, seed), "prior": prior}
    known = fingerprint(facts, study)
    if resume:
        refuse_kind(out, None)
        refuse_others(out, facts, known, what="run")
    manifest = {**facts, **surroundings(study, anatomy, LIBRARIES), "fingerprint": known}
    source = Path(study.source) if study.source else None
    run = start_run(out, manifest, study_file=source, overwrite=overwrite, resume=resume)
    if study.model_file:
        write_anatomy_file(anatomy, run.path / ANATOMY)
    return run


def _finished(
    study: Study,
    run: RunDirectory,
    subjects: Sequence[str],
    began: float,
    before_finish: Callable[[RunDirectory], object] | None,
) -> FitResult:
    """Score everything that is on disk and close the run."""
    noted = run.manifest.get("subjects", {})
    anatomy, model = model_of(study)
    cards = [_scored(run, subject, anatomy, model) for subject in run.subjects if subject in noted]
    card = Scorecard(tuple(row for rows in cards for row in rows))
    run.write_scores(card)
    seconds = time.perf_counter() - began
    run.write_manifest({"seconds": round(seconds, 3)})
    if before_finish is not None:
        before_finish(run)
    run.finish()
    results = tuple(
        SubjectResult(
            subject, noted[subject]["converged"], noted[subject]["seconds"], noted[subject]["moment_r2"],
            tuple(Flag(**flag) for flag in noted[subject]["flags"]),
        )
        for subject in subjects
    )  # fmt: skip
    said = [Problem(**p) for subject in subjects for p in noted[subject]["problems"] if p["severity"] != "note"]
    more = [Problem(**problem) for problem in run.manifest["problems"][len(study.problems) :]]
    said += [problem for problem in more if problem.severity != "note"]
    return FitResult(run, results, (*study.problems, *said), seconds, card)


def _scored(run: RunDirectory, subject: str, anatomy: Anatomy, model: MusculoskeletalModel) -> list[ScoreRow]:
    """Return the rows of the method and of the copy of the nearest muscle beside it."""
    rec = run.reconstruction(subject)
    copy = copy_of_nearest(tuple(part.trial for part in rec.trials), anatomy, model)
    return [*score(rec).rows, *score(copy).rows]


def moment_r2(card: Scorecard) -> dict[str, float]:
    """Return how much of each joint moment is explained on the test trials, by coordinate; empty where there are none."""
    rows = [row for row in card.rows if row.quantity == "moment" and row.trial == "all" and row.role == "test"]
    return {row.name: row.r2 for row in rows}
