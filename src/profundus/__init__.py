"""Reconstruct the EMG of muscles that no surface electrode reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "fit", "load_model", "load_study", "read_table", "reconstruct", "write_table"]

if TYPE_CHECKING:
    from profundus.api import fit, load_model, load_study, read_table, reconstruct, write_table


def __getattr__(name: str) -> Any:
    """Import the public functions when they are first asked for, so that the command line starts at once."""
    if name in __all__:
        from profundus import api

        return getattr(api, name)
    raise AttributeError(f"module 'profundus' has no attribute '{name}'")
