"""The page and the figures of a comparison, from its folder alone."""

from __future__ import annotations

from pathlib import Path

from profundus.errors import FileFormatError, Problem
from profundus.io.comparison_directory import ComparisonDirectory
from profundus.io.run_directory import MANIFEST
from profundus.io.store import write_whole
from profundus.pages.run import PAGE
from profundus.report import ComparisonContent, SubjectAnswers, build_comparison, paper_figures
from profundus.report.comparison_content import CEILING

HIDDEN = "Hidden muscles: every method against the muscle's own EMG"
DEEP = "Every method for missing muscles, on the same trials"


def write_comparison_page(folder: ComparisonDirectory) -> Path:
    """Write ``report.html`` and the figures of a comparison, each whole, and return the page's path.

    Raises FileFormatError where a file of the comparison is damaged, and ResourceError.
    """
    try:
        content = comparison_content(folder)
    except (KeyError, TypeError, AttributeError) as error:
        what = f"entries are missing or of another kind ({type(error).__name__}: {error})"
        remedy = "Compare again with this version"
        raise FileFormatError(Problem("error", what, file=str(folder.path / MANIFEST), remedy=remedy)) from error
    folder.write_figures(paper_figures(content))
    page = folder.path / PAGE
    write_whole(page, build_comparison(content))
    return page


def comparison_content(folder: ComparisonDirectory) -> ComparisonContent:
    """Return everything that a comparison's page shows."""
    manifest = folder.manifest
    noted = folder.noted
    facts = [(subject, method, fact) for subject, methods in noted.items() for method, fact in methods.items()]
    hidden = tuple(manifest["hidden"])
    anatomy = manifest["anatomy"]
    return ComparisonContent(
        title=HIDDEN if hidden else DEEP,
        study=str(manifest["study"]),
        methods=tuple(method for method in manifest["methods"] if method != CEILING),
        subjects=tuple(SubjectAnswers(subject, folder.answers(subject)) for subject in noted),
        scorecard=folder.scores,
        deep=tuple(manifest["deep"]),
        groups=dict(zip(anatomy["muscles"], anatomy["groups"], strict=True)),
        seconds={(method, subject): float(fact["seconds"]) for subject, method, fact in facts if "seconds" in fact},
        failures=tuple(
            (method, subject, str(fact["failure"])) for subject, method, fact in facts if fact.get("failure")
        ),
        hidden=hidden,
        problems=tuple(Problem(**problem) for problem in manifest.get("said", manifest["problems"])),
        provenance={
            key: value for key, value in manifest.items() if key not in {"problems", "said", "answers", "finished"}
        },
    )
