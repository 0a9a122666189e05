"""How time and memory of a fit grow with muscles, on the gait example: one process a fit, each told by its own clock.

    python benchmarks/growth.py FOLDER_OF_THE_RECORDING [--steps 50]

Networks are trained on the person for few steps (`ablation = "no_pretraining"`): a run is paths, training, posterior, answers, page.
Each study is fitted twice: the first samples and compiles, the second is what the next person costs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GAIT = Path(__file__).parents[1] / "examples" / "gait" / "study.toml"
MEASURED = ["soleus_r", "med_gas_r", "tib_ant_r", "bifemlh_r", "vas_med_r"]
MORE = ["lat_gas_r", "semimem_r", "vas_lat_r", "rect_fem_r"]
NAMES = """
    tib_post_r vas_int_r bifemsh_r iliacus_r semiten_r psoas_r glut_max1_r glut_max2_r flex_hal_r flex_dig_r
    per_long_r per_brev_r per_tert_r ext_dig_r ext_hal_r sar_r tfl_r grac_r pect_r add_long_r add_brev_r
    add_mag1_r add_mag2_r add_mag3_r glut_max3_r glut_med1_r glut_med2_r glut_med3_r glut_min1_r glut_min2_r
    glut_min3_r quad_fem_r gem_r peri_r
"""
DEEP = NAMES.split()
TRUNK = ["ercspn_r", "ercspn_l", "intobl_r", "intobl_l", "extobl_r", "extobl_l"]
LEG = ["hip_flexion_r", "knee_angle_r", "ankle_angle_r"]
ALL = [*LEG, "hip_flexion_l", "knee_angle_l", "ankle_angle_l", "lumbar_extension"]
TRIAL = """  [[subject.trial]]
  name = "part_{n}"
  kinematics = "data/walk36/ik.sto"
  emg = "data/walk36/emgFilt.sto"
  moments = "data/walk36/id.sto"
  time = [{start:.2f}, {end:.2f}]
  role = "{role}"
"""
STUDY = """[study]
name = "growth"
model = "model/gait2392.osim"
coordinates = {coordinates}
measured = {measured}
deep = {deep}
ignored = ["*"]
[emg]
kind = "envelope"
normalization = "none"
[moments]
low_pass_hz = 6.0
[fit]
ablation = "no_pretraining"
steps = {steps}
[[subject]]
id = "adult"
"""


def study(muscles: int, trials: int, seconds: float, steps: int) -> str:
    """Return a study of so many muscles, with trials of a length [s], the last of them for testing; beyond a leg: the whole model."""
    measured = (MEASURED + MORE)[: max(5, min(9, muscles // 2))]
    leg = [*measured, *DEEP]
    everything = [*leg, *(name.removesuffix("r") + "l" for name in leg), *TRUNK]
    deep = everything[len(measured) : muscles]
    coordinates = LEG if muscles <= len(leg) else ALL
    lists = {"coordinates": coordinates, "measured": measured, "deep": deep}
    text = STUDY.format(steps=steps, **{name: json.dumps(values) for name, values in lists.items()})
    for n in range(trials):
        role = "test" if n and n == trials - 1 else "fit"
        text += TRIAL.format(n=n, start=seconds * n, end=seconds * (n + 1), role=role)
    return text


def fitted(toml: Path, data: Path, out: Path) -> tuple[float, float]:
    """Return wall-clock seconds and peak memory [MB] of one fit in a process of its own."""
    began = time.perf_counter()
    command = [
        str(Path(sys.executable).with_name("profundus")),
        "fit",
        str(toml),
        "--data",
        str(data),
        "--out",
        str(out),
        "--overwrite",
        "--quiet",
    ]
    done = subprocess.run([sys.executable, "-c", WATCH, *command], check=True, capture_output=True, text=True)
    return time.perf_counter() - began, float(done.stdout.split()[-1]) / 1024.0


WATCH = """import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)"""


def main() -> None:
    """Print one row a study."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("data", type=Path)
    asked.add_argument("--steps", type=int, default=50)
    given = asked.parse_args()
    cases = [(muscles, 4, 7.5) for muscles in (6, 12, 24, 43, 92)]
    print("muscles  trials  seconds  first s  next s  peak MB", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for muscles, trials, seconds in cases:
            toml = Path(folder) / f"study_{muscles}_{trials}.toml"
            toml.write_text(study(muscles, trials, seconds, given.steps))
            rows = [fitted(toml, given.data, Path(folder) / "run") for _ in range(2)]
            (first, _), (following, peak) = rows
            print(
                f"{muscles:7d} {trials:7d} {trials * seconds:8.1f} {first:8.1f} {following:7.1f} {peak:8.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
