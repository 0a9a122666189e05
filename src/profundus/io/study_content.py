"""Whether the recordings of a person hold anything to learn from: finite moments and EMG where they are trusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from profundus.errors import Problem
from profundus.records.recording import Recording, Subject, What
from profundus.records.table import Table


def nothing_to_learn(
    subjects: Iterable[Subject], measured: tuple[str, ...], *, emg_late: float = 0.0
) -> Iterator[Problem]:
    """Yield an error for each person without a finite moment to fit to, and for each muscle of a person without EMG.

    What counts lies inside a trial's window, motion and EMG and is not excluded; time stamps of EMG are late by ``emg_late`` [s].
    """
    for subject in subjects:
        to_fit = [recording for recording in subject.recordings if recording.role == "fit"]
        moments = [(recording, recording.moments) for recording in to_fit if recording.moments is not None]
        computed = any(r.inverse_dynamics is not None for r in to_fit)
        if (
            to_fit
            and not computed
            and not any(_known(r, table, "moments", emg_late=emg_late).any() for r, table in moments)
        ):
            what = f"subject {subject.id}: no trial to fit to has a finite moment inside its window"
            file = next((table.source for _, table in moments), "")
            yield Problem("error", what, file, remedy="Correct the moments, the windows (time) or what is excluded")
        recordings = subject.recordings
        trusted = [(r.emg.labels, _known(r, r.emg, "emg", emg_late=emg_late)) for r in recordings]
        for muscle in measured:
            if recordings and not any(known[:, labels.index(muscle)].any() for labels, known in trusted):
                what = f"subject {subject.id}: {muscle} has not one finite sample of EMG in any trial"
                remedy = "Move it from study.measured to study.deep, or correct its channel"
                yield Problem("error", what, recordings[0].emg.source, remedy=remedy)


def _known(recording: Recording, table: Table, kind: What, *, emg_late: float) -> NDArray[np.bool_]:
    """Return where a table's values (row, column) are finite, inside the trial and not excluded."""
    time = table.time - (emg_late if kind == "emg" else 0.0)
    emg, motion = recording.emg.time - emg_late, recording.angles.time
    asked = recording.time or (-np.inf, np.inf)
    start, end = max(asked[0], emg[0], motion[0]), min(asked[1], emg[-1], motion[-1])
    known = np.isfinite(table.values) & ((time >= start) & (time <= end))[:, None]
    for exclusion in recording.exclusions:
        outside = (time < exclusion.time[0]) | (time > exclusion.time[1])
        hit = [exclusion.hits(name) if kind == "emg" else exclusion.what != "emg" for name in table.labels]
        known &= outside[:, None] | ~np.array(hit, dtype=np.bool_)
    return np.asarray(known, dtype=np.bool_)
