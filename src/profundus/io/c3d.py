"""Analog channels of a C3D file (raw EMG), in volts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from profundus.errors import FileFormatError, Problem
from profundus.io.incoming import Findings, opened, shown
from profundus.records import Table

MAX_BYTES = 2**30
_VOLTS = {
    **dict.fromkeys(("V", "v", "Volt", "volt", "Volts", "volts", "VOLT", "VOLTS"), 1.0),
    **dict.fromkeys(("mV", "mv", "millivolt", "millivolts", "Millivolts"), 1e-3),
    **dict.fromkeys(("uV", "uv", "\u00b5V", "\u03bcV", "microvolt", "microvolts", "Microvolts"), 1e-6),
}
_FORCES = ("n", "nm", "n.m", "n*m", "nmm", "n.mm", "n*mm", "kg", "pa", "kpa")
_MOTIONS = ("g", "m/s2", "m/s^2", "m/s\u00b2", "deg/s", "rad/s", "deg", "rad", "m", "mm", "hz")
_NO_VOLTAGE = frozenset(_FORCES + _MOTIONS)


@dataclass(frozen=True)
class _Channels:
    """What the worker found: values (sample, channel); labels, units, offsets (channel,); rate [Hz]; frames found and promised."""

    values: NDArray[np.float64]
    labels: list[str]
    units: list[str]
    offsets: NDArray[np.float64]
    rate: float
    frames: int
    promised: int


def read_c3d_analog(path: str | Path, *, channels: Sequence[str] | None = None, timeout_s: float = 60.0) -> Table:
    """Return the analog channels of a C3D file [V], labelled as in ANALOG:LABELS; time counts from the first sample.

    ``channels`` picks some of them; otherwise all voltages are read, and what is measured in another unit (force plates) or has no label is
    left out and named in ``problems``. The file is parsed in a process of its own that gets ``timeout_s`` seconds and limited memory.
    Raises MissingFileError, UnsafeInputError (larger than 1 GiB), FileFormatError: damaged, cut off, a unit that nobody knows.
    """
    path = Path(path)
    with opened(path, limit=MAX_BYTES, kind="a C3D file") as file:
        head = file.read(512)
    if len(head) < 512 or head[1] != 0x50:
        raise FileFormatError(Problem("error", "is no C3D file: the mark in its second byte is missing", str(path)))
    findings = Findings(str(path))
    found = _parsed(path, timeout_s)
    _check_whole(found, findings)
    chosen = _chosen(found, channels, findings)
    factors = _factors(found, chosen, findings, strict=channels is not None)
    findings.raise_errors()
    values = found.values[:, list(factors)] * np.array(list(factors.values()))
    if missing := int(np.isnan(values).sum()):
        findings.add("warning", f"{missing} samples are nan")
    for index in factors:
        if np.any(found.offsets[index : index + 1] < 0):
            # measured with ezc3d 1.7.2, against a file built byte by byte
            what = (
                f"channel {shown(found.labels[index])} has a negative ANALOG:OFFSET, of which ezc3d takes the magnitude"
            )
            findings.add("warning", what, remedy="Its mean may be wrong; a band-pass removes that")
    time = np.arange(len(values)) / found.rate
    labels = tuple(found.labels[index] for index in factors)
    problems = findings.listed("warning", "note")
    return Table(labels, time, values, name=path.stem, source=str(path), problems=problems)


def _parsed(path: Path, timeout_s: float) -> _Channels:
    """Return what the worker process makes of the file; its crash, its hanging and its running out of memory are errors of the file."""
    with tempfile.TemporaryDirectory(prefix="profundus-c3d-") as folder:
        result, trace = Path(folder) / "analogs.npz", Path(folder) / "trace.txt"
        command = [sys.executable, "-P", "-m", "profundus.io.c3d_worker", str(path.resolve()), str(result)]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # each thread would count against the memory limit
        try:
            with trace.open("wb") as stderr:
                ended = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=stderr,
                    env=environment,
                    timeout=timeout_s,
                    check=False,
                )
        except subprocess.TimeoutExpired as error:
            raise _damaged(path, f"reading took longer than {timeout_s:g} s") from error
        if ended.returncode != 0:
            raise _damaged(path, _reason(ended.returncode, trace))
        with np.load(result, allow_pickle=False) as arrays:
            return _Channels(
                arrays["values"],
                [str(label) for label in arrays["labels"]],
                [str(unit) for unit in arrays["units"]],
                arrays["offsets"],
                float(arrays["rate"]),
                int(arrays["frames"]),
                int(arrays["promised"]),
            )


def _reason(code: int, trace: Path) -> str:
    if code < 0:
        return f"the parser was ended by signal {-code} ({signal.strsignal(-code)})"
    with trace.open("rb") as file:
        file.seek(max(0, trace.stat().st_size - 2000))
        lines = file.read().strip().splitlines()
    if not lines:
        return f"the parser ended with code {code}"
    if any(word in lines[-1] for word in (b"MemoryError", b"bad_alloc")):
        return "it asks for more memory than its size explains"
    return f"it cannot be parsed: {shown(lines[-1], most=300)}"


def _damaged(path: Path, what: str) -> FileFormatError:
    remedy = "The file is damaged: copy it again, or export it again"
    return FileFormatError(Problem("error", what, str(path), expected="a sound C3D file", remedy=remedy))


def _check_whole(found: _Channels, findings: Findings) -> None:
    samples, channels = found.values.shape
    if found.promised < 0:
        findings.add("warning", "has 65535 frames or more: its header cannot say whether it is complete")
    elif found.promised != found.frames:
        what = f"the header promises {found.promised} frames, {found.frames} are there"
        findings.add("error", what, expected="a complete file", remedy="It was cut off or damaged: copy it again")
    if not samples or not channels:
        findings.add("error", "there are no analog samples", expected="analog channels")
    if not (np.isfinite(found.rate) and 1.0 <= found.rate <= 1e6):
        findings.add("error", f"ANALOG:RATE is {found.rate:g} Hz", expected="1 to 1000000 Hz")
    if len(found.labels) < channels:
        findings.add(
            "error", f"there are {channels} channels and {len(found.labels)} labels", expected="one label each"
        )
    if np.isinf(found.values).any():
        findings.add("error", "there are infinite samples", expected="voltages")


def _chosen(found: _Channels, wanted: Sequence[str] | None, findings: Findings) -> list[int]:
    """Return the indices of the channels to read."""
    labels = found.labels[: found.values.shape[1]]
    if wanted is None:
        if unnamed := labels.count(""):
            findings.add("note", f"{unnamed} channels without a label were left out")
        chosen = [index for index, label in enumerate(labels) if label]
    else:
        for label in wanted:
            if label not in labels:
                expected = "one of " + ", ".join(shown(known) for known in labels[:40])
                findings.add("error", f"there is no channel {shown(label)}", expected=expected)
        chosen = [labels.index(label) for label in dict.fromkeys(wanted) if label in labels]
    for label, times in Counter(labels).items():
        if times > 1 and label in {labels[index] for index in chosen}:
            findings.add("error", f"channel {shown(label)} is there {times} times", expected="each label once")
    return chosen


def _factors(found: _Channels, chosen: list[int], findings: Findings, *, strict: bool) -> dict[int, float]:
    """Return {channel: volts per unit}; a unit that is no voltage leaves its channel out, or is an error if ``strict``."""
    factors: dict[int, float] = {}
    for index in chosen:
        unit = found.units[index] if index < len(found.units) else ""
        what = f"channel {shown(found.labels[index])} is in {shown(unit)}"
        if unit in _VOLTS:
            factors[index] = _VOLTS[unit]
        elif unit.casefold() in _NO_VOLTAGE and not strict:
            findings.add("note", f"{what}, which is no voltage, and was left out")
        else:
            remedy = "Correct ANALOG:UNITS, or name the channels to read"
            findings.add("error", what, expected="V, mV or uV", remedy=remedy)
    if chosen and not factors and not findings.failed:
        findings.add("error", "no channel is in volts", expected="at least one voltage")
    return factors
