"""Joint moments on the trial's clock, where they are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from profundus.errors import Problem
from profundus.records import Recording, Study, Table
from profundus.signal.clocks import anti_alias, resampled, uniform
from profundus.signal.filters import filtered, low_pass

Floats = NDArray[np.float64]


def moments_on(
    study: Study, recording: Recording, time: Floats
) -> tuple[Floats, dict[str, object], tuple[Problem, ...]]:
    """Return moments (time, coordinate) [N.m], what was done to them, and problems.

    NaN where a moment is missing, before it begins and after it ends, and of coordinates that only move: gaps are not filled, each finite
    stretch is filtered on its own. The low-pass (2 poles, forward and backward) runs only where the study asks for one.
    """
    values = np.full((len(time), len(study.moved)), np.nan)
    there = () if recording.moments is None else tuple(c for c in study.coordinates if c in recording.moments)
    if recording.moments is None or not there:
        note = Problem("note", f"{recording.name}: no joint moment; it can be reconstructed but not fitted to")
        return values, {"recorded": []}, (note,)
    what = f"{recording.name}: moments"
    table, rate, problems = uniform(recording.moments.select({c: c for c in there}), what=what)
    processing: dict[str, object] = {"recorded": list(there), "rate_hz": rate, **recording.moments_from}
    if study.moment_low_pass_hz is not None:
        smooth = low_pass(study.moment_low_pass_hz, rate_hz=rate, what=what)
        table = Table(table.labels, table.time, filtered(table.values, smooth, shortest=4), what)
        processing["low_pass"] = smooth.described()
    columns = [study.coordinates.index(c) for c in there]
    guard = anti_alias(rate, study.rate_hz, already_hz=study.moment_low_pass_hz, what=what)
    values[:, columns] = resampled(table, time, guard=guard, how="cubic")
    processing["anti_alias"] = guard.described() if guard else None
    known = np.isfinite(values[:, : len(study.coordinates)])
    processing["samples_known"] = {c: int(n) for c, n in zip(study.coordinates, known.sum(axis=0), strict=True)}
    problems += tuple(
        Problem("warning", f"{what}: {c} is known in {n} of {len(time)} samples; the others are not fitted to")
        for c, n in zip(study.coordinates, known.sum(axis=0), strict=True)
        if n < len(time)
    )
    return values, processing, problems
