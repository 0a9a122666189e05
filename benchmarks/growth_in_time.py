"""How time and memory of a fit grow with length and number of trials: ``python benchmarks/growth_in_time.py --reference FOLDER``.

Trials of a person of the virtual-elbow study are played to and fro until they are as long as wanted. Each fit runs in a process of its own,
twice: the first compiles what new shapes need, the second is what the next person costs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from measuring import PROGRAM, keep, parser, reference_file, run, twice

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


def main() -> None:
    words = parser(__doc__ or "")
    words.add_argument("--lengths", type=float, nargs="*", default=LENGTHS)
    words.add_argument("--trials", type=int, nargs="*", default=TRIALS)
    asked = words.parse_args()
    source = reference_file(asked, "virtual_elbow")
    rows = []
    for trials, seconds in [*((1, seconds) for seconds in asked.lengths), *((trials, 8.0) for trials in asked.trials)]:
        with tempfile.TemporaryDirectory() as name:
            toml = write_study(source, Path(name, "study"), trials=trials, seconds=seconds)
            command = [PROGRAM, "fit", str(toml), "--out", f"{name}/run", "--overwrite", "--quiet"]
            rows.append({"trials": trials, "seconds": seconds, **twice(command)})
            print(rows[-1], flush=True)
    keep("growth_in_time", "Length and number of trials", rows, asked)


if __name__ == "__main__":
    run(main)
