"""The muscle and tendon models there are, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from jaxtyping import Array, Float

from profundus.errors import InputError, Problem
from profundus.muscle import compliant_tendon, rigid_tendon
from profundus.muscle.degroote import DeGrooteMuscle
from profundus.muscle.interface import MuscleModel
from profundus.muscle.tendon_curves import TENDON_CURVES, TendonCurve
from profundus.muscle.thelen import ThelenMuscle

Model = TypeVar("Model")
Tendon = Callable[..., rigid_tendon.MuscleState]
MUSCLES: Mapping[str, Callable[..., MuscleModel]] = {"degroote": DeGrooteMuscle, "thelen": ThelenMuscle}


def muscle_model(name: str, *, passive_strain_at_one: float = 0.6) -> MuscleModel:
    """Return a muscle model by its name; ``InputError`` names those there are."""
    return _known(MUSCLES, name, "muscle model")(passive_strain_at_one=passive_strain_at_one)


def tendon_model(
    name: str, *, muscle: str, strain_at_one: float | Float[Array, " muscle"], step: float | None = None
) -> Tendon:
    """Return the function that gives tendon force with a tendon model, by its name; ``InputError`` names those there are.

    A compliant tendon has the curve of the ``muscle`` model and its ``strain_at_one``; with a ``step`` [s] it lives on a clock.
    """
    return _known(TENDONS, name, "tendon model")(_known(TENDON_CURVES, muscle, "muscle model"), strain_at_one, step)


def _rigid(curve: TendonCurve, strain_at_one: float | Float[Array, " muscle"], step: float | None) -> Tendon:
    return rigid_tendon.tendon_force


def _compliant(curve: TendonCurve, strain_at_one: float | Float[Array, " muscle"], step: float | None) -> Tendon:
    return partial(compliant_tendon.tendon_force, curve=curve, strain_at_one=strain_at_one, step=step)


TENDONS: Mapping[str, Callable[..., Tendon]] = {"rigid": _rigid, "compliant": _compliant}


def _known(table: Mapping[str, Model], name: str, kind: str) -> Model:
    if name not in table:
        raise InputError(Problem("error", f"there is no {kind} '{name}'", expected="one of " + ", ".join(table)))
    return table[name]
