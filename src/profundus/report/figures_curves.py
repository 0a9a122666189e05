"""Envelopes and moments over time, for a paper: everybody as color, the median person as curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from profundus.records import Trial, TrialReconstruction
from profundus.report.comparison_content import ComparisonContent, SubjectAnswers
from profundus.report.comparison_numbers import median_subject, shown_at_first
from profundus.report.comparison_style import method_styles
from profundus.report.figures_style import TRUTH_LINE, WIDE, line_style, sheet
from profundus.report.words import fixed, load_name, method_name, muscle_name
from profundus.validate.metrics import r2

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
COLUMNS, EDGE_S = 4, 0.3
COLOR_RATE_HZ, CURVE_RATE_HZ = 25.0, 50.0
MOST_ROWS = 16


def first_trials(content: ComparisonContent, subject: SubjectAnswers) -> tuple[Trial, ...]:
    """Return a person's first shown trial at each load, light to heavy."""
    found: dict[str, Trial] = {}
    for trial in content.trials_of(subject):
        found.setdefault(load_name(trial.load_kg), trial)
    return tuple(found.values())


def heatmaps(content: ComparisonContent, muscle: str) -> Figure | None:
    """Return the envelopes of one muscle in everybody as color, the truth and one panel a method; None where nothing is known."""
    lines = [(subject, trial) for subject in content.subjects for trial in first_trials(content, subject)]
    clock = np.arange(0.0, max(float(t.time[-1] - t.time[0]) for _, t in lines), 1.0 / COLOR_RATE_HZ)
    truth = np.array([_at(clock, trial, trial.truth, muscle) for _, trial in lines])
    panels = [("truth", truth)] if np.isfinite(truth).any() else []
    for method in content.methods:
        rows = [_at(clock, trial, _excitation(s.parts(trial.name).get(method)), muscle) for s, trial in lines]
        if np.isfinite(rows).any():
            panels.append((method_name(method), np.array(rows)))
    if not panels:
        return None
    count = math.ceil(len(panels) / COLUMNS)
    figure = sheet(WIDE, count * min(48.0, 15.0 + 1.1 * len(lines)) + 16.0)
    grid = figure.subplots(count, COLUMNS, sharex=True, sharey=True, squeeze=False)
    top = max(0.02, float(np.nanpercentile(panels[0][1], 99.5)))
    starts = [i for i, (s, _) in enumerate(lines) if i == 0 or lines[i - 1][0] is not s]
    for axes, (name, values) in zip(grid.flat, panels, strict=False):
        extent = (0.0, float(clock[-1]), len(lines) - 0.5, -0.5)
        image = axes.imshow(
            values, aspect="auto", extent=extent, vmin=0, vmax=top, cmap="cividis", interpolation="none"
        )
        axes.set_title(name, fontweight="bold" if axes is grid.flat[0] else "normal")
        axes.set_yticks(starts, [lines[i][0].id for i in starts], fontsize=5)
        axes.spines[:].set_visible(False)
        for start in starts[1:]:
            axes.axhline(start - 0.5, color="white", linewidth=0.5)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    _label_lowest(grid, len(panels))
    bar = figure.colorbar(image, ax=grid, location="right", shrink=0.5, aspect=30, pad=0.01)
    bar.set_label(f"{muscle_name(muscle)}, fraction of maximum")
    bar.outline.set_visible(False)
    return figure


def _label_lowest(grid: NDArray[np.object_], panels: int) -> None:
    """Put the time axis under the lowest panel of each column."""
    for column in range(min(COLUMNS, panels)):
        lowest = grid[(panels - 1 - column) // COLUMNS, column]
        lowest.xaxis.set_major_formatter("{x:g} s")
        lowest.tick_params(labelbottom=True)


def _excitation(part: TrialReconstruction | None) -> Floats | None:
    return None if part is None else part.excitation


def _at(clock: Floats, trial: Trial, values: Floats | None, muscle: str) -> Floats:
    """Return one muscle's samples nearest to the clock (time,), NaN where there are none."""
    if values is None or muscle not in trial.muscles:
        return np.full(len(clock), np.nan)
    place = np.rint(clock / trial.step).astype(int)
    column = values[np.minimum(place, len(values) - 1), trial.muscles.index(muscle)]
    return np.where(place < len(values), column, np.nan)


def envelopes_by_load(content: ComparisonContent) -> Figure | None:
    """Return the deep envelopes of the median person, one column a load: the truth, our method with its band, the copy, the best other."""
    subject = content.subjects[median_subject(content)]
    trials, styles = first_trials(content, subject), method_styles(content.methods)
    if not trials or not content.deep:
        return None
    figure = sheet(WIDE, 36.0 * len(content.deep) + 14.0)
    grid = figure.subplots(len(content.deep), len(trials), sharex="col", squeeze=False)
    for row, muscle in enumerate(content.deep):
        for axes, trial in zip(grid[row], trials, strict=True):
            if muscle in trial.muscles:
                column, parts, every = trial.muscles.index(muscle), subject.parts(trial.name), _every(trial)
                for method in shown_at_first(content):
                    ours = method == content.methods[0]
                    if (part := parts.get(method)) is not None:
                        _band(axes, part, column, styles[method].color)
                        look = line_style(styles[method], ours=ours)
                        axes.plot(
                            trial.time[::every], part.excitation[::every, column], label=method_name(method), **look
                        )
                truth = trial.truth[::every, column]
                if np.isfinite(truth).any():
                    axes.plot(trial.time[::every], truth, label="truth", **TRUTH_LINE)
            axes.set_ylim(bottom=0)
            axes.margins(x=0)
            axes.set_title(f"{muscle}, {load_name(trial.load_kg)}")
        grid[row, 0].set_ylabel("fraction of maximum")
    _finish(figure, grid, f"{subject.id} (median person)")
    return figure


def _every(trial: Trial) -> int:
    """Return the stride at which a curve is drawn: envelopes hold nothing beyond 10 Hz."""
    return max(1, round(1.0 / (CURVE_RATE_HZ * trial.step)))


def _band(axes: Axes, part: TrialReconstruction, column: int, color: str) -> None:
    every = _every(part.trial)
    low, high = part.lower[::every, column], part.upper[::every, column]
    if np.any(high > low):
        axes.fill_between(part.trial.time[::every], low, high, color=color, alpha=0.15, linewidth=0)


def moments_by_method(content: ComparisonContent) -> Figure | None:
    """Return each method's joint moment of the median person against inverse dynamics; None where no method has one."""
    subject = content.subjects[median_subject(content)]
    trials, styles = first_trials(content, subject), method_styles(content.methods)
    parts = {trial.name: subject.parts(trial.name) for trial in trials}
    rows = [
        (method, coordinate)
        for coordinate in content.coordinates
        for method in content.methods
        if any(method in found and found[method].moment is not None for found in parts.values())
    ][:MOST_ROWS]
    if not rows:
        return None
    figure = sheet(WIDE, 19.0 * len(rows) + 14.0)
    grid = figure.subplots(len(rows), len(trials), sharex="col", squeeze=False)
    for row, (method, coordinate) in enumerate(rows):
        for axes, trial in zip(grid[row], trials, strict=True):
            _moment(axes, trial, parts[trial.name].get(method), coordinate, line_style(styles[method], ours=row == 0))
            if row == 0:
                axes.set_title(load_name(trial.load_kg), fontweight="bold", pad=13)
        several = f"\n{coordinate}" if len(content.coordinates) > 1 else ""
        label = f"{method_name(method)}{several}"
        grid[row, 0].annotate(label, (0, 1.04), xycoords="axes fraction", fontsize=6.5, color=styles[method].color)
        grid[row, 0].set_ylabel("N·m")
    _finish(figure, grid, f"{subject.id} (median person); black: inverse dynamics", legend=False)
    return figure


def _moment(axes: Axes, trial: Trial, part: TrialReconstruction | None, coordinate: str, look: dict[str, Any]) -> None:
    column = trial.coordinates.index(coordinate)
    measured = np.where(trial.moment_valid[:, column], trial.moment[:, column], np.nan)
    every = _every(trial)
    axes.plot(trial.time[::every], measured[::every], **TRUTH_LINE)
    axes.margins(x=0)
    if part is None or part.moment is None:
        return
    axes.plot(trial.time[::every], part.moment[::every, column], **look)
    inner = (trial.time >= trial.time[0] + EDGE_S) & (trial.time <= trial.time[-1] - EDGE_S)
    explained = r2(measured[inner], part.moment[inner, column])
    if math.isfinite(explained):
        axes.annotate(f"R² {fixed(explained)}", (1, 1.04), xycoords="axes fraction", ha="right", fontsize=6)


def _finish(figure: Figure, grid: NDArray[np.object_], said: str, *, legend: bool = True) -> None:
    for axes in grid[-1]:
        axes.set_xlabel("time, s")
    figure.suptitle(said, fontsize=7, x=0.01, ha="left")
    if legend:
        known = dict(zip(*reversed(grid[0, 0].get_legend_handles_labels()), strict=True))
        figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=4)
