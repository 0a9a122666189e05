"""Which trials a virtual person does: which motion, with which load, for how long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profundus.records import Anatomy, PopulationSettings
from profundus.records.recording import Role
from profundus.simulate.chance import between
from profundus.simulate.motion import angles

Floats = NDArray[np.float64]
MARGIN_S = 0.5  # simulated before and after a trial, so that delays and filters know what was and what will be
EASED, SMALLEST_RANGE = np.deg2rad([6.0, 30.0])
TESTED = 3  # every third trial of a person is for testing


@dataclass(frozen=True)
class Schedule:
    """All trials of a person on one clock that begins ``margin`` samples early and ends as many late; (trial, time) of one coordinate.

    ``moment`` [N.m] is NaN where the limb says what is needed; ``samples`` (trial,) is the length of each without margins: shorter given
    motions are followed by rest. Beyond its ends a given motion goes on as its mirror image.
    """

    names: tuple[str, ...]
    motions: tuple[str, ...]
    roles: tuple[Role, ...]
    angle: Floats
    velocity: Floats
    acceleration: Floats
    moment: Floats
    load_kg: Floats
    samples: tuple[int, ...]
    margin: int

    @property
    def load(self) -> Floats:
        """Return the load [kg] of every trial as a column, zero where unknown."""
        return np.nan_to_num(self.load_kg)[:, None]

    def cropped(self, values: Floats, trial: int) -> Floats:
        """Return one trial of values (trial, time, ...) without margins."""
        return values[trial, self.margin : self.margin + self.samples[trial]].copy()


def scheduled(
    anatomy: Anatomy, settings: PopulationSettings, chance: np.random.Generator, *, eased: int = 0
) -> Schedule:
    """Return a person's trials: those given, or of every load the motions that the settings count.

    Motions of his own fill his range of motion, which ends 6 deg earlier each time that he is ``eased``.
    """
    margin = round(MARGIN_S * settings.rate_hz)
    if settings.given:
        return _given(settings, margin)
    joint = {c.name: c for c in anatomy.coordinates}[moving_coordinates(anatomy)[0]]
    low = max(joint.low, between(chance, settings.most_extended))
    high = max(min(joint.high, between(chance, settings.most_flexed)) - eased * EASED, low + SMALLEST_RANGE)
    samples = round(settings.seconds * settings.rate_hz) + 1
    time = np.arange(-margin, samples + margin) / settings.rate_hz
    kinds = [kind for kind, count in settings.trials.items() for _ in range(count)]
    planned = [(load, n, kind) for load in settings.loads_kg for n, kind in enumerate(kinds, start=1)]
    angle = np.array([angles(kind, chance, time, low=low, high=high) for _, _, kind in planned])
    return Schedule(
        tuple(f"load{load:g}_{n:02d}_{kind}" for load, n, kind in planned),
        tuple(kind for _, _, kind in planned),
        tuple(role for load in range(len(settings.loads_kg)) for role in _roles(len(kinds), first=load)),
        *_with_rates(angle, settings.rate_hz),
        np.full(angle.shape, np.nan),
        np.array([load for load, _, _ in planned], dtype=float),
        (samples,) * len(planned),
        margin,
    )


def moving_coordinates(anatomy: Anatomy) -> tuple[str, ...]:
    """Return the coordinates that move unless a study says otherwise."""
    return anatomy.default_coordinates or tuple(c.name for c in anatomy.coordinates)


def _given(settings: PopulationSettings, margin: int) -> Schedule:
    samples = tuple(len(motion.angle) for motion in settings.given)
    longest = max(samples)

    def mirrored(values: Floats, kind: Literal["odd", "even"]) -> Floats:
        return np.pad(values[:, 0], margin, mode="reflect", reflect_type=kind)

    def in_one(parts: Iterable[Floats], mode: Literal["edge", "constant"] = "edge") -> Floats:
        return np.array([np.pad(part, (0, longest + 2 * margin - len(part)), mode=mode) for part in parts])

    moved = [_with_rates(mirrored(motion.angle, "odd")[None], settings.rate_hz) for motion in settings.given]
    moments = [np.full_like(m.angle, np.nan) if m.moment is None else m.moment for m in settings.given]
    return Schedule(
        tuple(motion.name for motion in settings.given),
        tuple(motion.motion for motion in settings.given),
        _roles(len(samples)),
        in_one(angle[0] for angle, _, _ in moved),
        in_one((velocity[0] for _, velocity, _ in moved), "constant"),
        in_one((acceleration[0] for _, _, acceleration in moved), "constant"),
        in_one(mirrored(moment, "even") for moment in moments),
        np.array([motion.load_kg for motion in settings.given]),
        samples,
        margin,
    )


def _with_rates(angle: Floats, rate_hz: float) -> tuple[Floats, Floats, Floats]:
    velocity = np.gradient(angle, 1.0 / rate_hz, axis=1)
    return angle, velocity, np.gradient(velocity, 1.0 / rate_hz, axis=1)


def _roles(count: int, *, first: int = 0) -> tuple[Role, ...]:
    """Return the roles of trials in a row; ``first`` shifts them, so that every kind of motion is fitted to and tested at some load."""
    return tuple("test" if (first + i) % TESTED == TESTED - 1 else "fit" for i in range(count))
