"""Bring docs/benchmarks.md and its figure up to date with benchmarks/results: ``python benchmarks/make_benchmark_page.py``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
FIGURE = HERE.parent / "docs" / "benchmarks.svg"
GROWTH_FIGURE = HERE.parent / "docs" / "growth.svg"
RESULTS = HERE / "results"
PARTS = ("musculotendon", "personalization", "training_step", "end_to_end", "reading", "cold_start")
GROWTH = ("growth_in_time", "growth")
GROWS = {"trials": "trials", "seconds": "s each", "muscles": "muscles"}
BLOCK = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
OURS, SPREAD, EVEN = "#0b5fa5", "#8fb8d8", "#8b9297"


def result(part: str) -> dict[str, Any]:
    """Return what a part measured last."""
    found: dict[str, Any] = json.loads((RESULTS / f"{part}.json").read_text(encoding="utf-8"))
    return found


def filled(page: str) -> str:
    """Return the page with every table as the results give it."""
    return BLOCK.sub(lambda found: found[1] + "\n".join(_block(found[2])) + "\n" + found[3], page)


def _block(part: str) -> Iterator[str]:
    if not (RESULTS / f"{part}.json").exists():
        yield "Not measured yet."
        return
    facts = result(part)
    machine = facts["machine"]
    yield f"`{facts['command']}`, {machine['cores']} cores, {machine['system']}, Python {machine['python']}:\n"
    if part in GROWTH:
        yield from _growth(facts["rows"])
        return
    yield "| what | ours s | rival | rival s | rival / ours (range) | peak MB, ours and rival | same result? |"
    yield "|---|---:|---|---:|---:|---:|---|"
    for row in facts["rows"]:
        ours, rival = row["ours"], row["rival"]
        words = "; ".join(part for part in (row["agreement"], row["note"]) if part)
        memory = f"{ours['megabytes']}, {rival['megabytes']}"
        cells = [row["what"], number(ours["seconds"]), rival["name"], number(row["scale"] * rival["seconds"])]
        yield "| " + " | ".join([*cells, ratio(row), memory, words]) + " |"


def _growth(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield a table of fits that grow: what grows, then what it costs."""
    grows = [name for name in GROWS if name in rows[0]]
    yield (
        "| " + " | ".join([*(GROWS[name] for name in grows), "first fit s", "next s", "processor s", "peak MB"]) + " |"
    )
    yield "|" + "---:|" * (len(grows) + 4)
    for row in rows:
        cost = [number(row[name]) for name in ("first_s", "next_s", "processor_s")]
        yield "| " + " | ".join([*(f"{row[name]:g}" for name in grows), *cost, f"{row['megabytes']:,}"]) + " |"


def ratio(row: dict[str, Any]) -> str:
    """Return how many times as long the rival took, with the range over the turns."""
    most = "" if row["ours"]["turns"] == 1 else f" ({number(row['ratio_least'])} to {number(row['ratio_most'])})"
    return f"{'> ' if row.get('at_least') else ''}{number(row['ratio'])}{most}"


def number(value: float) -> str:
    """Return a number with two or three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value >= 1 else f"{value:.2g}"


def draw() -> None:
    """Draw every ratio with its range, part by part, on one logarithmic axis."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    lines: list[tuple[str, dict[str, Any] | None]] = []
    for facts in (result(part) for part in PARTS if (RESULTS / f"{part}.json").exists()):
        lines += [(facts["title"], None), *((label(row), row) for row in facts["rows"])]
    with mpl.rc_context({"svg.hashsalt": "benchmarks", "font.size": 7.5, "svg.fonttype": "path"}):
        figure, axis = plt.subplots(figsize=(8.4, 0.62 + 0.185 * len(lines)), layout="constrained")
        axis.axvline(1.0, color=EVEN, linewidth=0.8)
        for place, (_, row) in enumerate(lines):
            if row is not None:
                low, high = row["ratio_least"], row["ratio_most"]
                axis.plot([low, high], [place, place], color=SPREAD, linewidth=4, solid_capstyle="round")
                shape = ">" if row.get("at_least") else "o"
                axis.plot(row["ratio"], place, shape, color=OURS, markersize=4.5)
                axis.annotate(ratio(row).split(" (")[0], (high, place), (6, 0), textcoords="offset points", va="center")
        axis.set(
            xscale="log", yticks=range(len(lines)), ylim=(len(lines) - 0.4, -0.6), xlabel="time of the rival / ours"
        )
        axis.set_yticklabels([words.replace("`", "") for words, _ in lines])
        for text, (_, row) in zip(axis.get_yticklabels(), lines, strict=True):
            text.set_fontweight("normal" if row else "bold")
        axis.margins(x=0.12)
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.tick_params(axis="y", length=0)
        axis.spines[["top", "right", "left"]].set_visible(False)
        figure.savefig(FIGURE, metadata={"Date": None})
        plt.close(figure)


def draw_growth() -> None:
    """Draw processor time and memory of a fit over what grows."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    timed, muscles = (result(part)["rows"] for part in GROWTH)
    panels = [
        ("length of one trial [s]", [(row["seconds"], row) for row in timed if row["trials"] == 1]),
        ("trials of 8 s", [(row["trials"], row) for row in timed if row["seconds"] == 8.0]),
        ("muscles, networks trained", [(row["muscles"], row) for row in muscles]),
    ]
    with mpl.rc_context({"svg.hashsalt": "growth", "font.size": 7.5, "svg.fonttype": "path"}):
        figure, axes = plt.subplots(
            2, len(panels), figsize=(8.4, 4.2), sharex="col", sharey="row", layout="constrained"
        )
        for column, (what, points) in zip(axes.T, panels, strict=True):
            for axis, quantity in zip(column, ("processor_s", "megabytes"), strict=True):
                x, y = zip(*sorted((place, row[quantity]) for place, row in points), strict=True)
                axis.plot(x, y, "o-", color=OURS, markersize=4)
                axis.set(xscale="log")
                axis.grid(color=EVEN, alpha=0.25)
                axis.spines[["top", "right"]].set_visible(False)
                axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
            last, cost = max((place, row["processor_s"]) for place, row in points)
            column[0].plot([last / 10, last], [cost / 10, cost], "--", color=EVEN, linewidth=0.9, zorder=1)
            column[0].set(yscale="log", ylim=(4.0, 200.0))
            column[0].yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            column[1].axhline(2000.0, color=EVEN, linewidth=0.8)
            column[1].set(xlabel=what, ylim=(0, 2200))
        axes[0, 0].set_ylabel("processor time of the next fit [s]")
        axes[1, 0].set_ylabel("peak memory [MB]")
        figure.savefig(GROWTH_FIGURE, metadata={"Date": None})
        plt.close(figure)


def label(row: dict[str, Any]) -> str:
    """Return what was done, and against whom."""
    against = f"against {row['rival']['name']}"
    return str(row["what"]) if against in row["what"] else f"{row['what']}, {against}"


def main() -> None:
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    draw()
    if all((RESULTS / f"{part}.json").exists() for part in GROWTH):
        draw_growth()


if __name__ == "__main__":
    main()
