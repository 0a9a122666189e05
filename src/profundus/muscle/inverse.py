"""From what a muscle has become back to what the nerve must have asked for: the chain of activation, run backwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BISECTIONS = 40


def excitation_of(
    activation: Floats,
    *,
    step: float,
    delay: Floats,
    shape_factor: float,
    time_constant: float,
    deactivation_time_constant: float,
    smoothing: float = 10.0,
) -> Floats:
    """Return the excitation (time, muscle), kept between 0 and 1, that `muscle.activation` turns into ``activation`` (time, muscle).

    On a clock of ``step`` [s]; ``delay`` (muscle,) and both time constants [s]. The rate of activation is its central difference, so
    the activation must be smooth on that clock. The last ``delay`` of the excitation is unknown: the last known value holds.
    """
    shaped = driving(
        activation,
        step=step,
        time_constant=time_constant,
        deactivation_time_constant=deactivation_time_constant,
        smoothing=smoothing,
    )
    return advanced(straightened(np.clip(shaped, 0.0, 1.0), shape_factor), delay, step=step)


def driving(
    activation: Floats,
    *,
    step: float,
    time_constant: float,
    deactivation_time_constant: float,
    smoothing: float = 10.0,
) -> Floats:
    """Return the input (time, muscle) of De Groote's activation dynamics (2016, eq. 1 and 2) that makes it follow ``activation``.

    May leave the range of 0 to 1 where activation changes faster than the time constants allow, by at most 1 on either side.
    """
    rate = np.gradient(activation, step, axis=0) if len(activation) > 1 else np.zeros_like(activation)
    ease = 0.5 + 1.5 * activation
    rise, fall = 1.0 / (time_constant * ease), ease / deactivation_time_constant
    low, high = np.full_like(activation, -2.0), np.full_like(activation, 2.0)
    for _ in range(BISECTIONS):
        ahead = 0.5 * (low + high)
        rising = 0.5 + 0.5 * np.tanh(smoothing * ahead)
        too_fast = (rising * rise + (1.0 - rising) * fall) * ahead > rate
        low, high = np.where(too_fast, low, ahead), np.where(too_fast, ahead, high)
    return np.clip(activation + 0.5 * (low + high), -1.0, 2.0)


def straightened(shaped: Floats, shape_factor: float) -> Floats:
    """Return the excitation that a ``shape_factor`` A of -3 to 0 bends to ``shaped`` (Lloyd and Besier 2003), of any shape."""
    if abs(shape_factor) < 1e-3:
        return shaped - 0.5 * shape_factor * shaped * (shaped - 1.0)
    return np.asarray(np.log1p(shaped * np.expm1(shape_factor)) / shape_factor)


def advanced(values: Floats, delay: Floats, *, step: float) -> Floats:
    """Return columns (time, muscle) as they will be ``delay`` (muscle,) [s] later, linear between samples; at the end the last holds."""
    clock = np.arange(len(values)) * step
    columns = [np.interp(clock + late, clock, column) for column, late in zip(values.T, delay, strict=True)]
    return np.stack(columns, axis=1)
