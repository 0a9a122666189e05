"""What a network is to be taught on virtual people: who they are, how large it is, how long it learns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from profundus.quantities import quantity
from profundus.records.virtual import FAMILIES

View = Literal["hinge", "limb"]


@dataclass(frozen=True)
class TeachersSettings:
    """Who the virtual people are. Those of a block share loads, kinds of motion and laboratory, and differ in the rest."""

    people: int = quantity("-", low=40, high=10_000_000, default=15_000, meaning="virtual people")
    block: int = quantity("-", low=10, high=1000, default=50, meaning="people who share a laboratory")
    families: tuple[str, ...] = FAMILIES
    kinds: tuple[tuple[str, ...], ...] = (
        ("curls", "curls", "steps"),
        ("curls", "steps", "pulses"),
        ("curls", "curls", "pulses"),
        ("curls", "steps", "wander"),
        ("curls", "curls", "curls"),
    )
    kinds_share: tuple[float, ...] = (0.25, 0.35, 0.15, 0.15, 0.1)
    loads_kg: tuple[float, ...] = (0.0, 2.0, 4.0)
    other_loads_share: float = quantity("-", low=0.0, high=1.0, default=0.45, meaning="laboratories with other loads")
    other_loads_most: float = quantity("kg", low=0.5, high=50.0, default=5.0, meaning="heaviest of the other loads")
    compliant_share: float = quantity("-", low=0.0, high=1.0, default=0.35, meaning="blocks with compliant tendons")
    free_share: float = quantity("-", low=0.0, high=1.0, default=0.25, meaning="blocks whose people take liberties")
    mvc_error: float = quantity("-", low=0.0, high=0.5, default=0.12, meaning="error of the MVC in some laboratories")
    mvc_error_share: float = quantity("-", low=0.0, high=1.0, default=0.3, meaning="share of those laboratories")
    crosstalk: float = quantity("-", low=0.0, high=0.5, default=0.06, meaning="crosstalk in some laboratories")
    crosstalk_share: float = quantity("-", low=0.0, high=1.0, default=0.2, meaning="share of those laboratories")
    rate_hz: float = quantity("Hz", low=50.0, high=500.0, default=50.0, meaning="clock of the simulation")


@dataclass(frozen=True)
class LearningSettings:
    """Size of the network and course of its training.

    ``without`` names control strategies whose people it does not learn from: they are strangers that can judge it.
    """

    width: int = quantity("-", low=8, high=1024, default=96, meaning="channels of a token")
    trial_layers: int = quantity("-", low=1, high=12, default=2, meaning="blocks within a trial before people are met")
    person_layers: int = quantity("-", low=1, high=12, default=1, meaning="blocks over the trials of a person")
    answer_layers: int = quantity("-", low=1, high=12, default=2, meaning="blocks within a trial after that")
    heads: int = quantity("-", low=1, high=16, default=4, meaning="attention heads")
    steps: int = quantity("-", low=10, high=10_000_000, default=8000, meaning="optimizer steps")
    people_a_step: int = quantity("-", low=1, high=4096, default=16, meaning="people in a step")
    trials_a_person: int = quantity("-", low=1, high=64, default=6, meaning="trials of each")
    learning_rate: float = quantity("-", low=1e-6, high=1.0, default=1.5e-3, meaning="peak learning rate")
    without: tuple[str, ...] = ()
    no_mvc: float = quantity(
        "-", low=0.0, high=1.0, default=0.12, meaning="lessons whose envelopes have no common scale"
    )
    held_out: float = quantity(
        "-", low=0.001, high=0.5, default=0.04, meaning="share of people kept to judge and calibrate"
    )


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a learned prior again: ``anatomy``, ``seed``, teachers and learning.

    ``study`` is the path of a study file, beside the recipe: its model takes the place of ``anatomy``, its electrodes that of
    ``electrodes``, and virtual people do what its people did; ``data`` is the folder of its recordings.
    """

    anatomy: str = "arm26"
    study: str = ""
    data: str = ""
    seed: int = quantity("-", low=0, high=2**31, default=1)
    electrodes: tuple[str, ...] = ("TRIlong", "TRIlat", "BIClong", "BICshort")
    teachers: TeachersSettings = field(default_factory=TeachersSettings)
    learning: LearningSettings = field(default_factory=LearningSettings)
