"""One trial on one clock, ready for a model."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.records.recording import Role

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Trial:
    """Motion, load, envelopes and joint moment of one trial on one uniform clock.

    Shapes: ``time`` (time,) [s]; ``angle``, ``velocity``, ``acceleration`` (time, coordinate) [rad, rad/s, rad/s2]; ``emg`` (time, muscle),
    fraction of maximum, NaN in the columns of muscles without an electrode; ``moment`` (time, coordinate) [N.m], NaN where unknown;
    ``truth`` (time, muscle), NaN where unknown, for scores only. ``emg_valid`` (time, muscle) and ``moment_valid`` (time, coordinate)
    are False where a value is missing or excluded. Excitations are on the EMG's clock, before the electromechanical delay.
    ``load_kg`` is NaN and ``motion``, the kind of movement in a word, empty where unknown. ``wire`` (time, muscle), None without a
    calibration, holds recorded envelopes of deep muscles that a fit may read, NaN elsewhere. ``moment_sd`` (coordinate,) [N.m] is the
    constant part of the error of each moment and of the muscle model; None: that of the fit's settings.
    """

    subject: str
    name: str
    role: Role
    muscles: tuple[str, ...]
    coordinates: tuple[str, ...]
    time: Floats
    angle: Floats
    velocity: Floats
    acceleration: Floats
    emg: Floats
    emg_valid: Flags
    moment: Floats
    moment_valid: Flags
    truth: Floats
    load_kg: float = float("nan")
    motion: str = ""
    problems: tuple[Problem, ...] = field(default=(), compare=False)
    processing: dict[str, object] = field(default_factory=dict, compare=False)
    wire: Floats | None = None
    moment_sd: Floats | None = None

    def __post_init__(self) -> None:
        n, m, c = len(self.time), len(self.muscles), len(self.coordinates)
        expected = {
            **dict.fromkeys(("angle", "velocity", "acceleration", "moment", "moment_valid"), (n, c)),
            **dict.fromkeys(("emg", "emg_valid", "truth"), (n, m)),
            **({} if self.wire is None else {"wire": (n, m)}),
            **({} if self.moment_sd is None else {"moment_sd": (c,)}),
        }
        wrong = [
            Problem("error", f"{self.name}: {key} has the shape {getattr(self, key).shape}", expected=str(shape))
            for key, shape in expected.items()
            if getattr(self, key).shape != shape
        ]
        if wrong:
            raise InputError(wrong)

    @property
    def step(self) -> float:
        """Return the clock's step [s]."""
        return float(self.time[1] - self.time[0])

    @property
    def measured(self) -> Flags:
        """Return which muscles (muscle,) have an electrode with at least one valid sample."""
        return np.asarray(np.any(self.emg_valid, axis=0), dtype=np.bool_)
