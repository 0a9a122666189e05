"""Write virtual people as a laboratory would hand them over: a study file, and per trial motion, moments, EMG, and the truth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from profundus.errors import InputError, Problem
from profundus.io.file_names import refuse_names
from profundus.io.store import whole_folder, write_whole
from profundus.io.study_names import is_name
from profundus.io.tables import write_table
from profundus.records import Table, Trial, VirtualPerson

STUDY_FILE, PARAMETERS_FILE, MVC_FILE = "study.toml", "truth_parameters.toml", "mvc.sto"
FILES = {
    "kinematics": "kinematics.mot",
    "emg": "emg.sto",
    "moments": "inverse_dynamics.sto",
    "truth": "truth_emg.sto",
}
ENVELOPES = 'kind = "envelope"\nnormalization = "mvc"\n'
RAW = 'kind = "raw"\nnormalization = "mvc"\nrate_hz = {rate:g}\nunit = "V"\n'


@dataclass(frozen=True)
class WrittenLab:
    """What was written: the study file, and how many people and trials."""

    study_file: Path
    people: int
    trials: int


def write_virtual_lab(
    people: Iterable[VirtualPerson],
    out: Path,
    *,
    model: str,
    measured: Sequence[str],
    name: str = "virtual people",
    overwrite: bool = False,
) -> WrittenLab:
    """Write people as a study that `read_study` takes, one at a time, the whole folder or nothing.

    ``measured`` are the muscles with electrodes; all others are deep. People with raw EMG get raw EMG files and one of their maximal
    contractions. The truth stands in ``truth_emg.sto`` of each trial (all muscles) and ``truth_parameters.toml`` of each person. Raises
    InputError for muscles that nobody has, nobody at all, people of different muscles or kinds of EMG, and an ``out`` that is there.
    """
    if out.exists() and not overwrite:
        raise InputError(Problem("error", "the folder is there", str(out), remedy="Choose another, or overwrite it"))
    with whole_folder(out) as folder:
        text, first, trials, count = "", None, 0, 0
        for person in people:
            if first is None:
                first = person
                text = _head(person, model=model, measured=measured, name=name)
            _refuse_others(person, first)
            text += _write_person(person, folder, measured)
            trials, count = trials + len(person.trials), count + 1
        if first is None:
            raise InputError(Problem("error", "there are no people to write", expected="one or more"))
        write_whole(folder / STUDY_FILE, text)
    return WrittenLab(out / STUDY_FILE, count, trials)


def toml_text(values: Mapping[str, object], *, table: str = "") -> str:
    """Return plain values as TOML: numbers, words, lists of them, and tables of all that."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    tables = {key: value for key, value in values.items() if isinstance(value, Mapping)}
    text = (f"\n[{table}]\n" if table else "") + "".join(f"{key} = {_value(value)}\n" for key, value in plain.items())
    return text + "".join(toml_text(value, table=f"{table}.{key}".lstrip(".")) for key, value in tables.items())


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _head(person: VirtualPerson, *, model: str, measured: Sequence[str], name: str) -> str:
    trial = person.trials[0]
    problems = [
        Problem("error", f"there is no muscle '{muscle}'", expected="some of " + ", ".join(trial.muscles))
        for muscle in measured
        if muscle not in trial.muscles
    ]
    if not measured:
        problems.append(Problem("error", "no muscle is measured", expected="some of " + ", ".join(trial.muscles)))
    if problems:
        raise InputError(problems)
    deep = [muscle for muscle in trial.muscles if muscle not in measured]
    emg = RAW.format(rate=1.0 / (person.raw[0].time[1] - person.raw[0].time[0])) if person.raw else ENVELOPES
    study = {"name": name, "model": model, "coordinates": list(trial.coordinates), "measured": list(measured)}
    said = "# Virtual people: everything in these files was computed, nothing was recorded.\n"
    rate = 1.0 / trial.step
    return said + toml_text({**study, "deep": deep, "rate_hz": round(rate, 6)}, table="study") + f"\n[emg]\n{emg}"


def _refuse_others(person: VirtualPerson, first: VirtualPerson) -> None:
    if (person.trials[0].muscles, bool(person.raw)) != (first.trials[0].muscles, bool(first.raw)):
        what = f"{person.id} and {first.id} differ in muscles or in the kind of their EMG"
        raise InputError(Problem("error", what, expected="one anatomy and one kind of EMG for a study"))


def _write_person(person: VirtualPerson, folder: Path, measured: Sequence[str]) -> str:
    """Write one person's files; return what the study file says of him."""
    refuse_names([person.id], [trial.name for trial in person.trials], taken=[STUDY_FILE])
    if (folder / person.id).exists():
        raise InputError(Problem("error", f"two people are called '{person.id}'", expected="a name for each"))
    write_whole(folder / person.id / PARAMETERS_FILE, "# true values: for scoring only\n" + toml_text(person.facts))
    text = f"\n[[subject]]\nid = {_value(person.id)}\n"
    if person.mvc:
        write_table(person.mvc[0].select({m: m for m in measured}), folder / person.id / MVC_FILE)
        text += f"mvc = [{_value(f'{person.id}/{MVC_FILE}')}]\n"
    for index, trial in enumerate(person.trials):
        raw = person.raw[index] if person.raw else None
        text += _write_trial(trial, raw, folder, measured)
    return text


def _write_trial(trial: Trial, raw: Table | None, folder: Path, measured: Sequence[str]) -> str:
    place = f"{trial.subject}/{trial.name}"
    envelopes = Table(trial.muscles, trial.time.copy(), trial.emg.copy(), "emg_envelopes", False)
    moments = tuple(f"{coordinate}_moment" for coordinate in trial.coordinates)
    tables = {
        "kinematics": Table(trial.coordinates, trial.time.copy(), np.rad2deg(trial.angle), "kinematics", True),
        "emg": (envelopes if raw is None else raw).select({m: m for m in measured}),
        "moments": Table(moments, trial.time.copy(), trial.moment.copy(), "inverse_dynamics", False),
        "truth": Table(trial.muscles, trial.time.copy(), trial.truth.copy(), "true_excitations", False),
    }
    said: dict[str, object] = {"name": trial.name, "role": trial.role}
    said |= {"motion": trial.motion} if is_name(trial.motion) else {}
    said |= {} if np.isnan(trial.load_kg) else {"load_kg": trial.load_kg}
    for key, table in tables.items():
        said[key] = f"{place}/{FILES[key]}"
        write_table(table, folder / place / FILES[key])
    return "\n  [[subject.trial]]\n" + "".join(f"  {line}\n" for line in toml_text(said).splitlines())
