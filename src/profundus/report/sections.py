"""The tables and cards of the page as HTML; every name and text from outside is escaped here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from profundus.errors import Problem
from profundus.records import ParameterRow, ScoreRow
from profundus.report.content import PageContent, QualityLike, SubjectContent
from profundus.report.tables import grouped
from profundus.report.verdict import pooled_rows, verdict
from profundus.report.words import MISSING, escaped, fixed, load_name, method_name, muscle_name, percent, significant

SCORE_HEAD = (
    ("Method", "", ""),
    ("r", "Pearson correlation", ""),
    ("nRMSE", "RMSE over the range of the truth", ""),
    ("RMSE", "percent of maximum, or N·m", ""),
    ("Time course", "RMSE after one scalar per muscle", "wide"),
    ("Amplitude", "mean over mean of the truth", ""),
    ("Lag", "ms, by cross-correlation", "wide"),
    ("90 % holds", "share of the truth inside the 90 % band", ""),
    ("Band", "mean width of the band", "wide"),
)
PARAMETER_HEAD = (
    ("Parameter", "", ""),
    ("Generic", "", "wide"),
    ("Fitted", "with posterior standard deviation", ""),
    ("Change", "fitted against generic", ""),
    ("Range", "bounds, posterior ± sd (bar), fitted (dot), generic (tick)", ""),
    ("Told by", "data: posterior sd below 0.8 × prior sd", ""),
)
QUALITY_HEAD = (
    ("Trial", "", ""),
    ("Channel", "", ""),
    ("Check", "", ""),
    ("Value", "", ""),
    ("Limit", "", ""),
    ("Verdict", "", ""),
)
FINE = {"ok", "pass", "passed", "good", "fine", "note"}


def verdict_block(content: PageContent, subject: SubjectContent) -> str:
    """Return headline, cards and flags of one person."""
    said = verdict(content, subject)
    cards = "".join(
        f'<div class="card {f.tone}"><h3>{escaped(f.title)}</h3>'
        f"{f'<p class=number>{escaped(f.number)}</p>' if f.number else ''}<p>{escaped(f.sentence)}</p></div>"
        for f in said.findings
    )
    chips = "".join(
        f'<li title="{escaped(flag.why)}"><b>{escaped(flag.name.replace("_", " "))}</b> {escaped(flag.muscle)}</li>'
        for flag in content.flags_of(subject)
    )
    marked = f'<ul class="chips">{chips}</ul>' if chips else ""
    return f'<p class="headline">{escaped(said.headline)}</p>{marked}<div class="cards">{cards}</div>'


def score_block(content: PageContent, subject: SubjectContent) -> str:
    """Return the score table of one person, pooled, with the rows per load folded below."""
    rows, role = pooled_rows(content.scorecard, subject.id)
    if not rows:
        return '<p class="empty">Nothing was scored: there is neither a measured moment nor a known truth.</p>'
    method = subject.reconstruction.method
    loads = [r for r in content.scorecard.rows if r.trial == "load" and r.subject == subject.id and r.role == role]
    note = (
        "" if role == "test" else '<p class="note">There are no test trials: these are the trials that were fitted.</p>'
    )
    folded = "".join(
        f"<h4>{escaped(load_name(load))}</h4>{_score_table([r for r in loads if r.load_kg == load], method)}"
        for load in sorted({r.load_kg for r in loads if r.load_kg == r.load_kg})
    )
    per_load = f"<details><summary>Per load</summary>{folded}</details>" if folded else ""
    return note + _score_table(rows, method) + per_load


def _score_table(rows: list[ScoreRow], method: str) -> str:
    body, last = [], ""
    for row in grouped(rows):
        if row.name != last:
            title = muscle_name(row.name) if row.quantity == "emg" else f"Moment, {row.name}"
            mark = " <small>hidden on purpose</small>" if row.hidden else ""
            body.append(f'<tr class="group"><th colspan="9" scope="rowgroup">{escaped(title)}{mark}</th></tr>')
            last = row.name
        body.append(_score_row(row, ours=row.method == method))
    return table(SCORE_HEAD, body)


def _score_row(row: ScoreRow, *, ours: bool) -> str:
    emg = row.quantity == "emg"
    cells = (
        fixed(row.r),
        fixed(row.nrmse),
        percent(row.rmse, 1) if emg else fixed(row.rmse) + " N·m",
        (percent(row.rmse_scaled, 1) if emg else fixed(row.rmse_scaled)),
        f"×{fixed(row.amplitude_ratio)}" if row.amplitude_ratio == row.amplitude_ratio else MISSING,
        fixed(row.lag_ms, 0),
        percent(row.coverage90),
        percent(row.band_width, 1) if emg else fixed(row.band_width),
    )
    kinds = [kind for _, _, kind in SCORE_HEAD[1:]]
    tds = "".join(
        f'<td class="{kind}">{cell}</td>' if kind else f"<td>{cell}</td>"
        for cell, kind in zip(cells, kinds, strict=True)
    )
    return f'<tr{" class=ours" if ours else ""}><th scope="row">{escaped(method_name(row.method))}</th>{tds}</tr>'


def across_block(content: PageContent) -> str:
    """Return one line a person: the worst moment R² and, for each deep muscle, r, amplitude and error against the copy."""
    head = [("Subject", "", ""), ("Moment R²", "worst coordinate", "")]
    for name in content.deep:
        head += [(f"{name} r", "", ""), ("amplitude", "", "wide"), ("× copy", "RMSE over the copy's RMSE", "")]
    body = []
    for place, subject in enumerate(content.subjects):
        rows, _ = pooled_rows(content.scorecard, subject.id)
        own = {(r.quantity, r.name): r for r in rows if r.method == subject.reconstruction.method}
        copy = {r.name: r.rmse for r in rows if r.method == "copy" and r.quantity == "emg"}
        explained = [r.r2 for (quantity, _), r in own.items() if quantity == "moment" and r.r2 == r.r2]
        cells = f"<td>{fixed(min(explained)) if explained else MISSING}</td>"
        for name in content.deep:
            row = own.get(("emg", name))
            ratio = row.rmse / copy[name] if row and copy.get(name) else float("nan")
            cells += f'<td>{fixed(row.r) if row else MISSING}</td><td class="wide">{fixed(row.amplitude_ratio) if row else MISSING}</td>'
            cells += f"<td>{fixed(ratio)}</td>"
        body.append(
            f'<tr><th scope="row"><button data-choose="{place}">{escaped(subject.id)}</button></th>{cells}</tr>'
        )
    return table(tuple(head), body)


def parameter_block(subject: SubjectContent) -> str:
    """Return the table of musculoskeletal parameters of one person."""
    body, last = [], None
    for row in subject.parameters:
        if row.muscle != last:
            title = muscle_name(row.muscle) if row.muscle else "Whole person"
            body.append(f'<tr class="group"><th colspan="6" scope="rowgroup">{escaped(title)}</th></tr>')
            last = row.muscle
        body.append(_parameter_row(row))
    return table(PARAMETER_HEAD, body) if body else '<p class="empty">This method has no parameters of its own.</p>'


def _parameter_row(row: ParameterRow) -> str:
    unit = "" if row.unit == "-" else f" {row.unit}"
    change = (row.fitted - row.generic) / row.generic if row.generic else float("nan")
    sign = "+" if change > 0 else ""
    bound = ' <em class="bound">at bound</em>' if row.at_bound else ""
    told = "data" if row.moved_by_data else '<span class="muted">prior</span>'
    changed = f"{sign}{percent(change)}" if row.generic else MISSING
    return (
        f'<tr><th scope="row">{escaped(row.parameter.replace("_", " "))}</th><td class="wide">{significant(row.generic)}</td>'
        f"<td>{significant(row.fitted)}<small> ± {significant(row.posterior_sd, 2)}{escaped(unit)}</small></td>"
        f"<td>{changed}</td><td>{_range_picture(row)}{bound}</td><td>{told}</td></tr>"
    )


def _range_picture(row: ParameterRow) -> str:
    span = row.upper - row.lower
    place = [
        min(100.0, max(0.0, 100 * (value - row.lower) / span)) if span > 0 else 50.0
        for value in (row.generic, row.fitted, row.fitted - row.posterior_sd, row.fitted + row.posterior_sd)
    ]
    style = ";".join(f"--{name}:{value:.0f}" for name, value in zip("gfab", place, strict=True))
    return f'<i class="range" style="{style}" title="{significant(row.lower)} to {significant(row.upper)}"></i>'


def quality_block(rows: Iterable[QualityLike]) -> str:
    """Return the quality checks that found something, and how many did not."""
    rows = tuple(rows)
    if not rows:
        return '<p class="empty">No quality check was run.</p>'
    noticed = [row for row in rows if row.verdict.lower() not in FINE]
    quiet = [row for row in rows if row.verdict.lower() in FINE]
    checks = ", ".join(escaped(name.replace("_", " ")) for name in dict.fromkeys(row.check for row in rows))
    said = f'<p class="note">{len(rows)} checks, {len(noticed)} with a finding. Checked: {checks}.</p>'
    shown = table(QUALITY_HEAD, [_quality_row(row, "noticed") for row in noticed]) if noticed else ""
    folded = (
        f"<details><summary>{len(quiet)} checks without a finding</summary>"
        f"{table(QUALITY_HEAD, [_quality_row(row) for row in quiet[:MOST_QUIET]])}{_more(len(quiet) - MOST_QUIET)}</details>"
    )
    return said + shown + (folded if quiet else "")


MOST_QUIET = 60


def _more(count: int) -> str:
    return f'<p class="note">and {count} more</p>' if count > 0 else ""


def _quality_row(row: QualityLike, kind: str = "") -> str:
    names = "".join(
        f"<td>{escaped(text.replace('_', ' ') if i == 2 else text)}</td>"
        for i, text in enumerate((row.trial, row.channel, row.check))
    )
    numbers = f"<td>{significant(row.value)}</td><td>{significant(row.threshold)}</td>"
    return f'<tr class="{kind}">{names}{numbers}<td>{escaped(row.verdict)}</td></tr>'


def problem_block(problems: Iterable[Problem]) -> str:
    """Return warnings and notes as a list."""
    items = "".join(
        f'<li class="{escaped(problem.severity)}"><b>{escaped(problem.severity)}</b> {escaped(problem)}</li>'
        for problem in problems
    )
    return f'<ul class="problems">{items}</ul>' if items else '<p class="empty">None.</p>'


def provenance_block(manifest: Mapping[str, object]) -> str:
    """Return the manifest: plain entries in a table, nested ones folded."""
    if not manifest:
        return '<p class="empty">No manifest was handed over.</p>'
    plain = {key: value for key, value in manifest.items() if not isinstance(value, Mapping | list | tuple)}
    rows = [
        f'<tr><th scope="row">{escaped(_spaced(key))}</th><td>{escaped(value)}</td></tr>'
        for key, value in plain.items()
    ]
    nested = "".join(
        f"<details><summary>{escaped(_spaced(key))}</summary><pre>{escaped(_indented(value))}</pre></details>"
        for key, value in manifest.items()
        if key not in plain and value
    )
    return (table((), rows, kind="facts") if rows else "") + nested


def _indented(value: object) -> str:
    return json.dumps(value, indent=2, default=str, ensure_ascii=False)


def _spaced(key: str) -> str:
    return str(key).replace("_", " ")


def table(head: tuple[tuple[str, str, str], ...], rows: Iterable[str], kind: str = "") -> str:
    """Return a table in a box that scrolls on its own; ``head`` holds (label, explanation, class)."""
    labels = "".join(
        f'<th scope="col" class="{css}" title="{escaped(explanation)}">{escaped(label)}</th>'
        for label, explanation, css in head
    )
    top = f"<thead><tr>{labels}</tr></thead>" if labels else ""
    return f'<div class="scroll"><table class="{kind}">{top}<tbody>{"".join(rows)}</tbody></table></div>'
