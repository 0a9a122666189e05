"""The folder that a comparison leaves behind: every method's answers for every person, each file whole or not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from profundus.errors import FileFormatError, Problem
from profundus.io.archive import from_dataset, read_archive, to_dataset, write_archive
from profundus.io.archive_layout import ANSWERED, DRAWS, OPTIONAL, VARIABLES
from profundus.io.file_names import refuse_names
from profundus.io.run_directory import SUBJECTS, RunDirectory, read_run, start_run
from profundus.io.store import write_whole
from profundus.records import Flag, Reconstruction, Scorecard, Trial, TrialReconstruction

KIND = "comparison"
RECORDED = "recorded"
FIGURES = "figures"


@dataclass(frozen=True)
class ComparisonDirectory:
    """A comparison's folder: what was recorded, each method's answers, what was noted of them, the scores."""

    run: RunDirectory

    @property
    def path(self) -> Path:
        """Return where it is."""
        return self.run.path

    @property
    def manifest(self) -> dict[str, Any]:
        """Return what ``run.json`` holds."""
        return self.run.manifest

    @property
    def noted(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return what was noted of every answer: person, method, facts (``seconds``, ``flags``, ``failure``)."""
        found: dict[str, dict[str, dict[str, Any]]] = self.manifest.get("answers", {})
        return found

    @property
    def scores(self) -> Scorecard:
        """Return the scores of all methods; empty while the comparison runs."""
        return self.run.scores()

    def is_done(self, subject: str, method: str) -> bool:
        """Return whether a method has answered for a person, or is known to have failed."""
        facts = self.noted.get(subject, {}).get(method)
        return facts is not None and (facts.get("failure") is not None or self._file(subject, method).is_file())

    def write_recorded(self, subject: str, trials: tuple[Trial, ...]) -> None:
        """Keep what was recorded of a person, and the truth where it is known."""
        parts = tuple(TrialReconstruction(trial, trial.emg, trial.emg, trial.emg) for trial in trials)
        write_archive(Reconstruction(RECORDED, subject, parts), self._file(subject, RECORDED))

    def recorded(self, subject: str) -> tuple[Trial, ...]:
        """Return a person's trials as they were compared on."""
        return tuple(part.trial for part in from_dataset(read_archive(self._file(subject, RECORDED))).trials)

    def write_answer(self, rec: Reconstruction, facts: Mapping[str, Any]) -> None:
        """Keep a method's answer (excitations, band, moment) and what is noted of it."""
        whole = to_dataset(rec)
        kept = [name for name in whole.variables if name in ANSWERED and name != DRAWS]
        write_archive(whole[[*kept, "samples"]], self._file(rec.subject, rec.method))
        self.note(rec.subject, rec.method, {**facts, "flags": [vars(flag) for flag in rec.flags]})

    def note(self, subject: str, method: str, facts: Mapping[str, Any]) -> None:
        """Write into the manifest what became of a method for a person."""
        known = self.noted
        self.run.write_manifest({"answers": {**known, subject: {**known.get(subject, {}), method: dict(facts)}}})

    def answer(self, subject: str, method: str, trials: tuple[Trial, ...]) -> Reconstruction:
        """Return a method's answer for a person, ``trials`` being those of `recorded`."""
        path = self._file(subject, method)
        dataset = read_archive(path)
        by_name = {trial.name: trial for trial in trials}
        names = [str(name) for name in dataset["trial"].values]
        if strangers := [name for name in names if name not in by_name]:
            raise FileFormatError(
                Problem("error", f"no trial '{name}' was recorded", file=str(path)) for name in strangers
            )
        parts = tuple(_part(dataset.isel(trial=i), by_name[name]) for i, name in enumerate(names))
        flags = tuple(Flag(**flag) for flag in self.noted[subject][method].get("flags", ()))
        return Reconstruction(method, subject, parts, flags)

    def answers(self, subject: str) -> tuple[Reconstruction, ...]:
        """Return all answers for a person, in the order in which the methods were asked."""
        trials = self.recorded(subject)
        methods = [method for method, facts in self.noted.get(subject, {}).items() if facts.get("failure") is None]
        return tuple(self.answer(subject, method, trials) for method in methods)

    def write_figures(self, figures: Mapping[str, bytes]) -> Path:
        """Write figures for a paper, and return their folder."""
        refuse_names(list(figures))
        for name, content in figures.items():
            write_whole(self.path / FIGURES / name, content)
        return self.path / FIGURES

    def _file(self, subject: str, method: str) -> Path:
        refuse_names([subject, method])
        return self.path / SUBJECTS / subject / f"{method}.nc"


def start_comparison(
    path: Path, manifest: Mapping[str, Any], *, study_file: Path | None, overwrite: bool = False, resume: bool = False
) -> ComparisonDirectory:
    """Return a folder ready for a comparison. Raises InputError as `start_run`, and where the folder holds a fit."""
    run = start_run(path, {**manifest, "kind": KIND}, study_file=study_file, overwrite=overwrite, resume=resume)
    return ComparisonDirectory(run)


def read_comparison(path: Path) -> ComparisonDirectory:
    """Return the comparison in a folder. Raises MissingFileError or FileFormatError where there is none."""
    run = read_run(path)
    if run.manifest.get("kind") != KIND:
        what = "the folder holds the results of a fit, not of a comparison"
        raise FileFormatError(
            Problem("error", what, file=str(path), expected="a folder that `profundus compare` wrote")
        )
    return ComparisonDirectory(run)


def _part(one: xr.Dataset, trial: Trial) -> TrialReconstruction:
    """Return the answer for one trial; what is NaN throughout is not known (None)."""
    found: dict[str, Any] = {}
    for name, (_, source, field, *_told) in VARIABLES.items():
        if source == "answer" and name in one:
            values = one[name].values[: int(one["samples"])].astype(np.float64)
            found[field] = None if field in OPTIONAL and np.isnan(values).all() else values
    return TrialReconstruction(trial, **found)
