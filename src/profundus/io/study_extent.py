"""How little a study determines: warnings for what its recordings leave open."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from profundus.errors import Problem
from profundus.io.study_schema import StudyFile, SubjectSection
from profundus.io.study_text import StudyText
from profundus.records.anatomy import Anatomy


def left_open(study: StudyFile, anatomy: Anatomy, text: StudyText) -> Iterator[Problem]:
    """Yield a warning for each thing that the recordings of a study cannot determine."""
    yield from _amplitudes(study, text)
    yield from _electrodes(study, anatomy, text)
    for subject in study.subject:
        yield from _trials(subject, text)


def _amplitudes(study: StudyFile, text: StudyText) -> Iterator[Problem]:
    reasons = {
        "session_max": "without an MVC the envelopes are fractions of the session's maximum: strength and amplitude "
        "cannot be told apart, excitations are relative",
        "none": "envelopes are not normalized: excitations have no scale of their own",
    }
    if study.emg.normalization in reasons:
        at = ("emg", "normalization")
        yield text.problem("warning", reasons[study.emg.normalization], at, remedy="Record an MVC of each muscle")


def _electrodes(study: StudyFile, anatomy: Anatomy, text: StudyText) -> Iterator[Problem]:
    for group in filter(None, dict.fromkeys(anatomy.groups)):
        members = [muscle for muscle, its in zip(anatomy.muscles, anatomy.groups, strict=True) if its == group]
        members = [muscle for muscle in members if muscle not in study.study.ignored]
        columns = {study.emg.channels.get(muscle, muscle) for muscle in members if muscle in study.study.measured}
        if len(columns) < 2 <= len(members):
            number = "one electrode" if columns else "no electrode"
            what = f"{number} for {group} ({', '.join(members)}): how they share the load rests on the model alone"
            yield text.problem("warning", what, ("study", "measured"), remedy="Record another muscle of the group")


def _trials(subject: SubjectSection, text: StudyText) -> Iterator[Problem]:
    to_fit = [trial for trial in subject.trial if trial.role == "fit"]
    said = f"subject {subject.id}: "
    if not to_fit:
        return
    if len(subject.trial) <= 3:
        number = "one trial" if len(subject.trial) == 1 else f"{len(subject.trial)} trials"
        what = f"{said}{number} in all: most muscle parameters will stay at their prior"
        yield text.problem("warning", what, subject.at, remedy="Record more speeds, angles and loads")
    if all(trial.role == "fit" for trial in subject.trial):
        what = f"{said}no trial of role 'test': all scores are in-sample, they say nothing about new movements"
        yield text.problem("warning", what, subject.at, remedy='Set role = "test" for some trials')
    loads = np.array([trial.load_kg for trial in to_fit])
    if np.isnan(loads).all():
        what = f"{said}the load is unknown in every trial to fit to"
        yield text.problem("warning", what, subject.at, remedy="Give load_kg: it tells where strength was tested")
    elif len(to_fit) > 1 and len(np.unique(loads)) == 1:
        what = f"{said}all trials to fit to have a load of {loads[0]:g} kg: strength is tested at that load alone"
        yield text.problem("warning", what, subject.at, remedy="Record a second load")
