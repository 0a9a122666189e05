"""Simulated annealing as CEINMS calibrates with: the algorithm of Corana et al. (1987) in the form of Goffe et al. (1994)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Settings:
    """The example of a calibration in CEINMS's documentation (Pizzolato et al. 2015, https://doi.org/10.1016/j.jbiomech.2015.09.021).

    ``cycles`` is NS, ``adjustments`` NT, ``cooling`` rt; it stops when the optima of ``kept`` (noEpsilon) temperatures in a row are within
    ``epsilon`` of each other and of the best, or after ``most`` (maxNoEval) evaluations.
    """

    kept: int = 4
    cooling: float = 0.3
    temperature: float = 20.0
    cycles: int = 15
    adjustments: int = 5
    epsilon: float = 1e-5
    most: int = 200_000


@dataclass
class Found:
    """Where it stands: the best value and its cost, evaluations and seconds so far, and why it ended ("" while it runs).

    ``trace`` holds (seconds, best cost) whenever the best improved; ``evaluating`` the seconds spent in the cost.
    """

    value: Floats
    cost: float
    evaluations: int = 0
    seconds: float = 0.0
    ended: str = ""
    trace: list[tuple[float, float]] = field(default_factory=list)


def annealed(
    cost: Callable[[Floats], float],
    start: Floats,
    low: Floats,
    high: Floats,
    *,
    seed: int,
    seconds: float,
    settings: Settings = Settings(),
) -> Found:
    """Return the best value found from ``start`` between ``low`` and ``high`` (parameter,) within ``seconds``."""
    chance = np.random.default_rng(seed)
    began = time.perf_counter()
    here, now = start.copy(), cost(start)
    found = Found(here.copy(), now, 1)
    reach, temperature = high - low, settings.temperature
    optima = [math.inf] * settings.kept
    while not found.ended:
        for _ in range(settings.adjustments):
            accepted = np.zeros(len(start))
            for _ in range(settings.cycles):
                for at in range(len(start)):
                    tried = here.copy()
                    tried[at] += reach[at] * chance.uniform(-1.0, 1.0)
                    if not low[at] <= tried[at] <= high[at]:
                        tried[at] = chance.uniform(low[at], high[at])
                    value = cost(tried)
                    found.evaluations += 1
                    if value <= now or chance.random() < math.exp((now - value) / temperature):
                        here, now = tried, value
                        accepted[at] += 1
                    if value < found.cost:
                        found.value, found.cost = tried, value
                        found.trace.append((time.perf_counter() - began, value))
                    found.ended = _limit(found, settings, time.perf_counter() - began, seconds)
                    if found.ended:
                        found.seconds = time.perf_counter() - began
                        return found
            reach = np.minimum(reach * _adjusted(accepted / settings.cycles), high - low)
        optima = [now, *optima[:-1]]
        if now - found.cost <= settings.epsilon and all(abs(now - one) <= settings.epsilon for one in optima):
            found.ended = "came to rest"
        here, now, temperature = found.value.copy(), found.cost, settings.cooling * temperature
    found.seconds = time.perf_counter() - began
    return found


def _limit(found: Found, settings: Settings, spent: float, seconds: float) -> str:
    if found.evaluations >= settings.most:
        return "ran out of evaluations"
    return "was stopped" if spent >= seconds else ""


def _adjusted(share: Floats) -> Floats:
    """Return the factor on each step's reach that keeps about half of all steps accepted; Corana et al. (1987), c = 2."""
    wider, narrower = 1.0 + 2.0 * (share - 0.6) / 0.4, 1.0 / (1.0 + 2.0 * (0.4 - share) / 0.4)
    return np.asarray(np.where(share > 0.6, wider, np.where(share < 0.4, narrower, 1.0)))
