"""Flags on answers that no physiologist should take at face value."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from profundus.records import Flag, Reconstruction
from profundus.validate.scores import score

SILENT_BELOW, SILENT_FRACTION = 0.02, 0.5
SATURATED_ABOVE, SATURATED_FRACTION = 0.95, 0.05
MOMENT_R2 = 0.8


def flags(rec: Reconstruction) -> tuple[Flag, ...]:
    """Return what is implausible in a reconstruction, over all its trials.

    ``silent``: a muscle below 0.02 of its maximum for more than half of the samples; ``saturated``: above 0.95 for more than 5 % of them;
    ``moment_poor``: a joint moment explained with R2 below 0.8 on the test trials, or on all trials where there are no test trials.
    """
    return (*_amplitude_flags(rec), *_moment_flags(rec))


def _amplitude_flags(rec: Reconstruction) -> Iterator[Flag]:
    for muscle, excitation in _by_muscle(rec).items():
        low = float(np.mean(excitation < SILENT_BELOW))
        high = float(np.mean(excitation > SATURATED_ABOVE))
        if low > SILENT_FRACTION:
            yield Flag("silent", rec.subject, muscle, f"below {SILENT_BELOW:g} for {low:.0%} of the samples")
        if high > SATURATED_FRACTION:
            yield Flag("saturated", rec.subject, muscle, f"above {SATURATED_ABOVE:g} for {high:.0%} of the samples")


def _moment_flags(rec: Reconstruction) -> Iterator[Flag]:
    rows = [row for row in score(rec).rows if row.quantity == "moment" and row.trial == "all"]
    for row in [row for row in rows if row.role == "test"] or rows:
        if row.r2 < MOMENT_R2:
            why = f"{row.name}: the model explains the moment with R2 = {row.r2:.2f} on the {row.role} trials, expected {MOMENT_R2:g}"
            yield Flag("moment_poor", rec.subject, why=why)


def _by_muscle(rec: Reconstruction) -> dict[str, NDArray[np.float64]]:
    """Return all known samples (time,) of every muscle, over the trials."""
    names = dict.fromkeys(muscle for part in rec.trials for muscle in part.trial.muscles)
    series = {
        name: np.concatenate(
            [p.excitation[:, p.trial.muscles.index(name)] for p in rec.trials if name in p.trial.muscles]
        )
        for name in names
    }
    return {name: known for name, all_ in series.items() if len(known := all_[np.isfinite(all_)])}
