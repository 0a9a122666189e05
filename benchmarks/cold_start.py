"""How long a command takes to start: ``python benchmarks/cold_start.py [--torch-python PYTHON]``.

Fresh processes, in turn: help, import and check of this package beside what a rival needs before it can do anything (``import torch``,
``import opensim``), and the demo with an empty cache of compiled programs beside the next one.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from measuring import (
    ROOT,
    Facts,
    Measured,
    MissingNeedError,
    commands_in_turn,
    need,
    parser,
    reference_file,
    row,
    run,
    save,
    spent,
)

PYTHON = sys.executable
PROGRAM = str(Path(PYTHON).with_name("profundus"))
DEMO = ROOT / "src" / "profundus" / "data" / "demo" / "study.toml"
HELP, CHECK, IMPORT = "`profundus --help`", "`profundus check` of the demo", "`import profundus`"
TYPER, JAX, OPENSIM, TORCH = (f"`import {name}`" for name in ("typer", "jax", "opensim", "torch"))
BESIDE = {HELP: (TYPER, OPENSIM, TORCH), IMPORT: (OPENSIM, TORCH), CHECK: (JAX, TORCH)}


def rivals(torch_python: str) -> dict[str, Sequence[str]]:
    """Return the commands of the rivals that there are; says which are not."""
    wanted = {name.strip("`"): torch_python if name == TORCH else PYTHON for name in (TYPER, JAX, OPENSIM, TORCH)}
    found: dict[str, Sequence[str]] = {}
    for words, python in wanted.items():
        try:
            need(words.split()[1], python)
        except MissingNeedError as missing:
            print(f"without `{words}`: this machine does not have {missing}", file=sys.stderr)
        else:
            found[f"`{words}`"] = [python, "-c", words]
    return found


def starts(torch_python: str, rounds: int) -> list[Facts]:
    """Return how our commands start beside what rivals import."""
    ours = {
        HELP: [PROGRAM, "--help"],
        IMPORT: [PYTHON, "-c", "import profundus"],
        CHECK: [PROGRAM, "check", str(DEMO)],
    }
    theirs = rivals(torch_python)
    spent(ours[CHECK])  # what is on disk is read once before
    found = {one.name: one for one in commands_in_turn({**ours, **theirs}, rounds)}
    return [row(own, found[own], found[name]) for own, names in BESIDE.items() for name in names if name in found]


def compilation(rounds: int) -> Facts:
    """Return the demo with compiled programs at hand beside the demo with an empty cache."""
    warm, cold = Measured("compiled before"), Measured("empty cache")
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            command = [PROGRAM, "demo", "--out", str(Path(folder, "run")), "--overwrite", "--quiet"]
            for measured in (cold, warm):
                seconds, measured.megabytes = spent(command, PROFUNDUS_CACHE=str(Path(folder, "cache")))
                measured.seconds.append(seconds)
    note = "ours against ours: what the first fit compiles"
    return row("`profundus demo` (9 trials to fit), compiled programs kept", warm, cold, note=note)


def checked(study: Path, rounds: int) -> Facts:
    """Return the check of a whole study beside reading one of its tables after another with pandas alone."""
    files = "sorted(glob.glob(sys.argv[1] + '/S*/*/*.[sm][to][ot]'))"
    read = f"import glob, sys, pandas\nfor f in {files}: pandas.read_csv(f, sep='\\t', skiprows=6)"
    commands = {
        "profundus": [PROGRAM, "check", str(study / "study.toml")],
        "pandas reading the same folders": [PYTHON, "-c", read, str(study)],
    }
    ours, rival = commands_in_turn(commands, rounds)
    return row(
        "`profundus check` of 13 people, 234 trials",
        ours,
        rival,
        note="pandas checks nothing, and reads one table more a trial",
    )


def main() -> None:
    asked = parser(__doc__ or "").parse_args()
    rows = [*starts(asked.torch_python, asked.rounds), compilation(min(asked.rounds, 2))]
    try:
        rows.append(checked(reference_file(asked, "virtual_elbow"), min(asked.rounds, 2)))
    except MissingNeedError as missing:
        print(f"without the check of a whole study: this machine does not have {missing}", file=sys.stderr)
    save("cold_start", "Starting", rows, asked)


if __name__ == "__main__":
    run(main)
