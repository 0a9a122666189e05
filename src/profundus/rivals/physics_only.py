"""Physics without a network: measured muscles do what their envelopes say, deep ones whatever smooth signal makes the moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from profundus.quantities import quantity
from profundus.records import LossSettings, Reconstruction, Trial, TrialReconstruction
from profundus.rivals.plant import MovedPlant, Plant
from profundus.rivals.programs import (
    LOWEST_ACTIVATION,
    Found,
    Linear,
    asked_moments,
    linearized,
    measured_activation,
    minimizer,
    moment_rows,
    reconstruction,
)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class PhysicsOnlySettings:
    """How far a deep muscle may stray, each as a standard deviation in its own unit; the moment's are those of a fit."""

    moment_sd: float = quantity(
        "N.m", low=1e-3, high=100.0, default=LossSettings.moment_sd, meaning="error of moment and model, constant part"
    )
    moment_relative_sd: float = quantity(
        "-",
        low=0.0,
        high=1.0,
        default=LossSettings.moment_relative_sd,
        meaning="error of moment and model, part that grows with the moment",
    )
    effort_sd: float = quantity("-", low=1e-3, high=10.0, default=1.0, meaning="spread of an activation around zero")
    smoothness_sd: float = quantity(
        "1/s", low=1e-3, high=1e3, default=1.0, meaning="rate at which an activation changes"
    )
    excitation_cutoff_hz: float = quantity(
        "Hz", low=1.0, high=50.0, default=6.0, meaning="low-pass of the activations before excitations are made of them"
    )


def physics_only(
    trials: Sequence[Trial],
    plant: Plant,
    settings: PhysicsOnlySettings = PhysicsOnlySettings(),
    *,
    method: str = "physics_only",
) -> Reconstruction:
    """Return deep excitations as free, smooth signals, and measured ones as their envelopes say.

    Minimizes the sum over a trial of (moment error / sd)^2 + (a / ``effort_sd``)^2 + (da/dt / ``smoothness_sd``)^2 over the activations a
    of muscles without an electrode, between 0.01 and 1, with sd^2 = ``moment_sd``^2 + (``moment_relative_sd`` x moment)^2; passive forces
    included. A trial's ``moment_sd`` comes first. A measured muscle is free where its envelope has a gap. Raises
    InputError as `programs.reconstruction`.
    """
    found = reconstruction(method, trials, plant, settings, lambda moved: smooth_activation(moved, settings))
    return replace(found, trials=tuple(_with_envelopes(part, plant) for part in found.trials))


def _with_envelopes(part: TrialReconstruction, plant: Plant) -> TrialReconstruction:
    """Return an answer whose measured excitations are the envelopes themselves, not what is left of them after there and back."""
    envelope = plant.moved(part.trial).measured_excitation()
    given = np.isfinite(envelope) & np.isfinite(part.excitation)
    excitation = np.where(given, envelope, part.excitation)
    return replace(part, excitation=excitation, lower=excitation, upper=excitation)


def smooth_activation(moved: MovedPlant, settings: PhysicsOnlySettings) -> Found:
    """Return the activations (time, muscle) of the smoothest answer."""
    measured, known = measured_activation(moved)
    asked, free = asked_moments(moved.trial), np.flatnonzero(~known)
    if not len(free):
        return Found(measured)
    given = np.where(known, measured, 0.0).ravel()
    constant = settings.moment_sd if moved.trial.moment_sd is None else moved.trial.moment_sd
    sd = np.hypot(constant, settings.moment_relative_sd * moved.trial.moment)[asked]
    time, muscle = measured.shape
    effort = sparse.eye_array(measured.size) / settings.effort_sd
    change = sparse.diags_array([-1.0, 1.0], offsets=[0, muscle], shape=((time - 1) * muscle, measured.size))
    calm = sparse.vstack([effort, change / (moved.trial.step * settings.smoothness_sd)])

    def solve(line: Linear, _moving: Flags, _activation: Floats) -> Floats:
        made = moment_rows(line.per_activation, asked)
        terms = sparse.vstack([made / sd[:, None], calm], format="csc")
        targets = np.concatenate([line.target[asked] / sd, np.zeros(calm.shape[0])]) - terms @ given
        lowest, highest = np.full(len(free), LOWEST_ACTIVATION), np.ones(len(free))
        answer = given.copy()
        answer[free] = np.clip(minimizer(terms[:, free], targets, lowest=lowest, highest=highest), lowest, highest)
        return answer.reshape(measured.shape)

    return linearized(moved, np.where(known, measured, LOWEST_ACTIVATION), solve)
