"""Trials of a limb with several joints as a taught network sees them: brisk, and with what the least effort would be beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.model.clocks import BRISK, at_times, bridged, cut, late, low_passed, placed, seen_columns
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.windows import ROWS, USUAL_SCALE_SD, force_lines
from profundus.numerics.shared_load import cheapest_shares
from profundus.records import Trial

Floats = NDArray[np.float64]
POWERS = (2.0, 3.0)  # of activation, whose sum is least: one for each of the muscle models
LEAST_EFFORT = 0.005  # activation
SLACK = 0.1  # (N.m)^2: what the least effort may leave of a moment


class LimbWindows(NamedTuple):
    """Stretches of one person's trials at 40 Hz.

    ``fast`` and ``slow`` (window, sample, muscle) are log envelopes below 6 and 1.5 Hz, ``motion`` (window, sample, 3 x coordinate) angles
    [rad] and their two rates, ``moment`` (window, sample, coordinate) [N.m], ``load`` (window,) [kg] or NaN, ``effort`` (window, sample,
    model, muscle) the activations of generic muscles that make the moments with the least effort, ``valid`` (window, sample). ``moment``
    and ``effort`` are those of 90 ms later. ``scale_sd`` (window,) is how unsure the scale of the envelopes is, as standard deviation of a
    log gain. What is unknown is zero.
    """

    fast: Floats
    slow: Floats
    motion: Floats
    moment: Floats
    load: Floats
    effort: Floats
    valid: NDArray[np.bool_]
    scale_sd: Floats

    def silent(self) -> LimbWindows:
        """Return the windows as they are where nobody knows the moments."""
        moment: Any = 0 * self.moment
        effort: Any = 0 * self.effort
        return self._replace(moment=moment, effort=effort)


def limb_windows_of(
    trials: Sequence[Trial], model: MusculoskeletalModel, *, scale_sd: float = USUAL_SCALE_SD
) -> LimbWindows:
    """Return the windows of trials, one trial after the other; coordinates whose moment is never known only move.

    ``scale_sd`` is the prior standard deviation of the log EMG gain that the normalization leaves.
    """
    asked = np.any([np.any(trial.moment_valid, axis=0) for trial in trials], axis=0)
    return LimbWindows(
        *(
            np.concatenate(columns)
            for columns in zip(*(_windows(trial, model, asked, scale_sd) for trial in trials), strict=True)
        )
    )


def _windows(
    trial: Trial, model: MusculoskeletalModel, asked: NDArray[np.bool_], scale_sd: float
) -> list[NDArray[np.generic]]:
    """Return the fields of `LimbWindows` for one trial."""
    place = placed(trial, BRISK)
    moment = low_passed(trial, bridged(trial.time, np.where(trial.moment_valid, trial.moment, np.nan)), BRISK.fast_hz)
    known = np.all(trial.moment_valid[:, asked], axis=1) & asked.any()
    columns: dict[str, Any] = seen_columns(trial, BRISK) | {
        "moment": late(trial, np.where(known[:, None], moment, 0.0)),
        "known": late(trial, known),
    }
    row: dict[str, Any] = {name: at_times(trial, values, place.time) for name, values in columns.items()}
    row["effort"] = _efforts(model, row["later"], row["moment"], asked) * row["known"][:, None, None]
    row["valid"] = np.ones(len(place.time), dtype=bool)
    whole = {name: cut(row[name], place, BRISK) for name in LimbWindows._fields if name in row}
    of_window = {"load": trial.load_kg, "scale_sd": scale_sd}
    whole |= {name: np.full(len(place.starts), value) for name, value in of_window.items()}
    return [whole[name] for name in LimbWindows._fields]


def _efforts(model: MusculoskeletalModel, moved: Any, moment: Any, asked: NDArray[np.bool_]) -> Any:
    """Return the activations of least effort (sample, model, muscle) at angles and velocities (sample, 2 x coordinate)."""
    count = len(moved)
    if not asked.any():
        return np.zeros((count, len(POWERS), len(model.muscles)))
    rows = jnp.asarray(np.pad(moved, [(0, -count % ROWS), (0, 0)], mode="edge"))
    capacity, passive = (np.asarray(v, dtype=float)[:count] for v in _capacities(model, *jnp.split(rows, 2, axis=1)))
    cost = np.ones(capacity.shape[-1])
    parts = [
        cheapest_shares(
            capacity[:, n][:, asked],
            (moment - passive[:, n])[:, asked],
            cost=cost,
            power=power,
            least=LEAST_EFFORT,
            slack=SLACK,
        )
        for n, power in enumerate(POWERS)
    ]
    return np.stack(parts, axis=1)


@eqx.filter_jit
def _capacities(
    model: MusculoskeletalModel, angle: Float[Array, "sample coordinate"], velocity: Float[Array, "sample coordinate"]
) -> tuple[Float[Array, "sample model coordinate muscle"], Float[Array, "sample model coordinate"]]:
    """Return moments per unit of activation, and those without any, of generic muscles between weak and working activation."""
    geometry = model.geometry(angle, velocity)
    lines = force_lines(model, geometry)
    capacities = [geometry.moment_arm * line.slope[:, None, :] for line in lines]
    passives = [jnp.einsum("tcm,tm->tc", geometry.moment_arm, line.rest) for line in lines]
    return jnp.stack(capacities, axis=1), jnp.stack(passives, axis=1)
