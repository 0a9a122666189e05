"""SynX, the PCA form of synergy extrapolation: deep muscles are a weighted sum of what varies together in the measured ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from profundus.errors import InputError
from profundus.quantities import quantity
from profundus.records import Flag, Reconstruction, Trial
from profundus.rivals.plant import Plant
from profundus.rivals.synergies import DrivenTrial, Flags, driven, electrodes, solved, unconverged, unfit
from profundus.rivals.trials import moment_scales

Floats = NDArray[np.float64]
MAX_WEIGHT = 100.0


@dataclass(frozen=True)
class SynxSettings:
    """What SynX asks for. Allowances are those that the NMSM Pipeline takes where nothing is said.

    ``components``: number of commands, or (None) as few as explain ``explained`` of the variance, at most one fewer than electrodes.
    """

    components: int | None = None
    explained: float = quantity(
        "-", low=0.5, high=1.0, default=0.95, meaning="share of the variance that the commands explain"
    )
    moment_allowance: float = quantity(
        "N.m", low=0.01, high=100.0, default=2.0, meaning="error of the best known joint moment that costs one"
    )
    unmeasured_allowance: float = quantity(
        "-", low=0.001, high=10.0, default=0.5, meaning="activation of a muscle without electrode that costs one"
    )
    residual_allowance: float = quantity(
        "-", low=0.001, high=10.0, default=0.01, meaning="activation beyond a muscle's envelope that costs one"
    )
    limit_allowance: float = quantity(
        "-", low=0.0001, high=1.0, default=0.01, meaning="excitation outside 0 to 1 that costs one"
    )


@dataclass(frozen=True)
class Components:
    """``directions`` (command, measured muscle) of envelopes over ``scale``, about ``mean``; ``explained``: share of the variance."""

    directions: Floats
    mean: Floats
    scale: Floats
    explained: float

    def commands(self, envelopes: Floats) -> Floats:
        """Return the component scores (time, command) of ``envelopes`` (time, measured muscle), and the constant one beside them."""
        scores = (envelopes / self.scale - self.mean) @ self.directions.T
        return np.column_stack([scores, np.ones(len(scores))])


def synx_pca(
    trials: Sequence[Trial], plant: Plant, settings: SynxSettings | None = None, *, method: str = "synx_pca"
) -> Reconstruction:
    """Return the answer of synergy extrapolation by principal components, as in the NMSM Pipeline, without a band.

    Components, weights and offsets are learned from the trials of role "fit" and hold for all. Measured muscles are answered with their
    residual excitations. Where an envelope is missing nothing is known (NaN). Ao et al. (2020, 2022). Raises InputError where nothing
    can be learned.
    """
    chosen = settings or SynxSettings()
    measured = electrodes(trials, plant)
    problems = unfit(chosen, number=chosen.components, electrodes=int(measured.sum()))
    if problems:
        raise InputError(problems)
    components, those = driven(trials, plant, measured, partial(principal_components, settings=chosen))
    weights, flags = _weights([one for one in those if one.moved.trial.role == "fit"], measured, chosen)
    said = f"{len(components.directions)} components explain {components.explained:.1%} of the variance of the measured envelopes"
    subject = trials[0].subject
    poor = Flag("synergies_poor", subject, why=f"{said}, {chosen.explained:.0%} were asked for")
    told = (*(() if components.explained >= chosen.explained else (poor,)), *flags)
    return Reconstruction(method, subject, tuple(one.answer(weights) for one in those), told)


def principal_components(envelopes: Floats, settings: SynxSettings) -> Components:
    """Return the principal components of ``envelopes`` (time, muscle) without gaps, each over its maximum."""
    scale = np.maximum(envelopes.max(axis=0), 1e-6)
    found = PCA(svd_solver="full").fit(envelopes / scale)
    explained = np.cumsum(found.explained_variance_ratio_)
    enough = int(np.searchsorted(explained, settings.explained)) + 1
    number = settings.components or min(enough, max(1, len(scale) - 1))
    return Components(found.components_[:number], found.mean_, scale, float(explained[number - 1]))


def _weights(fit: Sequence[DrivenTrial], measured: Flags, settings: SynxSettings) -> tuple[Floats, tuple[Flag, ...]]:
    """Return weights and, in the last row, offsets (command + 1, muscle): extrapolation of deep muscles, residuals of measured ones."""
    shape = (fit[0].commands.shape[1], len(measured))
    samples = sum(int(one.counted.sum()) for one in fit)
    moments = sum(int(one.moment_counted.sum()) for one in fit)
    scale = moment_scales([one.moved.trial for one in fit])
    moment_scale = [
        settings.moment_allowance
        * np.sqrt(moments)
        * np.broadcast_to(scale, one.moment_counted.shape)[one.moment_counted]
        for one in fit
    ]
    allowance = np.where(measured, settings.residual_allowance, settings.unmeasured_allowance)
    activation_scale = allowance * np.sqrt(samples * np.where(measured, measured.sum(), (~measured).sum()))
    limit_scale = settings.limit_allowance * np.sqrt(samples * len(measured))
    centers = [np.where(measured, one.moved.activation(one.base), 0.0) for one in fit]

    def residuals(flat: Floats) -> tuple[Floats, Floats]:
        rows, slopes = [], []
        for one, center, allowed in zip(fit, centers, moment_scale, strict=True):
            found = one.response(flat.reshape(shape))
            at, moment_at = one.counted, one.moment_counted
            outside = found.excitation - np.clip(found.excitation, 0.0, 1.0)
            push = one.commands[:, :, None] * (outside != 0.0)[:, None, :]
            rows += [
                (found.moment - one.moved.trial.moment)[moment_at] / allowed,
                ((found.activation - center) / activation_scale)[at].ravel(),
                (outside / limit_scale)[at].ravel(),
            ]
            slopes += [
                found.moment_slope[moment_at].reshape(-1, flat.size) / allowed[:, None],
                _own(found.activation_slope[at] / activation_scale),
                _own(push[at] / limit_scale),
            ]
        return np.concatenate(rows), np.concatenate(slopes)

    start = np.zeros(shape)
    start[-1] = np.where(measured, 0.0, 0.05)
    solution = solved(residuals, start.ravel(), low=-MAX_WEIGHT, high=MAX_WEIGHT)
    return solution.weights.reshape(shape), unconverged(fit[0].moved.trial.subject, solution)


def _own(slope: Floats) -> Floats:
    """Return slopes (time, command, muscle) as rows (time x muscle, command x muscle): a muscle follows its own weights alone."""
    muscles = slope.shape[2]
    rows = np.einsum("tkm,mn->tmkn", slope, np.eye(muscles))
    return np.asarray(rows.reshape(-1, slope.shape[1] * muscles))
