"""What a muscle model has to tell: the force of its fibers from activation, length and speed."""

from __future__ import annotations

import abc
from typing import NamedTuple

import equinox as eqx
from jaxtyping import Array, Float


class FiberForce(NamedTuple):
    """Force along the fiber as a fraction of maximum isometric force [-]: what activation makes, and what stretch alone makes."""

    active: Float[Array, "*shape"]
    passive: Float[Array, "*shape"]


class MuscleModel(eqx.Module):
    """A muscle without units: lengths relative to optimal fiber length, speeds to ten optimal lengths a second, lengthening positive."""

    @abc.abstractmethod
    def fiber_force(
        self,
        activation: Float[Array, "*shape"],
        norm_fiber_length: Float[Array, "*shape"],
        norm_fiber_velocity: Float[Array, "*shape"],
    ) -> FiberForce:
        """Return active and passive fiber force [-] for activations of 0 to 1 and any length and speed; gradients are always finite."""
