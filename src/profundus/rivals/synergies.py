"""What both forms of synergy extrapolation share: commands from the electrodes drive muscles, and the joint moment tells how strongly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from profundus.errors import InputError, Problem
from profundus.quantities import out_of_range
from profundus.records import Flag, Trial, TrialReconstruction
from profundus.rivals.plant import MovedPlant, Plant
from profundus.rivals.trials import bridged, other_muscles, several_people

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
STEPS = 100
LOOK = 0.04  # s between the samples that the search looks at: envelopes and moments hold nothing faster
SETTLING = 0.3  # s until muscles have forgotten what they did before a start or a gap: delay and four time constants of their fall


class Response(NamedTuple):
    """What muscles do when commands drive them, and how that changes with each weight.

    ``excitation`` (time, muscle) before it is cut to 0 to 1; ``activation`` (time, muscle); ``moment`` (time, coordinate) [N.m];
    ``activation_slope`` (time, command, muscle) and ``moment_slope`` (time, coordinate, command, muscle) are derivatives by the weight
    of a command in a muscle.
    """

    excitation: Floats
    activation: Floats
    moment: Floats
    activation_slope: Floats
    moment_slope: Floats


@dataclass(frozen=True)
class DrivenTrial:
    """A trial in which ``commands`` (time, command) drive muscles on top of what they do by themselves, ``base`` (time, muscle).

    Both are without gaps; ``known`` (time,) is False where an envelope was missing and they were bridged.
    """

    moved: MovedPlant
    base: Floats
    commands: Floats
    known: Flags

    @cached_property
    def counted(self) -> Flags:
        """Return the samples (time,) to learn from: there the muscles do what known envelopes make them do."""
        clock = np.arange(len(self.known))
        step = self.moved.trial.step
        looked_at = clock % max(1, round(LOOK / step)) == 0
        return np.asarray(looked_at & _settled(self.known & (clock > 0), step))

    @cached_property
    def moment_counted(self) -> Flags:
        """Return the samples (time, coordinate) at which the measured moment can teach."""
        return np.asarray(self.moved.trial.moment_valid & self.counted[:, None])

    def excitation(self, weights: Floats) -> Floats:
        """Return the excitations (time, muscle) that ``weights`` (command, muscle) give, not yet cut to 0 to 1."""
        return np.asarray(self.base + self.commands @ weights)

    def response(self, weights: Floats) -> Response:
        """Return what the muscles do with ``weights`` (command, muscle); a muscle cut at 0 or 1 follows its weights no more."""
        asked = self.excitation(weights)
        excitation = np.clip(asked, 0.0, 1.0)
        direction = self.commands.T[:, :, None] * ((asked >= 0.0) & (asked <= 1.0))
        activation = self.moved.activation(excitation)
        slope = np.moveaxis(self.moved.activation_change(excitation, direction), 0, 1)
        muscles = self.moved.muscles(activation)
        moment_slope = np.einsum("tcm,tm,tkm->tckm", self.moved.moment_arm, muscles.slope, slope, optimize=True)
        return Response(asked, activation, self.moved.moment(muscles.tendon_force), slope, moment_slope)

    def answer(self, weights: Floats) -> TrialReconstruction:
        """Return the answer: unknown (NaN) where an envelope is missing, forces and moment also while the muscles remember the gap."""
        excitation = np.clip(self.excitation(weights), 0.0, 1.0)
        activation = self.moved.activation(excitation)
        settled = _settled(self.known, self.moved.trial.step)
        return self.moved.answer(
            np.where(self.known[:, None], excitation, np.nan),
            activation=np.where(settled[:, None], activation, np.nan),
        )


def electrodes(trials: Sequence[Trial], plant: Plant) -> Flags:
    """Return which muscles (muscle,) have an electrode in the trials of role "fit".

    Raises InputError for trials of several people, muscles that are not the plant's, and where nothing can be learned: no electrode, no
    muscle without one, or no moment in a trial of role "fit" at a time when all envelopes are known.
    """
    fit = [trial for trial in trials if trial.role == "fit"]
    who = trials[0].subject if trials else "nobody"
    problems = [*several_people(trials), *other_muscles(trials, plant.anatomy.muscles)]
    if trials and not fit:
        problems.append(Problem("error", f"{who}: no trial has the role 'fit', there is nothing to learn weights from"))
    if problems:
        raise InputError(problems)
    measured = np.any([trial.measured for trial in fit], axis=0)
    if not measured.any() or measured.all():
        found = "every muscle has an electrode" if measured.all() else "no muscle has an electrode"
        problems.append(Problem("error", f"{who}: {found} in the trials to fit: there is nothing to extrapolate"))
    elif not any(_teaches(trial, measured).any() for trial in fit):
        problems.append(
            Problem(
                "error",
                f"{who}: no trial to fit has moment and all envelopes ({_names(trials[0], measured)}) at the same time",
                remedy="Leave out the electrode that fails, or add trials with moments.",
            )
        )
    if problems:
        raise InputError(problems)
    return np.asarray(measured, dtype=np.bool_)


class Commanded(Protocol):
    """What was learned of envelopes: the commands behind them."""

    def commands(self, envelopes: Floats) -> Floats:
        """Return the commands (time, command) behind ``envelopes`` (time, measured muscle) without gaps."""
        ...


Learned = TypeVar("Learned", bound=Commanded)


def driven(
    trials: Sequence[Trial], plant: Plant, measured: Flags, learn: Callable[[Floats], Learned]
) -> tuple[Learned, tuple[DrivenTrial, ...]]:
    """Return what ``learn`` makes of the envelopes in trials of role "fit", and all trials with the commands behind their envelopes.

    ``learn`` sees the samples (sample, measured muscle) at which all envelopes are known. ``measured`` (muscle,): who has an electrode.
    """
    moved = [plant.moved(trial) for trial in trials]
    envelopes = np.concatenate([one.measured_excitation()[:, measured] for one in moved if one.trial.role == "fit"])
    learned = learn(envelopes[np.isfinite(envelopes).all(axis=1)])
    return learned, tuple(_driven(one, measured, learned) for one in moved)


def unfit(settings: object, *, number: int | None, electrodes: int) -> list[Problem]:
    """Return what is wrong with settings that ask for a ``number`` of synergies from so many ``electrodes``."""
    problems = out_of_range(settings)
    if number is not None and not 1 <= number <= electrodes:
        what = f"{type(settings).__name__}: {number} synergies"
        problems.append(Problem("error", what, expected=f"1 to {electrodes}, the number of electrodes"))
    return problems


class Solution(NamedTuple):
    """Weights found (flat), and whether the search came to rest."""

    weights: Floats
    converged: bool


def solved(residuals: Callable[[Floats], tuple[Floats, Floats]], start: Floats, *, low: float, high: float) -> Solution:
    """Return the weights between ``low`` and ``high`` that make the sum of squared residuals smallest.

    ``residuals`` maps weights to residuals (row,) and their exact derivative (row, weight). Trust-region reflective Gauss-Newton.
    """
    latest: dict[str, Floats] = {}

    def value(weights: Floats) -> Floats:
        found, latest["slope"] = residuals(weights)
        return found

    def slope(weights: Floats) -> Floats:
        return latest["slope"]  # scipy asks for the derivative only where it asked for the value last

    found = least_squares(
        value, start, jac=slope, bounds=(low, high), x_scale="jac", ftol=1e-4, xtol=1e-8, gtol=1e-10, max_nfev=STEPS
    )
    return Solution(np.asarray(found.x), bool(found.status > 0))


def unconverged(subject: str, solution: Solution) -> tuple[Flag, ...]:
    """Return the flag of a search that did not come to rest."""
    why = f"the weights of the synergies still moved after {STEPS} steps"
    return () if solution.converged else (Flag("not_converged", subject, why=why),)


def _driven(moved: MovedPlant, measured: Flags, learned: Commanded) -> DrivenTrial:
    envelopes = moved.measured_excitation()
    seen = envelopes[:, measured]
    known = np.all(np.isfinite(seen), axis=1)
    base = np.zeros_like(envelopes)
    base[:, measured] = bridged(seen, np.broadcast_to(known[:, None], seen.shape))
    return DrivenTrial(moved, base, learned.commands(base[:, measured]), known)


def _settled(known: Flags, step: float) -> Flags:
    clock = np.arange(len(known))
    wait = round(SETTLING / step)
    last_unknown = np.maximum.accumulate(np.where(known, -wait - 1, clock))
    return np.asarray(clock - last_unknown > wait)


def _teaches(trial: Trial, measured: Flags) -> Flags:
    known = np.all(trial.emg_valid[:, measured], axis=1)
    settled = _settled(known & (np.arange(len(known)) > 0), trial.step)
    return np.asarray(settled & np.any(trial.moment_valid, axis=1))


def _names(trial: Trial, chosen: Flags) -> str:
    return ", ".join(name for name, wanted in zip(trial.muscles, chosen, strict=True) if wanted)
