"""How time and memory of a fit grow with the length and the number of trials: ``python benchmarks/growth_in_time.py STUDY_DIR``.

Trials of a person of the virtual-elbow study are played to and fro until they are as long as wanted. Each fit runs in a process of its own,
twice: the first compiles what new shapes need, the second is what the next person costs. Writes ``--json`` and prints a table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from profundus.io.tables import read_table, write_table
from profundus.records import Table

LENGTHS = [1.0, 10.0, 60.0, 600.0, 3600.0]  # s of one trial
TRIALS = [1, 5, 20, 100, 500]  # of 8 s
FILES = {"kinematics": "kinematics.mot", "emg": "emg.sto", "moments": "inverse_dynamics.sto"}
HEAD = """[study]
name = "growth in time"
model = "arm26"
coordinates = ["r_elbow_flex"]
measured = ["TRIlong", "TRIlat", "BIClong", "BICshort"]
deep = ["BRA", "TRImed"]
[emg]
kind = "envelope"
normalization = "mvc"
[[subject]]
id = "S100"
"""
TRIAL = """  [[subject.trial]]
  name = "{name}"
  load_kg = {load}
  kinematics = "{name}/kinematics.mot"
  emg = "{name}/emg.sto"
  moments = "{name}/inverse_dynamics.sto"
  role = "fit"
"""
WATCH = """import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)"""


def played(table: Table, seconds: float, *, shift: int) -> Table:
    """Return a table played to and fro for so long, begun ``shift`` rows later, on its own clock."""
    step = float(np.median(np.diff(table.time)))
    count = round(seconds / step) + 1
    there = len(table.time)
    at = (np.arange(count) + shift) % (2 * there - 2)
    rows = np.where(at < there, at, 2 * there - 2 - at)
    return Table(table.labels, np.arange(count) * step, table.values[rows], table.name, table.in_degrees)


def write_study(source: Path, folder: Path, *, trials: int, seconds: float) -> Path:
    """Write a study of so many trials to fit."""
    known = sorted(path for path in (source / "S100").iterdir() if path.is_dir())
    text = HEAD
    for n in range(trials):
        origin = known[n % len(known)]
        name = f"trial_{n:03d}"
        (folder / name).mkdir(parents=True)
        for file in FILES.values():
            table = played(read_table(origin / file), seconds, shift=7 * (n // len(known)))
            write_table(table, folder / name / file)
        load = float(origin.name.removeprefix("load").split("_")[0])
        text += TRIAL.format(name=name, load=load)
    (folder / "study.toml").write_text(text)
    return folder / "study.toml"


def fitted(toml: Path, out: Path) -> tuple[float, float]:
    """Return wall-clock seconds and peak memory [MB] of one fit in a process of its own."""
    program = str(Path(sys.executable).with_name("profundus"))
    command = [program, "fit", str(toml), "--out", str(out), "--overwrite", "--quiet"]
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", WATCH, *command], check=True, capture_output=True, text=True)
    return time.perf_counter() - began, float(done.stdout.split()[-1]) / 1024.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path, help="folder of the virtual-elbow study")
    parser.add_argument("--json", type=Path, help="where the numbers are kept")
    parser.add_argument("--lengths", type=float, nargs="*", default=LENGTHS)
    parser.add_argument("--trials", type=int, nargs="*", default=TRIALS)
    asked = parser.parse_args()
    cases = [(1, seconds) for seconds in asked.lengths] + [(trials, 8.0) for trials in asked.trials]
    rows = []
    print("| trials | s each | first s | next s | peak MB |\n|---:|---:|---:|---:|---:|", flush=True)
    for trials, seconds in cases:
        with tempfile.TemporaryDirectory() as name:
            toml = write_study(asked.study, Path(name) / "study", trials=trials, seconds=seconds)
            (first, _), (following, peak) = (fitted(toml, Path(name) / "run") for _ in range(2))
        rows.append({"trials": trials, "seconds": seconds, "first_s": first, "next_s": following, "peak_mb": peak})
        print(f"| {trials} | {seconds:g} | {first:.1f} | {following:.1f} | {peak:.0f} |", flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
