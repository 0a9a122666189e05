"""How muscles share a joint moment: quadratic programs over the activations of one trial, all samples at once.

Unknowns are counted time by time, muscle by muscle: sample t of muscle m is number t x muscles + m.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import clarabel
import numpy as np
from numpy.typing import NDArray
from scipy import signal, sparse

from profundus.errors import ConvergenceError, InputError
from profundus.muscle.inverse import advanced
from profundus.quantities import out_of_range
from profundus.records import Flag, Reconstruction, Trial, TrialReconstruction
from profundus.rivals.plant import MovedPlant, Plant
from profundus.rivals.trials import bridged, other_muscles, several_people

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
LOWEST_ACTIVATION = 0.01  # as in OpenSim; a Thelen muscle does not know less
ROUNDS = 20
SETTLED = 1e-3  # activation


class Found(NamedTuple):
    """Activations (time, muscle) that a rival found, and whether its rounds of linearization came to rest.

    ``tendon_force`` (time, muscle) [N] is given where the rival counts forces otherwise than the muscles do.
    """

    activation: Floats
    settled: bool = True
    tendon_force: Floats | None = None


class Linear(NamedTuple):
    """Joint moments as a straight line: ``per_activation`` (time, coordinate, muscle) [N.m] times activation makes ``target`` [N.m]."""

    per_activation: Floats
    target: Floats


def minimizer(
    terms: Any,
    targets: Floats,
    *,
    lowest: Floats,
    highest: Floats,
    costs: Floats | None = None,
    equalities: tuple[Any, Floats] | None = None,
) -> Floats:
    """Return x (unknown,) that makes the sum of squares of ``terms`` x - ``targets``, plus ``costs`` x, smallest.

    Subject to ``lowest`` <= x <= ``highest`` (infinite: no bound) and ``equalities`` (A, b), A x = b; matrices are sparse. Solved by
    Clarabel's interior point method (Goulart and Chen 2024). Raises ConvergenceError where it finds none.
    """
    size = terms.shape[1]
    square = sparse.triu(2.0 * (terms.T @ terms), format="csc")
    slope = -2.0 * (terms.T @ targets) + (0.0 if costs is None else costs)
    one, up, down = sparse.eye_array(size, format="csr"), np.isfinite(highest), np.isfinite(lowest)
    rows, sums = ([equalities[0]], [equalities[1]]) if equalities else ([], [])
    equal = len(sums[0]) if sums else 0
    matrix = sparse.vstack([*rows, one[up], -one[down]], format="csc")
    cones = [clarabel.ZeroConeT(equal), clarabel.NonnegativeConeT(matrix.shape[0] - equal)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    limits = np.concatenate([*sums, highest[up], -lowest[down]])
    answer = clarabel.DefaultSolver(square, slope, matrix, limits, cones, settings).solve()
    if answer.status not in (clarabel.SolverStatus.Solved, clarabel.SolverStatus.AlmostSolved):
        raise ConvergenceError(f"a quadratic program with {size} unknowns stopped without an answer: {answer.status}")
    return np.asarray(answer.x)


def moment_rows(per_activation: Floats, asked: Flags) -> Any:
    """Return the sparse matrix from activations to the moments that are ``asked`` for (time, coordinate)."""
    time, coordinate, muscle = per_activation.shape
    columns = np.broadcast_to(np.arange(time * muscle).reshape(time, 1, muscle), per_activation.shape)
    starts = np.arange(0, per_activation.size + 1, muscle)
    shape = (time * coordinate, time * muscle)
    return sparse.csr_array((per_activation.ravel(), columns.ravel(), starts), shape=shape)[asked.ravel()]


def asked_moments(trial: Trial) -> Flags:
    """Return which moments (time, coordinate) are known."""
    return np.asarray(trial.moment_valid & np.isfinite(trial.moment))


def answerable(trial: Trial) -> Flags:
    """Return at which times (time,) there is a moment of every coordinate that has any in this trial; never where none has."""
    asked = asked_moments(trial)
    used = asked.any(axis=0)
    return np.asarray(asked[:, used].all(axis=1) & used.any())


def measured_activation(moved: MovedPlant) -> tuple[Floats, Flags]:
    """Return the activations (time, muscle) that the envelopes become, and where they are known; gaps are bridged by straight lines."""
    envelope = moved.measured_excitation()
    known = np.isfinite(envelope)
    delay = np.asarray(moved.plant.parameters.muscles.electromechanical_delay, dtype=float)
    later = advanced(known.astype(float), -delay, step=moved.trial.step) == 1.0
    return moved.activation(bridged(envelope, known)), later


def linearized(moved: MovedPlant, start: Floats, solve: Callable[[Linear, Flags, Floats], Floats]) -> Found:
    """Return the activations at which ``solve``, given the muscles' forces as straight lines around them, finds the same again.

    Successive linearization from ``start`` (time, muscle), until no activation moves by ``SETTLED``, ``ROUNDS`` times at most. ``solve``
    is told at which times (time,) one still moves, and the activations so far.
    """
    activation, moving = start, np.ones(len(start), dtype=bool)
    for _ in range(ROUNDS):
        inner = np.maximum(activation, LOWEST_ACTIVATION + 1e-9)  # at its floor a Thelen muscle has no slope
        muscles = moved.muscles(inner)
        line = moved.moment_arm * muscles.slope[:, None, :]
        rest = moved.moment(muscles.tendon_force) - np.einsum("tcm,tm->tc", line, inner)
        before, activation = activation, solve(Linear(line, moved.trial.moment - rest), moving, activation)
        moving = np.abs(activation - before).max(axis=1) >= SETTLED
        if not moving.any():
            return Found(activation)
    return Found(activation, settled=False)


def reconstruction(
    method: str, trials: Sequence[Trial], plant: Plant, settings: Any, found: Callable[[MovedPlant], Found]
) -> Reconstruction:
    """Return the answer to every trial from the activations that are ``found`` in it; NaN where it has no moment.

    An excitation is known where both the moment of its time and the one it makes, an electromechanical delay later, are known. It is
    low-passed at ``settings.excitation_cutoff_hz`` without lag, as an envelope is, because undoing the activation dynamics differentiates.
    Raises InputError for trials of several people, muscles that are not the model's, and settings out of range.
    """
    problems = [*several_people(trials), *other_muscles(trials, plant.anatomy.muscles), *out_of_range(settings)]
    if problems:
        raise InputError(problems)
    parts, flags = [], []
    for trial in trials:
        moved = plant.moved(trial)
        known = answerable(trial)
        found_here = found(moved) if known.any() else Found(np.zeros(trial.emg.shape))
        parts.append(_answer(moved, found_here, known, settings.excitation_cutoff_hz))
        if not found_here.settled:
            why = f"{trial.name}: forces and activations did not come to rest in {ROUNDS} rounds"
            flags.append(Flag("not_converged", trial.subject, why=why))
    return Reconstruction(method, trials[0].subject, tuple(parts), tuple(flags))


def _answer(moved: MovedPlant, found: Found, known: Flags, cutoff_hz: float) -> TrialReconstruction:
    seen = np.broadcast_to(known[:, None], found.activation.shape)
    activation = bridged(found.activation, seen)
    delay = np.asarray(moved.plant.parameters.muscles.electromechanical_delay, dtype=float)
    ahead = advanced(seen.astype(float), delay, step=moved.trial.step) == 1.0
    calm = np.clip(low_passed(activation, cutoff_hz, step=moved.trial.step), 0.0, 1.0)
    part = moved.answer(np.where(seen & ahead, moved.excitation(calm), np.nan), activation=activation)
    force = np.where(seen, np.asarray(part.tendon_force if found.tendon_force is None else found.tendon_force), np.nan)
    return replace(part, activation=np.where(seen, activation, np.nan), tendon_force=force, moment=moved.moment(force))


def low_passed(values: Floats, cutoff_hz: float, *, step: float) -> Floats:
    """Return columns (time, muscle) through a Butterworth filter of second order, forth and back; unfiltered on too slow a clock."""
    if 2.0 * cutoff_hz * step >= 1.0 or len(values) < 2:
        return values
    sections = signal.butter(2, cutoff_hz, fs=1.0 / step, output="sos")
    reach = min(len(values) - 1, round(1.0 / (cutoff_hz * step)))
    return np.asarray(signal.sosfiltfilt(sections, values, axis=0, padlen=reach))
