"""Joint moments on the trial's clock, where they are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from profundus.errors import Problem
from profundus.records import Recording, Study, Table, Trial
from profundus.signal.clocks import anti_alias, resampled, uniform
from profundus.signal.filters import filtered, low_pass

Floats = NDArray[np.float64]
SHARE, OFTEN = 0.05, 0.95
"""Share of a moment's size, and the quantile that is its size, by which moments of another model than a shipped one are doubted."""


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


def with_moment_sd(study: Study, trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """Return a person's trials with the standard deviation of each moment (coordinate,) [N.m], and what was taken in ``processing``.

    What the study says; else, of a model from a file, the constant of the fit's settings plus 0.05 of the moment's size: the 95th
    percentile of its absolute value over the trials to fit. The settings were made for the shipped elbow: there trials stay as they are.
    """
    if not study.moment_sd and not study.model_file:
        return tuple(trials)
    found = {name: _doubt(study, trials, place) for place, name in enumerate(study.moved)}
    sd = np.array([value for value, _ in found.values()])
    told: dict[str, object] = {
        "sd": {name: round(value, 6) for name, (value, _) in found.items() if name in study.coordinates}
    }
    told |= {"sd_from": {name: said for name, (_, said) in found.items() if name in study.coordinates}}
    return tuple(
        replace(trial, moment_sd=sd, processing=trial.processing | {"moments": _joined(trial.processing, told)})
        for trial in trials
    )


def _doubt(study: Study, trials: Sequence[Trial], place: int) -> tuple[float, str]:
    """Return the standard deviation of one moment [N.m], and in words where it is from."""
    name, constant = study.moved[place], study.fit.loss.moment_sd
    if name in study.moment_sd:
        return study.moment_sd[name], "as the study says"
    known = [trial.moment[trial.moment_valid[:, place], place] for trial in trials if trial.role == "fit"]
    sizes = np.abs(np.concatenate([*known, np.zeros(0)]))
    if not study.model_file or not len(sizes):
        return constant, "fit.loss.moment_sd"
    size = float(np.quantile(sizes, OFTEN))
    return (
        constant + SHARE * size,
        f"fit.loss.moment_sd + {SHARE:g} x {size:.4g} N.m, exceeded in 5 % of the samples to fit",
    )


def _joined(processing: dict[str, object], told: dict[str, object]) -> dict[str, object]:
    known = processing.get("moments")
    return {**(known if isinstance(known, dict) else {}), **told}
