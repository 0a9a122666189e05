"""`reconstruct`, `report` and `export`: what can be done with a run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from profundus.cli.fitting import flag_words, pooled, score_words, warning_words
from profundus.cli.outcome import Outcome, Words
from profundus.io.comparison_directory import KIND, ComparisonDirectory
from profundus.io.export_opensim import export_opensim
from profundus.io.run_directory import RunDirectory, read_run, refuse_kind
from profundus.pages import is_prior, write_comparison_page, write_page, write_prior_page
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
        *score_words(result.scores),
        *flag_words(rec.flags),
        *warning_words(result.warnings),
        f"\n{len(rec.trials)} {'trial' if len(rec.trials) == 1 else 'trials'} of {rec.subject} in {result.seconds:.0f} s.",
        f"Results: {result.out}",
        f"Page:    {page}",
    ]
    return Outcome(facts, words)


def reported(run_path: Path) -> Outcome:
    """Return where the page of a run, of a comparison or of a learned prior has been written."""
    page = write_prior_page(run_path) if is_prior(run_path) else _page_of_run(read_run(run_path))
    return Outcome({"page": page}, [f"Page: {page}"])


def _page_of_run(run: RunDirectory) -> Path:
    return write_comparison_page(ComparisonDirectory(run)) if run.manifest.get("kind") == KIND else write_page(run)


def exported(run_path: Path, *, to: Literal["opensim"], out: Path | None = None, subject: str | None = None) -> Outcome:
    """Return which files have been written for another program, one folder a person."""
    run = _fitted(run_path)
    target = run.path / to if out is None else out
    fixed = _fixed(run)
    people = run.subjects if subject is None and run.subjects else (run.named(subject),)
    written = {person: export_opensim(run.reconstruction(person), target / person, fixed=fixed) for person in people}
    count = sum(len(paths) for paths in written.values())
    return Outcome(
        {"out": target, "files": {person: list(paths) for person, paths in written.items()}},
        [f"{count} files in {target}, one folder a subject: <trial>_controls.sto and <trial>_states.sto"],
    )


def _fitted(run_path: Path) -> RunDirectory:
    """Return the run of a fit; a comparison has nobody's network and is refused."""
    run = read_run(run_path)
    refuse_kind(run.path, None)
    return run


def _fixed(run: RunDirectory) -> dict[str, float]:
    """Return the coordinates that did not move [rad], as the run's manifest has them."""
    manifest = run.manifest
    moving = manifest.get("coordinates", ())
    return {name: float(angle) for name, angle in manifest.get("fixed", {}).items() if name not in moving}
