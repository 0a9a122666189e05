"""What a method says about the muscles of one person: excitations with bands, and the moments that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.records.trial import Trial

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TrialReconstruction:
    """One trial's answer, on the trial's clock.

    ``excitation`` (time, muscle) is the posterior mean as a fraction of maximum, ``lower`` and ``upper`` its 90 % band (equal to the mean
    where the method gives none), ``draws`` (draw, time, muscle). ``moment`` (time, coordinate) [N.m] is the model's. ``activation``,
    ``tendon_force`` [N] and ``fiber_length`` [m] are (time, muscle). What a method does not know is None.
    """

    trial: Trial
    excitation: Floats
    lower: Floats
    upper: Floats
    draws: NDArray[np.floating] | None = None
    moment: Floats | None = None
    activation: Floats | None = None
    tendon_force: Floats | None = None
    fiber_length: Floats | None = None

    def __post_init__(self) -> None:
        shape = (len(self.trial.time), len(self.trial.muscles))
        fields = ("excitation", "lower", "upper", "activation", "tendon_force", "fiber_length")
        values = {key: getattr(self, key) for key in fields}
        wrong = [
            Problem("error", f"{self.trial.name}: {key} has the shape {value.shape}", expected=str(shape))
            for key, value in values.items()
            if value is not None and value.shape != shape
        ]
        if wrong:
            raise InputError(wrong)


@dataclass(frozen=True)
class Flag:
    """Something about an answer that a reader must know, by name: ``silent``, ``saturated``, ``prior_only`` ..."""

    name: str
    subject: str
    muscle: str = ""
    why: str = ""


@dataclass(frozen=True)
class Reconstruction:
    """One method's answer for one person, trial by trial. The judge cannot tell whose it is but by ``method``."""

    method: str
    subject: str
    trials: tuple[TrialReconstruction, ...]
    flags: tuple[Flag, ...] = field(default=(), compare=False)
