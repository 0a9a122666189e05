"""Virtual people: what a population of them is like, and one of them with everything that is known of him."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.quantities import out_of_range, quantity
from profundus.records.table import Table
from profundus.records.trial import Trial

Floats = NDArray[np.float64]
FAMILIES = ("effort", "angle_sharing", "synergies", "load_switch", "mixture")
LIMB_FAMILIES = ("effort", "common_drive", "synergies", "mixture")
MIXED = ("effort", "angle_sharing", "load_switch")  # what a mixture is made of
MOTIONS = ("curls", "steps", "pulses", "wander")
CHOICES = {"muscle": ("thelen", "degroote", "mixed"), "tendon": ("rigid", "compliant", "mixed"), "emg": ("fast", "raw")}


@dataclass(frozen=True)
class GivenMotion:
    """A motion that virtual people repeat: ``angle`` (time, coordinate) [rad] on the clock of the settings.

    ``moment`` (time, coordinate) [N.m] is what their muscles shall make; None: what the settings' limb needs with ``load_kg`` in the hand.
    """

    name: str
    angle: Floats
    moment: Floats | None = None
    load_kg: float = float("nan")
    motion: str = ""


@dataclass(frozen=True)
class PopulationSettings:
    """How virtual people differ, move and are measured; a pair is a range, from low to high.

    ``families`` holds the share of every control strategy: one left out does not occur, one with a share of 0 occurs in mixtures alone.
    ``trials`` is the number of trials of every motion a load; ``given`` motions take the place of both ``trials`` and ``loads_kg``. Why so
    wide: docs/virtual-subjects.md.
    """

    families: dict[str, float] = field(default_factory=lambda: dict.fromkeys(FAMILIES, 1.0))
    muscle: Literal["thelen", "degroote", "mixed"] = "mixed"
    tendon: Literal["rigid", "compliant", "mixed"] = "rigid"
    loads_kg: tuple[float, ...] = (0.0, 2.0, 4.0)
    trials: dict[str, int] = field(default_factory=lambda: {"curls": 4, "steps": 1, "pulses": 1})
    given: tuple[GivenMotion, ...] = ()
    seconds: float = quantity("s", low=1.0, high=600.0, default=8.0, meaning="length of a trial")
    rate_hz: float = quantity("Hz", low=50.0, high=500.0, default=100.0, meaning="clock of the trials")
    most_extended: tuple[float, float] = quantity(
        "rad", low=-3.2, high=3.2, default=(0.07, 0.5), meaning="lower end of a person's range of motion"
    )
    most_flexed: tuple[float, float] = quantity(
        "rad", low=-3.2, high=3.2, default=(1.65, 2.1), meaning="upper end of it"
    )
    strength_sd: float = quantity(
        "log ratio", low=0.0, high=1.0, default=0.33, meaning="maximal force, common to a person"
    )
    muscle_strength_sd: float = quantity(
        "log ratio", low=0.0, high=1.0, default=0.25, meaning="maximal force, of each muscle"
    )
    optimal_length_range: float = quantity(
        "-", low=0.0, high=0.3, default=0.09, meaning="optimal fiber length, up or down"
    )
    slack_length_range: float = quantity(
        "-", low=0.0, high=0.1, default=0.027, meaning="tendon slack length, up or down"
    )
    odd_arms_share: float = quantity(
        "-", low=0.0, high=1.0, default=1 / 3, meaning="share of people with other moment arms"
    )
    odd_arms_sd: tuple[float, float] = quantity(
        "log ratio", low=0.0, high=0.5, default=(0.08, 0.25), meaning="their moment arms"
    )
    delay: tuple[float, float] = quantity(
        "s", low=0.0, high=0.125, default=(0.025, 0.085), meaning="electromechanical delay"
    )
    active_width: tuple[float, float] = quantity(
        "-", low=0.2, high=1.0, default=(0.35, 0.65), meaning="width of active force-length (Thelen: 0.5)"
    )
    maximal_speed: tuple[float, float] = quantity(
        "1/s", low=3.0, high=20.0, default=(5.5, 14.0), meaning="maximal speed in optimal fiber lengths"
    )
    co_contraction: tuple[float, float] = quantity(
        "-", low=1e-4, high=0.5, default=(0.02, 0.08), meaning="activation of antagonists at rest, log-uniform"
    )
    drive_sd: tuple[float, float] = quantity(
        "log ratio", low=0.0, high=0.5, default=(0.05, 0.18), meaning="slow drive that is a muscle's own"
    )
    free_share: float = quantity(
        "-", low=0.0, high=1.0, default=0.0, meaning="share of people who take liberties beside their family's rule"
    )
    emg: Literal["fast", "raw"] = "fast"
    emg_rate_hz: float = quantity(
        "Hz", low=1000.0, high=4000.0, default=2000.0, meaning="sampling rate of raw EMG, a multiple of rate_hz"
    )
    emg_noise_sd: tuple[float, float] = quantity(
        "-", low=0.0, high=0.3, default=(0.06, 0.13), meaning="noise of an envelope, share of it; raw EMG: 0.076 to 0.3"
    )
    mvc_reached: tuple[float, float] = quantity(
        "-", low=0.5, high=1.0, default=(0.9, 1.0), meaning="share of the true maximum that the MVC reached"
    )
    mvc_error: float = quantity("-", low=0.0, high=0.5, default=0.0, meaning="further error of the MVC, up or down")
    crosstalk: float = quantity(
        "-", low=0.0, high=0.5, default=0.0, meaning="share of its neighbors' raw signals in an electrode's"
    )
    angle_noise: float = quantity(
        "rad", low=0.0, high=0.05, default=float(np.deg2rad(0.2)), meaning="white noise of angles before their low-pass"
    )
    moment_noise: float = quantity("N.m", low=0.0, high=50.0, default=0.1, meaning="error of the moment, constant part")
    moment_noise_per_kg: float = quantity(
        "N.m/kg", low=0.0, high=5.0, default=0.18, meaning="error of the moment that grows with the load"
    )
    lever_sd: float = quantity(
        "m", low=0.0, high=0.05, default=0.008, meaning="how far the load's lever is from what the laboratory assumes"
    )

    def __post_init__(self) -> None:
        if problems := [*out_of_range(self), *_contradictions(self)]:
            raise InputError(problems)


@dataclass(frozen=True)
class VirtualPerson:
    """A person who was simulated: ``trials`` as a laboratory would have them, with electrodes on all muscles and all the truth.

    ``facts`` are plain values: parameters, control strategy, counts of what had to be changed. With raw EMG, ``raw`` holds the
    electrodes' signals [V] trial by trial and ``mvc`` those of the maximal contractions.
    """

    id: str
    trials: tuple[Trial, ...]
    facts: dict[str, object] = field(compare=False)
    raw: tuple[Table, ...] = ()
    mvc: tuple[Table, ...] = ()


def _contradictions(settings: PopulationSettings) -> list[Problem]:
    problems = []
    for name, known in CHOICES.items():
        if getattr(settings, name) not in known:
            problems.append(Problem("error", f"{name} is '{getattr(settings, name)}'", expected=", ".join(known)))
    for key, known in (("families", FAMILIES), ("trials", MOTIONS)):
        shares: dict[str, float] = getattr(settings, key)
        unknown = sorted(set(shares) - set(known))
        if unknown or not shares or min(shares.values()) < 0 or sum(shares.values()) <= 0:
            expected = "shares or counts of " + ", ".join(known) + ", at least one above zero"
            problems.append(Problem("error", f"{key} is {shares}", expected=expected))
    if not settings.given and not all(0 <= load <= 100 for load in settings.loads_kg or (-1,)):
        problems.append(Problem("error", f"loads_kg is {settings.loads_kg}", expected="one or more loads, 0 to 100 kg"))
    if settings.emg_rate_hz % settings.rate_hz:
        problems.append(Problem("error", f"emg_rate_hz is {settings.emg_rate_hz:g}", expected="a multiple of rate_hz"))
    return problems
