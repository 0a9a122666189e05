"""OpenSim runs in a process of its own: what it crashes on, hangs on or prints stays there, and arrays come back."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem

Arrays = dict[str, NDArray[Any]]
Task = Callable[[Mapping[str, Any], Mapping[str, NDArray[Any]]], tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]]
QUESTION, GIVEN, ANSWER, FOUND, REFUSAL, TRACE = (
    *("question.json", "given.npz", "answer.json", "found.npz", "refusal.json"),
    "trace.txt",
)
INSTALL = 'Install it: pip install "profundus[opensim]"'
START = "import sys; from profundus.skeleton.child import main; main(*sys.argv[1:])"
LOG = "opensim.log"
LONGEST_TRACE = 300
BESIDE = ("Thrown at", "In Object", "File ", "Traceback")


class Refused(Exception):  # noqa: N818 (an answer, not an accident)
    """What a task in the child refuses on purpose; the parent raises it as an InputError of the file."""

    def __init__(self, *problems: Mapping[str, str]) -> None:
        super().__init__(*problems)
        self.problems = problems


def opensim_version() -> str | None:
    """Return which OpenSim is installed, "unknown" where it does not tell, None where there is none. It is not started."""
    if importlib.util.find_spec("opensim") is None:
        return None
    try:
        return version("opensim")
    except PackageNotFoundError:
        return "unknown"


def asked_of_opensim(
    task: str,
    question: Mapping[str, Any],
    given: Mapping[str, NDArray[Any]],
    *,
    file: str,
    instead: str = "",
    timeout_s: float = 300.0,
) -> tuple[dict[str, Any], Arrays]:
    """Return the answer, plain values and arrays, of a task that a child process does with OpenSim.

    ``task`` is ``module:function`` of this package; the function takes and returns ``(plain values, arrays)`` and may raise `Refused`.
    ``question`` holds what JSON can hold; paths in it must be absolute, as the child works in an empty folder of its own, where OpenSim's
    log vanishes. Raises InputError that names ``file`` where OpenSim is missing (``instead``: what else could be done), refuses, crashes or
    takes longer than ``timeout_s``.
    """
    if opensim_version() is None:
        remedy = f"{INSTALL}, {instead}" if instead else INSTALL
        raise InputError(Problem("error", "OpenSim is needed for this and is not installed", file, remedy=remedy))
    with tempfile.TemporaryDirectory(prefix="profundus-opensim-") as name:
        folder = Path(name)
        (folder / QUESTION).write_text(json.dumps(dict(question)), encoding="utf-8")
        np.savez(folder / GIVEN, **dict(given))  # type: ignore[arg-type]
        code = _run(task, folder, file, timeout_s)
        if (folder / REFUSAL).is_file():
            refusals = json.loads((folder / REFUSAL).read_text(encoding="utf-8"))
            raise InputError(Problem("error", file=file, **refusal) for refusal in refusals)
        if code != 0:
            what = f"OpenSim cannot work with this file: {_reason(code, folder)}"
            raise InputError(
                Problem("error", what, file, remedy="Open it in OpenSim, and correct what it complains of")
            )
        answer = json.loads((folder / ANSWER).read_text(encoding="utf-8"))
        with np.load(folder / FOUND, allow_pickle=False) as arrays:
            return answer, {key: arrays[key] for key in arrays.files}


def _run(task: str, folder: Path, file: str, timeout_s: float) -> int:
    command = [sys.executable, "-P", "-c", START, task, str(folder)]
    try:
        with (folder / TRACE).open("wb") as trace:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=trace,
                cwd=folder,
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
                timeout=timeout_s,
                check=False,
            ).returncode
    except subprocess.TimeoutExpired as error:
        what = f"OpenSim took longer than {timeout_s:g} s"
        raise InputError(Problem("error", what, file, remedy="Does it open in OpenSim's own program?")) from error


def _reason(code: int, folder: Path) -> str:
    """Return the last that OpenSim complained of in its log, or Python in its trace."""
    if code < 0:
        return f"it was ended by signal {-code} ({signal.strsignal(-code)})"
    trace, log = (_text(folder / name) for name in (TRACE, LOG))
    said = [line for line in map(str.strip, trace.splitlines()) if line and not line.startswith(BESIDE)]
    text = said[-1] if said else f"it ended with code {code}"
    if "[error]" in log:
        text = " ".join(log.rpartition("[error]")[2].split())
    return "".join(c for c in text if c.isprintable())[:LONGEST_TRACE]


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def main(task: str, folder: str) -> None:
    """Do a task and leave its answer in the folder; whatever goes wrong ends this process with a trace on stderr."""
    here = Path(folder)
    module, _, function = task.partition(":")
    if not module.startswith("profundus.skeleton."):
        raise ValueError(f"no task of this package: {task}")
    question = json.loads((here / QUESTION).read_text(encoding="utf-8"))
    with np.load(here / GIVEN, allow_pickle=False) as arrays:
        given = {key: arrays[key] for key in arrays.files}
    work: Task = getattr(importlib.import_module(module), function)
    try:
        answer, found = work(question, given)
    except Refused as error:
        (here / REFUSAL).write_text(json.dumps([dict(one) for one in error.problems]), encoding="utf-8")
        return
    np.savez(here / FOUND, **found)  # type: ignore[arg-type]
    (here / ANSWER).write_text(json.dumps(dict(answer)), encoding="utf-8")
