"""How a causal student is taught from a finished run: its answers for the trials to fit are what it learns, trial by trial left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.records import Reconstruction, TrialReconstruction
from profundus.stream.features import ANGLE_MEMORY_S, BRIDGED_S, EMG_MEMORY_S, FLOOR, features
from profundus.stream.remembering import delayed, remembered
from profundus.stream.student import LEAST, NINETY_PERCENT, Products, Student, left_out_error, ridge

Floats = NDArray[np.float64]
PENALTIES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
FOLDS = 6
SETTLED_S, END_S = 0.3, 0.2  # where memories are still empty, and where the offline answer has only one side
FEWEST = 300  # samples
HEARD_SHARE = 0.5  # of the samples; with fewer a muscle counts as one without electrode


class _Lesson(NamedTuple):
    """One trial's samples: features (sample, feature), log excitation and its sd (sample, muscle), log envelope (sample, measured), raw
    angles (sample, coordinate), the load [kg], and in which fold it is."""

    features: Floats
    target: Floats
    sd: Floats
    level: Floats
    angle: Floats
    load: float
    fold: int


def taught(rec: Reconstruction, *, late_s: float = 0.0) -> Student:
    """Return the student of a person, taught by the answers of a run for his trials to fit (of all his trials where none is to fit).

    ``late_s`` [s] is by how much the envelopes of the stream will come later than those of the run: causal low-passes delay, those that run
    forward and backward do not. Raises InputError where fewer than 300 samples have all channels.
    """
    parts = [part for part in rec.trials if part.trial.role == "fit"] or list(rec.trials)
    trial = parts[0].trial
    valid = np.concatenate([part.trial.emg_valid for part in parts])
    heard = np.flatnonzero(np.mean(valid, axis=0) >= HEARD_SHARE)
    middle = np.mean(np.concatenate([part.trial.angle for part in parts]), axis=0)
    lessons = _lessons(parts, heard, middle, round(late_s / trial.step))
    if sum(len(lesson.features) for lesson in lessons) < FEWEST:
        what = f"{rec.subject}: fewer than {FEWEST} samples of the trials to fit have all of their channels"
        raise InputError(Problem("error", what, remedy="Fit to more or longer trials, without gaps"))
    whole = np.concatenate([lesson.features for lesson in lessons])
    center, spread = whole.mean(axis=0), whole.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    target = np.mean(np.concatenate([lesson.target for lesson in lessons]), axis=0)
    products = _products(lessons, center, scale, target)
    penalty = _penalty(products, [i for i in range(len(trial.muscles)) if i not in heard] or list(heard))
    off = np.concatenate([lesson.target[:, heard] - lesson.level for lesson in lessons])
    every = np.concatenate([lesson.sd for lesson in lessons])
    angles = np.concatenate([lesson.angle for lesson in lessons])
    loads = np.array([lesson.load for lesson in lessons])
    levels = np.concatenate([lesson.level for lesson in lessons])
    return Student(
        subject=rec.subject,
        method=rec.method,
        muscles=trial.muscles,
        measured=tuple(trial.muscles[i] for i in heard),
        coordinates=trial.coordinates,
        step=trial.step,
        middle=middle,
        center=center,
        scale=scale,
        target=target,
        products=products,
        penalty=penalty,
        tail=_tails(lessons, products, penalty, (center, scale, target)),
        offline_sd=np.sqrt(np.mean(every**2, axis=0)),
        offset=off.mean(axis=0),
        own_sd=off.std(axis=0),
        drift=_drift(lessons, trial.step),
        low=np.append(angles.min(axis=0), loads.min()),
        high=np.append(angles.max(axis=0), loads.max()),
        quietest=levels.min(axis=0),
        loudest=levels.max(axis=0),
        late=round(late_s / trial.step),
    )


def _lessons(parts: Sequence[TrialReconstruction], heard: NDArray[np.intp], middle: Floats, late: int) -> list[_Lesson]:
    """Return a lesson a trial; of a single trial, one a piece of it."""
    whole = [_lesson(part, heard, middle, late, number % FOLDS) for number, part in enumerate(parts)]
    if len(whole) > 1:
        return whole
    pieces = np.array_split(np.arange(len(whole[0].features)), FOLDS - 1)
    apart = round(SETTLED_S / parts[0].trial.step)
    cut = [piece[apart:] if number else piece for number, piece in enumerate(pieces)]
    return [_rows_of(whole[0], rows, fold) for fold, rows in enumerate(cut)]


def _rows_of(lesson: _Lesson, rows: NDArray[np.intp], fold: int) -> _Lesson:
    shown, target, sd, level, angle = (field[rows] for field in lesson[:5])
    return _Lesson(shown, target, sd, level, angle, lesson.load, fold)


def _lesson(part: TrialReconstruction, heard: NDArray[np.intp], middle: Floats, late: int, fold: int) -> _Lesson:
    trial = part.trial
    envelope = delayed(np.where(trial.emg_valid, trial.emg, np.nan)[:, heard], late)
    emg, missing = remembered(envelope, EMG_MEMORY_S, trial.step)
    angle, _ = remembered(trial.angle, ANGLE_MEMORY_S, trial.step)
    rows = np.all(missing == 0, axis=1)
    rows[: round(SETTLED_S / trial.step) + late] = False
    rows[len(rows) - round(END_S / trial.step) :] = False
    load = trial.load_kg
    shown = features(emg, angle - middle, 0.0 if np.isnan(load) else load)
    middles = np.log(np.maximum(part.excitation, LEAST))
    sd = (middles - np.log(np.maximum(part.lower, LEAST))) / NINETY_PERCENT
    level = np.log(np.maximum(emg[0], FLOOR))
    return _Lesson(shown[rows], middles[rows], sd[rows], level[rows], trial.angle[rows], load, fold)


def _products(lessons: Sequence[_Lesson], center: Floats, scale: Floats, target: Floats) -> Products:
    folds = sorted({lesson.fold for lesson in lessons if len(lesson.features)})
    sums = []
    for fold in folds:
        x, y = _standard([lesson for lesson in lessons if lesson.fold == fold], center, scale, target)
        sums.append((x.T @ x, x.T @ y, np.sum(y**2, axis=0), float(len(x))))
    return Products(*(np.array(column) for column in zip(*sums, strict=True)))


def _standard(lessons: Sequence[_Lesson], center: Floats, scale: Floats, target: Floats) -> tuple[Floats, Floats]:
    """Return standardized features with a constant (sample, feature + 1), and targets from their means (sample, muscle)."""
    x = (np.concatenate([lesson.features for lesson in lessons]) - center) / scale
    return np.column_stack([x, np.ones(len(x))]), np.concatenate([lesson.target for lesson in lessons]) - target


def _penalty(products: Products, muscles: Sequence[int]) -> float:
    """Return the penalty with the smallest error on folds left out, relative to what there is to explain, over some muscles."""
    everything = np.ones(products.features.shape[1], dtype=bool)
    power = np.maximum(products.power.sum(axis=0) / products.count.sum(), 1e-12)
    errors = [np.mean((left_out_error(products, penalty, everything) / power)[muscles]) for penalty in PENALTIES]
    return PENALTIES[int(np.argmin(errors))]


def _tails(
    lessons: Sequence[_Lesson], products: Products, penalty: float, standard: tuple[Floats, Floats, Floats]
) -> Floats:
    """Return the 90 % quantile of the errors on folds left out, over what it would be were they normal (muscle,)."""
    everything = np.ones(products.features.shape[1], dtype=bool)
    errors = []
    for number, fold in enumerate(sorted({lesson.fold for lesson in lessons if len(lesson.features)})):
        x, y = _standard([lesson for lesson in lessons if lesson.fold == fold], *standard)
        errors.append(y - x @ ridge(products, penalty, everything, without=number))
    whole = np.abs(np.concatenate(errors))
    rms = np.sqrt(np.mean(whole**2, axis=0))
    return np.asarray(np.quantile(whole, 0.9, axis=0) / np.maximum(NINETY_PERCENT * rms, 1e-12))


def _drift(lessons: Sequence[_Lesson], step: float) -> Floats:
    """Return the mean square by which the logarithm of each envelope changes over the longest time that is bridged."""
    rows = round(BRIDGED_S / step)
    moved = [lesson.level[rows:] - lesson.level[:-rows] for lesson in lessons if len(lesson.level) > rows]
    return np.asarray(np.mean(np.concatenate(moved) ** 2, axis=0))
