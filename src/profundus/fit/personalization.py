"""One person's muscle parameters from excitations that are taken as known: what makes the joint moments come out right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.fit.coarse import CoarseTrials, coarse_trials
from profundus.fit.compiled import keep_compiled
from profundus.fit.moment_search import Found, Gains, Physics, SamePrior, Search, searched
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


def personalize(
    trials: Sequence[Trial],
    excitations: Sequence[Floats],
    prior: ParameterPrior,
    model: MusculoskeletalModel,
    settings: FitSettings,
    *,
    gain: GainPrior,
    copies: Mapping[str, str] | None = None,
    levels: Mapping[str, float] | None = None,
) -> Personalized:
    """Return the parameters of one person that, with these excitations, best explain the moments of the trials of role "fit".

    ``excitations`` holds an array (time, muscle) for every one of ``trials``: envelopes of muscles with an electrode, and for all others
    what the caller believes, as fractions of maximum. They are divided by the EMG gain and kept between 0 and 1. Where ``gain``
    leaves it open, the gain of every electrode is found along with the parameters. ``copies`` {muscle: other} names muscles whose values
    are another's envelope and share its gain; a muscle in neither has a gain of one. ``levels`` {muscle: sd} names muscles whose excitation
    is known up to a factor, and the standard deviation of its logarithm: it is held, and widens the posterior of whatever could stand in
    for it.

    Maximum a posteriori: the moment's likelihood of a fit (``moment_sd``, ``moment_relative_sd``, ``moment_correlation_s``) times the
    prior, by Levenberg-Marquardt. Raises InputError as `coarse_trials`, and for copies of muscles that there are not.
    """
    keep_compiled()
    known = [(trial, given) for trial, given in zip(trials, excitations, strict=True) if trial.role == "fit"]
    rows, step = coarse_trials(known, model, resolved(settings).loss)
    muscles, doubtful = known[0][0].muscles, dict(levels or {})
    gains = _gains([trial for trial, _ in known], gain, dict(copies or {}))
    held, open_too = (_with_levels(gains, muscles, doubt) for doubt in (dict.fromkeys(doubtful, 0.0), doubtful))
    physics = Physics(SamePrior(prior), settings.muscle, settings.tendon, settings.activation_smoothing, step)

    def search(gains: Gains, steps: int, start: Floats) -> Any:
        search = Search(jnp.asarray(steps), jnp.asarray(start, rows.moment.dtype))
        found: Any = jax.tree.map(np.asarray, searched(physics, model, gains, rows, search))
        return found

    center = np.zeros(len(prior.names) + held.wide.shape[1])
    generic, found = search(held, 0, center), search(held, STEPS, center)
    ended = found.solution
    if doubtful:
        found = search(open_too, 0, ended.value)
    personal, free = np.split(ended.value, [len(prior.names)])
    left = np.sqrt(np.diag(np.linalg.inv(found.solution.information))[len(center) - len(doubtful) :])
    return Personalized(
        parameters=prior.parameters(jnp.asarray(personal)),
        gain=np.exp(held.held + held.wide @ free),
        rows=(*_parameter_rows(prior, found), *_gain_rows(gain, gains, found)),
        moment_r2=_r2(rows, ended.residual),
        generic_moment_r2=_r2(rows, generic.solution.residual),
        converged=bool(ended.converged),
        outcome=Outcome(int(ended.outcome)).words,
        steps=int(ended.steps),
        level_left=left,
        trade_offs=strongest(prior, tuple(doubtful), found.slope, found.solution.information),
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
