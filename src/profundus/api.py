"""profundus from Python: load a model or a study, fit, reconstruct. The same as the commands."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from profundus.io.tables import read_table, write_table
from profundus.records import Recipe, Reconstruction, Scorecard, ScoreRow, Study, Trial

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import ArrayLike

    from profundus.errors import Problem
    from profundus.io.comparison_directory import ComparisonDirectory
    from profundus.io.run_directory import RunDirectory
    from profundus.model.musculoskeletal import MusculoskeletalModel
    from profundus.protocols.cohort import CohortProgress
    from profundus.protocols.fitting import FitProgress
    from profundus.protocols.pretraining import PretrainProgress
    from profundus.stream.live import Answer

__all__ = [
    "Comparison",
    "Run",
    "advise",
    "cohort",
    "compare",
    "fit",
    "load_model",
    "load_study",
    "pretrain",
    "read_table",
    "reconstruct",
    "write_table",
]


@dataclass(frozen=True)
class Run:
    """A fitted study in its folder: parameters, scores, answers, and the fitted persons for new trials.

    ``Run(path)`` opens the folder that an earlier `fit` wrote. What it returns is read from the files each time.
    """

    path: Path

    def __post_init__(self) -> None:
        """Refuse a folder without a run: MissingFileError or FileFormatError."""
        from profundus.io.run_directory import read_run

        object.__setattr__(self, "path", read_run(Path(self.path)).path)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Return the persons that were fitted, by name."""
        return self._directory.subjects

    @property
    def scores(self) -> pd.DataFrame:
        """Return the scores as ``scores.csv`` holds them, a row a trial (or pooled), muscle and method."""
        return _score_frame(self._directory.scores())

    def parameters(self, subject: str | None = None) -> pd.DataFrame:
        """Return a person's parameters: generic, fitted, fences, posterior sd, whether the data moved them, whether at a bound."""
        import pandas as pd

        from profundus.io.run_directory import PARAMETER_COLUMNS

        rows = self._directory.parameters(self._directory.named(subject))
        columns = list(PARAMETER_COLUMNS)
        return pd.DataFrame([[getattr(row, column) for column in columns] for row in rows], columns=columns)

    def dataset(self, subject: str | None = None) -> xr.Dataset:
        """Return a person's whole answer, with the axes draw, trial, time [s, from the trial's start], muscle, coordinate."""
        return self._directory.dataset(self._directory.named(subject))

    def reconstruct(
        self, trial: Trial | str | Path, *, subject: str | None = None, data_root: str | Path | None = None
    ) -> xr.Dataset:
        """Return what a fitted person's muscles did in a new trial (a Trial, or the path of a file of [[trial]] tables).

        Variables: ``excitation``, ``lower``, ``upper`` (time, muscle), fractions of maximum, the latter two a 90 % band; ``draws`` (draw,
        time, muscle); ``moment`` (time, coordinate) [N.m]; and what was recorded. A file with several trials gives a first axis ``trial``.
        ``subject`` names the person where the run has several. Raises InputError.
        """
        from profundus.protocols.reconstructing import fitted_person

        asked = trial.subject if subject is None and isinstance(trial, Trial) else subject
        person = fitted_person(self._directory, asked)
        root = None if data_root is None else Path(data_root)
        trials = (trial,) if isinstance(trial, Trial) else person.trials(Path(trial), data_root=root)
        return _answer(person.answer(trials))

    def stream(
        self,
        frames: Iterable[tuple[float, ArrayLike, ArrayLike]],
        *,
        subject: str | None = None,
        load_kg: float = float("nan"),
    ) -> Iterator[Answer]:
        """Return, frame by frame, what a fitted person's muscles do now, frame by frame, from the past alone.

        A frame is time [s], envelopes (measured muscles, in the study's order and unit; NaN where one is missing) and angles [rad]
        (coordinates). An answer has ``time``, ``excitation``, ``lower``, ``upper`` (muscle) and ``flags``; frames that come twice or late
        are passed over. Raises InputError where the run is not finished or does not have the person.
        """
        import numpy as np

        from profundus.protocols.streamed_person import streamed_person
        from profundus.stream.live import Frame, LiveSubject

        person = streamed_person(self.path, subject)
        live = LiveSubject(person.student, load_kg=load_kg)
        return live.over(
            Frame(time, np.asarray(emg, float) / person.maximum, np.asarray(angle, float))
            for time, emg, angle in frames
        )

    def report(self) -> Path:
        """Write the page of the run again and return its path."""
        from profundus.pages.run import write_page

        return write_page(self._directory)

    @property
    def _directory(self) -> RunDirectory:
        from profundus.io.run_directory import RunDirectory

        return RunDirectory(self.path)


@dataclass(frozen=True)
class Comparison:
    """Every method on the same trials, in a folder that `compare` wrote; ``Comparison(path)`` opens it."""

    path: Path

    def __post_init__(self) -> None:
        """Refuse a folder without a comparison: MissingFileError or FileFormatError."""
        from profundus.io.comparison_directory import read_comparison

        object.__setattr__(self, "path", read_comparison(Path(self.path)).path)

    @property
    def scores(self) -> pd.DataFrame:
        """Return the scores of all methods as ``scores.csv`` holds them."""
        return _score_frame(self._directory.scores)

    def paired(
        self,
        *,
        against: str = "copy",
        pooled: Literal["all", "load"] = "all",
        by: Literal["rmse", "rmse_scaled"] = "rmse",
    ) -> pd.DataFrame:
        """Return every method against another over the test trials, muscle by muscle: geometric mean of error ratios, interval, wins."""
        import pandas as pd

        from profundus.validate.paired import paired

        return pd.DataFrame(
            [vars(row) for row in paired(self._directory.scores, against=against, pooled=pooled, by=by)]
        )

    def dataset(self, subject: str, method: str) -> xr.Dataset:
        """Return a method's answer for a person, with the axes trial, time [s, from the trial's start], muscle, coordinate."""
        from profundus.io.archive import to_dataset

        folder = self._directory
        return to_dataset(folder.answer(subject, method, folder.recorded(subject)))

    @property
    def _directory(self) -> ComparisonDirectory:
        from profundus.io.comparison_directory import read_comparison

        return read_comparison(self.path)


def load_model(
    name: str | Path = "arm26",
    *,
    coordinates: Sequence[str] | None = None,
    fixed: Mapping[str, float] | None = None,
    muscles: Sequence[str] = (),
) -> MusculoskeletalModel:
    """Return a musculoskeletal model, shipped or of an .osim file, in which ``coordinates`` move and all others are ``fixed`` [rad].

    A file's muscles are those that are named, or all that cross a coordinate; their paths are sampled with OpenSim over the coordinates'
    ranges, the first time. A shipped model has all its muscles. Raises InputError for a model, coordinate, muscle or posture that there is
    not, and for a named muscle whose path cannot be followed closely.
    """
    from profundus.io.osim import is_osim
    from profundus.model.musculoskeletal import MusculoskeletalModel

    if is_osim(str(name)):
        from profundus.protocols.osim import loaded

        return MusculoskeletalModel(loaded(Path(name), coordinates=coordinates, fixed=fixed, muscles=muscles))
    from profundus.io.anatomy import read_anatomy

    shipped = read_anatomy(str(name))
    left_out = set(shipped.muscles) - set(muscles or shipped.muscles)
    anatomy = read_anatomy(str(name), ignored=left_out) if left_out else shipped
    return MusculoskeletalModel(anatomy, coordinates=coordinates, fixed=fixed)


def load_study(path: str | Path, *, data_root: str | Path | None = None) -> Study:
    """Return a study with all its recordings in SI units; its warnings stand in ``problems``.

    ``data_root`` is where relative paths start, if not at the study file. Raises StudyError with every error of every file.
    """
    from profundus.io.study_file import read_study

    return read_study(path, data_root=None if data_root is None else Path(data_root))


def fit(
    study: Study | str | Path,
    *,
    out: str | Path | None = None,
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    subjects: Sequence[str] | None = None,
    on_progress: Callable[[FitProgress], None] | None = None,
) -> Run:
    """Fit a study, reconstruct all its trials, score them, write the page; return the run.

    Without ``out`` the run lives in a temporary folder, as long as the returned object. Raises InputError (study, folder), ResourceError
    (disk), ConvergenceError (no result).
    """
    from profundus.pages.run import write_page
    from profundus.protocols.fitting import fit_study

    read = study if isinstance(study, Study) else load_study(study)
    folder = Path(tempfile.mkdtemp(prefix="profundus-") if out is None else out)
    try:
        fit_study(
            read,
            folder,
            seed=seed,
            resume=resume,
            overwrite=overwrite,
            subjects=subjects,
            on_progress=on_progress,
            before_finish=write_page,
        )
    except BaseException:
        if out is None:
            shutil.rmtree(folder)
        raise
    run = Run(folder)
    if out is None:
        weakref.finalize(run, shutil.rmtree, folder, ignore_errors=True)
    return run


def cohort(
    study: str | Path,
    *,
    out: str | Path,
    workers: int | None = None,
    scheduler: str | None = None,
    threads: int | None = None,
    data_root: str | Path | None = None,
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    subjects: Sequence[str] | None = None,
    on_progress: Callable[[CohortProgress], None] | None = None,
) -> tuple[Run, dict[str, tuple[Problem, ...]]]:
    """Fit the people of a study file by several processes, one of whom may fail alone; return the run, and why who failed.

    The run is that of `fit`. ``workers`` processes (default: one a core) start Python anew: call this under
    ``if __name__ == "__main__":``. ``scheduler`` is the address of a Dask cluster to be used instead. ``threads`` is how many each process
    computes with, by default as many as this one would. Raises InputError (study file, folder), ResourceError (disk, no process starts).
    """
    from profundus.io.study_people import read_outline
    from profundus.pages.run import write_page
    from profundus.protocols.cohort import crew_of, fit_cohort

    outline = read_outline(study, data_root=None if data_root is None else Path(data_root))
    result = fit_cohort(
        outline,
        Path(out),
        seed=seed,
        crew=crew_of(workers, scheduler, threads=threads),
        resume=resume,
        overwrite=overwrite,
        subjects=subjects,
        on_progress=on_progress,
        before_finish=write_page,
    )
    return Run(result.run.path), {failure.subject: failure.problems for failure in result.failures}


def compare(
    study: Study | str | Path,
    *,
    out: str | Path,
    methods: Sequence[str] | None = None,
    hide: Sequence[str] = (),
    split: str = "roles",
    seed: int = 0,
    people: int = 100,
    subjects: Sequence[str] | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[FitProgress], None] | None = None,
) -> Comparison:
    """Ask all ``methods`` about the same trials, score them, write page and figures; return the comparison.

    With ``hide`` (measured muscles, or "each") these are taken out of the inputs one at a time and held against their own EMG, as
    `profundus validate` does; without it as `profundus compare`. ``split`` and ``people`` are those of the commands. Raises InputError
    (study, folder, names), ResourceError (disk), ConvergenceError (no method had an answer).
    """
    from profundus.pages.comparison import write_comparison_page
    from profundus.protocols.asking import Asked, How
    from profundus.protocols.comparing import compare_study
    from profundus.protocols.hiding import validate_study
    from profundus.protocols.methods import chosen

    read = study if isinstance(study, Study) else load_study(study)
    asked = Asked(chosen(methods), seed, people, split)
    how = How(subjects, resume, overwrite, on_progress, write_comparison_page)
    result = validate_study(read, Path(out), hide, asked, how) if hide else compare_study(read, Path(out), asked, how)
    return Comparison(result.directory.path)


def advise(
    study: Study | str | Path, *, subject: str | None = None, out: str | Path | None = None, seed: int = 0
) -> pd.DataFrame:
    """Return which recordings would narrow the bands of a person's deep muscles most, a row a recording and muscle, the best first.

    Columns: see `profundus.records.AdviceRow`; ``attrs`` holds the ``summary`` and what was ``left_out``. With ``out`` the folder gets
    ``advice.csv`` and ``advice.json``. Raises InputError (study, person, no learned prior).
    """
    import pandas as pd

    from profundus.protocols.advising import advise_study, write_advice
    from profundus.records import AdviceRow

    read = study if isinstance(study, Study) else load_study(study)
    advice = advise_study(read, subject=subject, seed=seed)
    if out is not None:
        write_advice(advice, Path(out))
    frame = pd.DataFrame([vars(row) for row in advice.rows], columns=[field.name for field in fields(AdviceRow)])
    frame.attrs.update(summary=advice.summary, left_out=advice.left_out)
    return frame


def pretrain(
    recipe: Recipe | str | Path | None = None,
    *,
    out: str | Path,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    on_progress: Callable[[PretrainProgress], None] | None = None,
) -> Path:
    """Teach a network on virtual people; return the file of the prior, with its card beside it (``card.json``, ``card.md``, ``card.html``).

    ``recipe`` is the file of a recipe, or a Recipe, or None for the built-in one. People are made by ``workers`` processes that start
    Python anew: call this under ``if __name__ == "__main__":``. Raises InputError (recipe, folder), ResourceError (disk), ConvergenceError.
    """
    from profundus.io.recipe_file import read_recipe
    from profundus.pages.prior import write_prior_page
    from profundus.protocols.pretraining import pretrain as taught

    read = recipe if isinstance(recipe, Recipe) else read_recipe(None if recipe is None else Path(recipe))
    result = taught(read, Path(out), workers=workers, resume=resume, overwrite=overwrite, on_progress=on_progress)
    write_prior_page(result.path)
    return result.prior


def reconstruct(
    run: Run | str | Path,
    trial: Trial | str | Path,
    *,
    subject: str | None = None,
    data_root: str | Path | None = None,
) -> xr.Dataset:
    """Return what a fitted person's muscles did in a new trial. See `Run.reconstruct`; ``run`` may be the path of a run."""
    opened = run if isinstance(run, Run) else Run(Path(run))
    return opened.reconstruct(trial, subject=subject, data_root=data_root)


def _answer(rec: Reconstruction) -> xr.Dataset:
    """Return an answer under the names of the public contract; one trial alone has no axis for it, and its own time."""
    from profundus.io.archive import to_dataset

    whole = to_dataset(rec).rename(excitation_draws="draws", moment_model="moment")
    if len(rec.trials) > 1:
        return whole
    return whole.isel(trial=0).assign_coords(time=("time", rec.trials[0].trial.time, {"units": "s"}))


def _score_frame(card: Scorecard) -> pd.DataFrame:
    import pandas as pd

    columns = [field.name for field in fields(ScoreRow)]
    return pd.DataFrame([[getattr(row, column) for column in columns] for row in card.rows], columns=columns)
