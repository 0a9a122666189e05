"""What is believed of all excitations of a taught person's trial: envelopes where there are electrodes, the learned prior elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from profundus.model.deep_posterior import DeepPosterior, deep_posteriors
from profundus.model.fitted import TaughtSubject
from profundus.model.inputs import smoothed
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.settings import shown
from profundus.records import Trial

Floats = NDArray[np.float64]
LEAST = 1e-4  # fraction of maximum


class Believed(NamedTuple):
    """One trial's log excitations: normal around ``middle`` with ``course_sd`` (time, muscle) and ``level_sd`` (muscle,), which is common
    to all of the person's samples; ``seen`` (muscle,) tells which muscles their envelopes answer for."""

    middle: Floats
    course_sd: Floats
    level_sd: Floats
    seen: NDArray[np.bool_]


def believed(subject: TaughtSubject, model: MusculoskeletalModel, trials: Sequence[Trial]) -> tuple[Believed, ...]:
    """Return what is believed of the excitations in each trial."""
    seen = [shown(trial, subject.settings, gain=subject.usual_gain) for trial in trials]
    found = deep_posteriors(subject.prior, subject.context, seen, model, scale_sd=subject.scale_sd)
    return tuple(_believed(subject, *pair) for pair in zip(trials, found, strict=True))


def _believed(subject: TaughtSubject, trial: Trial, posterior: DeepPosterior) -> Believed:
    loss, seen = subject.settings.loss, shown(trial, subject.settings).measured
    envelope = np.clip(smoothed(trial.emg, trial.emg_valid, step=trial.step) / subject.gain, LEAST, 1.0)
    noise = np.hypot(loss.emg_sd / np.maximum(envelope, loss.emg_sd), loss.emg_relative_sd)
    level_sd = np.where(np.isnan(subject.level_sd), posterior.level_sd, subject.level_sd)
    return Believed(
        np.where(seen, np.log(envelope), np.clip(posterior.middle + subject.level, np.log(LEAST), 0.0)),
        np.where(seen, noise, posterior.course_sd),
        np.where(seen, subject.scale_sd, level_sd),
        seen,
    )
