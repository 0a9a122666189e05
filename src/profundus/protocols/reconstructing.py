"""A fitted person of a run and new recordings in, answers and their files out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from profundus.errors import InputError, Problem
from profundus.fit import identifiability
from profundus.fit.saving import fitted_from_arrays
from profundus.fit.taught_saving import is_taught, taught_from_arrays
from profundus.io.anatomy_file import ANATOMY, write_anatomy_file
from profundus.io.run_directory import NETWORK, STUDY, RunDirectory, start_run
from profundus.io.store import digest
from profundus.io.study_file import read_new_trials, read_settings
from profundus.model.fitted import FittedSubject, TaughtSubject
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.protocols.fitting_person import flags_in, moment_r2
from profundus.protocols.inverse_dynamics import with_moments
from profundus.protocols.learned import answered
from profundus.protocols.models import anatomy_of, groups_of, model_of
from profundus.protocols.recordings import heard_of
from profundus.reconstruct import reconstruct
from profundus.records import EmgScale, Flag, Reconstruction, Scorecard, Study, Subject, Trial
from profundus.signal import assemble_trial, quality_table
from profundus.validate import plausibility
from profundus.validate.scores import score

INHERITED = (
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
    "data_root",
)


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
    """A fitted person as a run directory holds it, ready for new trials.

    ``groups`` names the functional group of every muscle; ``doubts`` are the fit's own about its deep muscles.
    """

    study: Study
    model: MusculoskeletalModel
    fitted: FittedSubject | TaughtSubject
    scale: EmgScale
    groups: Mapping[str, str]
    doubts: tuple[Flag, ...] = ()

    def answer(self, trials: tuple[Trial, ...]) -> Reconstruction:
        """Return the reconstruction of trials, with its flags."""
        if isinstance(self.fitted, TaughtSubject):
            rec = answered(self.fitted, self.model, trials)
            return replace(rec, flags=(*self._implausible(rec), *rec.flags))
        rec = reconstruct(self.fitted, self.model, trials)
        found = (
            *self._implausible(rec),
            *self.doubts,
            *identifiability.shortcomings(self.fitted, rec),
        )
        return replace(rec, flags=found)

    def _implausible(self, rec: Reconstruction) -> tuple[Flag, ...]:
        scaled = self.study.emg.scaled
        return plausibility.flags(rec, groups=self.groups, scaled=scaled)

    def recordings(self, path: Path, *, data_root: Path | None = None) -> Subject:
        """Return the person with the recordings of a file of new trials."""
        found = Subject(self.fitted.subject, read_new_trials(path, self.study_text, data_root=data_root))
        return with_moments(self.study, found)

    def assembled(self, person: Subject) -> tuple[Trial, ...]:
        """Return recordings as trials, processed as those of the fit were."""
        muscles = self.fitted.layout.muscles
        return tuple(
            assemble_trial(self.study, recording, muscles, scale=self.scale) for recording in person.recordings
        )

    def trials(self, path: Path, *, data_root: Path | None = None) -> tuple[Trial, ...]:
        """Return the trials of a file of new recordings."""
        return self.assembled(self.recordings(path, data_root=data_root))

    @property
    def study_text(self) -> Path:
        """Return the study file that the run keeps."""
        return Path(self.study.source)


def fitted_person(run: RunDirectory, subject: str | None = None) -> Person:
    """Return a fitted person of a run; ``subject`` may be left out where there is only one."""
    subject = run.named(subject)
    study = read_settings(run.path / STUDY)
    anatomy, model = model_of(study)
    arrays, facts = run.network(subject)
    read = taught_from_arrays if is_taught(facts) else fitted_from_arrays
    fitted, scale = read(arrays, facts, file=f"{subject}/{NETWORK}")
    doubts = tuple(flag for flag in flags_in(run.facts(subject)) if flag.name == "prior_only")
    return Person(study, model, fitted, scale, groups_of(anatomy), doubts)


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
    if out.resolve() == run.path.resolve():
        what = "the results would replace the run that they come from"
        raise InputError(Problem("error", what, file=str(out), remedy="Choose another folder for --out"))
    person = fitted_person(run, subject)
    recorded = person.recordings(new_trials, data_root=data_root)
    trials = person.assembled(recorded)
    quality = quality_table(trials, recorded)
    rec = person.answer(trials)
    card = score(rec)
    parameters, network = run.parameters(rec.subject), run.network(rec.subject)
    known = {key: value for key, value in run.manifest.items() if key in INHERITED}
    facts = {**known, "fitted_by": str(run.path), "digests": {str(new_trials): digest(new_trials)}}
    target = start_run(out, facts, study_file=run.path / STUDY, overwrite=overwrite)
    if person.study.model_file:
        write_anatomy_file(anatomy_of(person.study), target.path / ANATOMY)
    said = heard_of(trials, quality, rec.subject)
    seconds = time.perf_counter() - began
    noted = {
        "converged": person.fitted.converged,
        "seconds": round(seconds, 3),
        "moment_r2": moment_r2(card),
        "flags": [vars(flag) for flag in rec.flags],
        "problems": [problem.as_dict() for problem in said],
        "processing": {trial.name: trial.processing for trial in trials},
    }
    target.write_subject(rec, parameters, network, quality, facts=noted)
    target.write_scores(card)
    target.finish({"seconds": round(seconds, 3), "subjects": target.overview()})
    warnings = tuple(problem for problem in said if problem.severity != "note")
    return ReconstructResult(rec, card, out, warnings, seconds)
