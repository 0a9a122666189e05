"""What a fit and a comparison have left in their folders, as tables and arrays; new trials of a fitted person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from profundus.records import Reconstruction, Scorecard, ScoreRow, Trial

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import ArrayLike

    from profundus.io.comparison_directory import ComparisonDirectory
    from profundus.io.run_directory import RunDirectory
    from profundus.stream.live import Answer


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
        load_kg: float | None = None,
    ) -> Iterator[Answer]:
        """Return, frame by frame, what a fitted person's muscles do now, from the past alone.

        A frame is time [s], envelopes (measured muscles, in the study's order and unit; NaN where one is missing) and angles [rad]
        (coordinates), at the rate of the run. An answer has ``time``, ``excitation``, ``lower``, ``upper`` (muscle) and ``flags``; frames
        that come twice or late are passed over. ``load_kg`` is None where unknown. Raises InputError where the run does not have the
        person, for a frame that has not one number a channel, and after 20 frames that come at another rate.
        """
        from profundus.protocols.streamed_person import streamed_person
        from profundus.stream.handed import handed, load_of
        from profundus.stream.live import LiveSubject

        person = streamed_person(self.path, subject)
        live = LiveSubject(person.student, load_kg=load_of(load_kg))
        return live.over(handed(frames, person.student, person.maximum))

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
