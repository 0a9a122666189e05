"""A tiny study on disk, simulated with known excitations, and the commands as tests call them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from curls import DEEP, curl
from profundus.cli.main import main
from profundus.io.tables import write_table
from profundus.records import Table, Trial

ELBOW = """[study]
name = "tiny"
model = "arm26"
coordinates = ["r_elbow_flex"]
measured = ["TRIlong", "TRIlat", "BIClong", "BICshort"]
deep = ["BRA", "TRImed"]

[emg]
kind = "envelope"
normalization = "mvc"
"""
HEAD = (
    ELBOW
    + """
[fit]
ablation = "{ablation}"
steps = {steps}
members = 5

[fit.network]
width = 16
layers = 1
heads = 2
"""
)
TRIAL = """
  [[{table}]]
  name = "{name}"
  load_kg = {load_kg}
  kinematics = "{name}/kinematics.mot"
  emg = "{name}/emg.sto"
  moments = "{name}/moments.sto"
  truth = "{name}/truth.sto"
  role = "{role}"
"""
TRIALS = (("light", 1.0, "fit", 1), ("heavy", 3.0, "fit", 2), ("middle", 2.0, "test", 3))


def tiny_study(folder: Path, *, steps=300, subjects=("sub-01",), ablation="no_pretraining") -> Path:
    """Write the study and its recordings of 3 s into ``folder``; return the study file. Networks are trained on the people themselves."""
    text = HEAD.format(steps=steps, ablation=ablation)
    for number, subject in enumerate(subjects):
        text += f'\n[[subject]]\nid = "{subject}"\n'
        for name, load_kg, role, seed in TRIALS:
            own = f"{subject}_{name}"
            write_recordings(folder / own, curl(own, load_kg=load_kg, seconds=3.0, role=role, seed=10 * number + seed))
            text += TRIAL.format(table="subject.trial", name=own, load_kg=load_kg, role=role)
    path = folder / "study.toml"
    path.write_text(text, encoding="utf-8")
    return path


def new_trial(folder: Path, name="again") -> Path:
    """Write a new trial's recordings and the file that names them; return that file."""
    write_recordings(folder / name, curl(name, load_kg=2.0, seconds=2.0, role="test", seed=99))
    path = folder / "new_trial.toml"
    path.write_text(TRIAL.format(table="trial", name=name, load_kg=2.0, role="test"), encoding="utf-8")
    return path


def write_recordings(folder: Path, trial: Trial) -> None:
    deep = np.isin(trial.muscles, DEEP)
    measured = tuple(np.array(trial.muscles)[~deep])
    tables = {
        "kinematics.mot": Table(trial.coordinates, trial.time, np.rad2deg(trial.angle), in_degrees=True),
        "emg.sto": Table(measured, trial.time, trial.emg[:, ~deep], in_degrees=False),
        "moments.sto": Table(
            tuple(f"{name}_moment" for name in trial.coordinates), trial.time, trial.moment, in_degrees=False
        ),
        "truth.sto": Table(trial.muscles, trial.time, trial.truth, in_degrees=False),
    }
    for name, table in tables.items():
        write_table(table, folder / name)


def profundus(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    given = [sys.executable, "-c", "import sys; from profundus.cli.main import main; sys.exit(main())"]
    return subprocess.run(
        [*given, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300, **options
    )


def called(capsys, *arguments: object) -> tuple[int, dict]:
    """Run a command with ``--json`` in this process; return its exit code and the object that it printed."""
    code = main([*map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)
