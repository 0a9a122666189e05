"""Compiled programs are kept on disk, so that the second fit of a laboratory starts at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any


def cache_folder() -> Path | None:
    """Return where compiled programs are kept: PROFUNDUS_CACHE, or the user's cache folder; None where PROFUNDUS_CACHE is empty."""
    named = os.environ.get("PROFUNDUS_CACHE")
    if named is not None:
        return Path(named) if named else None
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "profundus" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "profundus"
    return Path(os.environ.get("XDG_CACHE_HOME", home / ".cache")) / "profundus"


def keep_compiled() -> None:
    """Let JAX keep what takes longer than a tenth of a second to compile; leaves a cache alone that somebody else has set."""
    import jax  # whoever only asks for the folder does not wait for it

    folder = cache_folder()
    settings: Any = jax.config
    if folder is not None and settings.jax_compilation_cache_dir is None:
        settings.update("jax_compilation_cache_dir", str(folder))
        settings.update("jax_persistent_cache_min_compile_time_secs", 0.0)
