"""A study of two people on disk, and commands that have them fitted by nobody: what they leave looks like a fit's."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from answers import answer, trial
from cli_study import HEAD, TRIAL, write_recordings
from profundus.errors import InputError, Problem
from profundus.io.run_directory import RunDirectory
from profundus.protocols.cohort_jobs import attempted
from profundus.protocols.cohort_work import write_inputs
from profundus.protocols.fitting_person import PersonFit
from profundus.records import Reconstruction

PEOPLE = ("sub-01", "sub-02")
FACTS = {"converged": True, "seconds": 0.1, "moment_r2": {}, "flags": [], "problems": [], "processing": {}}


def write_study(folder: Path) -> Path:
    """Write a study of two people with a trial to fit each, and return its file."""
    text = HEAD.format(ablation="no_pretraining", steps=3)
    for number, person in enumerate(PEOPLE):
        name = f"{person}_light"
        write_recordings(folder / name, trial(name, role="fit", seed=number, subject=person))
        text += f'\n[[subject]]\nid = "{person}"\n' + TRIAL.format(
            table="subject.trial", name=name, load_kg=2.0, role="fit"
        )
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def crew_without(*failing: str):
    """Return a crew of this process that fits nobody, and for which the recordings of some cannot be used."""

    def served(jobs, work):
        for job in jobs:
            yield attempted(partial(_left, work, failing), job)

    return served


def fits_nobody(monkeypatch, *, stops_at: str = "") -> None:
    """Let `fit` leave what a crew leaves, and be interrupted over one person."""

    def fit_person(ground, study, person, checkpoints, told):
        if person.id == stops_at:
            raise KeyboardInterrupt
        return PersonFit(_rec(person.id), (), ({"w": np.zeros(1)}, {}), (), FACTS)

    monkeypatch.setattr("profundus.protocols.fitting.fit_person", fit_person)
    monkeypatch.setattr("profundus.protocols.fitting.write_person", lambda run, fit, _: _write(run, fit.reconstruction))


def _left(work, failing, task) -> None:
    person = task.sheet.id
    if person in failing:
        raise InputError(Problem("error", "no EMG"))
    run = RunDirectory(work.run)
    write_inputs(run, person, task.sheet.read(), task.declared)
    _write(run, _rec(person))


def _rec(person: str) -> Reconstruction:
    return Reconstruction("nmm", person, (answer(trial(f"{person}_light", role="fit", subject=person)),))


def _write(run: RunDirectory, rec: Reconstruction) -> None:
    run.write_subject(rec, network=({"w": np.zeros(1)}, {}), facts=FACTS)
