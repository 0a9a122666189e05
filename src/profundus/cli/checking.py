"""`check`: what a study has, what is wrong with it, and how much its recordings determine."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from profundus.cli.outcome import Outcome, Words, grouped_by_severity, table
from profundus.errors import InputError, Problem
from profundus.io.anatomy import arm_sign
from profundus.io.muscle_table import is_muscle_table
from profundus.io.study_file import check_study
from profundus.io.study_model import outline_of
from profundus.model.settings import with_prior
from profundus.protocols.inverse_dynamics import with_moments
from profundus.protocols.prior_choice import prior_problems
from profundus.records import Anatomy, QualityRow, Study, Subject, Trial
from profundus.signal import assemble_trials, quality_problems, quality_table
from profundus.validate.false_strides import false_moment_problems

Facts = dict[str, object]


def checked(study_file: Path, *, data_root: Path | None = None) -> Outcome:
    """Return what is to be known of a study before it is fitted; exit code 2 where it has errors."""
    study, problems = check_study(study_file, data_root=data_root)
    if study is None:
        return _outcome({"study_file": study_file}, [], problems)
    anatomy, misfits = _anatomy(study)
    people, more = _people(study, anatomy)
    more += prior_problems(study, anatomy) if with_prior(study.fit) else ()
    facts = {
        "study_file": study_file,
        "study": study.name,
        "model": study.model,
        "coordinates": study.coordinates,
        "measured": study.measured,
        "deep": study.deep,
        "ignored": study.ignored,
        "normalization": study.emg.normalization,
        "groups": _groups(study, anatomy),
        "calibrations": [{**vars(one), "source": one.source} for one in study.calibrations],
        "subjects": [_subject_facts(name, trials) for name, trials in people.items()],
    }
    words: list[Words] = [
        f"{study.name}: {study.model}, moments of {', '.join(study.coordinates)}",
        f"EMG: {study.emg.kind}, normalization {study.emg.normalization}",
        table([_subject_row(name, trials) for name, trials in people.items()], title="Recordings"),
        table(_group_rows(study, anatomy), title="Electrodes"),
        *_calibration_words(study),
    ]
    return _outcome(facts, words, (*problems, *misfits, *more))


def _anatomy(study: Study) -> tuple[Anatomy, tuple[Problem, ...]]:
    """Return what is known of the muscles, and whether paths that come as tables cannot be followed; models are not opened for that."""
    if is_muscle_table(study.model_file):
        from profundus.protocols.models import anatomy_of  # brings JAX along, which no other study waits for

        try:
            return anatomy_of(study), ()
        except InputError as error:
            return outline_of(study), error.problems
    return outline_of(study), ()


def _outcome(facts: Facts, words: list[Words], problems: tuple[Problem, ...]) -> Outcome:
    listed = tuple(dict.fromkeys(problems))
    failed = any(problem.severity == "error" for problem in listed)
    verdict = "Not ready to be fitted: correct the errors above." if failed else "Ready to be fitted."
    said = [*words, *grouped_by_severity(listed), f"\n{verdict}"]
    return Outcome({**facts, "ready": not failed, "problems": listed}, said, 2 if failed else 0)


def _people(study: Study, anatomy: Anatomy) -> tuple[dict[str, tuple[Trial, ...]], list[Problem]]:
    """Return each person's trials on one clock, and what assembling and the quality checks found."""
    people: dict[str, tuple[Trial, ...]] = {}
    problems: list[Problem] = []
    for recorded in study.subjects:
        try:
            subject = with_moments(study, recorded)
            trials = assemble_trials(study, subject, anatomy.muscles)
        except InputError as error:
            problems += error.problems
            continue
        people[subject.id] = trials
        problems += [problem for trial in trials for problem in trial.problems]
        problems += [*_nothing_left(study, subject, trials), *false_moment_problems(trials)]
        problems += quality_problems(_quality(study, subject, anatomy, trials), subject.id)
    return people, problems


def _quality(study: Study, subject: Subject, anatomy: Anatomy, trials: tuple[Trial, ...]) -> tuple[QualityRow, ...]:
    """Return the checks that a fit makes, too; of a model that was not opened, those that need no paths."""
    if study.model_file and anatomy.paths:
        from profundus.protocols.recordings import quality_of  # brings JAX along

        return quality_of(study, subject, anatomy, trials)
    return quality_table(trials, subject, arm_sign=arm_sign(anatomy, study.coordinates))


def _nothing_left(study: Study, subject: Subject, trials: tuple[Trial, ...]) -> Iterator[Problem]:
    """Yield what filters and clocks left nothing of, though there was something in the files."""
    if not any(trial.role == "fit" and np.any(trial.moment_valid) for trial in trials):
        files = [r.moments.source for r in subject.recordings if r.role == "fit" and r.moments is not None]
        what = f"subject {subject.id}: no trial to fit to has a moment left on its clock"
        yield Problem("error", what, files[0] if files else "", remedy="Look for missing rows in the moments")
    for muscle in study.measured:
        if not any(trial.measured[trial.muscles.index(muscle)] for trial in trials):
            what = f"subject {subject.id}: {muscle} has no EMG left on the clock of any trial"
            remedy = "Move it from study.measured to study.deep, or look for missing rows"
            yield Problem("error", what, subject.recordings[0].emg.source, remedy=remedy)


def _subject_facts(name: str, trials: tuple[Trial, ...]) -> Facts:
    return {
        "id": name,
        "seconds": sum(_seconds(trial) for trial in trials),
        "loads_kg": _loads(trials),
        "trials": [
            {
                "name": trial.name,
                "role": trial.role,
                "load_kg": trial.load_kg,
                "seconds": _seconds(trial),
                "moment": bool(np.any(trial.moment_valid)),
                "truth": [m for m, known in zip(trial.muscles, np.isfinite(trial.truth).T, strict=True) if known.any()],
            }
            for trial in trials
        ],
    }


def _subject_row(name: str, trials: tuple[Trial, ...]) -> dict[str, str]:
    roles = [trial.role for trial in trials]
    angles = np.rad2deg(np.concatenate([trial.angle for trial in trials]))
    moments = np.concatenate([np.where(trial.moment_valid, trial.moment, np.nan) for trial in trials])
    return {
        "subject": name,
        "to fit": str(roles.count("fit")),
        "to test": str(roles.count("test")),
        "seconds": f"{sum(_seconds(trial) for trial in trials):.0f}",
        "loads [kg]": ", ".join(f"{load:g}" for load in _loads(trials)) or "unknown",
        "angle [deg]": _range(angles),
        "moment [N.m]": _range(moments),
        "with moment": str(sum(bool(np.any(trial.moment_valid)) for trial in trials)),
        "with truth": str(sum(bool(np.any(np.isfinite(trial.truth))) for trial in trials)),
    }


def _groups(study: Study, anatomy: Anatomy) -> dict[str, Facts]:
    """Return, by functional group, which muscles have an electrode, which are deep, and how many electrodes there are."""
    found: dict[str, Facts] = {}
    for group in dict.fromkeys(anatomy.groups):
        members = [muscle for muscle, its in zip(anatomy.muscles, anatomy.groups, strict=True) if its == group]
        measured = [muscle for muscle in members if muscle in study.measured]
        found[group] = {
            "measured": measured,
            "deep": [muscle for muscle in members if muscle in study.deep],
            "electrodes": len({study.emg.channels.get(muscle, muscle) for muscle in measured}),
        }
    return found


def _group_rows(study: Study, anatomy: Anatomy) -> list[dict[str, str]]:
    return [
        {"group": group}
        | {key: ", ".join(value) if isinstance(value, list) else str(value) for key, value in facts.items()}
        for group, facts in _groups(study, anatomy).items()
    ]


def _calibration_words(study: Study) -> list[Words]:
    rows = [
        {
            "muscle": one.muscle,
            "amplitude pinned by": one.source,
            "ratio": f"{one.ratio:g} +- {one.sd:g}" if one.kind == "ratio" else "-",
            "subject": one.subject or "all whom it fits",
        }
        for one in study.calibrations
    ]
    return [table(rows, title="Calibrations")] if rows else []


def _seconds(trial: Trial) -> float:
    return float(trial.time[-1] - trial.time[0])


def _loads(trials: tuple[Trial, ...]) -> list[float]:
    return sorted({trial.load_kg for trial in trials if math.isfinite(trial.load_kg)})


def _range(values: np.ndarray) -> str:
    known = values[np.isfinite(values)]
    return f"{known.min():.1f} to {known.max():.1f}" if len(known) else "-"
