"""What a laboratory recorded of one person, in SI units, before any filter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from profundus.errors import Problem
from profundus.records.inverse_dynamics import InverseDynamics
from profundus.records.table import Table

Role = Literal["fit", "test"]
What = Literal["emg", "moments", "kinematics", "all"]


@dataclass(frozen=True)
class Exclusion:
    """A stretch of a trial that is not to be trusted, with the reason; ``time`` is (start, end) in seconds.

    ``muscles`` are those whose envelopes are meant, where ``what`` is "emg"; empty: all of them.
    """

    trial: str
    time: tuple[float, float]
    what: What
    why: str
    muscles: tuple[str, ...] = ()

    def hits(self, muscle: str) -> bool:
        """Return whether the EMG of a muscle is not to be trusted."""
        return self.what != "moments" and (not self.muscles or muscle in self.muscles)


@dataclass(frozen=True)
class Recording:
    """One trial as it came from the files.

    Labels are the model's names, not the files': ``angles`` and ``velocities`` [rad, rad/s] and ``moments`` [N.m, model's sign] have
    coordinates as labels, ``emg`` and ``truth`` have muscles. ``emg`` is raw (V) or an envelope as ``EmgSettings.kind`` says.
    Each table keeps its own clock; ``time`` is the window [s] that the study asks for. ``load_kg`` is NaN where unknown;
    ``motion`` is the kind of movement in a word ("cyclic", "steps"), empty where unknown. ``wire`` holds envelopes of deep muscles,
    fractions of maximum, that a calibration names: a fit may read these.
    ``inverse_dynamics`` is what joint moments are to be computed from where they were not recorded; ``moments_from`` says how that was
    done. ``lengths`` and ``moment_arms`` {coordinate: table} [m], columns are muscles, are what a study without a model file brings of its
    muscles' paths.
    """

    name: str
    role: Role
    angles: Table
    emg: Table
    moments: Table | None = None
    velocities: Table | None = None
    truth: Table | None = None
    load_kg: float = float("nan")
    motion: str = ""
    time: tuple[float, float] | None = None
    exclusions: tuple[Exclusion, ...] = ()
    problems: tuple[Problem, ...] = field(default=(), compare=False)
    wire: Table | None = None
    inverse_dynamics: InverseDynamics | None = None
    moments_from: dict[str, object] = field(default_factory=dict, compare=False)
    lengths: Table | None = None
    moment_arms: dict[str, Table] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """One person: trials, and the recordings of maximal contractions (labels are muscles) where there are any."""

    id: str
    recordings: tuple[Recording, ...]
    mass_kg: float = float("nan")
    mvc: tuple[Table, ...] = ()
