"""Where recipes and learned priors stand that come with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

DATA = Path(str(files("profundus"))) / "data"


def shipped_recipe(name: str) -> Path:
    """Return the file of the recipe that teaches a prior for an anatomy."""
    return DATA / f"{name}_recipe.toml"


def shipped_prior(name: str) -> Path | None:
    """Return the file of the learned prior of an anatomy, or None where none is shipped."""
    path = DATA / f"{name}_prior.safetensors"
    return path if path.is_file() else None
