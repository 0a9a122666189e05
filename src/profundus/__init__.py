"""Reconstruct the EMG of muscles that no surface electrode reaches."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Comparison",
    "Run",
    "__version__",
    "advise",
    "cohort",
    "compare",
    "fit",
    "load_model",
    "load_study",
    "pretrain",
    "read_table",
    "reconstruct",
    "write_table",
]

if TYPE_CHECKING:
    from profundus.api import (
        Comparison,
        Run,
        advise,
        cohort,
        compare,
        fit,
        load_model,
        load_study,
        pretrain,
        read_table,
        reconstruct,
        write_table,
    )


def __getattr__(name: str) -> Any:
    """Import the public functions when they are first asked for, so that the command line starts at once."""
    if name in __all__:
        from profundus import api

        return getattr(api, name)
    raise AttributeError(f"module 'profundus' has no attribute '{name}'")


def __dir__() -> list[str]:
    """Return the public names, so that they are offered before they are imported."""
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """The package itself, in which the rooms ``fit`` and ``reconstruct`` do not hide the functions of the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):  # an import of a room would bind it here
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
