"""Flags on answers that no physiologist should take at face value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from profundus.records import Flag, Reconstruction, ScoreRow, TrialReconstruction
from profundus.validate.metrics import both
from profundus.validate.scores import score

Floats = NDArray[np.float64]
SILENT_BELOW, SILENT_FRACTION = 0.02, 0.5
SATURATED_ABOVE, SATURATED_FRACTION = 0.95, 0.05
MOMENT_R2 = 0.8
AMPLITUDE_FACTOR = 3.0


def flags(rec: Reconstruction, *, groups: Mapping[str, str] | None = None, scaled: bool = True) -> tuple[Flag, ...]:
    """Return what is implausible in a reconstruction, over all its trials; levels only where excitations are ``scaled`` to a maximum.

    ``silent``: a muscle below 0.02 of its maximum for more than half of the samples; ``saturated``: above 0.95 for more than 5 % of them;
    ``moment_poor``: a joint moment explained with R2 below 0.8 on the test trials, or on all trials where there are no test trials.

    ``amplitude_implausible``, where ``groups`` gives the functional group of each muscle: every moment is explained, and yet a muscle
    without an electrode is on average more than 3 times, or less than a third, of what its group's electrodes show in the same trials, or
    it is silent while they are not. A moment that is well explained does not speak for the deep muscles behind it: they take over what a
    muscle model gets wrong. In simulated people the log of the ratio between a deep muscle and its measured synergist has a root mean
    square of 0.14 to 0.47, so that log 3 = 1.1 is more than two standard deviations. Groups without an electrode are not judged.
    """
    explained = _moments(rec)
    if not scaled:
        return tuple(_moment_flags(explained))
    implausible = _implausible(rec, groups or {}) if explained and all(r.r2 >= MOMENT_R2 for r in explained) else ()
    return (*_amplitude_flags(rec), *_moment_flags(explained), *implausible)


def _amplitude_flags(rec: Reconstruction) -> Iterator[Flag]:
    for muscle, excitation in _by_muscle(rec).items():
        low = float(np.mean(excitation < SILENT_BELOW))
        high = float(np.mean(excitation > SATURATED_ABOVE))
        if low > SILENT_FRACTION:
            yield Flag("silent", rec.subject, muscle, f"below {SILENT_BELOW:g} for {low:.0%} of the samples")
        if high > SATURATED_FRACTION:
            yield Flag("saturated", rec.subject, muscle, f"above {SATURATED_ABOVE:g} for {high:.0%} of the samples")


def _moments(rec: Reconstruction) -> list[ScoreRow]:
    """Return the score of each joint moment on the test trials, or on all where there are no test trials."""
    rows = [row for row in score(rec, quantities=["moment"]).rows if row.quantity == "moment" and row.trial == "all"]
    return [row for row in rows if row.role == "test"] or rows


def _moment_flags(rows: Sequence[ScoreRow]) -> Iterator[Flag]:
    for row in rows:
        if row.r2 < MOMENT_R2:
            why = f"{row.name}: the model explains the moment with R2 = {row.r2:.2f} on the {row.role} trials, expected {MOMENT_R2:g}"
            yield Flag("moment_poor", row.subject, why=why)


def _implausible(rec: Reconstruction, groups: Mapping[str, str]) -> Iterator[Flag]:
    parts = [part for part in rec.trials if part.trial.role == "test"] or rec.trials
    electrodes = {
        name
        for part in rec.trials
        for name, there in zip(part.trial.muscles, part.trial.measured, strict=True)
        if there
    }
    for muscle in dict.fromkeys(name for part in parts for name in part.trial.muscles):
        group = groups.get(muscle)
        members = [name for name in groups if groups[name] == group and name in electrodes]
        if muscle in electrodes or group is None or not members:
            continue
        pieces = [_beside_its_group(part, muscle, members) for part in parts if muscle in part.trial.muscles]
        own, others = (np.concatenate(series) for series in zip(*pieces, strict=True))
        if why := _out_of_proportion(own, others):
            yield Flag(
                "amplitude_implausible",
                rec.subject,
                muscle,
                f"{why} ({', '.join(members)}), though the moment is explained",
            )


def _beside_its_group(part: TrialReconstruction, muscle: str, members: Sequence[str]) -> tuple[Floats, ...]:
    """Return a muscle's excitation (time,) and the mean of its group's envelopes (time,) where both are known."""
    names = part.trial.muscles
    emg = np.where(part.trial.emg_valid, part.trial.emg, np.nan)[
        :, [names.index(name) for name in members if name in names]
    ]
    count = np.isfinite(emg).sum(axis=1)
    mean = np.where(count > 0, np.nansum(emg, axis=1) / np.maximum(count, 1), np.nan)
    return both(part.excitation[:, names.index(muscle)], mean)


def _out_of_proportion(own: Floats, others: Floats) -> str:
    """Return in words how a muscle stands out from its group's electrodes, nothing where it does not."""
    if not len(own) or not np.mean(others) > 0.0:
        return ""
    ratio = float(np.mean(own) / np.mean(others))
    if not 1.0 / AMPLITUDE_FACTOR <= ratio <= AMPLITUDE_FACTOR:
        return f"on average {np.mean(own):.3f}, {ratio:.2g} times what its group's electrodes show"
    low = float(np.mean(own < SILENT_BELOW))
    if low > SILENT_FRACTION >= np.mean(others < SILENT_BELOW):
        return f"below {SILENT_BELOW:g} for {low:.0%} of the samples, unlike its group's electrodes"
    return ""


def _by_muscle(rec: Reconstruction) -> dict[str, Floats]:
    """Return all known samples (time,) of every muscle, over the trials."""
    names = dict.fromkeys(muscle for part in rec.trials for muscle in part.trial.muscles)
    series = {
        name: np.concatenate(
            [p.excitation[:, p.trial.muscles.index(name)] for p in rec.trials if name in p.trial.muscles]
        )
        for name in names
    }
    return {name: known for name, all_ in series.items() if len(known := all_[np.isfinite(all_)])}
