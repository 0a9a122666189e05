"""Regenerate the shipped demo study from the virtual-elbow data: ``python benchmarks/make_demo_data.py STUDY_DIR``.

One subject, 15 of its 18 trials. Values are rounded to a hundredth of their noise or less. Envelopes (low-passed at 6 Hz) and true
excitations are kept at 50 Hz: reading them back at 100 Hz differs from the source by less than 2 % of an envelope's own noise.
"""

import argparse
import shutil
from pathlib import Path

import numpy as np

from profundus.io.tables import read_table
from profundus.records import Table

SUBJECT = "S100"
LOADS = (0, 2, 4)
ROLES = {"01_cyclic": "fit", "02_cyclic": "fit", "05_steps": "fit", "04_cyclic": "test", "06_pulses": "test"}
MEASURED = ("TRIlong", "TRIlat", "BIClong", "BICshort")
DEEP = ("BRA", "TRImed")
COLUMNS = {  # file: columns, decimals, keep every n-th row
    "kinematics.mot": (("r_elbow_flex",), 3, 1),
    "inverse_dynamics.sto": (("r_elbow_flex_moment",), 3, 1),
    "emg.sto": (MEASURED, 4, 2),
    "truth_emg.sto": ((*MEASURED, *DEEP), 4, 2),
}
HEAD = """\
# A virtual elbow with known deep EMG: see README.md for where it comes from.
[study]
name = "demo"
model = "arm26"
coordinates = ["r_elbow_flex"]
measured = ["TRIlong", "TRIlat", "BIClong", "BICshort"]
deep = ["BRA", "TRImed"]

[emg]
kind = "envelope"
normalization = "mvc"

[[subject]]
id = "{subject}"
"""
TRIAL = """
  [[subject.trial]]
  name = "{name}"
  load_kg = {load}.0
  kinematics = "{name}/kinematics.mot"
  emg = "{name}/emg.sto"
  moments = "{name}/inverse_dynamics.sto"
  truth = "{name}/truth_emg.sto"
  role = "{role}"
"""


def compact(table: Table, columns: tuple[str, ...], decimals: int, every: int) -> str:
    """Return the text of an OpenSim table that holds ``columns`` only, rounded, every n-th row."""
    values = table.select({column: column for column in columns}).values[::every]
    time = table.time[::every]
    head = [table.name, "version=1", f"nRows={len(time)}", f"nColumns={len(columns) + 1}"]
    head += [f"inDegrees={'yes' if table.in_degrees else 'no'}", "endheader", "\t".join(("time", *columns))]
    rows = ["\t".join([f"{t:.6g}", *(f"{v:.{decimals}f}" for v in row)]) for t, row in zip(time, values, strict=True)]
    return "\n".join([*head, *rows, ""])


def make_demo(source: Path, target: Path) -> int:
    """Write the demo study and return its size [bytes]. The README beside it is kept."""
    for old in target.glob("load*"):
        shutil.rmtree(old)
    text = HEAD.format(subject=SUBJECT)
    for load in LOADS:
        for kind, role in ROLES.items():
            name = f"load{load}_{kind}"
            (target / name).mkdir(parents=True)
            for file, (columns, decimals, every) in COLUMNS.items():
                table = read_table(source / SUBJECT / name / file)
                if np.isnan(table.values).any():
                    raise SystemExit(f"{table.source}: a value is missing")
                (target / name / file).write_text(compact(table, columns, decimals, every), encoding="utf-8")
            text += TRIAL.format(name=name, load=load, role=role)
    (target / "study.toml").write_text(text, encoding="utf-8")
    return sum(path.stat().st_size for path in target.rglob("*") if path.is_file())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder of the virtual-elbow study")
    shipped = Path(__file__).parents[1] / "src" / "profundus" / "data" / "demo"
    parser.add_argument("--out", type=Path, default=shipped)
    arguments = parser.parse_args()
    print(f"{make_demo(arguments.source, arguments.out) / 1e3:.0f} kB")
