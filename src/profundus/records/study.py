"""What a study asks for: model, muscles, processing, people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from profundus.errors import Problem
from profundus.quantities import quantity
from profundus.records.calibration import Calibration
from profundus.records.fitting import FitSettings
from profundus.records.recording import Subject


@dataclass(frozen=True)
class EmgSettings:
    """How EMG becomes an envelope. Defaults are those of ``docs/formats.md``.

    ``channels`` maps muscle to the file's column where they differ: two muscles with one column share an electrode on purpose.
    """

    kind: Literal["envelope", "raw"]
    normalization: Literal["mvc", "session_max", "none"]
    sync_offset_ms: float = quantity(
        "ms",
        low=-1000.0,
        high=1000.0,
        default=0.0,
        meaning="latency of the EMG system: EMG time stamps are late by this",
    )
    rate_hz: float | None = quantity(
        "Hz", low=10.0, high=1e5, default=None, meaning="sampling rate, where the file does not tell"
    )
    unit: Literal["V", "mV", "uV"] = "V"
    channels: dict[str, str] = field(default_factory=dict)
    band_pass_hz: tuple[float, float] = (20.0, 450.0)
    low_pass_hz: float = quantity(
        "Hz",
        low=0.5,
        high=50.0,
        default=6.0,
        meaning="design cut-off of the envelope's low-pass, run forward and backward",
    )
    notch_hz: float | None = quantity("Hz", low=40.0, high=70.0, default=None, meaning="mains frequency to notch out")
    mvc_window_s: float = quantity(
        "s", low=0.01, high=5.0, default=0.5, meaning="moving-average window whose largest mean is the maximum"
    )
    delay_prior_ms: tuple[float, float] = (60.0, 20.0)

    @property
    def scaled(self) -> bool:
        """Return whether levels of envelopes mean something: they were divided by some maximum."""
        return self.normalization != "none"


@dataclass(frozen=True)
class Study:
    """A study: what its file asks for, with every recording read.

    ``fixed`` holds model coordinates that are not recorded [rad]; ``moment_low_pass_hz`` and ``kinematics_low_pass_hz`` are None where no
    filter is asked for. ``digests`` maps every input file to its SHA-256, by its path below ``data_root``. ``moving`` coordinates are
    recorded, but their moments are not explained; ``groups`` is {muscle: declared functional group}; ``model_file`` is where an OpenSim
    model, the table of muscle parameters beside tables of paths, or the anatomy that a run keeps of either stands. ``moment_sd`` is
    {coordinate: standard deviation [N.m]} where the study knows better than the fit's settings.
    """

    name: str
    model: str
    coordinates: tuple[str, ...]
    measured: tuple[str, ...]
    deep: tuple[str, ...]
    emg: EmgSettings
    subjects: tuple[Subject, ...]
    ignored: tuple[str, ...] = ()
    fixed: dict[str, float] = field(default_factory=dict)
    rate_hz: float = quantity(
        "Hz", low=20.0, high=1000.0, default=100.0, meaning="the one clock on which trials are put"
    )
    moment_low_pass_hz: float | None = None
    kinematics_low_pass_hz: float | None = None
    fit: FitSettings = field(default_factory=FitSettings)
    calibrations: tuple[Calibration, ...] = ()
    source: str = ""
    digests: dict[str, str] = field(default_factory=dict, compare=False)
    problems: tuple[Problem, ...] = field(default=(), compare=False)
    data_root: str = field(default="", compare=False)
    moving: tuple[str, ...] = ()
    groups: dict[str, str] = field(default_factory=dict)
    allow_mm: float = quantity(
        "mm",
        low=0.0,
        high=100.0,
        default=1.0,
        meaning="error of a path length that is allowed beside 1 % of its change",
    )
    model_file: str = field(default="", compare=False)
    moment_sd: dict[str, float] = field(default_factory=dict)

    @property
    def moved(self) -> tuple[str, ...]:
        """Return the coordinates that trials hold: those whose moments are explained, then those that only move."""
        return self.coordinates + self.moving
