"""A fitted person of a run and new recordings in, answers and their files out."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from profundus.errors import InputError, Problem
from profundus.fit import identifiability
from profundus.fit.saving import fitted_from_arrays
from profundus.io.run_directory import NETWORK, STUDY, RunDirectory, start_run
from profundus.io.study_file import read_new_trials, read_settings
from profundus.model.fitted import FittedSubject
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.protocols.models import model_of
from profundus.reconstruct import reconstruct
from profundus.records import EmgScale, Reconstruction, Scorecard, Study, Trial
from profundus.signal import assemble_trial
from profundus.validate import plausibility
from profundus.validate.scores import score


@dataclass(frozen=True)
class ReconstructResult:
    """Answers for new trials, their scores where there is a truth or a moment, and where the files are."""

    reconstruction: Reconstruction
    scores: Scorecard
    out: Path
    warnings: tuple[Problem, ...]
    seconds: float


@dataclass(frozen=True)
class Person:
    """A fitted person as a run directory holds it, ready for new trials."""

    study: Study
    model: MusculoskeletalModel
    fitted: FittedSubject
    scale: EmgScale

    def answer(self, trials: tuple[Trial, ...]) -> Reconstruction:
        """Return the reconstruction of trials, with its flags."""
        rec = reconstruct(self.fitted, self.model, trials)
        return replace(rec, flags=(*plausibility.flags(rec), *identifiability.flags(self.fitted, rec)))

    def trials(self, path: Path, *, data_root: Path | None = None) -> tuple[Trial, ...]:
        """Return the trials of a file of new recordings, processed as those of the fit were."""
        recordings = read_new_trials(path, self.study_text, data_root=data_root)
        muscles = self.fitted.layout.muscles
        return tuple(assemble_trial(self.study, recording, muscles, scale=self.scale) for recording in recordings)

    @property
    def study_text(self) -> Path:
        """Return the study file that the run keeps."""
        return Path(self.study.source)


def fitted_person(run: RunDirectory, subject: str | None = None) -> Person:
    """Return a fitted person of a run; ``subject`` may be left out where there is only one."""
    known = run.subjects
    if subject is None and len(known) == 1:
        subject = known[0]
    if subject not in known:
        asked = "no subject was named" if subject is None else f"there is no subject '{subject}'"
        listed = ", ".join(known) or "nobody yet"
        raise InputError(
            Problem("error", asked, file=str(run.path), expected=f"one of {listed}", remedy="Name one with --subject")
        )
    study = read_settings(run.path / STUDY)
    _, model = model_of(study)
    arrays, facts = run.network(subject)
    fitted, scale = fitted_from_arrays(arrays, facts, file=f"{subject}/{NETWORK}")
    return Person(study, model, fitted, scale)


def reconstruct_trials(
    run: RunDirectory,
    new_trials: Path,
    out: Path,
    *,
    subject: str | None = None,
    data_root: Path | None = None,
    overwrite: bool = False,
) -> ReconstructResult:
    """Reconstruct new trials of a fitted person and leave the same files as a run does, without fitting anything."""
    began = time.perf_counter()
    person = fitted_person(run, subject)
    trials = person.trials(new_trials, data_root=data_root)
    rec = person.answer(trials)
    card = score(rec)
    inherited = (
        "study",
        "settings",
        "emg",
        "coordinates",
        "deep",
        "measured",
        "fixed",
        "rate_hz",
        "anatomy",
        "libraries",
        "seed",
    )
    manifest = {key: value for key, value in run.manifest.items() if key in inherited}
    target = start_run(out, {**manifest, "fitted_by": str(run.path)}, study_file=run.path / STUDY, overwrite=overwrite)
    arrays = run.network(rec.subject)
    target.write_subject(rec, run.parameters(rec.subject), arrays)
    target.write_scores(card)
    warnings = tuple(problem for trial in trials for problem in trial.problems if problem.severity != "note")
    seconds = time.perf_counter() - began
    facts = {
        "converged": person.fitted.converged,
        "seconds": round(seconds, 3),
        "moment_r2": {},
        "flags": [vars(flag) for flag in rec.flags],
        "problems": [problem.as_dict() for trial in trials for problem in trial.problems],
        "processing": {trial.name: trial.processing for trial in trials},
    }
    target.finish({"seconds": round(seconds, 3), "subjects": {rec.subject: facts}})
    return ReconstructResult(rec, card, out, warnings, seconds)
