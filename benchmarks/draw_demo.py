"""Draw the picture of the front page from a run of the demo: ``python benchmarks/draw_demo.py RUN [--out docs/demo.svg]``.

Deep envelopes of two test trials at 4 kg: reconstruction, 90 % band, and the truth that the fit has never seen. Needs matplotlib.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from profundus.io.run_directory import read_run
from profundus.records import TrialReconstruction

TRIALS = {"load4_04_cyclic": "curls, 4 kg", "load4_06_pulses": "fast pulses, 4 kg"}
MUSCLES = {"BRA": "brachialis", "TRImed": "triceps, medial head"}
EVERY = 4  # 25 Hz is enough for envelopes below 6 Hz, and keeps the file small
OURS, TRUTH = "#0b6e99", "#222222"


def draw(axis: Axes, part: TrialReconstruction, muscle: str) -> None:
    column = part.trial.muscles.index(muscle)
    time = part.trial.time[::EVERY]
    mean, lower, upper, truth = (
        100 * np.round(values[::EVERY, column], 4)
        for values in (part.excitation, part.lower, part.upper, part.trial.truth)
    )
    axis.fill_between(time, lower, upper, color=OURS, alpha=0.2, linewidth=0, label="90 % band")
    axis.plot(time, mean, color=OURS, linewidth=1.8, label="reconstructed")
    axis.plot(time, truth, color=TRUTH, linewidth=1.2, linestyle=(0, (4, 2)), label="truth")
    axis.margins(x=0.0)
    axis.spines[["top", "right"]].set_visible(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="what `profundus demo --out RUN` wrote")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "demo.svg")
    asked = parser.parse_args()
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "demo", "font.family": "sans-serif", "font.size": 9})
    run = read_run(asked.run)
    parts = {part.trial.name: part for part in run.reconstruction(run.subjects[0]).trials}
    figure, axes = plt.subplots(
        len(MUSCLES), len(TRIALS), figsize=(8.0, 3.6), sharex=True, sharey="row", layout="constrained"
    )
    for row, (muscle, spelled) in zip(axes, MUSCLES.items(), strict=True):
        for axis, trial in zip(row, TRIALS, strict=True):
            draw(axis, parts[trial], muscle)
        row[0].set_ylim(bottom=0.0)
        row[0].set_ylabel(f"{spelled}\n[% of maximum]")
    for axis, title in zip(axes[0], TRIALS.values(), strict=True):
        axis.set_title(title, fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel("time [s]")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(asked.out, metadata={"Date": None})


if __name__ == "__main__":
    main()
