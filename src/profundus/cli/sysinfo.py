"""`sysinfo`: what a report of an error needs to say about the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from profundus import __version__
from profundus.cli.outcome import Outcome, printable
from profundus.fit.compiled import cache_folder
from profundus.io.anatomy import shipped_models

LIBRARIES = (
    *("jax", "jaxlib", "equinox", "optax", "jaxtyping", "numpy", "scipy", "pandas", "xarray", "h5netcdf", "h5py"),
    *("safetensors", "pydantic", "typer", "rich", "plotly", "ezc3d", "opensim"),
)
PROBE = "import json, jax; print(json.dumps([f'{d.platform}:{d.id} {d.device_kind}' for d in jax.devices()]))"
PROBE_S = 60.0


def system() -> Outcome:
    """Return versions, machine, accelerators and what is shipped."""
    facts: dict[str, object] = {
        "profundus": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": _cores(),
        "memory_gb": _memory_gb(),
        "accelerators": _accelerators(),
        "compilation_cache": str(cache_folder() or "none"),
        "models": list(shipped_models()),
        "demo": str(files("profundus") / "data" / "demo"),
        "libraries": {name: _version(name) for name in LIBRARIES},
    }
    return Outcome(facts, [line for key, value in facts.items() for line in _lines(key, value)])


def _lines(key: str, value: object) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}:", *(f"  {name:<14} {printable(inner or 'not installed')}" for name, inner in value.items())]
    text = ", ".join(map(str, value)) if isinstance(value, list) else value
    return [f"{key.replace('_', ' ') + ':':<20} {printable('unknown' if text is None else text)}"]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory_gb() -> float | None:
    """Return the machine's memory [GB]; None where the system does not tell."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None


def _accelerators() -> list[str]:
    """Return the devices that JAX sees, or why it sees none; in a process of its own, which a broken driver may take down."""
    try:
        probe = subprocess.run(
            [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=PROBE_S, check=False, cwd=Path.home()
        )
    except subprocess.TimeoutExpired:
        return [f"JAX did not answer within {PROBE_S:.0f} s"]
    if probe.returncode != 0:
        last = (probe.stderr.strip() or "no message").splitlines()[-1]
        return [f"JAX does not start (exit code {probe.returncode}): {last}"]
    return [str(device) for device in json.loads(probe.stdout)]
