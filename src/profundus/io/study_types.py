"""What a value of a study file may be: names, lines of text, windows, numbers in a declared range, tables that become settings."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

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

from profundus.io.study_names import NAME_RULE, is_name, is_pattern
from profundus.quantities import Quantity, declared_quantities


def _name(text: str) -> str:
    if not is_name(text):
        raise PydanticCustomError("name", "is not a name that can be used", {"expected": NAME_RULE})
    return text


def _pattern(text: str) -> str:
    if not is_pattern(text):
        expected = f"{NAME_RULE}; * and ? for what may vary"
        raise PydanticCustomError("name", "is not a name that can be used", {"expected": expected})
    return text


def trial_name(text: str) -> str:
    """Return a trial's name, or refuse it."""
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
Patterns = Annotated[tuple[Annotated[str, AfterValidator(_pattern)], ...], Strict(strict=False)]
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


def _listed(kind: Any) -> Any:
    """Return a type whose tuples, also those inside, may be written as lists."""
    if get_origin(kind) is not tuple:
        return kind
    return Annotated[tuple[tuple(_listed(inner) for inner in get_args(kind))], Strict(strict=False)]


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
        kind = _listed(kind)
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
