"""Whether a split can be judged: everybody has trials on both sides, and no recording is on both, be it only a piece of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np

from profundus.errors import Problem
from profundus.records import Recording, Study, Subject, Table
from profundus.records.recording import Role

KINDS = ("emg", "angles", "moments", "truth")


def nothing_to_learn(study: Study) -> Iterator[Problem]:
    """Yield an error for everybody without a trial to learn from, or with none that has a moment."""
    for person in study.subjects:
        fit = [recording for recording in person.recordings if recording.role == "fit"]
        if not fit:
            yield Problem("error", f"subject {person.id}: no trial is left to learn from", study.source)
        elif all(recording.moments is None and recording.inverse_dynamics is None for recording in fit):
            yield Problem("error", f"subject {person.id}: no trial to learn from has a moment", study.source)


def nothing_to_judge(study: Study) -> Iterator[Problem]:
    """Yield an error for everybody without a trial to be judged by."""
    remedy = "Record one, or choose another split"
    for person in study.subjects:
        if all(recording.role != "test" for recording in person.recordings):
            yield Problem(
                "error", f"subject {person.id}: no trial is left to be judged by", study.source, remedy=remedy
            )


def leaks(learned: Study, judged: Study, *, role: Role | None = None) -> Iterator[Problem]:
    """Yield an error for every two trials of which the same stretch of the same recording is learned from and judged.

    Without ``role`` all trials of ``learned`` are held against all of ``judged``; with it those of this role against those of the other.
    Two tables are the same recording if they come from the same file, or hold the same numbers at the same times, whatever their files
    are called. Windows of one recording may touch, but not overlap.
    """
    known: dict[str, list[tuple[Subject, Recording]]] = {}
    for person, recording in _recordings(learned):
        if role in {None, recording.role}:
            for mark in _marks(recording):
                known.setdefault(mark, []).append((person, recording))
    for person, recording in _recordings(judged):
        if role is not None and recording.role == role:
            continue
        alike = [pair for mark in _marks(recording) for pair in known.get(mark, ()) if _overlap(pair[1], recording)]
        for other, taught in {(one.id, r.name): (one, r) for one, r in alike}.values():
            names = f"{other.id}: {taught.name}", f"{person.id}: {recording.name}"
            yield Problem(
                "error",
                f"{names[0]} is learned from and {names[1]} judged, but the recording is the same",
                file=recording.emg.source or judged.source,
                expected="other data to judge by",
                remedy="Put both on one side, or give them windows (time) that do not overlap",
            )


def _recordings(study: Study) -> Iterable[tuple[Subject, Recording]]:
    return ((person, recording) for person in study.subjects for recording in person.recordings)


def _marks(recording: Recording) -> list[str]:
    """Return by what a recording's tables are known again: kind and file, kind and content."""
    tables: dict[str, Table | None] = {kind: getattr(recording, kind) for kind in KINDS}
    there = {kind: table for kind, table in tables.items() if table is not None}
    files = [f"{kind} in {table.source}" for kind, table in there.items() if table.source]
    return files + [f"{kind} {_digest(table)}" for kind, table in there.items()]


def _digest(table: Table) -> str:
    found = hashlib.sha256("\n".join(table.labels).encode())
    for values in (table.time, table.values):
        found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()


def _overlap(one: Recording, other: Recording) -> bool:
    """Return whether the windows of two recordings have more than an instant in common."""
    starts, ends = zip(*(recording.time or (-np.inf, np.inf) for recording in (one, other)), strict=True)
    return bool(min(ends) - max(starts) > 1e-9)
