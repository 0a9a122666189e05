"""The page of a run, from the run's folder alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from profundus.errors import FileFormatError, Problem
from profundus.fit.compiled import keep_compiled
from profundus.fit.saving import settings_from
from profundus.io.anatomy import read_anatomy
from profundus.io.anatomy_file import ANATOMY, read_anatomy_file
from profundus.io.run_directory import BEGUN_BY, MANIFEST, SCORES, SUBJECTS, RunDirectory
from profundus.io.store import write_whole
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.pages.cohort import cohort_page
from profundus.protocols.models import copy_of_nearest
from profundus.records import Anatomy, DecidedRow, Flag, Reconstruction, Scorecard, TradeOff, Trial
from profundus.report import PageContent, SubjectContent, TrainingCurve, build_page

PAGE = "report.html"
TITLE = "Deep-muscle envelopes"
APART = {"problems", "subjects", "finished", "failures"}
"""Parts of a manifest that are not provenance."""
MOST_PEOPLE = 20
"""People whose curves one page shows. With more it tells how scores spread over them, and a person's own page is made on demand."""


def write_page(run: RunDirectory, subject: str | None = None) -> Path:
    """Write ``report.html`` into a run's folder, or into that of one ``subject``, whole, and return its path.

    Raises as `page_of`, and ResourceError.
    """
    path = run.path / PAGE if subject is None else run.path / SUBJECTS / run.named(subject) / PAGE
    write_whole(path, page_of(run, subject))
    return path


def page_of(run: RunDirectory, subject: str | None = None) -> str:
    """Return the page of a run, or of one of its people, as HTML text: answers beside the nearest muscle's copy, and all that is known.

    Of more than 20 people it shows how scores spread over them. Raises InputError where no person's results are there, and FileFormatError
    where a file of the run is damaged.
    """
    manifest = run.manifest
    people = run.subjects if subject is None else (run.named(subject),)
    try:
        if len(people) > MOST_PEOPLE:
            return cohort_page(run, manifest)
        content = _content(run, manifest, people, run.scores(subject))
    except (KeyError, TypeError, AttributeError) as error:
        what = f"entries are missing or of another kind ({type(error).__name__}: {error})"
        remedy = "Fit again with this version"
        raise FileFormatError(Problem("error", what, file=str(run.path / MANIFEST), remedy=remedy)) from error
    return build_page(content)


def _content(run: RunDirectory, manifest: Mapping[str, Any], people: tuple[str, ...], scores: Scorecard) -> PageContent:
    anatomy = _anatomy(run, manifest["anatomy"])
    noted = {subject: run.facts(subject) for subject in people}
    return PageContent(
        title=TITLE,
        study=str(manifest["study"]),
        subjects=tuple(_subject(run, subject, noted[subject], anatomy) for subject in people),
        scorecard=scores,
        deep=tuple(manifest["deep"]),
        groups=dict(zip(anatomy.muscles, anatomy.groups, strict=True)),
        problems=_problems(manifest, noted, scored=(run.path / SCORES).is_file()),
        provenance={key: value for key, value in manifest.items() if key not in APART},
        settings=settings_from(manifest["settings"]),
    )


def _anatomy(run: RunDirectory, noted: Mapping[str, Any]) -> Anatomy:
    """Return the anatomy that the run keeps, or the shipped one, in the groups in which it was fitted."""
    kept = run.path / ANATOMY
    if kept.is_file():
        return replace(read_anatomy_file(kept), groups=tuple(noted["groups"]))
    shipped = read_anatomy(noted["name"])
    whole = read_anatomy(shipped.name, ignored=set(shipped.muscles) - set(noted["muscles"]))
    return replace(whole, groups=tuple(noted.get("groups", whole.groups)))


def _subject(run: RunDirectory, subject: str, noted: Mapping[str, Any], anatomy: Anatomy) -> SubjectContent:
    rec = run.reconstruction(subject, draws=False)
    processing = noted.get("processing", {})
    parts = tuple(
        replace(part, trial=replace(part.trial, processing=processing.get(part.trial.name, {}))) for part in rec.trials
    )
    flags = tuple(Flag(**flag) for flag in noted.get("flags", ()))
    return SubjectContent(
        replace(rec, trials=parts, flags=flags),
        others=_copies(tuple(part.trial for part in parts), anatomy),
        parameters=run.parameters(subject),
        training=_training(run, subject),
        quality=run.quality(subject),
        decided=tuple(DecidedRow(**row) for row in noted.get("decided", ())),
        trade_offs=tuple(TradeOff(**pair) for pair in noted.get("trade_offs", ())),
    )


def _copies(trials: tuple[Trial, ...], anatomy: Anatomy) -> tuple[Reconstruction, ...]:
    """Return the copy of the nearest muscle; none where no muscle has an electrode."""
    if not any(trial.measured.any() for trial in trials):
        return ()
    keep_compiled()
    model = MusculoskeletalModel(anatomy, coordinates=trials[0].coordinates)
    return (copy_of_nearest(trials, anatomy, model),)


def _training(run: RunDirectory, subject: str) -> tuple[TrainingCurve, ...]:
    """Return one curve a member of the ensemble; the history is (step, member, term)."""
    arrays, facts = run.network(subject)
    if "history" not in arrays:
        return ()  # nothing was trained on this person
    history, names = arrays["history"], facts["terms"]
    steps = range(1, len(history) + 1)
    return tuple(
        TrainingCurve(steps, {name: history[:, member, term].tolist() for term, name in enumerate(names)})
        for member in range(history.shape[1])
    )


def _problems(
    manifest: Mapping[str, Any], noted: Mapping[str, Mapping[str, Any]], *, scored: bool
) -> tuple[Problem, ...]:
    """Return what was said of the study and its people, once each, and that the run is not finished where nothing is scored yet."""
    said = [*manifest.get("problems", ()), *(problem for one in noted.values() for problem in one.get("problems", ()))]
    said += [problem for failure in manifest.get("failures", {}).values() for problem in failure["problems"]]
    listed = tuple(dict.fromkeys(Problem(**problem) for problem in said))
    if scored or manifest.get("finished"):
        return listed
    command = manifest.get(BEGUN_BY, "fit")
    unfinished = Problem("warning", "the run is not finished", remedy=f"The same `{command}` with --resume goes on")
    return (unfinished, *listed)
