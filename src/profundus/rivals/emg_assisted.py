"""EMG-assisted optimization: the envelopes are adjusted, and the deep muscles found, so that the moment comes out with little effort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from profundus.quantities import quantity
from profundus.records import Reconstruction, Trial
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
from profundus.rivals.trials import moment_scales

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class EmgAssistedSettings:
    """What the three goals weigh against each other; CEINMS calls them alpha, beta and gamma."""

    moment_weight: float = quantity(
        "1/(N.m)^2", low=1e-6, high=1e6, default=1.0, meaning="cost of a squared error of the moment"
    )
    effort_weight: float = quantity("-", low=1e-6, high=1e6, default=2.0, meaning="cost of a squared activation")
    tracking_weight: float = quantity(
        "-", low=0.0, high=1e6, default=10.0, meaning="cost of moving a measured activation by one"
    )
    excitation_cutoff_hz: float = quantity(
        "Hz", low=1.0, high=50.0, default=6.0, meaning="low-pass of the activations before excitations are made of them"
    )


def emg_assisted(
    trials: Sequence[Trial],
    plant: Plant,
    settings: EmgAssistedSettings = EmgAssistedSettings(),
    *,
    method: str = "emg_assisted",
) -> Reconstruction:
    """Return adjusted measured and free deep excitations, time by time.

    Minimizes ``moment_weight`` (moment error)^2 + ``effort_weight`` sum(a^2) + ``tracking_weight`` sum|a - a_measured|, activations a
    between 0.01 and 1, passive forces included (hybrid mode of CEINMS, Pizzolato et al. 2015, there in excitations and by simulated
    annealing). The weight is that of the best known moment (`moment_scales`). A measured muscle is free where its envelope has a
    gap. Raises InputError as `programs.reconstruction`.
    """
    return reconstruction(method, trials, plant, settings, lambda moved: assisted_activation(moved, settings))


def assisted_activation(moved: MovedPlant, settings: EmgAssistedSettings) -> Found:
    """Return the activations (time, muscle) of the best compromise."""
    measured, known = measured_activation(moved)
    measured = np.clip(measured, LOWEST_ACTIVATION, 1.0)
    asked, scale = asked_moments(moved.trial), moment_scales([moved.trial])

    def solve(line: Linear, moving: Flags, activation: Floats) -> Floats:
        answer = activation.copy()
        there = Linear(line.per_activation[moving], line.target[moving])
        answer[moving] = _compromise(there, asked[moving], measured[moving], known[moving], settings, scale=scale)
        return answer

    return linearized(moved, np.where(known, measured, LOWEST_ACTIVATION), solve)


def _compromise(
    line: Linear, asked: Flags, measured: Floats, known: Flags, settings: EmgAssistedSettings, *, scale: Floats
) -> Floats:
    """Return the best activations (time, muscle) for forces that are straight lines; errors of moments count by ``scale`` (coordinate,).

    Unknowns: activations of free muscles, moves of measured ones up and down, and the moments' errors, which keep the program sparse.
    """
    free, tracked = np.flatnonzero(~known), np.flatnonzero(known)
    one = sparse.eye_array(measured.size, format="csc")
    moves = sparse.hstack([one[:, free], one[:, tracked], -one[:, tracked]])
    given, room = np.where(known, measured, 0.0).ravel(), measured.ravel()[tracked]
    made = moment_rows(line.per_activation, asked)
    errors, effort = made.shape[0], np.sqrt(settings.effort_weight)
    error, unbound = sparse.eye_array(errors), np.full(errors, np.inf)
    weight = np.sqrt(settings.moment_weight) / np.broadcast_to(scale, asked.shape)[asked]
    x = minimizer(
        sparse.block_diag([effort * moves, sparse.diags_array(weight)]),
        np.concatenate([-effort * given, np.zeros(errors)]),
        lowest=np.concatenate([np.full(len(free), LOWEST_ACTIVATION), np.zeros(2 * len(tracked)), -unbound]),
        highest=np.concatenate([np.ones(len(free)), 1.0 - room, room - LOWEST_ACTIVATION, unbound]),
        costs=np.repeat([0.0, settings.tracking_weight, 0.0], [len(free), 2 * len(tracked), errors]),
        equalities=(sparse.hstack([made @ moves, error]), line.target[asked] - made @ given),
    )
    activation = given + moves @ x[: moves.shape[1]]
    return np.asarray(np.clip(activation, LOWEST_ACTIVATION, 1.0)).reshape(measured.shape)
