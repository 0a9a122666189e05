"""A fitted person of a run, with everything that his stream needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.io.run_directory import STUDY, RunDirectory, read_run, refuse_kind
from profundus.io.study_file import read_settings
from profundus.records import EmgSettings, Reconstruction
from profundus.stream.envelopes import delay_s
from profundus.stream.student import Student
from profundus.stream.teaching import taught

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StreamedPerson:
    """A fitted person with everything that his stream needs: ``maximum`` (measured,) is what envelopes are divided by, ``answer`` what the
    run says of his trials."""

    student: Student
    emg: EmgSettings
    maximum: Floats
    answer: Reconstruction

    @property
    def fractions(self) -> bool:
        """Return whether envelopes come as fractions of maximum."""
        return self.emg.normalization == "mvc" and bool(np.all(self.maximum == 1.0))


def streamed_person(path: Path, subject: str | None = None) -> StreamedPerson:
    """Return a fitted person of a run, ready to be streamed; others may be missing in it. Raises InputError for a run that is that of a
    comparison, or does not have the person whole."""
    run = read_run(path)
    refuse_kind(run.path, None)
    if not (run.finished or run.noted):
        what, remedy = (
            "the run is not finished, and nobody is in it",
            f"Go on with `profundus {run.command} ... --resume`",
        )
        raise InputError(Problem("error", what, file=str(path), remedy=remedy))
    return person_of(run, run.named(subject))


def person_of(run: RunDirectory, subject: str) -> StreamedPerson:
    """Return a person of a run, taught from it."""
    settings = read_settings(run.path / STUDY)
    answer = run.reconstruction(subject, draws=False)
    student = taught(answer, late_s=delay_s(settings.emg))
    maximum = run.network(subject)[1]["emg_scale"]["maximum"]
    return StreamedPerson(student, settings.emg, np.array([maximum[m] for m in student.measured]), answer)
