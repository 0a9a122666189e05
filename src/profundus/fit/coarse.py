"""Trials whose excitations are taken as known, on a coarser clock, padded so that people share shapes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.fit.objective import WARM_UP_S
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.postures import recorded_geometry
from profundus.records import LossSettings, Trial

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Known = Sequence[tuple[Trial, Floats]]
COARSE_STEP = 0.02  # s; envelopes and moments hold nothing faster
PADDED_SAMPLES, PADDED_TRIALS = 64, 4
PIECE_SAMPLES = (
    512  # longer trials are cut: memory grows with a piece, and long trials of any length share a compilation
)


class CoarseTrials(NamedTuple):
    """Trials of one person, long ones in pieces; ``weight`` [1/(N.m)] is what an error of the moment counts in sd, 0 where it does not."""

    excitation: Float[Array, "*trial time muscle"]
    path_length: Float[Array, "*trial time muscle"]
    path_velocity: Float[Array, "*trial time muscle"]
    moment_arm: Float[Array, "*trial time coordinate muscle"]
    moment: Float[Array, "*trial time coordinate"]
    weight: Float[Array, "*trial time coordinate"]


def coarse_trials(known: Known, model: MusculoskeletalModel, loss: LossSettings) -> tuple[CoarseTrials, float]:
    """Return trials with their excitations (time, muscle) as means over blocks of about 20 ms, and the block's length [s].

    An excitation that is unknown (NaN) is bridged for the muscles' sake, and neither it nor the 0.25 s that follow, in which activation
    remembers it, count. Neither do the first 0.25 s of a trial. Raises InputError that lists every trial that does not fit in, and where
    nothing is left.
    """
    _refuse_unfit(known, model)
    block = max(1, int(COARSE_STEP / known[0][0].step + 1e-9))
    step = round(block * known[0][0].step, 9)
    whole = [_coarse(trial, given, model, loss, block=block) for trial, given in known]
    rows = [piece for row in whole for piece in _pieces(row, overlap=math.ceil(WARM_UP_S / step))]
    if not any(np.any(row[-1]) for row in rows):
        raise InputError(
            Problem(
                "error",
                f"{known[0][0].subject}: at no time of the trials to fit are moment and all excitations known",
                expected="joint moments, and an excitation for every muscle",
            )
        )
    rows += [(*rows[0][:-1], np.zeros_like(rows[0][-1]))] * (-len(rows) % PADDED_TRIALS)
    longest = max(len(row[0]) for row in rows)
    length = longest + -longest % PADDED_SAMPLES
    columns = [[_padded(values, length) for values in column] for column in zip(*rows, strict=True)]
    *series, weights = (np.stack(column) for column in columns)
    inside = np.arange(length)[None, :] < np.array([len(row[0]) for row in rows])[:, None]
    return CoarseTrials(*(jnp.asarray(a, float) for a in (*series, weights * inside[..., None]))), step


def _coarse(
    trial: Trial, given: Floats, model: MusculoskeletalModel, loss: LossSettings, *, block: int
) -> tuple[Floats, ...]:
    """Return the fields of `CoarseTrials` for one trial, not padded."""
    there = np.isfinite(given)
    moment = _means(np.where(trial.moment_valid, trial.moment, 0.0), block)
    valid = _means(trial.moment_valid, block) == 1.0
    settled = _means(_settled(np.all(there, axis=1), start=round(WARM_UP_S / trial.step)), block) == 1.0
    geometry = recorded_geometry(model, _means(trial.angle, block), _means(trial.velocity, block))
    constant = loss.moment_sd if trial.moment_sd is None else trial.moment_sd
    sd = np.hypot(constant, loss.moment_relative_sd * moment)
    share = np.sqrt(block * trial.step / loss.moment_correlation_s)
    return (
        _means(_bridged(given, there), block),
        *geometry,
        moment,
        np.where(valid & settled[:, None], share / sd, 0.0),
    )


def _pieces(row: tuple[Floats, ...], *, overlap: int) -> Iterator[tuple[Floats, ...]]:
    """Yield a trial's fields in pieces, each begun ``overlap`` samples early; these do not count twice: activation has to be remembered."""
    *series, weight = row
    for first in range(0, max(1, len(weight) - overlap), PIECE_SAMPLES - overlap):
        part = slice(first, first + PIECE_SAMPLES)
        counted = weight[part].copy()
        if first:
            counted[:overlap] = 0.0
        yield (*(values[part] for values in series), counted)


def _means(values: Floats | Flags, block: int) -> Floats:
    """Return means over consecutive blocks of samples (time, ...); an incomplete last block is left out."""
    whole = len(values) // block
    parts = np.asarray(values[: whole * block], float).reshape(whole, block, *values.shape[1:])
    return np.asarray(parts.mean(axis=1))


def _bridged(given: Floats, there: Flags) -> Floats:
    """Return columns (time, muscle) with straight lines over what is unknown; zero where a column knows nothing."""
    out = np.where(there, given, 0.0)
    at = np.arange(len(given))
    for column in np.flatnonzero(there.any(axis=0) & ~there.all(axis=0)):
        seen = there[:, column]
        out[:, column] = np.interp(at, at[seen], given[seen, column])
    return out


def _settled(known: NDArray[np.bool_], *, start: int) -> Flags:
    """Return where (time,) all was known for the last ``start`` samples; before the first sample nothing was."""
    at = np.arange(len(known))
    last_unknown = np.maximum.accumulate(np.where(known, -1, at))
    return np.asarray(at - last_unknown > start)


def _padded(values: Floats, length: int) -> Floats:
    return np.asarray(np.pad(values, [(0, length - len(values))] + [(0, 0)] * (values.ndim - 1), mode="edge"))


def _refuse_unfit(known: Known, model: MusculoskeletalModel) -> None:
    if not known:
        expected = "a trial of role 'fit' with a joint moment"
        raise InputError(Problem("error", "no trial to personalize with", expected=expected))
    problems = [problem for trial, given in known for problem in _unfit(trial, given, known[0][0], model)]
    if problems:
        raise InputError(problems)


def _unfit(trial: Trial, given: Floats, first: Trial, model: MusculoskeletalModel) -> Iterator[Problem]:
    shape = (len(trial.time), len(trial.muscles))
    if (trial.muscles, trial.coordinates) != (model.muscles, model.coordinates):
        expected = f"{', '.join(model.muscles)} and {', '.join(model.coordinates)}"
        yield Problem("error", f"{trial.name}: muscles or coordinates are not the model's", expected=expected)
    if trial.subject != first.subject:
        yield Problem("error", f"{trial.name} is a trial of {trial.subject}", expected=f"trials of {first.subject}")
    if abs(trial.step - first.step) > 1e-9:
        expected = f"{first.step:g} s, as in {first.name}"
        yield Problem("error", f"{trial.name}: clock of {trial.step:g} s", expected=expected)
    if given.shape != shape:
        yield Problem("error", f"{trial.name}: excitations of shape {given.shape}", expected=str(shape))
    elif np.any(given < 0):
        muscles = ", ".join(np.array(trial.muscles)[np.any(given < 0, axis=0)])
        what = f"{trial.name}: negative excitation of {muscles}, down to {np.nanmin(given):g}"
        yield Problem("error", what, expected="fractions of maximum")
