"""Errors against the copy and amplitudes near 90 degrees, for a paper."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from profundus.report.comparison_content import FLOOR, ComparisonContent
from profundus.report.comparison_numbers import Level, levels, ratios
from profundus.report.comparison_physiology import expected, way_of
from profundus.report.comparison_style import TRUTH, method_styles
from profundus.report.figures_style import NARROW, WIDE, marker_style, sheet
from profundus.report.words import load_name, method_name, muscle_name
from profundus.validate.paired import PairedRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATIO_TICKS = (0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0)
MOST_TICKS = 7
GREEN = "#1b7f6b"


def paired_ratios(content: ComparisonContent) -> Figure | None:
    """Return the error of each method over the copy's with its interval, one panel a deep muscle; None without paired scores."""
    rows = [row for row in ratios(content) if row.method in content.methods]
    beside = ratios(content, by="rmse_scaled") if content.error == "rmse" else ()
    scaled = {(row.method, row.name): row.ratio for row in beside}
    muscles = [name for name in content.deep if any(row.name == name for row in rows)]
    if not muscles:
        return None
    most = max(sum(row.name == name for row in rows) for name in muscles)
    figure = sheet(NARROW if len(muscles) == 1 else WIDE, 5.2 * most * math.ceil(len(muscles) / 2) + 24.0)
    grid = figure.subplots(math.ceil(len(muscles) / 2), min(2, len(muscles)), squeeze=False)
    for axes in grid.flat[len(muscles) :]:
        axes.set_visible(False)
    for axes, muscle in zip(grid.flat, muscles, strict=False):
        _forest(axes, content, [row for row in rows if row.name == muscle], scaled)
        axes.set_title(muscle_name(muscle), fontweight="bold")
        axes.set_xlabel(
            f"RMSE / RMSE of the copy\n({'hollow: time course alone' if beside else 'each after one factor'})"
        )
    return figure


def _forest(
    axes: Axes, content: ComparisonContent, rows: list[PairedRow], scaled: dict[tuple[str, str], float]
) -> None:
    styles = method_styles(content.methods)
    axes.axvline(1.0, color=TRUTH, linewidth=0.6)
    for place, row in enumerate(rows):
        color = styles[row.method].color
        ours = row.method == content.methods[0]
        if ours:
            axes.axhspan(place - 0.45, place + 0.45, color=color, alpha=0.1, linewidth=0)
        if math.isfinite(row.lower) and row.method != FLOOR:
            axes.plot([row.lower, row.upper], [place, place], color=color, linewidth=1.2, solid_capstyle="butt")
        axes.plot([row.ratio], [place], marker="o", color=color, markersize=4.5 if ours else 3.6)
        course = scaled.get((row.method, row.name), math.nan)
        axes.plot(
            [course], [place], marker="D", color=color, markerfacecolor="none", markersize=3.4, markeredgewidth=0.8
        )
        if row.method != FLOOR:
            said = f"{row.wins}/{row.people}"
            axes.annotate(said, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=5.5)
    axes.annotate("nearer in", (1.02, -0.9), xycoords=("axes fraction", "data"), va="bottom", fontsize=5.5)
    axes.set_xscale("log")
    axes.set_ylim(len(rows) - 0.4, -0.7)
    axes.set_yticks(range(len(rows)), [method_name(row.method) for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row.method == content.methods[0] else "normal")
    _ratio_axis(axes)


def _ratio_axis(axes: Axes) -> None:
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.75), max(high, 1.35))
    low, high = axes.get_xlim()
    ticks = [tick for tick in RATIO_TICKS if low <= tick <= high]
    if len(ticks) > MOST_TICKS:
        ticks = [tick for tick in ticks if tick in (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def amplitude_plausibility(content: ComparisonContent) -> Figure | None:
    """Return the level of each deep muscle near 90 degrees by load, beside the truth and what is known; None where nobody came there."""
    found = {muscle: told for muscle in content.deep if (told := levels(content, muscle)) is not None}
    if not found:
        return None
    figure = sheet(NARROW if len(found) == 1 else WIDE, 58.0 * math.ceil(len(found) / 2) + 18.0)
    grid = figure.subplots(math.ceil(len(found) / 2), min(2, len(found)), squeeze=False)
    styles = method_styles(content.methods)
    for axes in grid.flat[len(found) :]:
        axes.set_visible(False)
    for axes, (muscle, told) in zip(grid.flat, found.items(), strict=False):
        series = [("", told.truth)] if any(told.truth) else []
        series += list(told.methods.items())
        for place, (method, values) in enumerate(series):
            shift = 0.84 * ((place + 1) / (len(series) + 1) - 0.5)
            ours = method == content.methods[0]
            truth = {"marker": "_", "color": TRUTH, "markersize": 7, "markeredgewidth": 2, "linestyle": "none"}
            look = marker_style(styles[method], ours=ours) if method else truth
            _levels(axes, values, shift, look, method_name(method) if method else "truth")
        for place, load in enumerate(told.loads):
            _known(axes, expected(muscle, load), place)
        axes.set_xticks(range(len(told.loads)), [load_name(load) for load in told.loads])
        axes.set_xlim(-0.5, len(told.loads) - 0.5)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
        note = ", flexing" if way_of(muscle) == "rising" else ""
        axes.set_title(f"{muscle_name(muscle)}{note}", fontweight="bold")
    grid[0, 0].set_ylabel("mean at 80 to 100 deg, of maximum")
    known = {
        label: handle for axes in grid.flat for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=2 * grid.shape[1])
    return figure


def _levels(axes: Axes, values: tuple[Level | None, ...], shift: float, look: dict[str, Any], label: str) -> None:
    there = [(place + shift, value) for place, value in enumerate(values) if value is not None]
    for x, (low, _, high) in there:
        axes.plot([x, x], [low, high], color=str(look["color"]), linewidth=0.8)
    axes.plot(np.array([x for x, _ in there]), np.array([value[1] for _, value in there]), label=label, **look)


def _known(axes: Axes, known: tuple[float, float] | None, place: int) -> None:
    if known is None:
        return
    low, high = known
    if low == high:
        axes.plot([place - 0.46, place + 0.46], [low, low], color=GREEN, linewidth=3, alpha=0.4, label="known range")
    else:
        axes.fill_between(
            [place - 0.46, place + 0.46], low, high, color=GREEN, alpha=0.15, linewidth=0, label="known range"
        )
