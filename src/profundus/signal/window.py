"""Which stretch of time a trial covers, and which parts of it are not to be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.records import Recording, Study
from profundus.signal.clocks import grid

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FEWEST_SAMPLES = 10


def trial_clock(
    study: Study, recording: Recording, moving: tuple[float, float], emg_time: Floats
) -> tuple[Floats, tuple[Problem, ...]]:
    """Return the trial's clock, and a problem if it covers less than was asked for."""
    emg = float(emg_time[0]), float(emg_time[-1])
    asked = recording.time if recording.time is not None else moving
    start, end = max(asked[0], moving[0], emg[0]), min(asked[1], moving[1], emg[1])
    time = grid(start, end, study.rate_hz)
    spans = f"motion {moving[0]:.3f} to {moving[1]:.3f} s, EMG {emg[0]:.3f} to {emg[1]:.3f} s (sync offset applied)"
    if len(time) < FEWEST_SAMPLES:
        raise InputError(
            Problem(
                "error",
                f"{recording.name}: {len(time)} samples at {study.rate_hz:g} Hz lie in the window {asked[0]:.3f} to {asked[1]:.3f} s, "
                f"the motion and the EMG: {spans}",
                expected=f"{FEWEST_SAMPLES} or more",
                remedy="Check that the files share one clock and that the window lies inside of both",
            )
        )
    step = 1 / study.rate_hz
    if time[0] - asked[0] < 1.001 * step and asked[1] - time[-1] < 1.001 * step:
        return time, ()
    said = f"{recording.name}: {time[0]:.3f} to {time[-1]:.3f} s instead of {asked[0]:.3f} to {asked[1]:.3f} s: {spans}"
    return time, (Problem("warning" if recording.time is not None else "note", said),)


def trusted(recording: Recording, time: Floats, muscles: Sequence[str]) -> tuple[Flags, Flags]:
    """Return where EMG (time, muscle) and where moments (time,) are not excluded; bad motion makes both useless."""
    emg, moment = np.ones((len(time), len(muscles)), dtype=np.bool_), np.ones(len(time), dtype=np.bool_)
    for exclusion in recording.exclusions:
        outside = (time < exclusion.time[0]) | (time > exclusion.time[1])
        emg &= outside[:, None] | ~np.array([exclusion.hits(muscle) for muscle in muscles], dtype=np.bool_)
        if exclusion.what != "emg":
            moment &= outside
    return emg, moment
