"""A study from Python: read, fitted by one process or many, held against other methods, advised on."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from profundus.api.results import Comparison, Run
from profundus.records import Study

if TYPE_CHECKING:
    import pandas as pd

    from profundus.errors import Problem
    from profundus.protocols.cohort_progress import CohortProgress
    from profundus.protocols.fitting import FitProgress


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
