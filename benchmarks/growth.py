"""How time and memory of a fit grow with muscles, on the gait example: ``python benchmarks/growth.py --reference FOLDER``.

Networks are trained on the person for few steps (`ablation = "no_pretraining"`): a run is paths, training, posterior, answers, page.
Each study is fitted twice: the first samples and compiles, the second is what the next person costs.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from measuring import PROGRAM, keep, parser, reference_file, run, twice

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
MUSCLES = (6, 12, 24, 43, 92)
TRIALS, SECONDS = 4, 7.5
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


def main() -> None:
    words = parser(__doc__ or "")
    words.add_argument("--steps", type=int, default=50)
    words.add_argument("--muscles", type=int, nargs="*", default=MUSCLES)
    asked = words.parse_args()
    data = reference_file(asked, "gait_treadmill")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        for muscles in asked.muscles:
            toml = Path(name, f"study_{muscles}.toml")
            toml.write_text(study(muscles, TRIALS, SECONDS, asked.steps), encoding="utf-8")
            command = [PROGRAM, "fit", str(toml), "--data", str(data), "--out", f"{name}/run", "--overwrite", "--quiet"]
            rows.append({"muscles": muscles, **twice(command)})
            print(rows[-1], flush=True)
    keep("growth", "Muscles", rows, asked)


if __name__ == "__main__":
    run(main)
