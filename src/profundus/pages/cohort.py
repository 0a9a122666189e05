"""The page of a run with many people, read from the run's folder one person at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from profundus.errors import Problem
from profundus.io.run_directory import RunDirectory
from profundus.protocols.fitting_person import flags_in
from profundus.report.cohort import build_cohort
from profundus.report.cohort_content import CohortContent, person_line
from profundus.report.scale import leading_error

TITLE = "Deep-muscle envelopes of a cohort"
LEFT_OUT = {"problems", "subjects", "finished", "digests", "failures"}
"""What a manifest has of each person: too long for a page."""


def cohort_page(run: RunDirectory, manifest: Mapping[str, Any]) -> str:
    """Return the page of a cohort as HTML text; it holds numbers of each person, never two people's answers at once."""
    anatomy = manifest["anatomy"]
    content = CohortContent(
        title=TITLE,
        study=str(manifest["study"]),
        deep=tuple(manifest["deep"]),
        groups=dict(zip(anatomy["muscles"], anatomy["groups"], strict=True)),
        error=leading_error(manifest),
        provenance={key: value for key, value in manifest.items() if key not in LEFT_OUT},
        failures={name: _reason(failure) for name, failure in manifest.get("failures", {}).items()},
    )
    for subject in run.subjects:
        facts = run.facts(subject)
        converged = bool(facts.get("converged", True))
        card = run.scores(subject)
        method = next((row.method for row in card.rows if row.method.startswith("nmm")), "nmm")
        line = person_line(card, subject, deep=content.deep, method=method, error=content.error, converged=converged)
        content.lines.append(line)
        content.add_flags(subject, flags_in(facts))
        for problem in facts.get("problems", ()):
            content.add_problem(subject, Problem(**problem))
    return build_cohort(content)


def _reason(failure: Mapping[str, Any]) -> tuple[str, str]:
    """Return the kind of a failure and the first of its problems in words."""
    problems = [str(Problem(**problem)) for problem in failure["problems"]]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return str(failure["reason"]), (problems[0] if problems else "") + more
