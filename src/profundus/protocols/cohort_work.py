"""What one worker of a cohort does: one person from his files to his folder, or the reason why not."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from profundus.fit.compiled import keep_compiled
from profundus.io.manifest import read_manifest, write_manifest
from profundus.io.run_directory import CHECKPOINTS, RunDirectory
from profundus.io.store import remove
from profundus.io.study_people import PersonSheet
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.protocols.fitting_person import FitGround, fit_ground, fit_person, write_person
from profundus.protocols.models import held_in
from profundus.records import Anatomy, Study


@dataclass(frozen=True)
class PersonTask:
    """One person of a study file, and the digest of what the file says of him and of all."""

    sheet: PersonSheet
    declared: str


@dataclass(frozen=True)
class FitPerson:
    """The work of a cohort's fit: reads a person's recordings, fits him, writes his folder into the ``run``.

    ``key`` tells one cohort from another in a process that serves several.
    """

    key: str
    run: Path
    settings: Study
    anatomy: Anatomy
    seed: int

    def __call__(self, task: PersonTask) -> None:
        """Fit one person. Raises as `PersonSheet.read` and `fit_person`."""
        ground = _GROUNDS.of(self)
        study = task.sheet.read()
        run = RunDirectory(self.run)
        write_inputs(run, task.sheet.id, study, task.declared)
        fit = fit_person(ground, study, study.subjects[0], run.checkpoints(task.sheet.id))
        write_person(run, fit, ground)


def inputs_file(run: RunDirectory, subject: str) -> Path:
    """Return where an unfinished cohort keeps what a person's results were made from."""
    return run.path / CHECKPOINTS / ".inputs" / f"{subject}.json"  # no person is called so


def write_inputs(run: RunDirectory, subject: str, study: Study, declared: str) -> None:
    """Keep what a person's results are made from: ``study`` has him alone, ``declared`` is the digest of what its file says of him.

    Checkpoints of a training that was begun with anything else are removed.
    """
    before = read_inputs(run, subject)
    if before is None or (before["declared"], before["digests"]) != (declared, study.digests):
        remove(run.checkpoints(subject).folder)
    inputs = {"declared": declared, "digests": study.digests, "problems": study.problems}
    write_manifest(inputs, inputs_file(run, subject))


def read_inputs(run: RunDirectory, subject: str) -> dict[str, Any] | None:
    """Return what a person's results were made from; None where that is not known."""
    path = inputs_file(run, subject)
    return read_manifest(path) if path.is_file() else None


class _Grounds:
    """The ground of the cohort that this process works for, made once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key = ""
        self._ground: FitGround | None = None

    def of(self, work: FitPerson) -> FitGround:
        """Return the ground of a cohort's fits."""
        with self._lock:
            if self._ground is None or self._key != work.key:
                keep_compiled()
                model = MusculoskeletalModel(
                    work.anatomy, coordinates=work.settings.moved, fixed=held_in(work.settings)
                )
                self._ground = fit_ground(work.settings, work.anatomy, model, seed=work.seed)
                self._key = work.key
            return self._ground


_GROUNDS = _Grounds()
