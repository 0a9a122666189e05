"""What a study file may say: its tables and their keys."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, Strict

from profundus.io.study_types import (
    CutOff,
    Line,
    Lines,
    Name,
    Names,
    Patterns,
    Section,
    Window,
    settings_of,
    trial_name,
    within,
)
from profundus.quantities import Quantity, declared_quantities
from profundus.records.fitting import FitSettings, LossSettings
from profundus.records.recording import Role, What
from profundus.records.study import EmgSettings, Study

AT: Final = "@at"
"""Key under which a list's item remembers its location in the file."""


@dataclass(frozen=True)
class EmgSection(EmgSettings):
    """[emg]: how EMG becomes an envelope, and where it stands; ``channels`` is {muscle: column}."""

    channels: dict[Name, Line] = field(default_factory=dict)
    mvc: Lines = ()

    @property
    def settings(self) -> EmgSettings:
        """Return the settings without the file's columns."""
        return EmgSettings(**{key.name: getattr(self, key.name) for key in fields(EmgSettings)})


class StudySection(Section):
    """[study]: the model, and what its muscles are to the study."""

    name: Line
    model: Line
    coordinates: Names
    measured: Names
    deep: Names
    ignored: Patterns = ()
    data_root: Line | None = None
    muscle_parameters: Line | None = None
    rate_hz: Annotated[float, within(declared_quantities(Study)["rate_hz"])] = 100.0


class KinematicsSection(Section):
    """[kinematics]: where the angles stand, and in which unit; ``fixed`` in rad; what is ``moving`` has no moment to explain."""

    angle_unit: Literal["deg", "rad"] | None = None
    columns: dict[Name, Line] = Field(default_factory=dict)
    velocity_columns: dict[Name, Line] = Field(default_factory=dict)
    fixed: dict[Name, float] = Field(default_factory=dict)
    moving: Names = ()
    low_pass_hz: CutOff = None


class MomentsSection(Section):
    """[moments]: where the joint moments stand, their sign, and how well each is known; {coordinate: column}, N.m."""

    columns: dict[Name, Line] = Field(default_factory=dict)
    sign: dict[Name, Literal[-1, 1]] = Field(default_factory=dict)
    sd: dict[Name, Annotated[float, within(declared_quantities(LossSettings)["moment_sd"])]] = Field(
        default_factory=dict
    )
    low_pass_hz: CutOff = None


class InverseDynamicsSection(Section):
    """[inverse_dynamics]: how moments are computed where they were not recorded; ``load_position`` and ``load_radius`` in m."""

    model: Line | None = None
    load_body: Line | None = None
    load_position: Annotated[tuple[float, float, float], Strict(strict=False)] | None = None
    load_radius: Annotated[float, within(Quantity("m", 0.0, 0.5, "radius of the load"))] = 0.0
    low_pass_hz: CutOff = None


class GeometrySection(Section):
    """[geometry]: tables of muscle lengths and moment arms; nothing is required of what cannot be used yet."""

    lengths: Line | None = None
    moment_arms: dict[Name, Line] = Field(default_factory=dict)
    allow_mm: Annotated[float, within(declared_quantities(Study)["allow_mm"])] = 1.0


class CalibrationSection(Section):
    """[[calibration]]: what pins the amplitude of a deep muscle; of one subject, or of all whom it fits."""

    at: tuple[str | int, ...] = Field(alias=AT)
    muscle: Name
    kind: Literal["trial", "dominant", "ratio"]
    trial: Name | None = None
    ratio: float | None = None
    sd: float | None = None
    to: Name | None = None
    subject: Name | None = None


class ExcludeSection(Section):
    """[[exclude]]: a stretch of a trial, or of ``muscles`` in it, that is not to be trusted; of one subject, or of all with the trial."""

    at: tuple[str | int, ...] = Field(alias=AT)
    trial: Name
    time: Window
    what: What
    why: Line
    subject: Name | None = None
    muscles: Names = ()


class TrialSection(Section):
    """[[subject.trial]]: one trial and its files."""

    at: tuple[str | int, ...] = Field(alias=AT)
    name: Annotated[str, AfterValidator(trial_name)]
    kinematics: Line
    emg: Line
    role: Role
    moments: Line | None = None
    inverse_dynamics: Literal["opensim"] | None = None
    external_loads: Line | None = None
    truth: Line | None = None
    load_kg: Annotated[
        float, within(Quantity("kg", 0.0, 200.0, "mass held or lifted"), hint="Was it given in grams or newtons?")
    ] = float("nan")
    motion: Name = ""
    time: Window | None = None


class NewTrialSection(TrialSection):
    """[[trial]] of a file of new trials: the same keys, and not to be fitted to."""

    role: Role = "test"


class SubjectSection(Section):
    """[[subject]]: one person."""

    at: tuple[str | int, ...] = Field(alias=AT)
    id: Name
    mass_kg: Annotated[
        float, within(Quantity("kg", 1.0, 400.0, "body mass"), hint="Was it given in grams or pounds?")
    ] = float("nan")
    mvc: Lines = ()
    trial: list[TrialSection] = Field(default_factory=list)


class StudyFile(Section):
    """A study file."""

    study: StudySection
    emg: Annotated[EmgSection, settings_of(EmgSection)]
    subject: list[SubjectSection] = Field(default_factory=list)
    kinematics: KinematicsSection = KinematicsSection()
    moments: MomentsSection = MomentsSection()
    inverse_dynamics: InverseDynamicsSection | None = None
    geometry: GeometrySection | None = None
    groups: dict[Name, Names] = Field(default_factory=dict)
    calibration: list[CalibrationSection] = Field(default_factory=list)
    exclude: list[ExcludeSection] = Field(default_factory=list)
    fit: Annotated[FitSettings, settings_of(FitSettings)] = FitSettings()


class NewTrialsFile(Section):
    """A file of new trials of a person whose parameters are known."""

    trial: list[NewTrialSection]
    data_root: Line | None = None
