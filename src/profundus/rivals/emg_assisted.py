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

Floats = NDArray[np.float64]


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


def emg_assisted(
    trials: Sequence[Trial],
    plant: Plant,
    settings: EmgAssistedSettings = EmgAssistedSettings(),  # noqa: B008
    *,
    method: str = "emg_assisted",
) -> Reconstruction:
    """Return adjusted measured and free deep excitations, time by time.

    Minimizes ``moment_weight`` (moment error)^2 + ``effort_weight`` sum(a^2) + ``tracking_weight`` sum|a - a_measured|, activations a
    between 0.01 and 1, passive forces included (hybrid mode of CEINMS, Pizzolato et al. 2015, there in excitations and by simulated
    annealing). A measured muscle is free where its envelope has a gap. Raises InputError as `programs.reconstruction`.
    """
    return reconstruction(method, trials, plant, settings, lambda moved: assisted_activation(moved, settings))


def assisted_activation(moved: MovedPlant, settings: EmgAssistedSettings) -> Found:
    """Return the activations (time, muscle) of the best compromise."""
    measured, known = measured_activation(moved)
    asked, tracked = asked_moments(moved.trial), np.flatnonzero(known)
    size, shifts = measured.size, len(tracked)
    one = sparse.eye_array(size, format="csr")
    shift = sparse.eye_array(shifts)
    balance = (sparse.hstack([one[tracked], -shift, shift]), measured.ravel()[tracked])
    lowest = np.concatenate([np.full(size, LOWEST_ACTIVATION), np.zeros(2 * shifts)])
    highest = np.concatenate([np.ones(size), np.full(2 * shifts, np.inf)])
    costs = np.concatenate([np.zeros(size), np.full(2 * shifts, settings.tracking_weight)])
    weight, effort = np.sqrt(settings.moment_weight), np.sqrt(settings.effort_weight)

    def solve(line: Linear) -> Floats:
        made = moment_rows(line.per_activation, asked)
        terms = sparse.vstack([weight * made, effort * one])
        wide = sparse.hstack([terms, sparse.csr_array((terms.shape[0], 2 * shifts))])
        targets = np.concatenate([weight * line.target[asked], np.zeros(size)])
        x = minimizer(wide, targets, lowest=lowest, highest=highest, costs=costs, equalities=balance)
        return np.clip(x[:size].reshape(measured.shape), LOWEST_ACTIVATION, 1.0)

    return linearized(moved, np.where(known, measured, LOWEST_ACTIVATION), solve)
