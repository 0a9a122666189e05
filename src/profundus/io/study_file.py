"""Read a study: its file is checked, its recordings are read, and every problem is told at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from profundus.errors import InputError, Problem, StudyError
from profundus.io.study_calibration import calibrations_of, wired_muscles
from profundus.io.study_checks import (
    people_agree,
    settings_agree,
    trials_agree,
)
from profundus.io.study_content import nothing_to_learn
from profundus.io.study_dynamics import dynamics_agree
from profundus.io.study_extent import left_open
from profundus.io.study_geometry import geometry_agrees
from profundus.io.study_model import StudyModel, study_model
from profundus.io.study_path_tables import PathTables
from profundus.io.study_paths import StudyData, data_folder
from profundus.io.study_recording import RecordingReader
from profundus.io.study_schema import NewTrialsFile, StudyFile, TrialSection
from profundus.io.study_text import Location, StudyText, parse_study_text, read_study_text
from profundus.io.study_validation import validate
from profundus.records.anatomy import Anatomy
from profundus.records.recording import Exclusion, Recording, Subject
from profundus.records.study import Study

PLACES = ("kinematics", "emg", "moments", "truth")


def read_study(path: str | Path, *, data_root: Path | None = None) -> Study:
    """Return the study of a file, with all its recordings in SI units.

    Relative paths start at ``data_root``, or PROFUNDUS_DATA, or ``study.data_root``, or the file's folder. Warnings stand in
    ``Study.problems``. Raises ``StudyError`` with all errors of the file and of the files that it names.
    """
    study, problems = check_study(path, data_root=data_root)
    if study is None:
        raise StudyError(errors_among(problems))
    return study


def check_study(path: str | Path, *, data_root: Path | None = None) -> tuple[Study | None, tuple[Problem, ...]]:
    """Return the study of a file (None where it has errors) and all problems of it and of the files that it names.

    Notes (what is worth knowing, but not wrong) stand with the recordings alone.
    """
    try:
        text = read_study_text(Path(path))
    except InputError as error:
        return None, error.problems
    file, problems, aside = validate(StudyFile, text)
    if file is None:
        return None, tuple(problems)
    root = data_folder(text, asked=data_root, named=file.study.data_root)
    data = None if isinstance(root, Problem) else StudyData(text, root, times_named(file), incomplete=bool(aside))
    model, more = model_of_file(file, text, aside, data)
    file, anatomy = model.file, model.anatomy
    problems += [*more, *people_agree(file, text, aside)]
    if data is None or isinstance(root, Problem):
        return None, (*problems, *([root] if isinstance(root, Problem) else []))
    subjects = read_subjects(file, anatomy, data)
    problems += [problem for problem in data.problems if problem.severity != "note"]
    if not errors_among(problems):  # else an error that was told may be the cause
        problems += nothing_to_learn(subjects, file.study.measured, emg_late=file.emg.sync_offset_ms / 1000.0)
    if anatomy is None or errors_among(problems):
        return None, tuple(problems)
    problems += left_open(file, anatomy, text)
    said = tuple(problems)
    return replace(
        study_of(model, anatomy, subjects), source=text.file, digests=data.digests, problems=said, data_root=str(root)
    ), said


def read_new_trials(
    path: str | Path, study_toml: str | Path, *, data_root: Path | None = None
) -> tuple[Recording, ...]:
    """Return the recordings of a file of [[trial]] tables, read as the study's own trials were.

    ``study_toml`` is the study's text, or its path: columns, signs and units are taken from there, its recordings are not read. The keys of
    a [[trial]] are those of [[subject.trial]]; ``role`` defaults to "test". Relative paths start at ``data_root``, or PROFUNDUS_DATA, or
    the file's ``data_root``, or its folder. Raises ``StudyError`` with all errors.
    """
    text = read_study_text(Path(path))
    known = read_study_text(study_toml) if isinstance(study_toml, Path) else parse_study_text(study_toml, file="study")
    study, problems, aside = validate(StudyFile, known)
    file, more, lost = validate(NewTrialsFile, text)
    problems += more
    if study is None or file is None:
        raise StudyError(problems)
    model, more = model_of_file(study, known, aside, None)
    study, anatomy = model.file, model.anatomy
    problems += [*more, *trials_agree(file.trial, "", text)]
    root = data_folder(text, asked=data_root, named=file.data_root)
    if anatomy is None or isinstance(root, Problem):
        raise StudyError(errors_among([*problems, *([root] if isinstance(root, Problem) else [])]))
    data = StudyData(text, root, Counter(path for trial in file.trial for path, _ in _paths(trial)), bool(lost))
    reader = RecordingReader(study, anatomy, data)
    recordings = [recording for trial in file.trial if (recording := reader.recording(trial)) is not None]
    if errors := errors_among([*problems, *data.problems]):
        raise StudyError(errors)
    return tuple(recordings)


def read_settings(study_toml: str | Path) -> Study:
    """Return what a study's text (or its file) asks for, without people: none of its recordings is read. Raises ``StudyError``."""
    known = read_study_text(study_toml) if isinstance(study_toml, Path) else parse_study_text(study_toml, file="study")
    file, problems, aside = validate(StudyFile, known)
    if file is None:
        raise StudyError(problems)
    model, more = model_of_file(file, known, aside, None)
    if model.anatomy is None or errors_among([*problems, *more]):
        raise StudyError(errors_among([*problems, *more]))
    return replace(study_of(model, model.anatomy, ()), source=known.file)


def errors_among(problems: Iterable[Problem]) -> list[Problem]:
    """Return the errors."""
    return [problem for problem in problems if problem.severity == "error"]


def model_of_file(
    file: StudyFile, text: StudyText, aside: frozenset[str], data: StudyData | None
) -> tuple[StudyModel, list[Problem]]:
    """Return the model, its anatomy where it can be had, and what does not agree with it or cannot be done."""
    problems = [*geometry_agrees(file, text), *settings_agree(file, text), *dynamics_agree(file, text)]
    model, more = study_model(file, text, aside, data)
    return model, [*problems, *more]


def _paths(trial: TrialSection) -> list[tuple[str, Location]]:
    """Return the files that a trial names, and where."""
    named = [(getattr(trial, place), (*trial.at, place)) for place in PLACES]
    return [(path, at) for path, at in named if path is not None]


def _all_paths(file: StudyFile) -> list[tuple[str, Location]]:
    maxima: list[tuple[str, Location]] = [(path, ("emg", "mvc")) for path in file.emg.mvc]
    maxima += [(path, (*subject.at, "mvc")) for subject in file.subject for path in subject.mvc]
    return maxima + [path for subject in file.subject for trial in subject.trial for path in _paths(trial)]


def times_named(file: StudyFile) -> Counter[str]:
    """Return how often each file will be asked for: the MVC recordings of the study once a subject."""
    uses = Counter(path for path, _ in _all_paths(file))
    uses.update(path for path in file.emg.mvc for _ in file.subject[1:])
    return uses


def read_subjects(file: StudyFile, anatomy: Anatomy | None, data: StudyData) -> tuple[Subject, ...]:
    """Return the people with what could be read of them; without a model, only look whether the files can be read."""
    if anatomy is None:
        for path, at in _all_paths(file):
            data.table(path, at)
        return ()
    joints = {joint.name for joint in anatomy.coordinates}
    coordinates = tuple(name for name in file.study.coordinates if name in joints)
    moving = tuple(name for name in file.kinematics.moving if name in joints)
    known = {
        "study": file.study.model_copy(update={"coordinates": coordinates}),
        "kinematics": file.kinematics.model_copy(update={"moving": moving}),
    }
    reader = RecordingReader(file.model_copy(update=known), anatomy, data)
    used = {*file.study.measured, *file.study.deep}
    paths = PathTables(file, tuple(muscle for muscle in anatomy.muscles if muscle in used), data)
    subjects = []
    for subject in file.subject:
        recordings = [
            paths.added(
                reader.recording(
                    trial,
                    _exclusions(file, subject.id, trial),
                    wired_muscles(file, subject=subject.id, trial=trial.name),
                ),
                trial,
                subject.id,
            )
            for trial in subject.trial
        ]
        read = tuple(recording for recording in recordings if recording is not None)
        subjects.append(Subject(subject.id, read, mass_kg=subject.mass_kg, mvc=reader.maxima(subject)))
    return tuple(subjects)


def _exclusions(file: StudyFile, subject: str, trial: TrialSection) -> tuple[Exclusion, ...]:
    return tuple(
        Exclusion(item.trial, item.time, item.what, item.why, item.muscles)
        for item in file.exclude
        if item.trial == trial.name and item.subject in {None, subject}
    )


def study_of(model: StudyModel, anatomy: Anatomy, subjects: tuple[Subject, ...]) -> Study:
    """Return what a file asks for, with these people."""
    file, section = model.file, model.file.study
    moved = (*section.coordinates, *file.kinematics.moving)
    held = {joint.name: joint.default for joint in anatomy.coordinates if joint.name not in moved}
    return Study(
        name=section.name,
        model=section.model,
        coordinates=section.coordinates,
        measured=section.measured,
        deep=section.deep,
        emg=file.emg.settings,
        subjects=subjects,
        ignored=section.ignored,
        fixed=held | file.kinematics.fixed,
        rate_hz=section.rate_hz,
        moment_low_pass_hz=file.moments.low_pass_hz,
        kinematics_low_pass_hz=file.kinematics.low_pass_hz,
        fit=file.fit,
        calibrations=calibrations_of(file),
        moving=file.kinematics.moving,
        groups={muscle: group for group, muscles in file.groups.items() for muscle in muscles},
        allow_mm=file.geometry.allow_mm if file.geometry is not None else 1.0,
        model_file=model.place,
        moment_sd=file.moments.sd,
    )
