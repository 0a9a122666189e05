"""The causal answer for whole trials at once: what a stream would have said, as any method's reconstruction."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from profundus.records import Reconstruction, Trial, TrialReconstruction
from profundus.stream.features import ANGLE_MEMORY_S, EMG_MEMORY_S, features
from profundus.stream.remembering import delayed, remembered
from profundus.stream.stillness import Stillness
from profundus.stream.student import LEAST, NINETY_PERCENT, Student

Floats = NDArray[np.float64]


def causal_reconstruction(student: Student, trials: Iterable[Trial]) -> Reconstruction:
    """Return what a stream would say of trials, found channel by channel over the whole trial; the method's name ends in "_causal".

    Samples that are not valid count as missing. There is no moment, force or fiber length.
    """
    return Reconstruction(f"{student.method}_causal", student.subject, tuple(_answer(student, one) for one in trials))


def _answer(student: Student, trial: Trial) -> TrialReconstruction:
    envelope = delayed(np.where(trial.emg_valid, trial.emg, np.nan)[:, student.columns], student.late)
    envelope = Stillness(envelope.shape[1], rate_hz=1 / trial.step, floor=0.0).moving(envelope)
    emg, emg_age = remembered(envelope, EMG_MEMORY_S, trial.step)
    angle, angle_age = remembered(trial.angle, ANGLE_MEMORY_S, trial.step)
    unknown = bool(np.isnan(trial.load_kg) or np.isnan(student.low[-1]))
    shown = features(emg, angle - student.middle, 0.0 if unknown else trial.load_kg)
    age = np.concatenate([emg_age, angle_age], axis=1)
    lost = np.column_stack([age > student.bridged, np.full(len(age), unknown)])
    held = np.where(emg_age <= student.bridged, emg_age, 0) / student.bridged
    middle, sd = np.empty((2, len(age), len(student.muscles)))
    for pattern in np.unique(lost, axis=0):
        rows, how = np.all(lost == pattern, axis=1), student.answering(pattern)
        middle[rows] = np.clip(shown[rows] @ how.slope + how.rest, np.log(LEAST), 0.0)
        sd[rows] = np.sqrt(how.sd**2 + held[rows] ** 2 @ how.holding)
    lower, upper = np.exp(middle - NINETY_PERCENT * sd), np.exp(np.minimum(middle + NINETY_PERCENT * sd, 0.0))
    return TrialReconstruction(trial, np.exp(middle), lower, upper)
