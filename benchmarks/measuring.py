"""What the benchmarks share: contestants in processes of their own who take turns, medians and spread, results as JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
PROGRAM = str(Path(sys.executable).with_name("profundus"))
SKIPPED = 3  # exit code of a benchmark whose needs are not there

Facts = dict[str, Any]
Turn = Callable[..., Facts]


class MissingNeedError(Exception):
    """Something that a benchmark needs is not on this machine; the message says what."""


@dataclass
class Measured:
    """What one contestant took: wall time of each of its turns [s], the peak memory of its process [MB], what it answered last."""

    name: str
    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0
    facts: Facts = field(default_factory=dict)

    def facts_of_time(self) -> Facts:
        """Return median, least and most of the turns [s], and how many there were."""
        return {
            "name": self.name,
            "seconds": rounded(statistics.median(self.seconds)),
            "least": rounded(min(self.seconds)),
            "most": rounded(max(self.seconds)),
            "turns": len(self.seconds),
            "megabytes": round(self.megabytes),
        }


class Contestant:
    """A process that waits for its turns; ``script`` is asked to ``--serve`` a name, and measures each of its turns itself."""

    def __init__(self, script: str | Path, name: str, *given: str, python: str | Path = sys.executable) -> None:
        command = [str(python), str(script), "--serve", name, *given]
        self.name = name
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Contestant:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()  # the end of its input sends it home

    def turn(self, **asked: Any) -> Facts:
        """Return what it answers: its facts, ``seconds`` and ``megabytes`` (so far) among them."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.name} ended with {self.process.wait()}")
        facts: Facts = json.loads(answer)
        return facts


def serve(turn: Turn) -> None:
    """Take turns until the input ends: a line of JSON in, one out. What libraries print goes to the other stream.

    ``seconds`` of the answer are those of the whole turn unless it says its own.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        began = time.perf_counter()
        facts = turn(**json.loads(line))
        answers.write(json.dumps({"seconds": time.perf_counter() - began, **facts, "megabytes": peak()}) + "\n")
        answers.flush()


def in_turn(contestants: Sequence[Contestant], rounds: int, **asked: Any) -> list[Measured]:
    """Return what each took when all had ``rounds`` turns, one after the other, after one turn that does not count."""
    found = [Measured(one.name) for one in contestants]
    for number in range(rounds + 1):
        for one, measured in zip(contestants, found, strict=True):
            facts = one.turn(**asked)
            if number:
                measured.seconds.append(facts["seconds"])
            measured.facts, measured.megabytes = facts, facts["megabytes"]
    return found


def contest(script: str | Path, names: Sequence[str], rounds: int, *given: str, **asked: Any) -> list[Measured]:
    """Return what contestants of one script took who took turns; every one is its own process from first to last."""
    with ExitStack() as stack:
        started = [stack.enter_context(Contestant(script, name, *given)) for name in names]
        return in_turn(started, rounds, **asked)


def commands_in_turn(commands: Mapping[str, Sequence[str]], rounds: int, **surroundings: str) -> list[Measured]:
    """Return what commands took, one after the other, ``rounds`` times; ``surroundings`` are environment variables."""
    found = [Measured(name) for name in commands]
    for _ in range(rounds):
        for measured, command in zip(found, commands.values(), strict=True):
            seconds, megabytes = spent(command, **surroundings)
            measured.seconds.append(seconds)
            measured.megabytes = max(measured.megabytes, megabytes)
    return found


class Spent(NamedTuple):
    """What a command took: wall time [s], peak memory of its largest process [MB], time of processors [s]."""

    seconds: float
    megabytes: float
    processor_s: float


def spent(command: Sequence[str], **surroundings: str) -> tuple[float, float]:
    """Return wall time [s] and peak memory [MB] of a command; stops where it fails."""
    return all_spent(command, **surroundings)[:2]


def all_spent(command: Sequence[str], **surroundings: str) -> Spent:
    """Return what a command took; stops where it fails."""
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}\n{said[-2000:]}")
    return Spent(seconds, _megabytes(usage.ru_maxrss), usage.ru_utime + usage.ru_stime)


def twice(command: Sequence[str]) -> Facts:
    """Return what a command took the first time and the next, when what it compiled is kept."""
    with tempfile.TemporaryDirectory() as cache:
        first, following = (all_spent(command, PROFUNDUS_CACHE=cache) for _ in range(2))
    return {
        "first_s": rounded(first.seconds),
        "next_s": rounded(following.seconds),
        "processor_s": rounded(following.processor_s),
        "megabytes": round(max(first.megabytes, following.megabytes)),
    }


def peak() -> float:
    """Return the peak memory of this process [MB]; on Linux that since its program began, whoever started it."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="utf-8").splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3
    return _megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _megabytes(resident: int) -> float:
    return resident / (1e6 if sys.platform == "darwin" else 1e3)


def row(
    what: str, ours: Measured, rival: Measured, *, scale: float = 1.0, agreement: str = "", note: str = ""
) -> Facts:
    """Return one line of a table: how many times as long the rival took, turn by turn (median, least, most).

    ``scale`` is what the rival's time is multiplied by where it did only a share of the work; ``note`` then says so.
    """
    pairs = zip(ours.seconds, rival.seconds, strict=False)
    ratios = [scale * theirs / own for own, theirs in pairs]
    return {
        "what": what,
        "ours": ours.facts_of_time(),
        "rival": rival.facts_of_time(),
        "scale": scale,
        "ratio": rounded(statistics.median(ratios)),
        "ratio_least": rounded(min(ratios)),
        "ratio_most": rounded(max(ratios)),
        "agreement": agreement,
        "note": note,
    }


def rounded(number: float, digits: int = 4) -> float:
    """Return a number with so many digits that count."""
    return float(f"{number:.{digits}g}")


def save(name: str, title: str, rows: Sequence[Facts], asked: argparse.Namespace, **more: Any) -> None:
    """Write the result of a benchmark, and print it as a table."""
    keep(name, title, rows, asked, **more)
    print(f"\n{title}")
    for one in rows:
        print(
            f"  {one['what']}: {one['ours']['seconds']:.4g} s, {one['rival']['name']} {one['rival']['seconds']:.4g} s,"
            f" x {one['ratio']:.3g} ({one['ratio_least']:.3g} to {one['ratio_most']:.3g})"
            + "".join(f"; {words}" for words in (one["agreement"], one["note"]) if words),
            flush=True,
        )


def keep(name: str, title: str, rows: Sequence[Facts], asked: argparse.Namespace, **more: Any) -> None:
    """Write the result of a benchmark, with the command and the machine."""
    facts = {
        "title": title,
        "command": f"python benchmarks/{name}.py",
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.processor() or platform.machine(),
            "system": platform.system(),
            "python": platform.python_version(),
            "load_at_end": round(os.getloadavg()[0], 1),
        },
        "rows": list(rows),
        **more,
    }
    folder = Path(asked.results)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def parser(words: str) -> argparse.ArgumentParser:
    """Return the options that all benchmarks have."""
    found = argparse.ArgumentParser(description=words.splitlines()[0])
    found.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    found.add_argument("--results", default=str(RESULTS), help="folder of the JSON")
    found.add_argument("--serve", help=argparse.SUPPRESS)
    found.add_argument(
        "--reference",
        default=os.environ.get("PROFUNDUS_REFERENCE"),
        help="folder that holds data/ (PROFUNDUS_REFERENCE)",
    )
    found.add_argument(
        "--torch-python",
        default=os.environ.get("PROFUNDUS_TORCH_PYTHON", sys.executable),
        help="a Python that has PyTorch (PROFUNDUS_TORCH_PYTHON)",
    )
    return found


def reference_file(asked: argparse.Namespace, *parts: str) -> Path:
    """Return a file or folder of the reference data, or raise MissingNeedError."""
    if not asked.reference:
        raise MissingNeedError("the reference recordings: name their folder with --reference, or PROFUNDUS_REFERENCE")
    path = Path(asked.reference, "data", *parts)
    if not path.exists():
        raise MissingNeedError(f"{'/'.join(parts)} in the reference recordings")
    return path


def need(module: str, python: str | Path = sys.executable) -> None:
    """Raise MissingNeedError where a Python has no such module."""
    asked = f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)"
    if subprocess.run([str(python), "-c", asked], check=False).returncode:
        raise MissingNeedError(f"the Python module {module}")


def run(main: Callable[[], None]) -> None:
    """Run a benchmark; one whose needs are not there says so and ends with its own code."""
    try:
        main()
    except MissingNeedError as missing:
        print(f"skipped: this machine does not have {missing}", file=sys.stderr)
        raise SystemExit(SKIPPED) from None
