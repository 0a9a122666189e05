"""What must agree within a study file: muscles with the model, names with each other, settings among themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from posixpath import normpath

from profundus.errors import Problem, Severity
from profundus.io.study_calibration import calibrations_agree, wired_muscles
from profundus.io.study_names import nearest_name
from profundus.io.study_schema import ExcludeSection, StudyFile, TrialSection
from profundus.io.study_text import NO_FILE, Location, StudyText
from profundus.records.anatomy import Anatomy

MANY = 12
"""Muscles that are listed one by one where they were forgotten."""


def trials_agree(trials: Iterable[TrialSection], of: str, text: StudyText) -> Iterator[Problem]:
    """Yield trials of one person that have the same name, or that ask for what cannot be done yet."""
    trials = list(trials)
    yield from _same_file_name([(trial.name, (*trial.at, "name")) for trial in trials], f"{of}trial", text)
    for trial in trials:
        if trial.inverse_dynamics is not None and trial.moments is not None:
            what = f"trial {trial.name} has moments and asks for inverse dynamics, too"
            yield text.problem("error", what, (*trial.at, "inverse_dynamics"), remedy="Leave one of them out")
        if trial.external_loads is not None and trial.inverse_dynamics is None:
            what = f"trial {trial.name}: external_loads are not used without inverse_dynamics"
            remedy = 'Set inverse_dynamics = "opensim", or leave them out'
            yield text.problem("error", what, (*trial.at, "external_loads"), remedy=remedy)
        if trial.truth is not None and normpath(trial.truth) == normpath(trial.emg) != NO_FILE:
            what = f"trial {trial.name}: truth and emg are the same file: scores of measured muscles mean nothing"
            remedy = "Name a file with other recordings under truth, or leave truth out"
            yield text.problem("warning", what, (*trial.at, "truth"), remedy=remedy)


def muscles_agree(study: StudyFile, anatomy: Anatomy, text: StudyText, aside: frozenset[str]) -> Iterator[Problem]:
    """Yield where the lists of muscles and coordinates do not fit the model or each other."""
    section = study.study
    lists = {"measured": section.measured, "deep": section.deep, "ignored": section.ignored}
    joints = [joint.name for joint in anatomy.coordinates]
    for key, names in lists.items():
        yield from _unknown(names, anatomy.muscles, "muscle", ("study", key), text)
        yield from _twice(names, f"study.{key}", ("study", key), text)
    yield from _unknown(section.coordinates, joints, "coordinate", ("study", "coordinates"), text)
    yield from _twice(section.coordinates, "study.coordinates", ("study", "coordinates"), text)
    moving = study.kinematics.moving
    yield from _unknown(moving, joints, "coordinate", ("kinematics", "moving"), text)
    yield from _twice((*section.coordinates, *moving), "study.coordinates + moving", ("kinematics", "moving"), text)
    for name in anatomy.muscles:
        places = [key for key, names in lists.items() if name in names]
        if len(places) > 1:
            what = f"muscle {name} is named in {' and in '.join(places)}"
            yield text.problem("error", what, ("study", places[1]), remedy="Name it once")
    for key in ("coordinates", "measured", "deep"):
        if not getattr(section, key) and f"study.{key}" not in aside:
            yield text.problem("error", f"study.{key} is empty", ("study", key), expected="at least one name")
    forgotten = set(anatomy.muscles) - {name for names in lists.values() for name in names}
    if forgotten and not aside & {"study", "study.measured", "study.deep", "study.ignored"}:
        what = f"neither measured nor deep nor ignored: {_listed(forgotten)}"
        remedy = "Name each under study.measured, study.deep or study.ignored"
        if len(forgotten) > MANY:
            remedy += f", or several with a pattern: ignored = [{_pattern(forgotten, anatomy.muscles)}]"
        yield text.problem("error", what, ("study",), expected=f"all muscles of {anatomy.name}", remedy=remedy)


def columns_agree(study: StudyFile, anatomy: Anatomy, text: StudyText) -> Iterator[Problem]:
    """Yield where a map of columns, or a value at which a joint is held, names something that the model has not."""
    joints = {joint.name: joint for joint in anatomy.coordinates}
    for key in study.emg.channels:
        at: Location = ("emg", "channels", key)
        yield from _unknown([key], anatomy.muscles, "muscle", at, text)
        if key in anatomy.muscles and key not in study.study.measured and key not in wired_muscles(study):
            what = f"the channel of {key} is not used: it is not among study.measured"
            yield text.problem("warning", what, at, remedy="Known deep envelopes stand in a trial's truth")
    maps: dict[Location, Iterable[str]] = {
        ("kinematics", "columns"): study.kinematics.columns,
        ("kinematics", "velocity_columns"): study.kinematics.velocity_columns,
        ("kinematics", "fixed"): study.kinematics.fixed,
        ("moments", "columns"): study.moments.columns,
        ("moments", "sign"): study.moments.sign,
        ("moments", "sd"): study.moments.sd,
    }
    for at, names in maps.items():
        for name in names:
            yield from _unknown([name], joints, "coordinate", (*at, name), text)
    for name, value in study.kinematics.fixed.items():
        at = ("kinematics", "fixed", name)
        if name in (*study.study.coordinates, *study.kinematics.moving):
            where = "study.coordinates" if name in study.study.coordinates else "kinematics.moving"
            what = f"{name} is held still (kinematics.fixed), but it is among {where}"
            yield text.problem("error", what, at, remedy="Name it in one of them")
        elif name in joints and not joints[name].low - 0.1 <= value <= joints[name].high + 0.1:
            expected = f"{joints[name].low:.3g} to {joints[name].high:.3g} rad"
            what = f"kinematics.fixed.{name} is {value:g} rad"
            yield text.problem("error", what, at, expected=expected, remedy="Was it given in degrees?")


def settings_agree(study: StudyFile, text: StudyText) -> Iterator[Problem]:
    """Yield settings of [emg] and [fit] that exclude each other."""
    emg = study.emg
    low, high = emg.band_pass_hz
    if not 0 < low < high:
        what = f"emg.band_pass_hz is [{low:g}, {high:g}]"
        yield text.problem("error", what, ("emg", "band_pass_hz"), expected="[low, high], both above zero")
    if emg.delay_prior_ms[1] <= 0:
        what = f"emg.delay_prior_ms has a standard deviation of {emg.delay_prior_ms[1]:g} ms"
        yield text.problem("error", what, ("emg", "delay_prior_ms"), expected="[mean, sd] with sd above zero")
    without = [subject.id for subject in study.subject if not (emg.mvc or subject.mvc)]
    if emg.kind == "raw" and emg.normalization == "mvc" and without:
        what = f"raw EMG is to be normalized by MVC, but there are no MVC recordings of {', '.join(without[:5])}"
        remedy = 'Name them under emg.mvc or the subject\'s mvc, or set normalization = "session_max"'
        yield text.problem("error", what, ("emg", "normalization"), remedy=remedy)
    used = emg.kind == "raw" and emg.normalization == "mvc"
    if not used and (emg.mvc or any(subject.mvc for subject in study.subject)):
        what = f"MVC recordings are not used with kind = '{emg.kind}' and normalization = '{emg.normalization}'"
        yield text.problem("warning", what, ("emg", "mvc"), remedy='Set kind = "raw" and normalization = "mvc"')
    network = study.fit.network
    if network.width % network.heads:
        what = f"fit.network.width {network.width} cannot be shared by {network.heads} heads"
        yield text.problem("error", what, ("fit", "network", "width"), expected="a multiple of fit.network.heads")


def people_agree(study: StudyFile, text: StudyText, aside: frozenset[str]) -> Iterator[Problem]:
    """Yield missing or doubled subjects and trials, and exclusions and calibrations that lead nowhere."""
    lost = aside & {"subject", "subject.trial", "subject.trial.name"}
    if not study.subject and "subject" not in aside:
        yield text.problem("error", "there is no [[subject]]", remedy="Add one with its [[subject.trial]]")
    yield from _same_file_name([(subject.id, (*subject.at, "id")) for subject in study.subject], "subject", text)
    for subject in study.subject:
        yield from trials_agree(subject.trial, f"subject {subject.id}: ", text)
        to_fit = [trial for trial in subject.trial if trial.role == "fit"]
        if not to_fit and not lost:
            what = f"subject {subject.id} has no trial of role 'fit'"
            yield text.problem("error", what, subject.at, remedy='Set role = "fit" for the trials to learn from')
        for trial in to_fit:
            if trial.moments is None and trial.inverse_dynamics is None:
                all_without = all(other.moments is None and other.inverse_dynamics is None for other in to_fit)
                what = f"trial {trial.name} has no moments: it can be reconstructed, but not fitted to"
                severity: Severity = "error" if all_without else "warning"
                yield text.problem(severity, what, trial.at, remedy='Name its file under moments, or set role = "test"')
    names = [trial.name for subject in study.subject for trial in subject.trial]
    for item in study.exclude:
        of = [s.id for s in study.subject if item.subject in {None, s.id} and item.trial in {t.name for t in s.trial}]
        if not of and not lost:
            what, remedy = f"[[exclude]] names trial {item.trial}, which there is not", nearest_name(item.trial, names)
            yield text.problem("error", what, (*item.at, "trial"), remedy=remedy)
        elif len(of) > 1:
            what = f"[[exclude]] of trial {item.trial} holds for {len(of)} subjects"
            yield text.problem("warning", what, item.at, remedy='Name the one that is meant: subject = "..."')
        yield from _excluded_muscles(study, item, text)
    if not lost:
        yield from calibrations_agree(study, text)


def _excluded_muscles(study: StudyFile, item: ExcludeSection, text: StudyText) -> Iterator[Problem]:
    """Yield muscles of an exclusion that have no electrode, or that stand where all muscles are meant anyway."""
    at = (*item.at, "muscles")
    yield from _unknown(item.muscles, study.study.measured, "measured muscle", at, text)
    yield from _twice(item.muscles, "muscles", at, text)
    if item.muscles and item.what != "emg":
        what = f'muscles are named where what = "{item.what}" is excluded'
        yield text.problem("error", what, at, expected='what = "emg"', remedy="Leave muscles out, or set what")


def _unknown(names: Iterable[str], known: Iterable[str], kind: str, at: Location, text: StudyText) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            yield text.problem("error", f"there is no {kind} {name}", at, remedy=nearest_name(name, known))


def _twice(names: tuple[str, ...], where: str, at: Location, text: StudyText) -> Iterator[Problem]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield text.problem("error", f"{where} names {name} twice", at, remedy="Name it once")


def _listed(names: Iterable[str]) -> str:
    known = sorted(names)
    return ", ".join(known[:MANY]) + (f" and {len(known) - MANY} more ({len(known)} muscles)" if known[MANY:] else "")


def _pattern(forgotten: Iterable[str], muscles: Iterable[str]) -> str:
    """Return the side's ending that most of the forgotten muscles have and no other muscle, as a pattern, and one for all others."""
    endings = Counter(name[name.rfind("_") :] for name in forgotten if "_" in name)
    others = set(muscles) - set(forgotten)
    own = [ending for ending, _ in endings.most_common() if not any(name.endswith(ending) for name in others)]
    return ", ".join(f'"*{ending}"' for ending in own[:1]) or '"*"'


def _same_file_name(names: list[tuple[str, Location]], kind: str, text: StudyText) -> Iterator[Problem]:
    """Yield names that come twice; case does not tell them apart, as it does not in every file system."""
    seen: dict[str, str] = {}
    for name, at in names:
        if (folded := name.casefold()) in seen:
            other = "" if seen[folded] == name else f" (as {seen[folded]})"
            yield text.problem("error", f"{kind} {name} comes twice{other}", at, remedy="Give each its own name")
        seen.setdefault(folded, name)
