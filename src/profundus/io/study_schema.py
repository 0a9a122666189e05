"""What a study file may say: its tables, their keys, types and ranges."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from types import NoneType
from typing import Annotated, Any, Final, Literal, get_args, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    Strict,
    create_model,
)
from pydantic_core import PydanticCustomError, core_schema

from profundus.io.study_names import NAME_RULE, is_name
from profundus.quantities import Quantity, declared_quantities
from profundus.records.fitting import FitSettings
from profundus.records.recording import Role, What
from profundus.records.study import EmgSettings, Study

AT: Final = "@at"
"""Key under which a list's item remembers its location in the file."""


def _name(text: str) -> str:
    if not is_name(text):
        raise PydanticCustomError("name", "is not a name that can be used", {"expected": NAME_RULE})
    return text


def _trial_name(text: str) -> str:
    if text.casefold() in {"all", "load"}:
        expected = "another name: scores call the pooled rows 'all' and 'load'"
        raise PydanticCustomError("name", "is a reserved name", {"expected": expected})
    return _name(text)


def _line_of_text(text: str) -> str:
    if not (text.isprintable() and text.strip() and len(text) <= 1000):
        expected = "printable text on one line, at most 1000 characters"
        raise PydanticCustomError("text", "is not a line of text", {"expected": expected})
    return text


def _window(time: tuple[float, float]) -> tuple[float, float]:
    if not time[0] < time[1]:
        raise PydanticCustomError("window", "ends before it begins", {"expected": "[start, end] in seconds"})
    return time


def _false_as_none(value: Any) -> Any:
    return None if value is False else value


def within(declared: Quantity, *, hint: str = "") -> AfterValidator:
    """Return the validator that refuses a number outside of a declared range; ``hint`` asks about the unit."""

    def check(value: float | None) -> float | None:
        if value is not None and not declared.low <= value <= declared.high:
            expected = f"{declared.low:g} to {declared.high:g} {declared.unit}".removesuffix(" -")
            raise PydanticCustomError("range", "is out of range", {"expected": expected, "remedy": hint})
        return value

    return AfterValidator(check)


Name = Annotated[str, AfterValidator(_name)]
Line = Annotated[str, AfterValidator(_line_of_text)]
Names = Annotated[tuple[Name, ...], Strict(strict=False)]
Lines = Annotated[tuple[Line, ...], Strict(strict=False)]
Window = Annotated[tuple[float, float], Strict(strict=False), AfterValidator(_window)]
CutOff = Annotated[
    float | None, BeforeValidator(_false_as_none), within(Quantity("Hz", 0.5, 100.0, "cut-off of a low-pass"))
]


class Section(BaseModel):
    """A table of the study file: unknown keys and wrong types are refused, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def settings_of(record: type) -> GetPydanticSchema:
    """Return how a table becomes a settings record: its fields, defaults and declared ranges are those of the record.

    Where the record allows None the file says ``false``: ``effort_sd = false`` leaves that loss out.
    """
    hints, ranges = get_type_hints(record, include_extras=True), declared_quantities(record)
    keys: dict[str, Any] = {}
    for key in fields(record):
        kind: Any = hints[key.name]
        if is_dataclass(kind):
            kind = Annotated[kind, settings_of(kind)]  # type: ignore[arg-type]
        if getattr(kind, "__origin__", None) is tuple:
            kind = Annotated[kind, Strict(strict=False)]
        if NoneType in get_args(kind):
            kind = Annotated[kind, BeforeValidator(_false_as_none)]
        if key.name in ranges:
            kind = Annotated[kind, within(ranges[key.name])]
        options: dict[str, Any] = {"default": key.default, "default_factory": key.default_factory}
        keys[key.name] = (kind, Field(**{name: value for name, value in options.items() if value is not MISSING}))
    section = create_model(record.__name__, __base__=Section, **keys)

    def to_record(values: Any) -> Any:
        return record(**{name: getattr(values, name) for name in keys})

    return GetPydanticSchema(
        lambda _, handler: core_schema.no_info_after_validator_function(to_record, handler(section))
    )


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
    ignored: Names = ()
    data_root: Line | None = None
    muscle_parameters: Line | None = None
    rate_hz: Annotated[float, within(declared_quantities(Study)["rate_hz"])] = 100.0


class KinematicsSection(Section):
    """[kinematics]: where the angles stand, and in which unit; ``fixed`` in rad."""

    angle_unit: Literal["deg", "rad"] | None = None
    columns: dict[Name, Line] = {}
    velocity_columns: dict[Name, Line] = {}
    fixed: dict[Name, float] = {}
    low_pass_hz: CutOff = None


class MomentsSection(Section):
    """[moments]: where the joint moments stand, and their sign; {coordinate: column}, N.m."""

    columns: dict[Name, Line] = {}
    sign: dict[Name, Literal[-1, 1]] = {}
    low_pass_hz: CutOff = None


class GeometrySection(Section):
    """[geometry]: tables of muscle lengths and moment arms."""

    lengths: Line
    moment_arms: dict[Name, Line]


class CalibrationSection(Section):
    """[[calibration]]: what pins the amplitude of a deep muscle."""

    at: tuple[str | int, ...] = Field(alias=AT)
    muscle: Name
    kind: Literal["trial", "dominant", "ratio"]
    trial: Name | None = None
    ratio: float | None = None
    sd: float | None = None
    to: Name | None = None


class ExcludeSection(Section):
    """[[exclude]]: a stretch of a trial that is not to be trusted; of one subject, or of all that have the trial."""

    at: tuple[str | int, ...] = Field(alias=AT)
    trial: Name
    time: Window
    what: What
    why: Line
    subject: Name | None = None


class TrialSection(Section):
    """[[subject.trial]]: one trial and its files."""

    at: tuple[str | int, ...] = Field(alias=AT)
    name: Annotated[str, AfterValidator(_trial_name)]
    kinematics: Line
    emg: Line
    role: Role
    moments: Line | None = None
    inverse_dynamics: Literal["opensim"] | None = None
    truth: Line | None = None
    load_kg: Annotated[
        float, within(Quantity("kg", 0.0, 200.0, "mass held or lifted"), hint="Was it given in grams or newtons?")
    ] = float("nan")
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
    trial: list[TrialSection] = []


class StudyFile(Section):
    """A study file."""

    study: StudySection
    emg: Annotated[EmgSection, settings_of(EmgSection)]
    subject: list[SubjectSection] = []
    kinematics: KinematicsSection = KinematicsSection()
    moments: MomentsSection = MomentsSection()
    geometry: GeometrySection | None = None
    calibration: list[CalibrationSection] = []
    exclude: list[ExcludeSection] = []
    fit: Annotated[FitSettings, settings_of(FitSettings)] = FitSettings()


class NewTrialsFile(Section):
    """A file of new trials of a person whose parameters are known."""

    trial: list[NewTrialSection]
    data_root: Line | None = None
