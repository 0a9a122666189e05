"""`reconstruct`, `report` and `export`: what can be done with a run."""

from __future__ import annotations

from pathlib import Path

from profundus.cli.fitting import flag_words, pooled, score_words, warning_words
from profundus.cli.outcome import Outcome, Words
from profundus.io.comparison_directory import KIND, ComparisonDirectory
from profundus.io.run_directory import RunDirectory, read_run, refuse_kind
from profundus.pages.run import write_page
from profundus.protocols.exporting import Program, export_run
from profundus.protocols.reconstructing import reconstruct_trials


def reconstructed(
    run_path: Path,
    new_trials: Path,
    out: Path,
    *,
    subject: str | None = None,
    data_root: Path | None = None,
    overwrite: bool = False,
) -> Outcome:
    """Return the outcome of applying a fitted person to new trials; files and page have been written."""
    run = _fitted(run_path)
    result = reconstruct_trials(run, new_trials, out, subject=subject, data_root=data_root, overwrite=overwrite)
    page = write_page(read_run(result.out))
    rec = result.reconstruction
    facts = {
        "out": result.out,
        "page": page,
        "subject": rec.subject,
        "trials": [part.trial.name for part in rec.trials],
        "flags": [vars(flag) for flag in rec.flags],
        "scores": pooled(result.scores),
        "warnings": result.warnings,
        "seconds": result.seconds,
    }
    words: list[Words] = [
        *score_words(result.scores, run.manifest),
        *flag_words(rec.flags),
        *warning_words(result.warnings),
        f"\n{len(rec.trials)} {'trial' if len(rec.trials) == 1 else 'trials'} of {rec.subject} in {result.seconds:.0f} s.",
        f"Results: {result.out}",
        f"Page:    {page}",
    ]
    return Outcome(facts, words)


def reported(run_path: Path, *, subject: str | None = None) -> Outcome:
    """Return where the page of a run (or of one of its people), of a comparison or of a learned prior has been written."""
    from profundus.pages.prior import is_prior, write_prior_page  # brings all of pretraining along

    if subject is not None:
        page = write_page(_fitted(run_path), subject)
    else:
        page = write_prior_page(run_path) if is_prior(run_path) else _page_of_run(read_run(run_path))
    return Outcome({"page": page}, [f"Page: {page}"])


def _page_of_run(run: RunDirectory) -> Path:
    from profundus.pages.comparison import write_comparison_page

    return write_comparison_page(ComparisonDirectory(run)) if run.manifest.get("kind") == KIND else write_page(run)


CONTENTS = {
    "opensim": "<trial>_controls.sto, <trial>_states.sto, the muscles' parameters, and the model with them where there is one",
    "ceinms": "<trial>_excitations.sto",
}


def exported(
    run_path: Path, *, to: Program, out: Path | None = None, subject: str | None = None, model: Path | None = None
) -> Outcome:
    """Return which files have been written for another program, one folder a person."""
    run = _fitted(run_path)
    target = run.path / to if out is None else out
    result = export_run(run, target, to=to, model=model, subject=subject)
    count = sum(len(paths) for paths in result.files.values())
    return Outcome(
        {"out": target, "files": {name: list(paths) for name, paths in result.files.items()}, "notes": result.notes},
        [f"{count} files in {target}, one folder a subject: {CONTENTS[to]}", *map(str, result.notes)],
    )


def _fitted(run_path: Path) -> RunDirectory:
    """Return the run of a fit; a comparison has nobody's network and is refused."""
    run = read_run(run_path)
    refuse_kind(run.path, None)
    return run
