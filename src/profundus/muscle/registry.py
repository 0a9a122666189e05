"""The muscle and tendon models there are, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from profundus.errors import InputError, Problem
from profundus.muscle import rigid_tendon
from profundus.muscle.degroote import DeGrooteMuscle
from profundus.muscle.interface import MuscleModel
from profundus.muscle.thelen import ThelenMuscle

Model = TypeVar("Model")
MUSCLES: Mapping[str, Callable[..., MuscleModel]] = {"degroote": DeGrooteMuscle, "thelen": ThelenMuscle}
TENDONS: Mapping[str, Callable[..., rigid_tendon.MuscleState]] = {"rigid": rigid_tendon.tendon_force}


def muscle_model(name: str, *, passive_strain_at_one: float = 0.6) -> MuscleModel:
    """Return a muscle model by its name; ``InputError`` names those there are."""
    return _known(MUSCLES, name, "muscle model")(passive_strain_at_one=passive_strain_at_one)


def tendon_model(name: str) -> Callable[..., rigid_tendon.MuscleState]:
    """Return the function that gives tendon force with a tendon model, by its name; ``InputError`` names those there are."""
    return _known(TENDONS, name, "tendon model")


def _known(table: Mapping[str, Model], name: str, kind: str) -> Model:
    if name not in table:
        raise InputError(Problem("error", f"there is no {kind} '{name}'", expected="one of " + ", ".join(table)))
    return table[name]
