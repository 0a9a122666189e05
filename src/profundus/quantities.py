"""A physical quantity is declared once, with its unit and admissible range; checking, fitting and the report read that."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from profundus.errors import Problem


@dataclass(frozen=True)
class Quantity:
    """Unit and admissible range of one declared field."""

    unit: str
    low: float
    high: float
    meaning: str = ""


def quantity(unit: str, *, low: float, high: float, meaning: str = "", **options: Any) -> Any:
    """Return a dataclass field that carries its unit and admissible range."""
    return field(metadata={"quantity": Quantity(unit, low, high, meaning)}, **options)


def declared_quantities(record: Any) -> dict[str, Quantity]:
    """Return the declared quantities of a dataclass (type or instance) by field name."""
    return {f.name: f.metadata["quantity"] for f in fields(record) if "quantity" in f.metadata}


def out_of_range(record: Any) -> list[Problem]:
    """Return a problem for every declared quantity outside its admissible range; a pair runs from low to high within it."""
    problems = []
    for name, declared in declared_quantities(record).items():
        value = getattr(record, name)
        ends = value if isinstance(value, tuple) else (value, value)
        if len(ends) != 2 or not declared.low <= ends[0] <= ends[1] <= declared.high:
            said = value if isinstance(value, tuple) else f"{value:g}"
            expected = f"{declared.low:g} to {declared.high:g} {declared.unit}".removesuffix(" -")
            problems.append(Problem("error", f"{name} is {said}", expected=expected))
    return problems
