"""One small page about a cohort: how scores spread over people, what was flagged, who failed, and whom to look at first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from profundus.report.charts import GUIDE, Axis, Chart, Curve, charts_block, key_block, percent_axis
from profundus.report.cohort_content import CohortContent, Counted, MuscleScore
from profundus.report.details import provenance_block
from profundus.report.palette import muscle_colors
from profundus.report.scale import NO_SCALE
from profundus.report.single_file import asset, filled, policy
from profundus.report.words import MISSING, escaped, fixed, muscle_name, percent, table

SHOWN = 100  # failures, kinds of problems
WORST = 20  # people
POINTS = 60  # of a curve
SPREAD = (5, 50, 95)  # percentiles
HEAD = (
    ("Muscle or moment", "", ""),
    ("People", "who were scored", "wide"),
    ("r, or R²", "median over people", ""),
    ("5 to 95 %", "of people", "wide"),
    ("Error × copy", "RMSE over that of the copy of the nearest muscle, geometric mean over people", ""),
    ("5 to 95 %", "of people", "wide"),
    ("Better", "share of people in whom that is below 1", ""),
    ("90 % holds", "share of the truth in the 90 % band, mean over people", ""),
)
Row = tuple[str, Sequence[float], Sequence[float], Sequence[float]]


def build_cohort(content: CohortContent) -> str:
    """Return the page as HTML text. It needs no script, and grows by nothing with the number of people."""
    return filled(
        asset("cohort.html"),
        {
            "policy": policy(),
            "style": asset("page.css", "charts.css"),
            "title": escaped(content.title),
            "study": escaped(content.study),
            "headline": escaped(_headline(content)),
            "pooled": escaped(_pooled(content)),
            "scores": _scores(content),
            "key": _key(content),
            "charts": _charts(content),
            "flags": _flags(content),
            "failures": _failures(content),
            "named": escaped(f"The {min(WORST, len(content.lines))} whose worst muscle is furthest behind the copy."),
            "people": _people(content),
            "problems": _problems(content),
            "provenance": provenance_block(content.provenance),
        },
    )


def _headline(content: CohortContent) -> str:
    failed = f", {len(content.failures)} could not be" if content.failures else ""
    said = [f"{_people_words(len(content.lines))} fitted{failed}."]
    for name in _muscles(content):
        ratios = _finite([score.ratio for score in _of(content, name)])
        if ratios:
            said.append(
                f"{muscle_name(name)}: {fixed(_geometric(ratios))} times the error of the copy of the nearest muscle, "
                f"better in {sum(ratio < 1 for ratio in ratios)} of {len(ratios)}."
            )
    lost = sum(not line.converged for line in content.lines)
    return " ".join([*said, f"{'1 fit' if lost == 1 else f'{lost} fits'} did not converge." if lost else ""]).strip()


def _pooled(content: CohortContent) -> str:
    fitted = sum(line.role != "test" for line in content.lines)
    where = "Each person is pooled over his test trials"
    said = f"{where}; {fitted} have none and are pooled over the trials that were fitted." if fitted else f"{where}."
    return f"{said} {NO_SCALE}" if content.error == "rmse_scaled" else said


def _muscles(content: CohortContent) -> list[str]:
    """Return the reconstructed muscles that were scored; where none was, all that were."""
    found = dict.fromkeys(name for line in content.lines for name in line.muscles)
    return [name for name in found if name in content.deep] or list(found)


def _coordinates(content: CohortContent) -> list[str]:
    return list(dict.fromkeys(name for line in content.lines for name in line.moment_r2))


def _of(content: CohortContent, muscle: str) -> list[MuscleScore]:
    return [line.muscles[muscle] for line in content.lines if muscle in line.muscles]


def _finite(values: Sequence[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def _geometric(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(np.maximum(values, 1e-12)))))


def _scores(content: CohortContent) -> str:
    rows: list[Row] = []
    for name in _muscles(content):
        scores = _of(content, name)
        rows.append(
            (muscle_name(name), [s.r for s in scores], [s.ratio for s in scores], [s.held for s in scores]),
        )
    for name in _coordinates(content):
        rows.append((f"Moment, {name}", [line.moment_r2.get(name, math.nan) for line in content.lines], (), ()))
    if not rows:
        return '<p class="empty">Nothing was scored: there is neither a measured moment nor a known truth.</p>'
    return table(HEAD, [_score_row(*row) for row in rows])


def _score_row(name: str, quality: Sequence[float], ratios: Sequence[float], held: Sequence[float]) -> str:
    known, over = _finite(quality), _finite(ratios)
    kept = _finite(held)
    cells = (
        ("wide", str(len(known))),
        ("", fixed(float(np.median(known))) if known else MISSING),
        ("wide", _range(known)),
        ("", fixed(_geometric(over)) if over else MISSING),
        ("wide", _range(over)),
        ("", percent(float(np.mean([ratio < 1 for ratio in over]))) if over else MISSING),
        ("", percent(float(np.mean(kept))) if kept else MISSING),
    )
    tds = "".join(f'<td class="{kind}">{cell}</td>' for kind, cell in cells)
    return f'<tr><th scope="row">{escaped(name)}</th>{tds}</tr>'


def _range(values: Sequence[float]) -> str:
    if not values:
        return MISSING
    low, _, high = np.percentile(values, SPREAD)
    return f"{fixed(float(low))} to {fixed(float(high))}"


def _colors(content: CohortContent) -> dict[str, str]:
    muscles = list(content.groups) or _muscles(content)
    return muscle_colors(muscles, content.groups, content.deep)


def _key(content: CohortContent) -> str:
    colors = _colors(content)
    return key_block([Curve(muscle_name(name), (), (), colors.get(name, GUIDE)) for name in _muscles(content)])


def _charts(content: CohortContent) -> str:
    """Return how many people are at least as good, as curves over the score."""
    colors, muscles = _colors(content), _muscles(content)
    ratio = Axis("error over the copy's", 0.0, 2.0, {value: f"{value:g}" for value in (0.0, 0.5, 1.0, 1.5, 2.0)})
    agree = Axis("r", 0.0, 1.0, {value: f"{value:g}" for value in (0.0, 0.25, 0.5, 0.75, 1.0)})
    explained = Axis("R² of the moment", 0.0, 1.0, agree.ticks)
    people = percent_axis("people")
    over = tuple(_spread(name, [s.ratio for s in _of(content, name)], colors.get(name, GUIDE)) for name in muscles)
    same = tuple(_spread(name, [s.r for s in _of(content, name)], colors.get(name, GUIDE)) for name in muscles)
    moments = tuple(
        _spread(name, [line.moment_r2.get(name, math.nan) for line in content.lines], GUIDE)
        for name in _coordinates(content)
    )
    charts = [
        Chart("Error over the copy's", over, ratio, people),
        Chart("Correlation with the truth", same, agree, people),
        Chart("Moments explained", moments, explained, people),
    ]
    return charts_block([chart for chart in charts if any(curve.x for curve in chart.curves)], "Scores over people")


def _spread(name: str, values: Sequence[float], color: str) -> Curve:
    """Return the share of people whose value is at most x, at evenly spaced shares."""
    known = sorted(_finite(values))
    if not known:
        return Curve(name, (), ())
    shares = [step / POINTS for step in range(POINTS + 1)]
    return Curve(name, [float(v) for v in np.quantile(known, shares)], shares, color)


def _people_words(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _who(counted: Counted) -> str:
    more = ", ..." if counted.people > len(counted.first) else ""
    return escaped(", ".join(counted.first) + more)


def _flags(content: CohortContent) -> str:
    """Return how many people have which flag."""
    head = (("Flag", "", ""), ("Muscle", "", ""), ("People", "", ""), ("Share", "", "wide"), ("Who", "", ""))
    total = max(len(content.lines), 1)
    found = sorted(content.flags.items(), key=lambda item: -item[1].people)
    rows = [
        f'<tr><th scope="row">{escaped(name.replace("_", " "))}</th><td>{escaped(muscle or MISSING)}</td><td>{counted.people}</td>'
        f'<td class="wide">{percent(counted.people / total)}</td><td>{_who(counted)}</td></tr>'
        for (name, muscle), counted in found[:SHOWN]
    ]
    return table(head, rows) if rows else '<p class="empty">No flags.</p>'


def _failures(content: CohortContent) -> str:
    head = (("Subject", "", ""), ("Reason", "", ""), ("What", "", ""))
    rows = [
        f'<tr><th scope="row">{escaped(person)}</th><td>{escaped(reason)}</td><td>{escaped(what)}</td></tr>'
        for person, (reason, what) in list(content.failures.items())[:SHOWN]
    ]
    if not rows:
        return '<p class="empty">Everybody was fitted.</p>'
    more = len(content.failures) - SHOWN
    return table(head, rows) + (f'<p class="note">and {more} more in failures/</p>' if more > 0 else "")


def _people(content: CohortContent) -> str:
    """Return the people whose answers are worst."""
    muscles, coordinates = _muscles(content), _coordinates(content)
    head = (
        ("Subject", "", ""),
        *((f"{name} × copy", "error over that of the copy", "") for name in muscles),
        *((f"R² {name}", "of the moment", "") for name in coordinates),
    )
    rows = []
    for line in sorted(content.lines, key=lambda one: -one.worst)[:WORST]:
        cells = [fixed(line.muscles[name].ratio) if name in line.muscles else MISSING for name in muscles]
        cells += [fixed(line.moment_r2.get(name, math.nan)) for name in coordinates]
        rows.append(f'<tr><th scope="row">{escaped(line.id)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>')
    return table(head, rows)


def _problems(content: CohortContent) -> str:
    found = sorted(content.problems.items(), key=lambda item: (item[0].severity, -item[1].people))
    items = "".join(
        f'<li class="{escaped(problem.severity)}"><b>{escaped(problem.severity)}</b> {escaped(problem)} '
        f"<small>{_people_words(counted.people)}: {_who(counted)}</small></li>"
        for problem, counted in found[:SHOWN]
    )
    return f'<ul class="problems">{items}</ul>' if items else '<p class="empty">None.</p>'
