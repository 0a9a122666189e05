"""What is believed of all excitations of a taught person's trial: envelopes where there are electrodes, the learned prior elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from profundus.model.deep_posterior import DeepPosterior, WindowPosterior, deep_posteriors
from profundus.model.fitted import TaughtSubject
from profundus.model.inputs import smoothed
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.settings import shown
from profundus.records import Trial

Floats = NDArray[np.float64]
LEAST = 1e-4  # fraction of maximum
BRIDGED_S = 0.2  # of an envelope's gap; over longer ones the prior answers


class Believed(NamedTuple):
    """One trial's log excitations (time, muscle): normal around ``middle`` with ``course_sd``, and with ``level_sd``, whose error is
    common to all of the person's samples; ``seen`` tells which muscles their envelopes answer for, and when."""

    middle: Floats
    course_sd: Floats
    level_sd: Floats
    seen: NDArray[np.bool_]


def believed(
    subject: TaughtSubject,
    model: MusculoskeletalModel,
    trials: Sequence[Trial],
    *,
    known: WindowPosterior | None = None,
) -> tuple[Believed, ...]:
    """Return what is believed of the excitations in each trial; ``known`` as for `deep_posteriors`."""
    seen = [shown(trial, subject.settings, gain=subject.usual_gain) for trial in trials]
    found = deep_posteriors(subject.prior, subject.context, seen, model, scale_sd=subject.scale_sd, known=known)
    return tuple(_believed(subject, *pair) for pair in zip(trials, found, strict=True))


def _believed(subject: TaughtSubject, trial: Trial, posterior: DeepPosterior) -> Believed:
    loss, seen = subject.settings.loss, _near(shown(trial, subject.settings).emg_valid, trial.step)
    envelope = np.clip(smoothed(trial.emg, trial.emg_valid, step=trial.step) / subject.gain, LEAST, 1.0)
    noise = np.hypot(loss.emg_sd / np.maximum(envelope, loss.emg_sd), loss.emg_relative_sd)
    level_sd = np.where(np.isnan(subject.level_sd), posterior.level_sd, subject.level_sd)
    return Believed(
        np.where(seen, np.log(envelope), np.clip(posterior.middle + subject.level, np.log(LEAST), 0.0)),
        np.where(seen, noise, posterior.course_sd),
        np.where(seen, subject.scale_sd, level_sd),
        seen,
    )


def _near(valid: NDArray[np.bool_], step: float) -> NDArray[np.bool_]:
    """Return where (time, muscle) a valid sample is so near that a gap may be bridged."""
    reach = max(1, 2 * round(0.5 * BRIDGED_S / step) + 1)
    return np.asarray(maximum_filter1d(valid.astype(np.uint8), reach, axis=0, mode="constant") > 0)
