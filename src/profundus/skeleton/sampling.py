"""A model's muscle paths over a range of postures: sampled with OpenSim, fitted, and held against postures not fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from profundus.skeleton.child import asked_of_opensim
from profundus.skeleton.surrogate import Samples, Surrogate, fitted

Floats = NDArray[np.float64]
TASK = "profundus.skeleton.opensim_model:sampled"
INSTEAD = "or bring tables of lengths and moment arms ([geometry])"
SEED = 1
JOINT = 1024  # postures over all coordinates together; twice as many for four and more
HELD_OUT = 256
PROBED = 64  # held-out postures at which the model's arms are held against its own lengths
SWEEP = float(np.deg2rad(1.0))
STEP = 1e-4  # rad
DIFFERS = 1e-3  # m; arms that are further than this from -dl/dq are not fitted to


@dataclass(frozen=True)
class SampledPaths:
    """Muscles with their parameters (muscle,) in SI units, their fitted paths, and what was seen on the way.

    ``length`` (posture, muscle) and ``moment_arm`` (posture, coordinate, muscle) [m] are OpenSim's at the held-out ``posture``,
    ``length_error`` and ``arm_error`` how far paths that were not fitted to these are from them;
    ``disagreement`` (coordinate, muscle) [m] is how far OpenSim's moment arms are from minus the derivative of its lengths.
    """

    muscles: tuple[str, ...]
    parameters: dict[str, Floats]
    paths: Surrogate
    posture: Floats
    length: Floats
    moment_arm: Floats
    disagreement: Floats
    length_error: Floats
    arm_error: Floats


def sampled_paths(
    model: str,
    *,
    coordinates: Sequence[str],
    low: Floats,
    high: Floats,
    held: Mapping[str, float],
    muscles: Sequence[str] = (),
    motion: Floats | None = None,
) -> SampledPaths:
    """Return the paths of ``muscles`` (empty: all that cross a coordinate) over ``low`` to ``high`` (coordinate,) [rad].

    All other coordinates are ``held`` [rad]. Half of ``motion`` (posture, coordinate), postures that were recorded, is fitted to, too; the
    other half joins the postures that are held out. Raises InputError as `asked_of_opensim`.
    """
    recorded = np.empty((0, len(low))) if motion is None else np.clip(motion, low, high)
    fit_to = np.vstack([_spread(low, high), recorded[::2]])
    out = np.vstack([_points(HELD_OUT, low, high, seed=SEED + 1), recorded[1::2]])
    probes = _probes(out[:PROBED])
    question = {
        "model": model,
        "coordinates": list(coordinates),
        "muscles": list(muscles),
        "held": dict(held),
    }
    count = len(fit_to) + len(out)
    given = {"posture": np.vstack([fit_to, out, probes]), "armed": np.array(count)}
    answer, found = asked_of_opensim(TASK, question, given, file=model, instead=INSTEAD, timeout_s=900.0)
    crosses, length, arm = found["crosses"], found["length"], found["moment_arm"]
    disagreement = _disagreement(length[count:], arm[len(fit_to) :][:PROBED])
    arm = np.where(disagreement > DIFFERS, np.nan, arm)
    paths = fitted(
        Samples(fit_to, length[: len(fit_to)], arm[: len(fit_to)], crosses),
        Samples(out, length[len(fit_to) : count], arm[len(fit_to) :], crosses),
        low,
        high,
        np.array([min(max(0.0, a), b) for a, b in zip(low, high, strict=True)]),
    )
    parameters = {key: values for key, values in found.items() if values.ndim == 1}
    there, arm_there = length[len(fit_to) : count], found["moment_arm"][len(fit_to) :]
    return SampledPaths(
        tuple(answer["muscles"]), parameters, paths, out, there, arm_there, disagreement,
        paths.length(out) - there, paths.moment_arm(out) - arm_there,
    )  # fmt: skip


def _spread(low: Floats, high: Floats) -> Floats:
    """Return postures all over the range, and a dense sweep through each coordinate while the others are anywhere."""
    joint = _points(JOINT if len(low) < 4 else 2 * JOINT, low, high, seed=SEED)
    sweeps = []
    for column, (start, end) in enumerate(zip(low, high, strict=True)):
        angles = np.linspace(start, end, max(2, int(np.ceil((end - start) / SWEEP))) + 1)
        sweep = _points(len(angles), low, high, seed=SEED + 2 + column)
        sweep[:, column] = angles
        sweeps.append(sweep)
    return np.vstack([joint, *sweeps])


def _points(count: int, low: Floats, high: Floats, *, seed: int) -> Floats:
    """Return postures that fill the range evenly (Sobol)."""
    power = int(np.ceil(np.log2(max(count, 2))))
    unit = qmc.Sobol(len(low), seed=seed).random_base2(power)[:count]
    return np.asarray(low + unit * (high - low), dtype=np.float64)


def _probes(posture: Floats) -> Floats:
    """Return each posture a small step down and up every coordinate (posture x coordinate x 2, coordinate)."""
    steps = STEP * np.eye(posture.shape[1])
    both = np.stack([-steps, steps], axis=1)
    return (posture[:, None, None, :] + both).reshape(-1, posture.shape[1])


def _disagreement(length: Floats, arm: Floats) -> Floats:
    """Return how far moment arms (posture, coordinate, muscle) are from central differences of length: 95th percentile, so that a jump
    between two of the postures does not count.
    """  # fmt: skip
    pairs = length.reshape(arm.shape[0], arm.shape[1], 2, arm.shape[2])
    slope = (pairs[:, :, 1] - pairs[:, :, 0]) / (2.0 * STEP)
    return np.asarray(np.percentile(np.abs(arm + slope), 95, axis=0), dtype=np.float64)
