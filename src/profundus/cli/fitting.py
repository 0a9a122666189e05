"""`fit` and `demo`: a study becomes a run, a table of scores and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path

from profundus.cli.outcome import Outcome, Words, grouped_by_severity, printable, table
from profundus.cli.progress import shown_progress
from profundus.errors import Problem
from profundus.io.study_file import read_study
from profundus.pages.run import PAGE, write_page
from profundus.protocols.fitting import FitResult, fit_study
from profundus.records import Flag, Scorecard
from profundus.report import score_table
from profundus.report.scale import leading_error

DEMO = files("profundus") / "data" / "demo"
WARNINGS_SHOWN = 10
TITLES = {
    "rmse": "Scores, pooled over trials (RMSE: fraction of maximum; N.m for moments)",
    "rmse_scaled": "Scores, pooled over trials (RMSE after one factor a muscle: without normalization amplitudes mean nothing)",
}


def fitted(
    study_file: Path,
    out: Path,
    *,
    data_root: Path | None = None,
    seed: int = 0,
    resume: bool = False,
    overwrite: bool = False,
    subjects: Sequence[str] | None = None,
    quiet: bool = False,
) -> Outcome:
    """Return the outcome of a fit whose run directory and page have been written."""
    study = read_study(study_file, data_root=data_root)
    with shown_progress(quiet=quiet) as tell:
        result = fit_study(
            study,
            out,
            seed=seed,
            resume=resume,
            overwrite=overwrite,
            subjects=subjects,
            on_progress=tell,
            before_finish=write_page,
        )
    page = result.run.path / PAGE
    return Outcome(_facts(result, page), _words(result, page))


def demonstrated(out: Path, *, overwrite: bool = False, quiet: bool = False) -> Outcome:
    """Return the outcome of fitting the shipped virtual subject."""
    with as_file(DEMO) as folder:
        return fitted(folder / "study.toml", out, data_root=folder, overwrite=overwrite, quiet=quiet)


def score_words(scores: Scorecard, manifest: Mapping[str, object]) -> list[Words]:
    """Return the table of scores, or that there is nothing to score against; by what leads in the study of that ``manifest``."""
    by = leading_error(manifest)
    rows = score_table(scores, by=by)
    if not rows:
        return ["No truth and no moment in the trials: nothing to score."]
    return [
        table(rows, title=TITLES[by]),
        "A good moment fit does not prove the deep envelopes: see the page for what the data determine.",
    ]


def pooled(scores: Scorecard) -> list[dict[str, object]]:
    """Return the scores pooled over all trials of a role."""
    return [vars(row) for row in scores.rows if row.trial == "all"]


def flag_words(flags: Sequence[Flag]) -> list[str]:
    """Return what a reader must know before believing an answer."""
    said = (f"{flag.subject} {flag.muscle}".strip() + f": {flag.name.replace('_', ' ')}: {flag.why}" for flag in flags)
    return [f"Caution, {printable(' '.join(text.split()))}" for text in said]


def warning_words(warnings: Sequence[Problem]) -> list[str]:
    """Return the first warnings, and how many more there are (the page lists them all)."""
    return grouped_by_severity(warnings, at_most=WARNINGS_SHOWN)


def _facts(result: FitResult, page: Path) -> dict[str, object]:
    return {
        "run": result.run.path,
        "page": page,
        "subjects": [
            {
                "id": subject.id,
                "converged": subject.converged,
                "seconds": subject.seconds,
                "moment_r2": subject.moment_r2,
                "flags": [vars(flag) for flag in subject.flags],
            }
            for subject in result.subjects
        ],
        "scores": pooled(result.scores),
        "warnings": result.warnings,
        "seconds": result.seconds,
    }


def _words(result: FitResult, page: Path) -> list[Words]:
    flags = [flag for subject in result.subjects for flag in subject.flags]
    people = "1 subject" if len(result.subjects) == 1 else f"{len(result.subjects)} subjects"
    return [
        *score_words(result.scores, result.run.manifest),
        *flag_words(flags),
        *warning_words(result.warnings),
        f"\n{people} fitted in {result.seconds:.0f} s.",
        f"Results: {result.run.path}",
        f"Page:    {page}",
    ]
