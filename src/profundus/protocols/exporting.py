"""A run's answers and personalized muscles for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from profundus.errors import InputError, Problem
from profundus.io.anatomy import shipped_models
from profundus.io.export_opensim import ARM26, export_ceinms, export_model, export_muscles, export_opensim
from profundus.io.file_names import refuse_names
from profundus.io.osim import is_osim
from profundus.io.osim_joints import Joints, read_joints
from profundus.io.run_directory import STUDY, RunDirectory
from profundus.io.study_file import read_settings
from profundus.io.study_motion import recorded_postures
from profundus.model.musculoskeletal import DEACTIVATION_RATIO
from profundus.records import Table

Program = Literal["opensim", "ceinms"]


@dataclass(frozen=True)
class Exported:
    """The files of every person, and what a reader should know of them."""

    files: dict[str, tuple[Path, ...]]
    notes: tuple[Problem, ...]


@dataclass(frozen=True)
class _Body:
    """The model of a run: its file (None for the shipped one), its joints, and where its coordinates stand by default [rad, m]."""

    file: Path | None
    joints: Joints
    still: dict[str, float]


def export_run(
    run: RunDirectory, out: Path, *, to: Program = "opensim", model: Path | None = None, subject: str | None = None
) -> Exported:
    """Write the results of a fit, one folder a person in ``out``.

    For OpenSim: controls and states of every trial, ``<subject>_muscles.csv``, and ``<subject>.osim``, the model with the fitted muscles.
    ``model`` names the model file where the study has none that can be found. For CEINMS: excitations. Raises InputError for a person that
    is not there, and for a model that has not the run's muscles and joints, before anything is written.
    """
    people = run.subjects if subject is None and run.subjects else (run.named(subject),)
    if to == "ceinms":
        return Exported(
            {person: export_ceinms(run.reconstruction(person, draws=False), out / person) for person in people}, ()
        )
    refuse_names(people)
    body, notes = _body(run, model)
    files = {}
    for person in people:
        files[person], said = _exported(run, person, out / person, body)
        notes += said
    return Exported(files, tuple(dict.fromkeys(notes)))


def _exported(run: RunDirectory, person: str, out: Path, body: _Body) -> tuple[tuple[Path, ...], list[Problem]]:
    rec, rows = run.reconstruction(person, draws=False), run.parameters(person)
    postures, notes = _postures(run, person, [part.trial.name for part in rec.trials], body)
    written: tuple[Path, ...] = ()
    if body.file is not None:
        written += (export_model(rows, body.file, out / f"{person}.osim", deactivation_ratio=DEACTIVATION_RATIO),)
    written += (export_muscles(rows, out / f"{person}_muscles.csv"),)
    written += export_opensim(rec, out, joints=body.joints.joint_of, fixed=body.still, postures=postures)
    return written, notes


def _body(run: RunDirectory, model: Path | None) -> tuple[_Body, list[Problem]]:
    manifest = run.manifest
    fixed = _fixed(manifest)
    named = read_settings(run.path / STUDY).model if (run.path / STUDY).is_file() else ""
    if model is None and is_osim(named):
        model = Path(manifest.get("data_root", "")) / named
        if not model.is_file():
            what = f"the model {named} of the run's study is not there any more"
            raise InputError(Problem("error", what, file=str(model), remedy="Name it with --model"))
    if model is None and named and named not in shipped_models():
        what = f"'{named}' is no model file: nothing tells which joints the coordinates belong to"
        remedy = "Name the file with --model, or write excitations alone with --to ceinms"
        raise InputError(Problem("error", what, file=str(run.path / STUDY), remedy=remedy))
    if model is None:
        what = "the muscles are in <subject>_muscles.csv alone, as the shipped model has no file"
        note = Problem(
            "note", what, str(run.path), remedy="Name a model file to have them written into it: --model arm26.osim"
        )
        return _Body(None, ARM26, fixed), [note]
    joints = read_joints(model)
    still = {one.name: one.default for one in joints.coordinates} | fixed
    moving = manifest.get("coordinates", ())
    return _Body(model, joints, {name: value for name, value in still.items() if name not in moving}), []


def _postures(run: RunDirectory, person: str, trials: list[str], body: _Body) -> tuple[dict[str, Table], list[Problem]]:
    """Return the recorded motion of the whole body, trial by trial, as far as the study's files are still there."""
    manifest = run.manifest
    root = manifest.get("data_root")
    if not root or not (run.path / STUDY).is_file():
        what = "where the study's recordings are is not known: only the study's own coordinates are in the states"
        return {}, [Problem("note", what, str(run.path))]
    digests = manifest.get("digests", {})
    found, notes = recorded_postures(
        run.path / STUDY, Path(root), body.joints, subject=person, trials=trials, digests=digests
    )
    return found, list(notes)


def _fixed(manifest: Mapping[str, Any]) -> dict[str, float]:
    """Return the coordinates that did not move [rad], as the run's manifest has them."""
    moving = manifest.get("coordinates", ())
    return {name: float(angle) for name, angle in manifest.get("fixed", {}).items() if name not in moving}
