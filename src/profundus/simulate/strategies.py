"""How people share work among muscles: families of control strategies, the prior of everything that is learned from them.

Every family tells in which proportion muscles are activated when the joint is to be flexed or extended, and what they do beside it; how
much of it is needed is found afterwards. Shares are relative: the largest of those that do the work is about one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from profundus.records import PopulationSettings
from profundus.records.virtual import MIXED
from profundus.simulate.chance import between, log_between, slow_noise
from profundus.simulate.demand import Demand, Shares
from profundus.simulate.liberties import liberated

Floats = NDArray[np.float64]
HEADS_SD = 0.25  # log share of a muscle within its group
SLOPES_SD = 0.4  # change of an antagonist's log share over the range of the joint


Family = Callable[[np.random.Generator, Demand], tuple[Floats, dict[str, object]]]
"""Draws a person of a family; returns the shares (trial, time, muscle) of muscles that work, and facts."""


@dataclass(frozen=True)
class Strategy:
    """One person's control: his shares in the demands of his trials, and facts about him."""

    shares: Shares
    facts: dict[str, object]


Control = Callable[[Demand, PopulationSettings, np.random.Generator, float], Strategy]
"""Decides how one person works; the last is the step of the clock [s]."""


def drawn_strategy(demand: Demand, settings: PopulationSettings, chance: np.random.Generator, step: float) -> Strategy:
    """Return a person's strategy: a family by the settings' shares, co-contraction and slow drives on top; some take liberties."""
    names = sorted(settings.families)
    odds = np.array([settings.families[name] for name in names], dtype=float)
    family = names[int(chance.choice(len(names), p=odds / odds.sum()))]
    level = log_between(chance, settings.co_contraction)
    with_load, with_speed = chance.uniform((0.1, 0.1), (0.6, 0.5))
    drive_sd = between(chance, settings.drive_sd)
    shape = demand.leverage.shape
    drive = np.exp(drive_sd * slow_noise(chance, shape, step=step, low_hz=0.05, high_hz=1.0))
    contraction = level * (1.0 + with_load * demand.load_kg + with_speed * demand.speed)
    if family == "synergies":
        shares, facts = _synergies(chance, demand, contraction)
    else:
        mixed = [name for name in MIXED if name in settings.families] or list(MIXED)
        working, facts = _mixture(chance, demand, mixed) if family == "mixture" else PURE[family](chance, demand)
        shares = _antagonized(chance, demand, working, contraction)
    facts = {
        "family": family,
        "co_contraction": level,
        "with_load": float(with_load),
        "with_speed": float(with_speed),
    } | facts
    if settings.free_share and chance.uniform() < settings.free_share:
        shares, own, names = liberated(chance, demand, shares, level=level, step=step)
        drive, drive_sd, facts = drive**own, drive_sd * own, facts | {"liberties": names}
    return Strategy(Shares(*(drive * part for part in shares)), facts | {"drive_sd": drive_sd})


def _heads(chance: np.random.Generator, demand: Demand, sd: float = HEADS_SD) -> Floats:
    return np.asarray(np.exp(sd * chance.normal(size=len(demand.sign))))


def _effort(chance: np.random.Generator, demand: Demand) -> tuple[Floats, dict[str, object]]:
    """Return the shares of least sum of w a^p for one joint: a is proportional to (leverage / w)^(1 / (p - 1)).

    p is 1.6 to 3.5 (Crowninshield and Brand 1981: 3); the weights are drawn so that they move shares alike at every p.
    """
    exponent = chance.uniform(1.6, 3.5)
    heads = _heads(chance, demand)
    shares = heads * _relative(demand, demand.leverage) ** (1.0 / (exponent - 1.0))
    return shares, {"exponent": float(exponent), "weights": (heads ** (1.0 - exponent)).tolist()}


def _angle_sharing(chance: np.random.Generator, demand: Demand) -> tuple[Floats, dict[str, object]]:
    """Return shares that change with the angle: muscles of one joint rise with flexion, those of two level off beyond a knee."""
    heads = _heads(chance, demand)
    rise = np.where(demand.single, chance.uniform(0.1, 0.8, len(heads)), 0.0) * np.where(demand.sign > 0, 1.0, 0.4)
    fall = np.where(demand.single, 0.0, chance.uniform(0.2, 1.0, len(heads))) * np.where(demand.sign > 0, 1.0, 0.4)
    knee = chance.uniform(0.25, 0.6)
    beyond = 0.1 * np.logaddexp(0.0, (demand.flexion - knee) / 0.1)
    shares = heads * np.exp(rise * (demand.flexion - 0.5) - fall * beyond)
    return shares, {"heads": heads.tolist(), "rise": rise.tolist(), "fall": fall.tolist(), "knee": float(knee)}


def _load_switch(chance: np.random.Generator, demand: Demand) -> tuple[Floats, dict[str, object]]:
    """Return shares that go from one profile to another as the wanted moment grows."""
    light, heavy = _heads(chance, demand), _heads(chance, demand)
    switch = chance.uniform(0.08, 0.3)
    gone = _sigmoid((np.abs(demand.effort) - switch) / (0.3 * switch))
    return light * (heavy / light) ** gone, {"light": light.tolist(), "heavy": heavy.tolist(), "switch": float(switch)}


def _mixture(chance: np.random.Generator, demand: Demand, names: Sequence[str]) -> tuple[Floats, dict[str, object]]:
    """Return a weighted mean of the shares of the families that occur otherwise, of all where none does."""
    weights = chance.dirichlet(np.ones(len(names)))
    drawn = {name: PURE[name](chance, demand) for name in names}
    parts = [weight * _relative(demand, drawn[name][0]) for weight, name in zip(weights, drawn, strict=True)]
    shares = np.sum(parts, axis=0)
    facts: dict[str, object] = {name: facts for name, (_, facts) in drawn.items()}
    return shares, {"weights": dict(zip(drawn, weights.tolist(), strict=True))} | facts


PURE: Mapping[str, Family] = {"effort": _effort, "angle_sharing": _angle_sharing, "load_switch": _load_switch}


def _antagonized(chance: np.random.Generator, demand: Demand, working: Floats, contraction: Floats) -> Shares:
    """Return shares in which the side that does not work is held at a level of co-contraction, each muscle's with its own angle slope."""
    slopes = SLOPES_SD * chance.normal(size=len(demand.sign))
    heads = _heads(chance, demand) * np.exp(slopes * (demand.flexion - 0.5))
    shares = _relative(demand, working)
    flexing = _sigmoid(demand.effort / 0.03)
    passive_side = np.where(demand.sign > 0, 1.0 - flexing, flexing)
    positive, negative = (np.where(side, shares, 0.0) for side in (demand.sign > 0, demand.sign < 0))
    return Shares(contraction * heads * passive_side, positive, negative)


def _synergies(chance: np.random.Generator, demand: Demand, contraction: Floats) -> tuple[Shares, dict[str, object]]:
    """Return shares that are combinations of 2 or 3 fixed non-negative synergies: one or two that flex, one that extends.

    Where there are two, the second takes over with flexion or with the wanted moment. Co-contraction uses the same synergies.
    """
    count = int(chance.integers(2, 4))
    flexors = demand.sign > 0
    vectors = np.array([_heads(chance, demand, 0.35) for _ in range(3)])
    others = chance.uniform(0.02, 0.1, vectors.shape)
    vectors = np.where(np.array([flexors, flexors, ~flexors]), vectors, others)
    by_angle, turn = chance.uniform() < 0.5, chance.uniform(0.3, 0.7)
    by_moment = _sigmoid((np.abs(demand.effort) - 0.4 * turn) / 0.1)
    second = _sigmoid((demand.flexion - turn) / 0.15) if by_angle else by_moment
    second = second if count == 3 else np.zeros_like(second)
    flex = (1.0 - second) * vectors[0] + second * vectors[1]
    extend = np.broadcast_to(vectors[2], flex.shape)
    flexing = _sigmoid(demand.effort / 0.03)
    base = contraction * (flexing * extend + (1.0 - flexing) * flex)
    used = vectors if count == 3 else vectors[[0, 2]]
    return Shares(base, flex, extend), {"synergies": used.tolist()}


def _relative(demand: Demand, values: Floats) -> Floats:
    """Return values over about the largest of each side at every time (the root of the fourth powers' sum, which has no kinks)."""
    out = np.zeros_like(demand.leverage)
    for side in (demand.sign > 0, demand.sign < 0):
        if side.any():
            part = np.broadcast_to(values, out.shape)[..., side]
            out[..., side] = part / np.maximum(np.sum(part**4, axis=-1, keepdims=True) ** 0.25, 1e-9)
    return out


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))
