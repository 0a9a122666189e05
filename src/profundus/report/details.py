"""Parameters, data quality, warnings and provenance as HTML; every name and text from outside is escaped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from profundus.errors import Problem
from profundus.records import ParameterRow, QualityRow
from profundus.report.content import SubjectContent
from profundus.report.decided import LEVEL, level_words
from profundus.report.words import MISSING, escaped, muscle_name, percent, significant, table

PARAMETER_HEAD = (
    ("Parameter", "", ""),
    ("Generic", "", "wide"),
    ("Fitted", "with posterior standard deviation", ""),
    ("Change", "fitted against generic", "wide"),
    ("Range", "bounds, posterior ± sd (bar), fitted (dot), generic (tick)", "place"),
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


EXCLUDED_HEAD = (("Trial", "", ""), ("Time", "", ""), ("What", "", ""), ("Why", "", ""))


def parameter_block(subject: SubjectContent) -> str:
    """Return the table of musculoskeletal parameters of one person."""
    body, last = [], None
    muscles = list(dict.fromkeys(row.muscle for row in subject.parameters))
    for row in sorted(subject.parameters, key=lambda row: (not row.muscle, muscles.index(row.muscle))):
        if row.muscle != last:
            title = muscle_name(row.muscle) if row.muscle else "Whole person"
            body.append(f'<tr class="group"><th colspan="6" scope="rowgroup">{escaped(title)}</th></tr>')
            last = row.muscle
        body.append(_parameter_row(row))
    return table(PARAMETER_HEAD, body) if body else '<p class="empty">This method has no parameters of its own.</p>'


def _parameter_row(row: ParameterRow) -> str:
    name = escaped(row.parameter.replace("_", " "))
    if row.parameter == LEVEL:
        return f'<tr><th scope="row">{name}</th><td colspan="5" class="said">{escaped(level_words(row))}</td></tr>'
    unit = "" if row.unit == "-" else f" {row.unit}"
    change = (row.fitted - row.generic) / row.generic if row.generic else float("nan")
    sign = "+" if change > 0 else ""
    bound = ' <em class="bound">at bound</em>' if row.at_bound else ""
    told = "data" if row.moved_by_data else '<span class="muted">prior</span>'
    changed = f"{sign}{percent(change)}" if row.generic else MISSING
    return (
        f'<tr><th scope="row">{name}</th><td class="wide">{significant(row.generic)}</td>'
        f"<td>{significant(row.fitted)}<small> ± {significant(row.posterior_sd, 2)}{escaped(unit)}</small></td>"
        f'<td class="wide">{changed}</td><td class="place">{_range_picture(row)}{bound}</td><td>{told}</td></tr>'
    )


def _range_picture(row: ParameterRow) -> str:
    span = row.upper - row.lower
    place = [
        min(100.0, max(0.0, 100 * (value - row.lower) / span)) if span > 0 else 50.0
        for value in (row.generic, row.fitted, row.fitted - row.posterior_sd, row.fitted + row.posterior_sd)
    ]
    style = ";".join(f"--{name}:{value:.0f}" for name, value in zip("gfab", place, strict=True))
    return f'<i class="range" style="{style}" title="{significant(row.lower)} to {significant(row.upper)}"></i>'


def excluded_block(subject: SubjectContent) -> str:
    """Return which stretches of a person's trials were not trusted, with the reasons; nothing where there are none."""
    rows = []
    for part in subject.reconstruction.trials:
        listed = part.trial.processing.get("exclusions")
        for one in listed if isinstance(listed, list) else []:
            start, end = one["time"]
            what = ", ".join([str(one["what"]), *one.get("muscles", ())])
            cells = (part.trial.name, f"{start:g} to {end:g} s", what, one["why"])
            rows.append(f"<tr>{''.join(f'<td>{escaped(cell)}</td>' for cell in cells)}</tr>")
    return f"<h3>Not trusted</h3>{table(EXCLUDED_HEAD, rows)}" if rows else ""


def quality_block(rows: Iterable[QualityRow], most_quiet: int = 60) -> str:
    """Return the quality checks that found something, and up to ``most_quiet`` of those that did not."""
    rows = tuple(rows)
    if not rows:
        return '<p class="empty">No quality check was run.</p>'
    noticed = [row for row in rows if row.verdict != "ok"]
    quiet = [row for row in rows if row.verdict == "ok"]
    checks = ", ".join(escaped(name.replace("_", " ")) for name in dict.fromkeys(row.check for row in rows))
    said = f'<p class="note">{len(rows)} checks, {len(noticed)} with a finding. Checked: {checks}.</p>'
    shown = table(QUALITY_HEAD, [_quality_row(row) for row in noticed]) if noticed else ""
    folded = (
        f"<details><summary>{len(quiet)} checks without a finding</summary>"
        f"{table(QUALITY_HEAD, [_quality_row(row) for row in quiet[:most_quiet]])}{_more(len(quiet) - most_quiet)}</details>"
    )
    return said + shown + (folded if quiet else "")


def _more(count: int) -> str:
    return f'<p class="note">and {count} more</p>' if count > 0 else ""


def _quality_row(row: QualityRow) -> str:
    names = "".join(
        f"<td>{escaped(text.replace('_', ' ') if i == 2 else text)}</td>"
        for i, text in enumerate((row.trial, row.channel, row.check))
    )
    numbers = f"<td>{significant(row.value)}</td><td>{significant(row.threshold)}</td>"
    return f'<tr class="{row.verdict}">{names}{numbers}<td>{escaped(row.verdict)}</td></tr>'


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
