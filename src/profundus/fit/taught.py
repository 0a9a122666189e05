"""From a person's trials and a learned prior to a fitted person: the prior answers, the parameters explain the moment with that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.fit.personalization import Personalized, personalize
from profundus.fit.priors import gain_prior, parameter_prior
from profundus.model.answer import believed
from profundus.model.deep_posterior import MOST_CONTEXT, context_of
from profundus.model.fitted import TaughtSubject
from profundus.model.musculoskeletal import MusculoskeletalModel, generic_parameters
from profundus.model.nmm import Layout
from profundus.model.prior import DeepPrior
from profundus.model.settings import method_of, resolved, shown, with_physics
from profundus.records import Anatomy, FitSettings, ParameterRow, Trial

Floats = NDArray[np.float64]
LEVEL = (
    "excitation_level"  # of a muscle without electrode, in log ratio to its answer; a nuisance beside the 32 parameters
)


def fit_taught(
    trials: Sequence[Trial],
    prior: DeepPrior,
    anatomy: Anatomy,
    model: MusculoskeletalModel,
    settings: FitSettings,
    *,
    normalization: str,
    delay_prior: tuple[float, float] = (0.06, 0.02),
    levels: Mapping[str, tuple[float, float]] | None = None,
) -> TaughtSubject:
    """Return the fitted person. Only trials of role "fit" are seen, and of those never the truth.

    ``levels`` {muscle: (shift, sd)} are what calibrations say of the log factor between the prior's answer and the muscle's excitation.
    Where no trial to fit has a moment, no parameters are fitted. Raises InputError where there is no trial to fit, or no electrode in any.
    """
    own = resolved(settings)
    known = [trial for trial in trials if trial.role == "fit"]
    if not known:
        raise InputError(
            Problem("error", "no trial to fit", expected="a trial of role 'fit'", remedy="Give one the role")
        )
    measured = np.any([trial.measured for trial in known], axis=0)
    if not measured.any() and own.ablation != "no_emg":
        raise InputError(Problem("error", "no muscle has EMG in the trials to fit", expected="at least one electrode"))
    gain = gain_prior(normalization)
    usual_gain = float(np.exp(gain.mean))
    muscles, seen = known[0].muscles, [shown(trial, own, gain=usual_gain) for trial in known]
    shift, sd = np.zeros(len(muscles)), np.full(len(muscles), np.nan)
    for name, (moved, left) in (levels or {}).items():
        shift[muscles.index(name)], sd[muscles.index(name)] = moved, left
    subject = TaughtSubject(
        subject=known[0].subject,
        method=method_of(own),
        layout=Layout(muscles, tuple(bool(m) for m in measured), anatomy.groups),
        coordinates=known[0].coordinates,
        settings=own,
        prior=prior,
        context=context_of(seen, model, view=prior.view, scale_sd=gain.sd, most=MOST_CONTEXT),
        parameters=generic_parameters(anatomy, delay=delay_prior[0]),
        gain=np.full(len(muscles), usual_gain),
        usual_gain=usual_gain,
        scale_sd=gain.sd,
        level=shift,
        level_sd=sd,
        step=known[0].step,
    )
    moments = any(np.any(trial.moment_valid) for trial in known)
    if not (moments and with_physics(own)):
        return subject
    return _personal(subject, known, anatomy, model, normalization=normalization, delay_prior=delay_prior)


def _personal(
    subject: TaughtSubject,
    trials: Sequence[Trial],
    anatomy: Anatomy,
    model: MusculoskeletalModel,
    *,
    normalization: str,
    delay_prior: tuple[float, float],
) -> TaughtSubject:
    """Return the person with the parameters that explain the moments while all excitations are held at what is believed of them.

    The posterior of the parameters is widened by the doubt about the levels of muscles without electrodes.
    """
    answers = believed(subject, model, trials)
    # envelopes as they are: the search divides them by the gains that it finds
    scale = np.where(subject.layout.measured, subject.usual_gain, 1.0)
    given = [np.exp(answer.middle) * scale for answer in answers]
    deep = {
        m: float(answers[0].level_sd[0, i])
        for i, m in enumerate(subject.layout.muscles)
        if not subject.layout.measured[i]
    }
    found = personalize(
        trials,
        given,
        parameter_prior(anatomy, delay_prior=delay_prior),
        model,
        subject.settings,
        gain=gain_prior(normalization),
        levels=deep,
    )
    return replace(
        subject,
        parameters=found.parameters,
        gain=np.where(subject.layout.measured, found.gain, subject.usual_gain),
        personalized=True,
        rows=(*found.rows, *_level_rows(deep, found)),
        trade_offs=found.trade_offs,
        converged=found.converged,
        outcome=found.outcome,
    )


def _level_rows(deep: Mapping[str, float], found: Personalized) -> list[ParameterRow]:
    """Return the levels of the muscles without electrodes: held at the prior's answer; their posterior is what the moment leaves open."""
    spread = [sd * left for sd, left in zip(deep.values(), found.level_left, strict=True)]
    return [
        ParameterRow(name, LEVEL, "log ratio", 0.0, 0.0, -3.0 * sd, 3.0 * sd, left, sd)
        for (name, sd), left in zip(deep.items(), spread, strict=True)
    ]
