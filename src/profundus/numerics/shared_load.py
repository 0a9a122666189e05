"""How shares that make several sums are chosen when each costs a power of itself: the cheapest choice, by its dual."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Dual = Callable[[Floats], tuple[Floats, Floats, Floats]]
ROUNDS, HALVINGS = 30, 25
SUFFICIENT = 1e-4  # of the promised gain (Armijo)
TINY = 1e-9


def cheapest_shares(
    effects: Floats,
    wanted: Floats,
    *,
    cost: Floats,
    power: float,
    least: Floats | float = 0.0,
    most: float = 1.0,
    slack: float = 0.1,
) -> Floats:
    """Return the shares (sample, share) between ``least`` and ``most`` that minimize sum(cost x share^power) + |missed|^2 / (2 slack).

    ``missed`` is ``wanted`` (sample, sum) less ``effects`` (sample, sum, share) times shares; ``cost`` (share,) or (sample, share),
    ``power`` above 1. Each sample on its own: the dual in one multiplier a sum is smooth and convex, solved for all samples at once by
    Newton's method with backtracking (Boyd and Vandenberghe 2004, sections 5.5 and 9.5). ``slack`` keeps it solvable where no shares do.
    """
    samples, sums, shares = effects.shape
    weight = np.broadcast_to(cost, (samples, shares)) * power
    floor = np.broadcast_to(least, (samples, shares))
    multiplier = np.zeros((samples, sums))

    def dual(at: Floats) -> tuple[Floats, Floats, Floats]:
        pull = np.einsum("tcm,tc->tm", effects, at)
        share = np.clip((np.maximum(pull, TINY) / weight) ** (1.0 / (power - 1.0)), floor, most)
        value = np.sum(pull * share - weight / power * share**power, axis=1)
        return value - np.sum(wanted * at, axis=1) + 0.5 * slack * np.sum(at**2, axis=1), share, pull

    value, share, pull = dual(multiplier)
    for _ in range(ROUNDS):
        slope = np.einsum("tcm,tm->tc", effects, share) - wanted + slack * multiplier
        if np.abs(slope).max() < 1e-3 * (1.0 + np.abs(wanted).max()):
            break
        free = (share > floor) & (share < most)
        bend = np.where(free, share / np.maximum(pull, TINY) / (power - 1.0), 0.0)
        curve = np.einsum("tcm,tm,tdm->tcd", effects, bend, effects) + slack * np.eye(sums)
        step = -np.linalg.solve(curve, slope[..., None])[..., 0]
        length = _lengths(dual, multiplier, step, value, np.sum(slope * step, axis=1))
        multiplier = multiplier + length[:, None] * step
        value, share, pull = dual(multiplier)
    return share


def _lengths(dual: Dual, multiplier: Floats, step: Floats, value: Floats, promised: Floats) -> Floats:
    """Return how far every sample goes along its step: halved until the dual falls as promised."""
    length = np.ones(len(step))
    for _ in range(HALVINGS):
        worse = dual(multiplier + length[:, None] * step)[0] > value + SUFFICIENT * length * promised + 1e-12
        if not worse.any():
            break
        length = np.where(worse, 0.5 * length, length)
    return length
