"""What rivals ask of a person's trials, and straight lines over what the trials lack."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from profundus.errors import Problem
from profundus.records import Trial

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def several_people(trials: Sequence[Trial]) -> list[Problem]:
    """Return a problem where trials are not of one person."""
    people = {trial.subject for trial in trials}
    if len(people) == 1:
        return []
    return [Problem("error", f"the trials are of {len(people)} people", expected="trials of one person")]


def other_muscles(trials: Sequence[Trial], muscles: tuple[str, ...]) -> list[Problem]:
    """Return a problem for every trial whose muscles are not ``muscles``, in that order."""
    return [
        Problem("error", f"{trial.name}: the muscles are {', '.join(trial.muscles)}", expected=", ".join(muscles))
        for trial in trials
        if trial.muscles != muscles
    ]


def bridged(values: Floats, known: Flags) -> Floats:
    """Return columns (time, column) with straight lines over what is not ``known`` (time, column); zero where nothing is."""
    clock = np.arange(len(values))
    columns = [
        np.interp(clock, clock[seen], column[seen]) if seen.any() else np.zeros(len(column))
        for column, seen in zip(values.T, known.T, strict=True)
    ]
    return np.stack(columns, axis=1)


def moment_scales(trials: Sequence[Trial]) -> Floats:
    """Return by how many times the error of each moment (coordinate,) exceeds that of the best known one; ones where nobody said.

    What a rival allows an error of, or weighs it by, holds for the best known moment; others count as much less as they are known worse.
    """
    sd = trials[0].moment_sd
    known = np.any([trial.moment_valid.any(axis=0) for trial in trials], axis=0)
    if sd is None or not known.any():
        return np.ones(len(trials[0].coordinates))
    return np.asarray(np.where(known, sd / sd[known].min(), 1.0))
