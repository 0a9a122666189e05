"""From a person's trials and a learned prior to a fitted person: the prior answers, the parameters explain the moment with that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.fit.personalization import MomentQuestion, Personalized, moment_question, personalize_people
from profundus.fit.priors import GainPrior, gain_prior, parameter_prior
from profundus.model.answer import believed
from profundus.model.context import MOST_CONTEXT, context_of
from profundus.model.deep_posterior import WindowPosterior, window_posteriors
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


class Met(NamedTuple):
    """A person before his moments are explained: as the prior knows him, the trials to fit, and what their moments ask, if anything."""

    subject: TaughtSubject
    trials: tuple[Trial, ...]
    delay_prior: tuple[float, float]
    gain: GainPrior

    @property
    def to_explain(self) -> bool:
        """Return whether there is a moment to explain."""
        return with_physics(self.subject.settings) and any(np.any(trial.moment_valid) for trial in self.trials)


def met(
    trials: Sequence[Trial],
    prior: DeepPrior,
    anatomy: Anatomy,
    model: MusculoskeletalModel,
    settings: FitSettings,
    *,
    normalization: str,
    delay_prior: tuple[float, float] = (0.06, 0.02),
    levels: Mapping[str, tuple[float, float]] | None = None,
) -> Met:
    """Return a person as the prior knows him. Only trials of role "fit" are seen, and of those never the truth.

    ``levels`` {muscle: (shift, sd)} are what calibrations say of the log factor between the prior's answer and the muscle's excitation.
    Raises InputError where there is no trial to fit, or no electrode in any.
    """
    own = resolved(settings)
    known = tuple(trial for trial in trials if trial.role == "fit")
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
    return Met(subject, known, delay_prior, gain)


def fit_taught_people(
    people: Sequence[Met], anatomy: Anatomy, model: MusculoskeletalModel, *, together: bool = False
) -> list[TaughtSubject]:
    """Return people of one prior with the parameters that explain their moments while all excitations are held at what is believed of them.

    Where no trial to fit has a moment, no parameters are fitted. The posterior of the parameters is widened by the doubt about the levels
    of muscles without electrodes. ``together`` computes people who share shapes in one program.
    """
    out = [person.subject for person in people]
    explained = [place for place, person in enumerate(people) if person.to_explain]
    if not explained:
        return out
    asking = [people[place] for place in explained]
    contexts = [person.subject.context for person in asking]
    known = window_posteriors(asking[0].subject.prior, contexts) if together else [None] * len(asking)
    doubts = [_doubts(*pair, model) for pair in zip(asking, known, strict=True)]
    questions = [_asked(*pair, anatomy, model) for pair in zip(asking, doubts, strict=True)]
    found = personalize_people(questions, model, together=together)
    for place, doubt, one in zip(explained, doubts, found, strict=True):
        out[place] = _explained(out[place], doubt.levels, one)
    return out


class _Doubts(NamedTuple):
    """What is believed of a person's excitations, (time, muscle) of each trial, and the doubt of each level that no electrode tells of."""

    middle: list[Floats]
    levels: dict[str, float]


def _doubts(person: Met, known: WindowPosterior | None, model: MusculoskeletalModel) -> _Doubts:
    subject = person.subject
    answers = believed(subject, model, person.trials, known=known)
    # envelopes as they are: the search divides them by the gains that it finds
    scale = np.where(subject.layout.measured, subject.usual_gain, 1.0)
    unheard = [i for i, seen in enumerate(subject.layout.measured) if not seen]
    levels = {subject.layout.muscles[i]: float(answers[0].level_sd[0, i]) for i in unheard}
    return _Doubts([np.exp(answer.middle) * scale for answer in answers], levels)


def _asked(person: Met, doubts: _Doubts, anatomy: Anatomy, model: MusculoskeletalModel) -> MomentQuestion:
    return moment_question(
        person.trials,
        doubts.middle,
        parameter_prior(anatomy, delay_prior=person.delay_prior),
        model,
        person.subject.settings,
        gain=person.gain,
        levels=doubts.levels,
    )


def _explained(subject: TaughtSubject, levels: Mapping[str, float], found: Personalized) -> TaughtSubject:
    return replace(
        subject,
        parameters=found.parameters,
        gain=np.where(subject.layout.measured, found.gain, subject.usual_gain),
        personalized=True,
        rows=(*found.rows, *_level_rows(levels, found)),
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
