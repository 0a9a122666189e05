"""Pictures of how much a learned prior's bands hold: curves, ranks beside what chance allows, and dots by strategy and load."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from profundus.report.charts import GUIDE, Axis, Chart, Curve, charts_block, percent_axis, stairs
from profundus.report.words import escaped, muscle_name, percent

NOMINAL = 0.9
STARTS = 0.5  # where a line of shares starts, unless somebody is held less
Rows = Sequence[Mapping[str, Any]]


def held_charts(ranks: Rows, colors: Mapping[str, str]) -> str:
    """Return how much bands of 10 to 90 % hold: of samples, and of levels over people."""
    kinds = (("Samples", "held"), ("Levels of people", "level_held"))
    return charts_block([_held_chart(title, ranks, key, colors) for title, key in kinds], "Held against nominal share")


def rank_charts(ranks: Rows, colors: Mapping[str, str]) -> str:
    """Return the ranks of true samples in their own posteriors, one chart a muscle."""
    charts = []
    for row in ranks:
        flat = 1.0 / len(row["sample"])
        highest = max(2.0 * flat, *row["sample"])
        axis = Axis("share of samples", 0.0, highest, {v: percent(v, 1) for v in (0.0, flat, 2.0 * flat)})
        charts.append(
            _rank_chart(row, "sample", Curve("right", (0.0, 1.0), (flat, flat), dash="dash", thick=1.0), axis, colors)
        )
    return charts_block(charts, "Ranks of true samples")


def level_charts(ranks: Rows, colors: Mapping[str, str]) -> str:
    """Return the ranks of true levels of people, in the band that chance allows, one chart a muscle."""
    charts = []
    for row in ranks:
        low, high = row["level_expected"]
        middle = row["people"] / len(row["level"])
        chance = Curve("chance", (0.0, 1.0), (middle, middle), GUIDE, "dash", (low, low), (high, high), thick=1.0)
        highest = max(1.25 * high, 1.05 * max(row["level"]))
        axis = Axis("people", 0.0, highest, {v: f"{v:g}" for v in (0, low, high)})
        charts.append(_rank_chart(row, "level", chance, axis, colors))
    return charts_block(charts, "Ranks of true levels")


def dots_block(rows: Rows, group: str, named: Callable[[Any], str]) -> str:
    """Return how much 90 % bands hold, group by group and muscle by muscle, as dots on a line; the tick is the least lucky person."""
    if not rows:
        return '<p class="empty">Too few people to tell.</p>'
    least = min(min(row["held"], row.get("held_least", 1.0)) for row in rows)
    start = min(STARTS, int(10 * least) / 10)
    figures = "".join(
        _dots([row for row in rows if row["muscle"] == m], m, group, named, start) for m in _muscles(rows)
    )
    return f'<div class="narrowings">{figures}</div>'


def _muscles(rows: Rows) -> list[str]:
    return list(dict.fromkeys(row["muscle"] for row in rows))


def _held_chart(title: str, ranks: Rows, key: str, colors: Mapping[str, str]) -> Chart:
    curves = [Curve("right", (0.0, 1.0), (0.0, 1.0), dash="dash", thick=1.0)]
    for row in ranks:
        told = [
            f"the {share:.0%} band holds {held:.0%}, electrodes: {row['electrodes']}"
            for share, held in zip(row["bands"], row[key], strict=True)
        ]
        curves.append(Curve(row["muscle"], row["bands"], row[key], colors[row["muscle"]], told=told, thick=1.5))
    return Chart(title, tuple(curves), percent_axis("nominal share"), percent_axis("held"))


def _rank_chart(row: Mapping[str, Any], key: str, behind: Curve, y: Axis, colors: Mapping[str, str]) -> Chart:
    ends = Axis("rank of the truth", 0.0, 1.0, {0.0: "lowest", 0.5: "middle", 1.0: "highest"})
    bars = Curve(row["muscle"], *stairs(row[key]), colors[row["muscle"]])
    return Chart(muscle_name(row["muscle"]), (behind, bars), ends, y)


def _dots(rows: Rows, muscle: str, group: str, named: Callable[[Any], str], start: float) -> str:
    lines = "".join(_line(named(row[group]), row, start) for row in rows)
    shown = (start, NOMINAL, 1.0) if start == STARTS else (start, 0.5, 1.0)
    marks = "".join(f'<i style="--x:{_place(value, start):.1f}">{percent(value)}</i>' for value in shown)
    return (
        f'<figure class="narrowing"><figcaption>{escaped(muscle_name(muscle))}</figcaption>{lines}'
        f'<div class="bar-row scale" aria-hidden="true"><span></span><span class="track">{marks}</span><span></span></div></figure>'
    )


def _line(name: str, row: Mapping[str, Any], start: float) -> str:
    least = row.get("held_least")
    worst = f"--m:{_place(least, start):.1f};" if least is not None else ""
    kind = "bar-row dots least" if least is not None else "bar-row dots"
    told = f"{row['people']} people: holds {percent(row['held'])}"
    told += f", of the least lucky {percent(least)}" if least is not None else ""
    return (
        f'<div class="{kind}"><span>{escaped(name)}</span><span class="track" title="{escaped(told)}" '
        f'style="{worst}--n:{_place(NOMINAL, start):.1f};--d:{_place(row["held"], start):.1f}"></span>'
        f"<span>{percent(row['held'])}</span></div>"
    )


def _place(share: float, start: float) -> float:
    """Return where a share stands on the line, in percent of its length."""
    return 100.0 * max(0.0, min(1.0, (share - start) / (1.0 - start)))
