"""What decided a deep muscle's answer: how wide it is with motion and load alone, with the envelopes, and with the moments, too."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from profundus.model.deep_posterior import MOST_CONTEXT, DeepPosterior, context_of, deep_posteriors
from profundus.model.fitted import TaughtSubject
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.settings import shown
from profundus.records import DecidedRow, Trial


def decided(
    subject: TaughtSubject, model: MusculoskeletalModel, trials: Sequence[Trial], *, aside: Collection[str] = ()
) -> tuple[DecidedRow, ...]:
    """Return for every muscle without an electrode how wide its log excitation is, and what narrowed it, in three of the trials to fit.

    Trials named in ``aside`` (maximal contractions) do not count. Calibrations narrow the last width alone, that of the answer itself.
    """
    fit = [
        shown(t, subject.settings, gain=subject.usual_gain) for t in trials if t.role == "fit" and t.name not in aside
    ]
    silent = [replace(trial, emg_valid=np.zeros_like(trial.emg_valid)) for trial in fit]
    ways = {
        "motion": [replace(trial, moment_valid=np.zeros_like(trial.moment_valid)) for trial in silent],
        "envelopes": [replace(trial, moment_valid=np.zeros_like(trial.moment_valid)) for trial in fit],
        "moments": silent,
        "all": fit,
    }
    found = {name: _asked(subject, model, seen) for name, seen in ways.items()}
    told = ~np.isnan(subject.level_sd)
    found["all"] = [replace(a, level_sd=np.where(told, subject.level_sd, a.level_sd)) for a in found["all"]]
    rows = (
        DecidedRow(
            muscle,
            **{f"{name}_sd": float(np.sqrt(np.mean([np.mean(a.sd[:, i] ** 2) for a in found[name]]))) for name in ways},
            level_motion_sd=float(found["motion"][0].level_sd[i]),
            level_all_sd=float(found["all"][0].level_sd[i]),
            calibrated=bool(told[i]),
        )
        for i, muscle in enumerate(subject.layout.muscles)
        if not subject.layout.measured[i]
    )
    return tuple(rows)


def _asked(subject: TaughtSubject, model: MusculoskeletalModel, trials: Sequence[Trial]) -> list[DeepPosterior]:
    context = context_of(trials, model, view=subject.prior.view, scale_sd=subject.scale_sd, most=MOST_CONTEXT)
    some = trials[:: max(1, len(trials) // 3)][:3]
    return list(deep_posteriors(subject.prior, context, some, model, scale_sd=subject.scale_sd))
