"""A physical quantity is declared once, with its unit and admissible range; checking, fitting and the report read that."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


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
