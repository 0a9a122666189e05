"""What decided a deep muscle's answer: how wide it is with motion and load alone, with the envelopes, and with the moments, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from profundus.model.deep_posterior import MOST_CONTEXT, DeepPosterior, context_of, deep_posteriors
from profundus.model.fitted import TaughtSubject
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.settings import shown
from profundus.records import DecidedRow, Trial


def decided(subject: TaughtSubject, model: MusculoskeletalModel, trials: Sequence[Trial]) -> tuple[DecidedRow, ...]:
    """Return for every muscle without an electrode how wide its log excitation is, and what narrowed it, in three of the trials to fit."""
    fit = [shown(t, subject.settings, gain=subject.usual_gain) for t in trials if t.role == "fit"]
    silent = [replace(trial, emg_valid=np.zeros_like(trial.emg_valid)) for trial in fit]
    ways = {
        "motion": [replace(trial, moment_valid=np.zeros_like(trial.moment_valid)) for trial in silent],
        "envelopes": [replace(trial, moment_valid=np.zeros_like(trial.moment_valid)) for trial in fit],
        "moments": silent,
        "all": fit,
    }
    found = {name: _asked(subject, model, seen) for name, seen in ways.items()}
    return tuple(
        DecidedRow(
            muscle,
            *(float(np.sqrt(np.mean([np.mean(a.sd[:, i] ** 2) for a in found[name]]))) for name in ways),
            *(float(found[name][0].level_sd[i]) for name in ("motion", "all")),
        )
        for i, muscle in enumerate(subject.layout.muscles)
        if not subject.layout.measured[i]
    )


def _asked(subject: TaughtSubject, model: MusculoskeletalModel, trials: Sequence[Trial]) -> tuple[DeepPosterior, ...]:
    context = context_of(trials, model, view=subject.prior.view, scale_sd=subject.scale_sd, most=MOST_CONTEXT)
    return deep_posteriors(
        subject.prior, context, trials[:: max(1, len(trials) // 3)][:3], model, scale_sd=subject.scale_sd
    )
