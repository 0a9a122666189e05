"""Draw the pictures of docs/trust.md: ``python benchmarks/draw_trust.py PRIOR_DIR COMPARISON_DIR [--out docs]``.

From the card of a learned prior: how often bands hold, and where truth lies in its own posterior. From a comparison: the deep envelopes of
three people, the one whose error is the smallest share of the copy's, the middle one, and the one whose is the largest. Needs matplotlib.
"""

import argparse
import json
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt

from profundus.io.comparison_directory import read_comparison

DEEP = {"BRA": "brachialis", "TRImed": "triceps, medial head"}
OURS, TRUTH, COPY, CHANCE = "#0b5fa5", "#222222", "#8b9297", "#d5dade"
SHOWN = slice(30, -30)
EVERY = 4
METHOD, YARDSTICK = "nmm", "copy"


def drawn_bands(card: dict, out: Path) -> None:
    """Coverage curves and rank histograms of people that taught nothing."""
    figure, axes = plt.subplots(1, 3, figsize=(9.0, 2.9), layout="constrained")
    rows = {row["muscle"]: row for row in card["ranks"] if row["muscle"] in DEEP}
    axes[0].plot([0, 100], [0, 100], color=CHANCE)
    for (name, row), dash in zip(sorted(rows.items()), ("solid", "dashed"), strict=True):
        shares = 100 * np.array(row["bands"])
        axes[0].plot(
            shares,
            100 * np.array(row["held"]),
            color=OURS,
            linestyle=dash,
            marker="o",
            markersize=3,
            label=f"{DEEP[name]}, samples",
        )
        axes[0].plot(
            shares,
            100 * np.array(row["level_held"]),
            color="#e08a00",
            linestyle=dash,
            marker="s",
            markersize=3,
            label=f"{DEEP[name]}, levels",
        )
    axes[0].set(xlabel="band [%]", ylabel="holds [%]", xlim=(0, 100), ylim=(0, 100))
    axes[0].legend(frameon=False, fontsize=6.5)
    for axis, (name, row) in zip(axes[1:], sorted(rows.items()), strict=True):
        counts = np.array(row["level"])
        axis.axhspan(*row["level_expected"], color=CHANCE, label="5 to 95 % of chance")
        axis.bar((np.arange(len(counts)) + 0.5) / len(counts), counts, 0.9 / len(counts), color=OURS)
        axis.set(xlabel="rank of the true level in its posterior", ylabel="people", title=DEEP[name], xlim=(0, 1))
        axis.legend(frameon=False, fontsize=6.5)
    _saved(figure, out / "trust_bands.svg")


def drawn_curves(folder: Path, out: Path) -> None:
    """Deep envelopes of three people in one test trial each."""
    there = read_comparison(folder)
    people = list(there.noted)
    figure, axes = plt.subplots(len(DEEP), 3, figsize=(9.0, 4.2), layout="constrained")
    for row, (muscle, spelled) in zip(axes, DEEP.items(), strict=True):
        ratios = []
        for person in people:
            ours, copy = (there.answer(person, method, there.recorded(person)) for method in (METHOD, YARDSTICK))
            column = ours.trials[0].trial.muscles.index(muscle)
            errors = [
                np.concatenate(
                    [(p.excitation - p.trial.truth)[SHOWN, column] for p in rec.trials if p.trial.role == "test"]
                )
                for rec in (ours, copy)
            ]
            ratios.append(np.sqrt(np.mean(errors[0] ** 2) / np.mean(errors[1] ** 2)))
        order = np.argsort(ratios)
        for axis, place, word in zip(row, (0, len(order) // 2, -1), ("best", "middle", "worst"), strict=True):
            person = people[order[place]]
            ours, copy = (there.answer(person, method, there.recorded(person)) for method in (METHOD, YARDSTICK))
            tested = [i for i, p in enumerate(ours.trials) if p.trial.role == "test"]
            one = ours.trials[tested[-2]]
            column = one.trial.muscles.index(muscle)
            time = one.trial.time[::EVERY]
            band = [100 * values[::EVERY, column] for values in (one.lower, one.upper)]
            axis.fill_between(time, *band, color=OURS, alpha=0.2, linewidth=0, label="90 % band")
            axis.plot(
                time,
                100 * copy.trials[tested[-2]].excitation[::EVERY, column],
                color=COPY,
                linewidth=0.9,
                label="copy of the neighbor",
            )
            axis.plot(time, 100 * one.excitation[::EVERY, column], color=OURS, linewidth=1.6, label="reconstructed")
            axis.plot(
                time,
                100 * one.trial.truth[::EVERY, column],
                color=TRUTH,
                linewidth=1.1,
                linestyle=(0, (4, 2)),
                label="truth",
            )
            axis.set_title(f"{word}: {person}, error x {ratios[order[place]]:.2f} of the copy's", fontsize=8)
            axis.set_ylim(bottom=0)
            axis.margins(x=0)
        row[0].set_ylabel(f"{spelled}\n[% of maximum]")
    for axis in axes[-1]:
        axis.set_xlabel("time [s]")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
    _saved(figure, out / "trust_curves.svg")


def _saved(figure, path: Path) -> None:
    for axis in figure.axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prior", type=Path, help="what `profundus pretrain --out DIR` wrote")
    parser.add_argument("comparison", type=Path, help="what `profundus compare ... --out DIR` wrote")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs")
    asked = parser.parse_args()
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "trust", "font.family": "sans-serif", "font.size": 8})
    mpl.rcParams["svg.image_inline"] = True
    drawn_bands(json.loads((asked.prior / "card.json").read_text(encoding="utf-8")), asked.out)
    drawn_curves(asked.comparison, asked.out)


if __name__ == "__main__":
    main()
