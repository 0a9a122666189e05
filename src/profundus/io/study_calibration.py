"""What a study file says about the amplitude of deep muscles: what it must name, and what contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from profundus.errors import Problem
from profundus.io.study_names import nearest_name
from profundus.io.study_schema import CalibrationSection, StudyFile, SubjectSection, TrialSection
from profundus.io.study_text import StudyText
from profundus.records.calibration import Calibration

NEEDED = {"trial": ("trial",), "dominant": ("trial",), "ratio": ("ratio", "sd", "to")}
KEYS = ("trial", "ratio", "sd", "to")
WITHOUT_PRIOR = ("no_pretraining", "network_only")


def calibrations_of(study: StudyFile) -> tuple[Calibration, ...]:
    """Return the calibrations of a study."""
    nan = float("nan")
    return tuple(
        Calibration(
            pin.muscle,
            pin.kind,
            trial=pin.trial or "",
            ratio=nan if pin.ratio is None else pin.ratio,
            sd=nan if pin.sd is None else pin.sd,
            to=pin.to or "",
            subject=pin.subject or "",
        )
        for pin in study.calibration
    )


def wired_muscles(study: StudyFile, *, subject: str | None = None, trial: str | None = None) -> tuple[str, ...]:
    """Return the deep muscles whose envelope calibrations expect in a subject's trial (None: in any)."""
    found = [
        pin.muscle
        for pin in study.calibration
        if pin.kind == "trial" and (trial is None or pin.trial == trial) and (subject is None or _holds(pin, subject))
    ]
    return tuple(dict.fromkeys(name for name in found if name in study.study.deep))


def calibrations_agree(study: StudyFile, text: StudyText) -> Iterator[Problem]:
    """Yield calibrations of muscles, trials and people that there are not, and those that say too little or too much."""
    for pin in study.calibration:
        yield from _keys(pin, text)
        if pin.muscle not in study.study.deep:
            known = nearest_name(pin.muscle, study.study.deep)
            remedy = "It has an electrode: its amplitude is measured" if pin.muscle in study.study.measured else known
            yield text.problem("error", f"there is no deep muscle {pin.muscle}", (*pin.at, "muscle"), remedy=remedy)
        people = [subject for subject in study.subject if _holds(pin, subject.id)]
        if pin.subject is not None and not people:
            remedy = nearest_name(pin.subject, [subject.id for subject in study.subject])
            what = f"[[calibration]] names subject {pin.subject}, whom there is not"
            yield text.problem("error", what, (*pin.at, "subject"), remedy=remedy)
        elif pin.kind == "ratio":
            yield from _ratio(pin, study, text)
        elif pin.trial is not None:
            yield from _trial(pin, people, text)
    if study.calibration and (study.fit.paper or study.fit.ablation in WITHOUT_PRIOR):
        what = "[[calibration]] is not used: networks that are trained on the person alone have no level to calibrate"
        yield text.problem("warning", what, study.calibration[0].at, remedy="Leave out [fit] paper and ablation")


def _holds(pin: CalibrationSection, subject: str) -> bool:
    return pin.subject in (None, subject)


def _keys(pin: CalibrationSection, text: StudyText) -> Iterator[Problem]:
    needed = NEEDED[pin.kind]
    for key in KEYS:
        there = getattr(pin, key) is not None
        if key in needed and not there:
            what = f"[[calibration]] of {pin.muscle}: kind = '{pin.kind}' needs '{key}'"
            yield text.problem("error", what, pin.at, expected=", ".join(needed), remedy="Add it")
        elif there and key not in needed:
            what = f"[[calibration]] of {pin.muscle}: kind = '{pin.kind}' has no '{key}'"
            yield text.problem("error", what, (*pin.at, key), expected=", ".join(needed), remedy="Leave it out")


def _ratio(pin: CalibrationSection, study: StudyFile, text: StudyText) -> Iterator[Problem]:
    for key, value in (("ratio", pin.ratio), ("sd", pin.sd)):
        if value is not None and not (isfinite(value) and value > 0.0):
            yield text.problem("error", f"calibration.{key} is {value:g}", (*pin.at, key), expected="above zero")
    if pin.to is not None and pin.to not in study.study.measured:
        remedy = nearest_name(pin.to, study.study.measured)
        yield text.problem("error", f"there is no measured muscle {pin.to}", (*pin.at, "to"), remedy=remedy)


def _trial(pin: CalibrationSection, people: list[SubjectSection], text: StudyText) -> Iterator[Problem]:
    there: list[TrialSection] = [trial for subject in people for trial in subject.trial if trial.name == pin.trial]
    if not there:
        remedy = nearest_name(pin.trial or "", [trial.name for subject in people for trial in subject.trial])
        what = f"[[calibration]] names trial {pin.trial}, which there is not"
        yield text.problem("error", what, (*pin.at, "trial"), remedy=remedy)
    elif any(trial.role == "test" for trial in there):
        what = f"trial {pin.trial} calibrates {pin.muscle}, and is there to test on"
        yield text.problem("error", what, (*pin.at, "trial"), remedy='Give it role = "fit", or take another trial')
