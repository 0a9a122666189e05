"""What a rival is asked for, held against the ranges that its settings declare."""

from __future__ import annotations

from typing import Any

from profundus.errors import Problem
from profundus.quantities import declared_quantities


def out_of_range(settings: Any) -> list[Problem]:
    """Return a problem for every setting outside its declared range."""
    return [
        Problem(
            "error",
            f"{type(settings).__name__}: {name} is {getattr(settings, name):g}",
            expected=f"{declared.low:g} to {declared.high:g} {declared.unit}".removesuffix(" -"),
        )
        for name, declared in declared_quantities(settings).items()
        if not declared.low <= getattr(settings, name) <= declared.high
    ]
