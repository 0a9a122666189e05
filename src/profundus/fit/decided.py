"""What decided a deep muscle's answer: how wide it is with motion and load alone, with the envelopes, and with the moments, too."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from profundus.model.deep_posterior import WindowPosterior, window_posterior
from profundus.model.fitted import TaughtSubject
from profundus.records import DecidedRow

Floats = NDArray[np.float64]


def decided(subject: TaughtSubject) -> tuple[DecidedRow, ...]:
    """Return for every muscle without an electrode how wide its log excitation is, and what narrowed it, in the trials to fit.

    Calibrations narrow the last width alone, that of the answer itself.
    """
    context = subject.context
    ways = {
        "motion": context.unheard().silent(),
        "envelopes": context.silent(),
        "moments": context.unheard(),
        "all": context,
    }
    found = {name: window_posterior(subject.prior, seen) for name, seen in ways.items()}
    told = ~np.isnan(subject.level_sd)
    answer = found["all"]
    found["all"] = answer._replace(level_sd=np.where(told, subject.level_sd, answer.level_sd))
    widths = {f"{name}_sd": _width(one, context.windows.valid) for name, one in found.items()}
    return tuple(
        DecidedRow(
            muscle,
            **{name: float(width[i]) for name, width in widths.items()},
            level_motion_sd=float(found["motion"].level_sd[i]),
            level_all_sd=float(found["all"].level_sd[i]),
            calibrated=bool(told[i]),
        )
        for i, muscle in enumerate(subject.layout.muscles)
        if not subject.layout.measured[i]
    )


def _width(answer: WindowPosterior, valid: NDArray[np.bool_]) -> Floats:
    """Return the standard deviation (muscle,) of log excitations, over all samples that are valid."""
    return np.asarray(np.sqrt(np.mean(answer.course_sd[valid] ** 2, axis=0) + answer.level_sd**2))
