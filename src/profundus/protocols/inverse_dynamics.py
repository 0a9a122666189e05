"""Joint moments of the trials that ask for inverse dynamics; what was computed once is kept on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from profundus.errors import InputError, Problem, ResourceError
from profundus.fit.compiled import cache_folder
from profundus.io.store import digest
from profundus.io.weights import read_arrays, write_arrays
from profundus.records import InverseDynamics, Recording, Study, Subject, Table
from profundus.signal.kinematics import whole_stretch
from profundus.skeleton.child import opensim_version
from profundus.skeleton.inverse_dynamics import Moments, joint_moments

FILTER = "OpenSim's own: Butterworth, third order, forward and backward, on the recorded coordinates"
KEPT = "profundus inverse dynamics 1"
UNCARRIED = 100.0
"""Force [N] on a body that moves freely, half of the time exceeded, that no recorded force explains; a tenth of that is usual in gait."""


def with_moments(study: Study, person: Subject) -> Subject:
    """Return a person whose every recording that asks for inverse dynamics has the moments [N.m] of the study's coordinates.

    They are those of OpenSim's Inverse Dynamics tool; OpenSim starts only for what is not kept from an earlier time. Raises InputError
    with the problems of all recordings: OpenSim missing or refusing, gaps in the motion of any coordinate of the model.
    """
    recordings: list[Recording] = []
    problems: list[Problem] = []
    for recording in person.recordings:
        try:
            recordings.append(_computed(study, recording, recording.inverse_dynamics))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(dict.fromkeys(problems))
    return replace(person, recordings=tuple(recordings))


def _computed(study: Study, recording: Recording, asked: InverseDynamics | None) -> Recording:
    if asked is None or recording.moments is not None:
        return recording
    unfiltered = replace(study, kinematics_low_pass_hz=None, coordinates=asked.posture.labels)
    part = whole_stretch(unfiltered, recording, asked.posture, "posture")
    found, kept = _found(asked, part.table)
    labels = {name: f"{name}_moment" for name in study.coordinates}
    if lost := [name for name, label in labels.items() if label not in found.labels]:
        raise InputError(
            Problem("error", f"inverse dynamics tells no moment of {name}: is it a rotation?", asked.model)
            for name in lost
        )
    columns = [found.labels.index(label) for label in labels.values()]
    moments = Table(
        study.coordinates,
        found.time,
        found.forces[:, columns],
        f"{recording.name} inverse dynamics",
        source=asked.posture.source,
    )
    problems = (*recording.problems, *part.problems, *kept, *uncarried(recording.name, asked, found))
    return replace(recording, moments=moments, moments_from=_processing(asked, found), problems=problems)


def uncarried(trial: str, asked: InverseDynamics, found: Moments) -> tuple[Problem, ...]:
    """Return a warning where the body would need a hand to hold it: forces from outside are missing, or do not belong to the motion.

    Where a body moves freely (three coordinates that slide), what inverse dynamics finds there is what no recorded force explains.
    """
    slides = [f"{name}_force" for name, kind in asked.motion_types.items() if kind == "translational"]
    columns = [found.labels.index(label) for label in slides if label in found.labels]
    if len(columns) < 3 or not len(found.forces):
        return ()
    missing = float(np.median(np.linalg.norm(found.forces[:, columns], axis=1)))
    if missing < UNCARRIED:
        return ()
    what = f"{trial}: inverse dynamics needs {missing:.0f} N, half of the time more, that no recorded force explains: its moments are false"
    expected = f"below {UNCARRIED:g} N"
    remedy = (
        "Name what the ground exerts under external_loads, and a model of the person's mass under [inverse_dynamics]"
    )
    return (Problem("warning", what, asked.model, expected=expected, remedy=remedy),)


def _found(asked: InverseDynamics, posture: Table) -> tuple[Moments, tuple[Problem, ...]]:
    """Return the moments, computed or kept, and a warning where they could not be kept."""
    question = {
        "span": _span(asked, posture),
        "model": str(Path(asked.model).resolve()),
        "coordinates": list(posture.labels),
        "motion_types": asked.motion_types,
        "held": asked.held,
        "low_pass_hz": asked.low_pass_hz,
        "external_loads": str(Path(asked.external.file).resolve()) if asked.external else "",
        "load": asdict(asked.load) if asked.load else None,
    }
    place = _place(question, posture, asked)
    if place is not None and place.is_file():
        try:
            arrays, facts = read_arrays(place)
            return Moments(arrays["time"], tuple(facts["labels"]), arrays["forces"], facts["opensim"]), ()
        except InputError:
            place.unlink(missing_ok=True)  # what was kept is damaged: compute it again
    found = joint_moments(question, posture.time, posture.values, file=asked.model)
    if place is not None:
        try:
            facts = {"labels": list(found.labels), "opensim": found.opensim}
            write_arrays(place, {"time": found.time, "forces": found.forces}, facts)
        except ResourceError as error:
            return found, (Problem("warning", f"the joint moments were computed but not kept: {error}"),)
    return found, ()


def _span(asked: InverseDynamics, posture: Table) -> tuple[float, float]:
    """Return the time [s] in which both motion and forces from outside are known. Raises InputError where there is none."""
    start, end = float(posture.time[0]), float(posture.time[-1])
    if asked.external is None:
        return start, end
    first, last = asked.external.span
    if max(start, first) >= min(end, last):
        what = f"the forces are known from {first:g} to {last:g} s, the motion from {start:g} to {end:g} s"
        remedy = "Are the files of the same trial, on the same clock, in seconds?"
        raise InputError(Problem("error", what, asked.external.data, expected="a time that both cover", remedy=remedy))
    return max(start, first), min(end, last)


def _place(question: Mapping[str, Any], posture: Table, asked: InverseDynamics) -> Path | None:
    """Return the file in which the moments are kept: its name is a digest of everything that they depend on."""
    folder = cache_folder()
    if folder is None or opensim_version() is None:
        return None
    files = {"model": asked.model}
    if asked.external is not None:
        files |= {"external_loads": asked.external.file, "external_data": asked.external.data}
    contents = {place: digest(Path(path)) for place, path in files.items()}
    known = json.dumps({**question, **contents, "opensim": opensim_version(), "kept": KEPT}, sort_keys=True)
    content = hashlib.sha256(known.encode())
    for array in (posture.time, posture.values):
        content.update(np.ascontiguousarray(array).tobytes())
    return folder / "inverse_dynamics" / f"{content.hexdigest()}.safetensors"


def _processing(asked: InverseDynamics, found: Moments) -> dict[str, object]:
    """Return how moments were computed, in plain values."""
    return {
        "inverse_dynamics": {
            "tool": "InverseDynamicsTool",
            "opensim": found.opensim,
            "model": {"file": Path(asked.model).name, "sha256": digest(Path(asked.model))},
            "recorded": list(asked.posture.labels),
            "held": asked.held,
            "at_default": list(asked.at_default),
            "low_pass_hz": asked.low_pass_hz,
            "low_pass": FILTER if asked.low_pass_hz is not None else "none",
            "load": asdict(asked.load) if asked.load else None,
            "external_loads": Path(asked.external.file).name if asked.external else None,
        }
    }
