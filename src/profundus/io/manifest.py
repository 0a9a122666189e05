"""The manifest of a run: versions, seeds, settings, digests, timings, warnings."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from profundus.errors import FileFormatError, MissingFileError, Problem
from profundus.io.store import write_whole

FORMAT = "profundus run 1"


def read_manifest(path: Path) -> dict[str, Any]:
    """Return what a ``run.json`` holds. Raises MissingFileError or FileFormatError."""
    if not path.is_file():
        raise MissingFileError(Problem("error", "there is no run in this folder", file=str(path), expected="run.json"))
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise FileFormatError(Problem("error", f"cannot be read ({error})", file=str(path), expected="JSON")) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise FileFormatError(
            Problem("error", "not the manifest of a run", file=str(path), expected=f"format '{FORMAT}'")
        )
    return manifest


def write_manifest(facts: Mapping[str, Any], path: Path) -> None:
    """Write facts as JSON, whole; records by their fields, unknown numbers (NaN) as null."""
    write_whole(path, json.dumps(_plain({"format": FORMAT, **facts}), indent=2, allow_nan=False) + "\n")


def _plain(value: Any) -> Any:
    """Return a value as JSON can hold it: records by their fields, unknown numbers as null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
