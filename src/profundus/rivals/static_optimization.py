"""Static optimization: of all ways to make the moment, the one with the least sum of squared activations; no electrode is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from profundus.quantities import quantity
from profundus.records import Reconstruction, Trial
from profundus.rivals.plant import MovedPlant, Plant
from profundus.rivals.programs import (
    LOWEST_ACTIVATION,
    Found,
    asked_moments,
    minimizer,
    moment_rows,
    reconstruction,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StaticOptimizationSettings:
    """What a reserve costs, how low a muscle can go, and whether stretch alone carries load (OpenSim's tool: ``ignored``)."""

    reserve_moment: float = quantity(
        "N.m",
        low=1e-3,
        high=1e4,
        default=1.0,
        meaning="moment that the reserve of a coordinate makes at a control of one",
    )
    lowest_activation: float = quantity(
        "-", low=0.0, high=0.5, default=LOWEST_ACTIVATION, meaning="activation below which no muscle goes"
    )
    excitation_cutoff_hz: float = quantity(
        "Hz", low=1.0, high=50.0, default=6.0, meaning="low-pass of the activations before excitations are made of them"
    )
    passive_force: Literal["ignored", "included"] = "ignored"


def static_optimization(
    trials: Sequence[Trial],
    plant: Plant,
    settings: StaticOptimizationSettings = StaticOptimizationSettings(),
    *,
    method: str = "static_optimization",
) -> Reconstruction:
    """Return the answer of static optimization; all muscles are free, measured ones too.

    Minimizes the sum of activation^2 and control^2 subject to sum(moment arm x capacity x activation) + ``reserve_moment`` x control =
    moment, at each time, as OpenSim's StaticOptimization does (exponent 2; Crowninshield and Brand 1981). Moments and forces of the answer
    are without reserves. Raises InputError as `programs.reconstruction`.
    """

    def found(moved: MovedPlant) -> Found:
        activation = least_activation(moved, settings)
        return Found(activation, tendon_force=activation * moved.capacity + _passive(moved, settings))

    return reconstruction(method, trials, plant, settings, found)


def least_activation(moved: MovedPlant, settings: StaticOptimizationSettings) -> Floats:
    """Return the activations (time, muscle) of least effort; the lowest where no moment is known."""
    trial, asked = moved.trial, asked_moments(moved.trial)
    muscles, reserves = trial.emg.size, int(asked.sum())
    made = moment_rows(moved.moment_arm * moved.capacity[:, None, :], asked)
    rest = (trial.moment - moved.moment(_passive(moved, settings)))[asked]
    unbound = np.full(reserves, np.inf)
    x = minimizer(
        sparse.eye_array(muscles + reserves),
        np.zeros(muscles + reserves),
        lowest=np.concatenate([np.full(muscles, settings.lowest_activation), -unbound]),
        highest=np.concatenate([np.ones(muscles), unbound]),
        equalities=(sparse.hstack([made, settings.reserve_moment * sparse.eye_array(reserves)]), rest),
    )
    return np.clip(x[:muscles].reshape(trial.emg.shape), settings.lowest_activation, 1.0)


def _passive(moved: MovedPlant, settings: StaticOptimizationSettings) -> Floats:
    return moved.passive_force if settings.passive_force == "included" else np.zeros_like(moved.passive_force)
