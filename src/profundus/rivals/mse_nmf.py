"""Muscle synergy extrapolation, NMF form: deep muscles obey the commands of the measured ones, as strongly as the moment asks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

from profundus.errors import InputError
from profundus.quantities import quantity
from profundus.records import Flag, Reconstruction, Trial
from profundus.rivals.plant import Plant
from profundus.rivals.synergies import DrivenTrial, Flags, driven, electrodes, solved, unconverged, unfit
from profundus.rivals.trials import moment_scales

Floats = NDArray[np.float64]
SEED = 0
ITERATIONS = 2000


@dataclass(frozen=True)
class MseSettings:
    """How many synergies: ``synergies``, or (None) as few as account for ``vaf`` of every muscle's envelope.

    Then there are at least as many as functional groups with an electrode, because antagonists do not share one command, and at most one
    fewer than electrodes.
    """

    synergies: int | None = None
    vaf: float = quantity(
        "-",
        low=0.5,
        high=1.0,
        default=0.95,
        meaning="share of every envelope's power, about zero, that the synergies hold",
    )


@dataclass(frozen=True)
class Synergies:
    """``weights`` (synergy, measured muscle) [fraction of maximum per command]; ``scale`` (measured muscle,): maximum of
    each envelope, by which errors count; ``vaf``: share of the scaled envelopes' power that the synergies hold.
    """

    weights: Floats
    scale: Floats
    vaf: float
    converged: bool

    def commands(self, envelopes: Floats) -> Floats:
        """Return the commands (time, synergy), none below zero, that come nearest to ``envelopes`` (time, measured muscle) without gaps."""
        mixing = (self.weights / self.scale).T
        return np.array([nnls(mixing, now)[0] for now in envelopes / self.scale])


def mse_nmf(
    trials: Sequence[Trial], plant: Plant, settings: MseSettings | None = None, *, method: str = "mse_nmf"
) -> Reconstruction:
    """Return the answer of muscle synergy extrapolation by non-negative matrix factorization, without a band.

    Synergies and the weights of muscles without an electrode are learned from the trials of role "fit" and hold for all. Measured muscles
    keep their envelopes. Where an envelope is missing nothing is known (NaN). Raises InputError where nothing can be learned.
    """
    chosen = settings or MseSettings()
    measured = electrodes(trials, plant)
    problems = unfit(chosen, number=chosen.synergies, electrodes=int(measured.sum()))
    if problems:
        raise InputError(problems)
    groups = {group for group, has in zip(plant.anatomy.groups, measured, strict=True) if has}
    learn = partial(muscle_synergies, settings=chosen, at_least=len(groups))
    synergies, those = driven(trials, plant, measured, learn)
    weights, flags = _deep_weights([one for one in those if one.moved.trial.role == "fit"], ~measured, synergies)
    said = f"{len(synergies.weights)} synergies hold {synergies.vaf:.1%} of the power of the measured envelopes"
    subject = trials[0].subject
    restless = Flag("not_converged", subject, why=f"the factorization still moved after {ITERATIONS} iterations")
    poor = Flag("synergies_poor", subject, why=f"{said}, {chosen.vaf:.0%} were asked for")
    told = (*(() if synergies.vaf >= chosen.vaf else (poor,)), *(() if synergies.converged else (restless,)), *flags)
    return Reconstruction(method, subject, tuple(one.answer(weights) for one in those), told)


def muscle_synergies(envelopes: Floats, settings: MseSettings, *, at_least: int = 1) -> Synergies:
    """Return the synergies of ``envelopes`` (time, muscle) without gaps; every muscle counts alike, whatever its level.

    Lee and Seung (1999), by coordinate descent from a start without chance.
    """
    most = max(1, envelopes.shape[1] - 1)
    numbers = [settings.synergies] if settings.synergies else range(min(at_least, most), most + 1)
    scale = np.maximum(envelopes.max(axis=0), 1e-6)
    scaled = envelopes / scale
    power = np.maximum(np.sum(scaled**2, axis=0), 1e-12)
    for number in numbers:
        commands, weights, converged = _factorized(scaled, number)
        error = np.sum((scaled - commands @ weights) ** 2, axis=0)
        if np.all(1.0 - error / power >= settings.vaf):
            break
    size = weights.mean(axis=1, keepdims=True)  # commands of the size of the scaled envelopes
    vaf = float(1.0 - error.sum() / power.sum())
    return Synergies(weights / np.where(size > 0.0, size, 1.0) * scale, scale, vaf, converged)


def _factorized(scaled: Floats, number: int) -> tuple[Floats, Floats, bool]:
    """Return commands (time, synergy), weights (synergy, muscle), and whether the factorization came to rest."""
    # one synergy: the start by singular vectors is the solution, from which no relative progress is left to stop at
    start = "nndsvda" if 1 < number <= min(scaled.shape) else "random"
    factorization = NMF(number, init=start, max_iter=ITERATIONS, tol=1e-4, random_state=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # told by a flag
        commands = factorization.fit_transform(scaled)
    return commands, factorization.components_, factorization.n_iter_ < ITERATIONS


def _deep_weights(fit: Sequence[DrivenTrial], deep: Flags, synergies: Synergies) -> tuple[Floats, tuple[Flag, ...]]:
    """Return the weights (synergy, muscle), none below zero, with which the moments come nearest to the measured (`moment_scales`)."""
    shape = (len(synergies.weights), int(deep.sum()))
    scale = moment_scales([one.moved.trial for one in fit])

    def spread(flat: Floats) -> Floats:
        weights = np.zeros((shape[0], len(deep)))
        weights[:, deep] = flat.reshape(shape)
        return weights

    def residuals(flat: Floats) -> tuple[Floats, Floats]:
        rows, slopes = [], []
        for one in fit:
            response, at = one.response(spread(flat)), one.moment_counted
            size = np.broadcast_to(scale, at.shape)[at]
            rows.append((response.moment - one.moved.trial.moment)[at] / size)
            slopes.append(response.moment_slope[at][..., deep].reshape(-1, flat.size) / size[:, None])
        return np.concatenate(rows), np.concatenate(slopes)

    start = np.repeat(np.maximum(synergies.weights.mean(axis=1), 1e-3), shape[1])
    solution = solved(residuals, start, low=0.0, high=np.inf)
    return spread(solution.weights), unconverged(fit[0].moved.trial.subject, solution)
