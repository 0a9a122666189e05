"""One person's muscle parameters from excitations that are taken as known: what makes the joint moments come out right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.fit.coarse import CoarseTrials, coarse_trials
from profundus.fit.compiled import keep_compiled
from profundus.fit.moment_search import Found, Gains, Physics, Question, SamePrior, Search, searched_all
from profundus.fit.priors import GainPrior, ParameterPrior
from profundus.fit.trade_offs import strongest
from profundus.model.musculoskeletal import MusculoskeletalModel, Parameters
from profundus.model.settings import resolved
from profundus.numerics.levenberg_marquardt import Outcome
from profundus.records import FitSettings, ParameterRow, TradeOff, Trial

Floats = NDArray[np.float64]
STEPS = 60


@dataclass(frozen=True)
class Personalized:
    """A person's parameters, and how well the moments are explained with them.

    ``gain`` (muscle,) is what the given excitations are divided by. ``rows`` are parameters and free gains with their posterior sd
    (Laplace; excitations are held but for the levels that were given a doubt). ``moment_r2`` and ``generic_moment_r2`` (coordinate,) are R²
    over the samples fitted to, with these parameters and at the prior's center. ``outcome`` says why the search ended, after ``steps``.
    ``level_left`` (level,) is the share of the sd of each of the levels that the moments would leave, were they believed; ``trade_offs``
    are the strongest correlations of the posterior.
    """

    parameters: Parameters
    gain: Floats
    rows: tuple[ParameterRow, ...]
    moment_r2: Floats
    generic_moment_r2: Floats
    converged: bool
    outcome: str
    steps: int
    level_left: Floats
    trade_offs: tuple[TradeOff, ...] = ()


@dataclass(frozen=True)
class MomentQuestion:
    """What is asked about one person: which parameters make the moments come out right. Made by `moment_question`.

    ``held`` has the levels of muscles without electrodes held, ``open`` has them free within their doubt; ``levels`` names them.
    """

    prior: ParameterPrior
    gain: GainPrior
    physics: Physics
    rows: CoarseTrials
    gains: Gains
    held: Gains
    open: Gains
    levels: tuple[str, ...]

    def of(self, gains: Gains, steps: int, start: Floats) -> Question:
        """Return one search, of at most so many ``steps`` from ``start`` on."""
        return Question(
            self.physics, gains, self.rows, Search(jnp.asarray(steps), jnp.asarray(start, self.rows.moment.dtype))
        )


def moment_question(
    trials: Sequence[Trial],
    excitations: Sequence[Floats],
    prior: ParameterPrior,
    model: MusculoskeletalModel,
    settings: FitSettings,
    *,
    gain: GainPrior,
    copies: Mapping[str, str] | None = None,
    levels: Mapping[str, float] | None = None,
) -> MomentQuestion:
    """Return the question about one person, from his trials of role "fit".

    ``excitations`` holds an array (time, muscle) for every one of ``trials``: envelopes of muscles with an electrode, and for all others
    what the caller believes, as fractions of maximum. They are divided by the EMG gain and kept between 0 and 1. Where ``gain``
    leaves it open, the gain of every electrode is found along with the parameters. ``copies`` {muscle: other} names muscles whose values
    are another's envelope and share its gain; a muscle in neither has a gain of one. ``levels`` {muscle: sd} names muscles whose excitation
    is known up to a factor, and the standard deviation of its logarithm: it is held, and widens the posterior of whatever could stand in
    for it. Raises InputError as `coarse_trials`, and for copies of muscles that there are not.
    """
    known = [(trial, given) for trial, given in zip(trials, excitations, strict=True) if trial.role == "fit"]
    with jax.enable_x64(True):
        rows, step = coarse_trials(known, model, resolved(settings).loss)
    muscles, doubtful = known[0][0].muscles, dict(levels or {})
    gains = _gains([trial for trial, _ in known], gain, dict(copies or {}))
    held, free = (_with_levels(gains, muscles, doubt) for doubt in (dict.fromkeys(doubtful, 0.0), doubtful))
    physics = Physics(SamePrior(prior), settings.muscle, settings.tendon, settings.activation_smoothing, step)
    return MomentQuestion(prior, gain, physics, rows, gains, held, free, tuple(doubtful))


def personalize(
    trials: Sequence[Trial],
    excitations: Sequence[Floats],
    prior: ParameterPrior,
    model: MusculoskeletalModel,
    settings: FitSettings,
    *,
    gain: GainPrior,
    copies: Mapping[str, str] | None = None,
) -> Personalized:
    """Return the parameters of one person; arguments and errors as for `moment_question`."""
    question = moment_question(trials, excitations, prior, model, settings, gain=gain, copies=copies)
    return personalize_people([question], model)[0]


def personalize_people(
    questions: Sequence[MomentQuestion], model: MusculoskeletalModel, *, together: bool = False
) -> list[Personalized]:
    """Return the parameters of each person that, with the excitations that are believed, best explain his moments.

    Maximum a posteriori: the moment's likelihood of a fit (``moment_sd``, ``moment_relative_sd``, ``moment_correlation_s``) times the
    prior, by Levenberg-Marquardt; ``together`` in one program for people who share shapes, else one after the other.
    """
    keep_compiled()
    with jax.enable_x64(True):  # in 32 bits delays stray by half a standard deviation, and an hour has no covariance
        starts = [np.zeros(len(one.prior.names) + one.held.wide.shape[1]) for one in questions]
        begun = list(zip(questions, starts, strict=True))
        generic = searched_all([one.of(one.held, 0, at) for one, at in begun], model, together=together)
        ended = searched_all([one.of(one.held, STEPS, at) for one, at in begun], model, together=together)
        there = [(one, np.asarray(end.solution.value)) for one, end in zip(questions, ended, strict=True)]
        doubted = searched_all([one.of(one.open, 0, at) for one, at in there], model, together=together)
    return [_personalized(*parts) for parts in zip(questions, generic, ended, doubted, strict=True)]


def _personalized(question: MomentQuestion, generic: Found, ended: Found, doubted: Found) -> Personalized:
    """Return what the searches say: from the prior's center, where they ended, and there with the levels' doubt."""
    prior, held, solution = question.prior, question.held, ended.solution
    personal, free = np.split(np.asarray(solution.value), [len(prior.names)])
    information = np.asarray(doubted.solution.information)
    left = np.sqrt(np.diag(np.linalg.inv(information))[len(solution.value) - len(question.levels) :])
    return Personalized(
        parameters=prior.parameters(jnp.asarray(personal)),
        gain=np.exp(held.held + held.wide @ free),
        rows=(*_parameter_rows(prior, doubted), *_gain_rows(question.gain, question.gains, doubted)),
        moment_r2=_r2(question.rows, np.asarray(solution.residual)),
        generic_moment_r2=_r2(question.rows, np.asarray(generic.solution.residual)),
        converged=bool(solution.converged),
        outcome=Outcome(int(solution.outcome)).words,
        steps=int(solution.steps),
        level_left=left,
        trade_offs=strongest(prior, question.levels, np.asarray(doubted.slope), information),
    )


def _with_levels(gains: Gains, muscles: Sequence[str], levels: Mapping[str, float]) -> Gains:
    """Return gains whose levels are free, too: an excitation twice as large is one that is divided by half the gain.

    Levels with a doubt of 0 are held, and share a compilation with those that are not.
    """
    columns = np.zeros((len(muscles), len(levels)))
    for column, (name, sd) in enumerate(levels.items()):
        columns[muscles.index(name), column] = -sd
    return Gains(gains.held, np.concatenate([gains.wide, columns], axis=1), (*gains.free, *levels))


def _gains(trials: Sequence[Trial], prior: GainPrior, copies: Mapping[str, str]) -> Gains:
    muscles = trials[0].muscles
    measured = np.any([trial.measured for trial in trials], axis=0)
    electrodes = [name for name, seen in zip(muscles, measured, strict=True) if seen]
    strangers = [(name, other) for name, other in copies.items() if name not in muscles or other not in electrodes]
    if strangers:
        expected = "a muscle of the model, and one with an electrode: " + ", ".join(electrodes)
        raise InputError(
            Problem("error", f"{name} cannot copy {other}", expected=expected) for name, other in strangers
        )
    source = [muscles.index(copies.get(name, name)) for name in muscles]
    own = np.eye(len(muscles))[source][:, measured]
    held = prior.mean * own.sum(axis=1)
    return Gains(held, prior.sd * own, tuple(electrodes)) if prior.learned else Gains(held, own[:, :0], ())


def _parameter_rows(prior: ParameterPrior, found: Found) -> list[ParameterRow]:
    count = len(prior.names)
    covariance = np.linalg.inv(found.solution.information)[:count, :count]
    posterior = np.sqrt(np.einsum("ij,jk,ik->i", found.slope, covariance, found.slope))
    fenced = np.sqrt(np.einsum("ij,ij->i", found.slope, found.slope))
    columns = (prior.generic, found.values, prior.low, prior.high, posterior, np.maximum(prior.sd, fenced))
    return [
        ParameterRow(*name, *values)
        for name, values in zip(prior.names, np.stack(columns, axis=1).tolist(), strict=True)
    ]


def _gain_rows(prior: GainPrior, gains: Gains, found: Found) -> list[ParameterRow]:
    """Return the free EMG gains; their posterior is narrow where strength and gain can be told apart."""
    if not gains.free:
        return []
    first = len(found.values)
    counted = slice(first, first + len(gains.free))
    spread = prior.sd * np.sqrt(np.diag(np.linalg.inv(found.solution.information))[counted])
    low, generic, high = np.exp(prior.mean + prior.sd * np.array([-3.0, 0.0, 3.0])).tolist()
    values = np.exp(prior.mean + prior.sd * found.solution.value[counted])
    return [
        ParameterRow(name, "emg_gain", "-", generic, value, low, high, value * sd, max(value, generic) * prior.sd)
        for name, value, sd in zip(gains.free, values.tolist(), spread.tolist(), strict=True)
    ]


def _r2(rows: CoarseTrials, residual: Floats) -> Floats:
    """Return R² of each moment (coordinate,) over all samples that count; NaN where none does."""
    weight, moment = np.asarray(rows.weight, float), np.asarray(rows.moment, float)
    counts = weight > 0
    error = residual[: weight.size].reshape(weight.shape) / np.where(counts, weight, 1.0)
    number = np.maximum(counts.sum(axis=(0, 1)), 1)
    strayed = moment - np.sum(moment, axis=(0, 1), where=counts) / number
    spread = np.sum(strayed**2, axis=(0, 1), where=counts)
    missed = np.sum(error**2, axis=(0, 1), where=counts)
    return np.where(spread > 0, 1.0 - missed / np.where(spread > 0, spread, 1.0), np.nan)
