"""Print the table of a comparison as Markdown: `python benchmarks/make_comparison_table.py COMPARISON_DIR`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd

import profundus as pf


def main(folder: Path) -> None:
    found = pf.Comparison(folder)
    pooled, by_load = found.paired(), found.paired(pooled="load")
    shapes = found.paired(by="rmse_scaled").set_index(["name", "method", "hidden"])
    manifest = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    answers = pd.DataFrame(manifest["answers"]).stack()
    seconds = answers.map(lambda facts: facts.get("seconds")).groupby(level=0).median()
    for muscle in manifest["hidden"] or manifest["deep"]:
        rows = pooled[pooled["name"] == muscle].sort_values("ratio")
        loads = by_load[by_load["name"] == muscle]
        weights = sorted(loads["load_kg"].unique())
        head = ["method", "x copy (5 to 95 %)", "nearer in", *(f"{load:g} kg" for load in weights), "time course"]
        head += ["r", "RMSE", "amplitude", "90 % band holds", "seconds a person"]
        print(f"\n**{muscle}**\n\n| " + " | ".join(head) + " |")
        print("|---" + "|---:" * (len(head) - 1) + "|")
        for row in rows.itertuples():
            at = loads[loads["method"] == row.method].set_index("load_kg")["ratio"]
            cells = [
                f"`{row.method}`",
                f"{row.ratio:.2f} ({row.lower:.2f} to {row.upper:.2f})",
                f"{row.wins} of {row.people}",
            ]
            cells += [shown(at.get(load)) for load in weights]
            cells += [shown(shapes.loc[muscle, row.method, row.hidden]["ratio"]), shown(row.r), shown(row.rmse, 3)]
            cells += [shown(row.amplitude_ratio), share(row.coverage90), shown(seconds.get(row.method), 1)]
            print("| " + " | ".join(cells) + " |")


def shown(value: float | None, digits: int = 2) -> str:
    return "-" if value is None or pd.isna(value) else f"{value:.{digits}f}"


def share(value: float) -> str:
    return "-" if pd.isna(value) else f"{100 * value:.0f} %"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
