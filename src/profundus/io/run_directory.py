"""The folder that a run leaves behind: each person's results appear in it whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import xarray as xr
from numpy.typing import NDArray

from profundus import __version__
from profundus.errors import InputError, Problem
from profundus.io.anatomy_file import ANATOMY
from profundus.io.archive import as_held, from_dataset, read_archive, to_dataset, write_archive
from profundus.io.archive_layout import DRAWS
from profundus.io.file_names import refuse_names
from profundus.io.manifest import read_manifest, write_manifest
from profundus.io.result_tables import excitation_bands, excitations, moments
from profundus.io.rows_file import read_rows, write_rows
from profundus.io.score_file import join_scores, read_scores, write_scores
from profundus.io.store import is_unfinished, remove, sweep, whole_folder, write_whole
from profundus.io.tables import write_table
from profundus.io.weights import Arrays, CheckpointStore, Facts, read_arrays, write_arrays
from profundus.records import ParameterRow, QualityRow, Reconstruction, Scorecard

MANIFEST, SCORES, STUDY = "run.json", "scores.csv", "study.toml"
SUBJECTS, CHECKPOINTS = "subjects", "checkpoints"
PARAMETERS, ARCHIVE, NETWORK = "parameters.csv", "reconstruction.nc", "fitted.safetensors"
QUALITY, FACTS = "quality.csv", "subject.json"
FAILURES = "failures"
BEGUN_BY = "begun_by"
"""Entry of the manifest, until the run is complete: the command that goes on with it, where it is not `fit`."""
OVERVIEW = ("converged", "seconds", "moment_r2")
"""What the manifest of a finished run tells of each person; all else stands in his folder."""
PARAMETER_COLUMNS = (
    *("muscle", "parameter", "unit", "generic", "fitted", "lower", "upper"),
    *("posterior_sd", "moved_by_data", "at_bound", "prior_sd"),
)


@dataclass(frozen=True)
class RunDirectory:
    """A run's folder, as `start_run` opens it for writing and `read_run` for reading."""

    path: Path

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what ``run.json`` holds. Raises MissingFileError or FileFormatError."""
        return read_manifest(self.path / MANIFEST)

    @property
    def finished(self) -> bool:
        """Return whether the run came to its end."""
        return bool(self.manifest.get("finished"))

    @property
    def command(self) -> str:
        """Return the command that goes on with the run: ``fit`` or ``cohort``."""
        return str(self.manifest.get(BEGUN_BY, "fit"))

    @property
    def subjects(self) -> tuple[str, ...]:
        """Return the persons whose results are there, whole, by name."""
        folder = self.path / SUBJECTS
        found = folder.iterdir() if folder.is_dir() else iter(())
        return tuple(sorted(path.name for path in found if path.is_dir() and not is_unfinished(path)))

    def named(self, subject: str | None = None) -> str:
        """Return the person that is meant: by name, or the only one there is. Raises InputError that tells who is there."""
        known = self.subjects
        if subject is None and len(known) == 1:
            return known[0]
        if subject is not None and subject in known:
            return subject
        if not known:
            what = "no person's fit is finished in this run"
            remedy = f"Finish it with `profundus {self.command} ... --resume`"
            raise InputError(Problem("error", what, file=str(self.path), remedy=remedy))
        if subject is not None and subject in self.failures():
            remedy = f"Read {FAILURES}/{subject}.json, mend it, and go on with `profundus {self.command} ... --resume`"
            raise InputError(Problem("error", f"'{subject}' could not be fitted", file=str(self.path), remedy=remedy))
        what = "no subject was named" if subject is None else f"there is no subject '{subject}'"
        what += "" if self.finished else " (the run is not finished)"
        expected = f"one of {', '.join(known)}"
        raise InputError(
            Problem("error", what, file=str(self.path), expected=expected, remedy="Name one (`subject`, --subject)")
        )

    @property
    def noted(self) -> tuple[str, ...]:
        """Return the persons whose results are there with the facts that a fit notes of them, by name."""
        return tuple(subject for subject in self.subjects if (self._of(subject) / FACTS).is_file())

    def facts(self, subject: str) -> dict[str, Any]:
        """Return what a fit noted of a person beside his tables: convergence, flags, problems, processing, what decided the answer."""
        path = self._of(subject) / FACTS
        if path.is_file():
            return read_manifest(path)
        earlier = self.manifest.get("subjects", {})  # before persons' facts stood in their own folders
        return dict(earlier.get(subject, {}))

    def parameters(self, subject: str) -> tuple[ParameterRow, ...]:
        """Return the personalized parameters of a person."""
        return read_rows(self._of(subject) / PARAMETERS, ParameterRow)

    def quality(self, subject: str) -> tuple[QualityRow, ...]:
        """Return what the quality checks of a person's recordings found."""
        return read_rows(self._of(subject) / QUALITY, QualityRow)

    def dataset(self, subject: str) -> xr.Dataset:
        """Return a person's archive as a Dataset (draw, trial, time, muscle, coordinate)."""
        return read_archive(self._of(subject) / ARCHIVE)

    def reconstruction(self, subject: str, *, draws: bool = True) -> Reconstruction:
        """Return a person's answer, trial by trial; without the ``draws``, which are most of it, in half the time."""
        return from_dataset(read_archive(self._of(subject) / ARCHIVE, without=() if draws else [DRAWS]))

    def network(self, subject: str) -> tuple[Arrays, Facts]:
        """Return the fitted network of a person as ``write_subject`` was given it."""
        return read_arrays(self._of(subject) / NETWORK)

    def scores(self, subject: str | None = None) -> Scorecard:
        """Return the scores, or those of one person; empty where there are none (no truth and no moment)."""
        own = None if subject is None else self._of(subject) / SCORES
        path = own if own is not None and own.is_file() else self.path / SCORES
        found = read_scores(path) if path.is_file() else Scorecard()
        if subject is None or path == own:
            return found
        return Scorecard(tuple(row for row in found.rows if row.subject == subject))

    def checkpoints(self, subject: str) -> CheckpointStore:
        """Return where the checkpoints of a person's fit are kept until the run is finished."""
        refuse_names([subject])
        return CheckpointStore(self.path / CHECKPOINTS / subject)

    def write_manifest(self, facts: Mapping[str, Any]) -> None:
        """Merge facts into ``run.json``, key by key; unknown numbers (NaN) become null."""
        path = self.path / MANIFEST
        write_manifest({**(read_manifest(path) if path.exists() else {}), **facts}, path)

    def write_subject(
        self,
        rec: Reconstruction,
        parameters: Sequence[ParameterRow] = (),
        network: tuple[Mapping[str, NDArray[Any]], Mapping[str, Any]] | None = None,
        quality: Sequence[QualityRow] = (),
        *,
        facts: Mapping[str, Any] | None = None,
        judge: Callable[[Reconstruction], Scorecard] | None = None,
    ) -> Path:
        """Write a person's results and return their folder; it takes its place when all of its files are on the disk.

        ``network`` is (arrays, facts) as `profundus.io.weights.write_arrays` takes them; ``judge`` returns the scores of the answer as the
        archive holds it. Raises UnsafeInputError for names that are no file names, and ResourceError where the disk is full.
        """
        taken = {PARAMETERS, ARCHIVE, NETWORK, QUALITY, FACTS, SCORES}
        refuse_names([rec.subject], [part.trial.name for part in rec.trials], taken=taken)
        target = self._of(rec.subject)
        with whole_folder(target) as folder:
            write_rows(parameters, folder / PARAMETERS, columns=PARAMETER_COLUMNS)
            for part in rec.trials:
                write_table(excitations(part), folder / part.trial.name / "excitations.sto")
                write_table(excitation_bands(part), folder / part.trial.name / "excitations_band.sto")
                write_table(moments(part), folder / part.trial.name / "moments.sto")
            held = as_held(to_dataset(rec))
            write_archive(held, folder / ARCHIVE)
            write_rows(quality, folder / QUALITY, columns=[field.name for field in fields(QualityRow)])
            if network is not None:
                write_arrays(folder / NETWORK, *network)
            if judge is not None:
                write_scores(judge(from_dataset(held.drop_vars(DRAWS, errors="ignore"))), folder / SCORES)
            if facts is not None:
                write_manifest(facts, folder / FACTS)
        return target

    def write_scores(self, card: Scorecard) -> None:
        """Write ``scores.csv``."""
        write_scores(card, self.path / SCORES)

    def join_scores(self) -> None:
        """Write ``scores.csv`` from the scores of all persons who were judged, in the order of their names."""
        own = (self._of(subject) / SCORES for subject in self.subjects)
        join_scores((path for path in own if path.is_file()), self.path / SCORES)

    def overview(self) -> dict[str, dict[str, Any]]:
        """Return what the manifest of a finished run tells of each person."""
        facts = ((subject, self.facts(subject)) for subject in self.noted)
        return {subject: {name: known.get(name) for name in OVERVIEW} for subject, known in facts}

    def forget_subject(self, subject: str) -> None:
        """Remove a person's results."""
        remove(self._of(subject))

    def failures(self) -> dict[str, dict[str, Any]]:
        """Return why persons of a cohort could not be fitted, by name."""
        folder = self.path / FAILURES
        found = sorted(folder.glob("*.json")) if folder.is_dir() else []
        return {path.stem: read_manifest(path) for path in found if not is_unfinished(path)}

    def write_failure(self, subject: str, facts: Mapping[str, Any]) -> None:
        """Keep why a person could not be fitted, until he is."""
        refuse_names([subject])
        write_manifest(facts, self.path / FAILURES / f"{subject}.json")

    def forget_failure(self, subject: str) -> None:
        """Drop what is kept of an earlier failure."""
        refuse_names([subject])
        folder = self.path / FAILURES
        remove(folder / f"{subject}.json")
        if folder.is_dir() and not any(folder.iterdir()):
            remove(folder)

    def finish(self, facts: Mapping[str, Any] | None = None) -> None:
        """Drop the checkpoints and say in the manifest that the run came to its end, with the last facts."""
        remove(self.path / CHECKPOINTS)
        self.write_manifest({**(facts or {}), "finished": True})

    def _of(self, subject: str) -> Path:
        refuse_names([subject])
        return self.path / SUBJECTS / subject


def start_run(
    path: Path,
    manifest: Mapping[str, Any],
    *,
    study_file: Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> RunDirectory:
    """Return a run directory ready to be written to, with its manifest and a copy of the study file in it.

    ``overwrite`` removes the results of the run that is there (and nothing else); ``resume`` keeps what the run has done.
    Raises InputError where the folder holds something else than a run, a run of another kind (a fit, a comparison), or one that is neither
    to be overwritten nor resumed.
    """
    run = RunDirectory(path)
    study = study_file.read_bytes() if study_file is not None else None
    if path.exists() and (not path.is_dir() or any(not is_unfinished(inner) for inner in path.iterdir())):
        _refuse_foreign(path)
        refuse_kind(path, manifest.get("kind"))
        if overwrite:
            for name in (
                SCORES,
                STUDY,
                "report.html",
                "opensim",
                "ceinms",
                "figures",
                ANATOMY,
                SUBJECTS,
                FAILURES,
                CHECKPOINTS,
                MANIFEST,
            ):
                remove(path / name)
        elif not resume:
            state = "a finished" if run.finished else "an unfinished"
            goes_on = not run.finished or "kind" in manifest  # more methods and people may join a comparison
            remedy = "Choose another folder, or say that it may be overwritten (--overwrite)"
            raise InputError(
                Problem(
                    "error",
                    f"there is {state} run in this folder",
                    file=str(path),
                    remedy=remedy + (" or resumed (--resume)" if goes_on else ""),
                )
            )
    for folder in (path, path / SUBJECTS):
        sweep(folder)
    run.write_manifest({"version": __version__, **manifest, "finished": False})
    if study is not None:
        write_whole(path / STUDY, study)
    return run


def refuse_contradiction(path: Path, *, resume: bool, overwrite: bool) -> None:
    """Raise InputError where somebody asks to keep what is in a folder and to remove it."""
    if resume and overwrite:
        what = "earlier results are to be kept (--resume) and to be replaced (--overwrite)"
        raise InputError(Problem("error", what, file=str(path), expected="one of the two", remedy="Leave one out"))


def read_run(path: Path) -> RunDirectory:
    """Return the run in a folder, finished or not; its parts are read when they are asked for.

    Raises MissingFileError or FileFormatError where there is none.
    """
    run = RunDirectory(path)
    run.manifest  # noqa: B018  a folder without one is refused
    return run


def refuse_kind(path: Path, kind: str | None) -> None:
    """Raise InputError where the folder holds results of another kind: None is a fit. Nothing replaces what another command has made."""
    there = read_manifest(path / MANIFEST).get("kind") if (path / MANIFEST).is_file() else kind
    if there != kind:
        what = f"the folder holds the results of a {there or 'fit'}, not of a {kind or 'fit'}"
        raise InputError(Problem("error", what, file=str(path), remedy="Choose another folder"))


def _refuse_foreign(path: Path) -> None:
    try:
        read_manifest(path / MANIFEST)
    except InputError as error:
        raise InputError(
            Problem(
                "error",
                "the folder is not empty, and what is in it is not a run",
                file=str(path),
                expected="a new or empty folder",
            )
        ) from error
