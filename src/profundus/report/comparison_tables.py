"""Scores, doubts, failures and times of a comparison as HTML; every name and text from outside is escaped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from profundus.records import Flag
from profundus.report.comparison_content import CEILING, FLOOR, ComparisonContent
from profundus.report.comparison_numbers import moment_r2, ratios, rows_of
from profundus.report.comparison_style import method_styles
from profundus.report.words import MISSING, escaped, fixed, load_name, method_name, muscle_name, percent, table
from profundus.validate.paired import PairedRow

SCORE_HEAD = (
    ("Method", "", ""),
    ("× copy", "geometric mean over people of RMSE / RMSE of the copy", ""),
    ("5 to 95 %", "bootstrap interval over people", ""),
    ("Nearer in", "people in whom the error is smaller than the copy's", ""),
    ("Time course", "the same after one factor per person on both answers", "wide"),
    ("r", "median over people", ""),
    ("nRMSE", "median over people of RMSE / range of the truth", ""),
    ("RMSE", "median over people, percent of maximum", "wide"),
    ("Amplitude", "median over people of mean / mean of the truth", ""),
    ("90 % holds", "median share of the truth inside the 90 % band", "wide"),
    (
        "Interval",
        "interval score, median, percent of maximum: width + 20 × what lies outside; smaller is better",
        "wide",
    ),
)
SCALED_HEAD = (
    ("Method", "", ""),
    ("× copy", "geometric mean over people of RMSE / RMSE of the copy, each after one factor a muscle", ""),
    ("5 to 95 %", "bootstrap interval over people", ""),
    ("Nearer in", "people in whom the error is smaller than the copy's", ""),
    ("r", "median over people", ""),
    ("RMSE after one factor", "median over people, in the envelope's own unit", ""),
    ("90 % holds", "median share of the truth inside the 90 % band", "wide"),
)
CEILING_HEAD = (
    ("Method", "", ""),
    ("r", "median over people", ""),
    (
        "From copy to own pattern",
        "bar: from the copy (floor) to the muscle's own pattern (ceiling); dot: the method",
        "",
    ),
    ("Floor", "r of the copy", ""),
    ("Ceiling", "r of the muscle's own pattern in other trials", ""),
    ("nRMSE", "median over people", ""),
    ("Floor", "nRMSE of the copy", ""),
    ("Ceiling", "nRMSE of the muscle's own pattern", ""),
)
RUN_HEAD = (
    ("Method", "", ""),
    ("People", "answered", ""),
    ("Seconds a person", "median", ""),
    ("Longest", "seconds", ""),
    ("Moment R²", "median over people, worst coordinate", ""),
)
FLAG_HEAD = (("Method", "", ""), ("Doubt", "", ""), ("Muscle", "", ""), ("People", "", ""))


def method_label(content: ComparisonContent, method: str) -> str:
    """Return a method's name behind a dot of its color."""
    color = method_styles((*content.methods, method))[method].color
    return f'<i class="dot" style="background:{color}"></i>{escaped(method_name(method))}'


def score_block(content: ComparisonContent) -> str:
    """Return the paired table over all loads, and per load folded below."""
    everywhere = ratios(content)
    if not everywhere:
        return '<p class="empty">No paired scores: there is no known truth, or the copy of the nearest muscle was not run.</p>'
    where = "the test trials" if content.role == "test" else "the very trials that were fitted: there are no others"
    note = (
        f'<p class="note">Pooled over {where}. The best copy in hindsight reads the truth: a yardstick, no method.</p>'
    )
    beside = ratios(content, by="rmse_scaled") if content.error == "rmse" else ()
    scaled = {(r.method, r.name): r.ratio for r in beside}
    per_load = ratios(content, pooled="load")
    folded = "".join(
        f"<h4>{escaped(load_name(load))}</h4>{_score_table(content, [r for r in per_load if r.load_kg == load], {})}"
        for load in sorted({row.load_kg for row in per_load})
    )
    below = f"<details><summary>Per load</summary>{folded}</details>" if folded else ""
    return note + _score_table(content, everywhere, scaled) + below


def _score_table(content: ComparisonContent, rows: Sequence[PairedRow], scaled: dict[tuple[str, str], float]) -> str:
    body: list[str] = []
    whole = SCORE_HEAD if content.error == "rmse" else SCALED_HEAD
    head = tuple(column for column in whole if scaled or column[0] != "Time course")
    for muscle in content.deep:
        mine = [row for row in rows if row.name == muscle]
        if mine:
            mark = " <small>hidden on purpose</small>" if muscle in content.hidden else ""
            title = f"{escaped(muscle_name(muscle))}{mark}"
            body.append(f'<tr class="group"><th colspan="{len(head)}" scope="rowgroup">{title}</th></tr>')
            body += [_score_row(content, row, scaled) for row in mine]
    return table(head, body)


def _score_row(content: ComparisonContent, row: PairedRow, scaled: dict[tuple[str, str], float]) -> str:
    interval = (
        f"{fixed(row.lower)} to {fixed(row.upper)}" if math.isfinite(row.lower) and row.method != FLOOR else MISSING
    )
    wins = f"{row.wins} of {row.people}" if row.method != FLOOR else MISSING
    if content.error == "rmse_scaled":
        texts = (fixed(row.ratio), interval, wins, fixed(row.r), fixed(row.rmse_scaled, 4))
        return _row(content, row.method, [*(("", text) for text in texts), ("wide", percent(row.coverage90))])
    course = [("wide", fixed(scaled.get((row.method, row.name), math.nan)))] if scaled else []
    amplitude = f"×{fixed(row.amplitude_ratio)}" if math.isfinite(row.amplitude_ratio) else MISSING
    columns = [
        *(("", text) for text in (fixed(row.ratio), interval, wins)),
        *course,
        *(("", text) for text in (fixed(row.r), fixed(row.nrmse))),
        ("wide", percent(row.rmse, 1)),
        ("", amplitude),
        ("wide", percent(row.coverage90)),
        ("wide", percent(row.interval_score90, 1)),
    ]
    return _row(content, row.method, columns)


def _row(content: ComparisonContent, method: str, columns: Sequence[tuple[str, str]]) -> str:
    ours = ' class="ours"' if method == content.methods[0] else ""
    tds = "".join(f'<td class="{css}">{text}</td>' if css else f"<td>{text}</td>" for css, text in columns)
    return f'<tr{ours}><th scope="row">{method_label(content, method)}</th>{tds}</tr>'


def ceiling_block(content: ComparisonContent) -> str:
    """Return how far each method comes from the floor (the copy) to the ceiling (the muscle's own pattern); for hidden muscles."""
    body: list[str] = []
    for muscle in content.hidden:
        found = {method: _medians(content, method, muscle) for method in (*content.methods, CEILING)}
        digits = 2 if content.error == "rmse" else 4
        scored = {method: values for method, values in found.items() if math.isfinite(values[0])}
        nothing = (math.nan, math.nan)
        floor, ceiling = scored.get(FLOOR, nothing), scored.get(CEILING, nothing)
        body.append(f'<tr class="group"><th colspan="8" scope="rowgroup">{escaped(muscle_name(muscle))}</th></tr>')
        for method, (r, error) in sorted(scored.items(), key=lambda item: -item[1][0]):
            tint = method_styles((*content.methods, method))[method].color
            span = _span(r, floor[0], ceiling[0], tint)
            of_r, of_error = (fixed(r), span, fixed(floor[0]), fixed(ceiling[0])), (error, floor[1], ceiling[1])
            texts = (*of_r, *(fixed(value, digits) for value in of_error))
            body.append(_row(content, method, [("", text) for text in texts]))
    head = CEILING_HEAD if content.error == "rmse" else tuple(_after_factor(column) for column in CEILING_HEAD)
    return table(head, body) if body else ""


def _medians(content: ComparisonContent, method: str, muscle: str) -> tuple[float, float]:
    rows = [row for row in rows_of(content, trial="all") if (row.method, row.name) == (method, muscle)]
    known = [(row.r, row.nrmse if content.error == "rmse" else row.rmse_scaled) for row in rows]
    scored = [pair for pair in known if all(map(math.isfinite, pair))]
    return (median(r for r, _ in scored), median(error for _, error in scored)) if scored else (math.nan, math.nan)


def _after_factor(column: tuple[str, str, str]) -> tuple[str, str, str]:
    label, told, css = (text.replace("nRMSE", "RMSE after one factor") for text in column)
    return label, told, css


def _span(value: float, floor: float, ceiling: float, tint: str) -> str:
    ends = [
        100 * min(1.0, max(0.0, v)) if math.isfinite(v) else 0.0 for v in (min(floor, ceiling), max(floor, ceiling))
    ]
    style = f"--a:{ends[0]:.0f};--b:{ends[1]:.0f};--f:{100 * min(1.0, max(0.0, value)):.0f};--tint:{tint}"
    return f'<i class="span" style="{style}"></i>'


def run_block(content: ComparisonContent) -> str:
    """Return who answered, how long it took, what failed, and the doubts about each method's answers."""
    explained = moment_r2(content)
    body = []
    for method in content.methods:
        taken = [seconds for (name, _), seconds in content.seconds.items() if name == method]
        answered = sum(subject.answer(method) is not None for subject in content.subjects)
        columns = (
            f"{answered} of {len(content.subjects)}",
            _seconds(median(taken) if taken else math.nan),
            _seconds(max(taken, default=math.nan)),
            fixed(explained.get(method, math.nan)),
        )
        body.append(_row(content, method, [("", text) for text in columns]))
    return table(RUN_HEAD, body) + _failures(content) + _flags(content)


def _seconds(value: float) -> str:
    return f"{fixed(value, 2 if value < 10 else 0)} s" if math.isfinite(value) else MISSING


def _failures(content: ComparisonContent) -> str:
    items = "".join(
        f'<li class="error"><b>failed</b> {escaped(method_name(method))}, {escaped(subject)}: {escaped(why)}</li>'
        for method, subject, why in content.failures
    )
    return f'<ul class="problems">{items}</ul>' if items else '<p class="note">No method failed.</p>'


def _flags(content: ComparisonContent) -> str:
    found: dict[tuple[str, str, str], list[Flag]] = {}
    for subject in content.subjects:
        for answer in subject.answers:
            for flag in answer.flags:
                found.setdefault((answer.method, flag.name, flag.muscle), []).append(flag)
        for flag in subject.flags:
            found.setdefault(("", flag.name, flag.muscle), []).append(flag)
    order = (*content.methods, CEILING, "")
    body = []
    for (method, name, muscle), flags in sorted(found.items(), key=lambda item: order.index(item[0][0])):
        people = dict.fromkeys(flag.subject for flag in flags)
        why = "; ".join(f"{flag.subject}: {flag.why}" for flag in flags if flag.why)
        label = method_label(content, method) if method else "all methods"
        told = (
            f"{len(people)}: {', '.join(people)}" if len(people) <= 6 else f"{len(people)} of {len(content.subjects)}"
        )
        body.append(
            f'<tr><th scope="row">{label}</th><td title="{escaped(why)}">{escaped(name.replace("_", " "))}</td>'
            f"<td>{escaped(muscle or MISSING)}</td><td>{escaped(told)}</td></tr>"
        )
    return f"<h4>Doubts</h4>{table(FLAG_HEAD, body)}" if body else '<p class="note">No doubts were raised.</p>'
