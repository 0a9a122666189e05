"""Verdict and scores of the page as HTML; every name and text from outside is escaped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import geometric_mean

from profundus.records import Flag, ScoreRow
from profundus.report.content import PageContent, SubjectContent
from profundus.report.scale import NO_SCALE
from profundus.report.tables import grouped
from profundus.report.verdict import Finding, pooled_rows, verdict
from profundus.report.words import MISSING, escaped, fixed, load_name, method_name, muscle_name, percent, table
from profundus.validate.paired import Error

SCORE_HEAD = (
    ("Method", "", ""),
    ("r", "Pearson correlation", ""),
    ("nRMSE", "RMSE over the range of the truth", "wide"),
    ("RMSE", "percent of maximum, or N·m", ""),
    ("Time course", "RMSE after one scalar per muscle", "wide"),
    ("Amplitude", "mean over mean of the truth", ""),
    ("Lag", "ms, by cross-correlation", "wide"),
    ("90 % holds", "share of the truth inside the 90 % band", ""),
    ("Band", "mean width of the band", "wide"),
)
MANY = 8  # muscles of which the same is said: it is said once
SCALED_FIRST = (
    0,
    1,
    4,
    2,
    3,
    5,
    6,
    7,
    8,
)  # order of the columns where amplitudes mean nothing: what one factor leaves comes first
NOT_SCORED = ScoreRow("", "", "all", math.nan, "test", "emg", "")


def verdict_block(content: PageContent, subject: SubjectContent) -> str:
    """Return headline, cards and flags of one person."""
    said = verdict(content, subject)
    unknown = [finding for finding in said.findings if finding.tone == "unknown"]
    folded = unknown if len(unknown) > MANY else []
    cards = "".join(card(finding) for finding in said.findings if finding not in folded)
    more = "".join(card(finding) for finding in folded)
    below = (
        f'<details><summary>{len(folded)} findings without a truth</summary><div class="cards">{more}</div></details>'
    )
    chips = _chips(content.flags_of(subject))
    marked = f'<ul class="chips">{chips}</ul>' if chips else ""
    scale = f'<p class="caution-line">{escaped(NO_SCALE)}</p>' if content.error == "rmse_scaled" else ""
    headline = f'<p class="headline">{escaped(said.headline)}</p>'
    return f'{headline}{marked}<div class="cards">{cards}</div>{below if folded else ""}{scale}'


def _chips(flags: Sequence[Flag]) -> str:
    """Return one chip a flag; one for all of a name where many muscles have it."""
    named: dict[str, list[Flag]] = {}
    for flag in flags:
        named.setdefault(flag.name, []).append(flag)
    chips = []
    for name, those in named.items():
        label = f"<b>{escaped(name.replace('_', ' '))}</b>"
        if len(those) > MANY:
            who = ", ".join(flag.muscle for flag in those)
            chips.append(f'<li title="{escaped(who)}">{label} {len(those)} muscles</li>')
        else:
            chips += [f'<li title="{escaped(flag.why)}">{label} {escaped(flag.muscle)}</li>' for flag in those]
    return "".join(chips)


def card(finding: Finding) -> str:
    """Return one finding as a card."""
    number = f'<p class="number">{escaped(finding.number)}</p>' if finding.number else ""
    sentences = "".join(f"<p>{escaped(sentence)}</p>" for sentence in finding.sentences)
    return f'<div class="card {finding.tone}"><h3>{escaped(finding.title)}</h3>{number}{sentences}</div>'


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
    by = content.error
    note += f'<p class="note">{escaped(NO_SCALE)}</p>' if by == "rmse_scaled" else ""
    folded = "".join(
        f"<h4>{escaped(load_name(load))}</h4>{_score_table([r for r in loads if r.load_kg == load], method, content.deep, by)}"
        for load in sorted({r.load_kg for r in loads if r.load_kg == r.load_kg})
    )
    per_load = f"<details><summary>Per load</summary>{folded}</details>" if folded else ""
    return note + _score_table(rows, method, content.deep, by) + per_load


def _score_table(rows: list[ScoreRow], method: str, deep: tuple[str, ...], by: Error) -> str:
    body, last = [], ""
    for row in grouped(rows, deep):
        if row.name != last:
            title = muscle_name(row.name) if row.quantity == "emg" else f"Moment, {row.name}"
            mark = " <small>hidden on purpose</small>" if row.hidden else ""
            body.append(f'<tr class="group"><th colspan="9" scope="rowgroup">{escaped(title)}{mark}</th></tr>')
            last = row.name
        body.append(_score_row(row, by, ours=row.method == method))
    return table(tuple(SCORE_HEAD[place] for place in _order(by)), body)


def _order(by: Error) -> tuple[int, ...]:
    return SCALED_FIRST if by == "rmse_scaled" else tuple(range(len(SCORE_HEAD)))


def _score_row(row: ScoreRow, by: Error, *, ours: bool) -> str:
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
        for cell, kind in ((cells[place - 1], kinds[place - 1]) for place in _order(by)[1:])
    )
    explained = f" <small>R² {fixed(row.r2)}</small>" if math.isfinite(row.r2) and not emg else ""
    kind = ' class="ours"' if ours else ""
    return f'<tr{kind}><th scope="row">{escaped(method_name(row.method))}{explained}</th>{tds}</tr>'


def across_block(content: PageContent) -> str:
    """Return one line a person (worst moment R²; for each deep muscle r, amplitude, error over the copy's) and the paired mean."""
    head = [("Subject", "", ""), ("Moment R²", "worst coordinate", "")]
    for name in content.deep:
        head += [(f"{name} r", "", ""), ("amplitude", "", "wide"), ("× copy", "RMSE over the copy's RMSE", "")]
    body, ratios = [], {name: list[float]() for name in content.deep}
    for place, subject in enumerate(content.subjects):
        rows, _ = pooled_rows(content.scorecard, subject.id)
        own = {(r.quantity, r.name): r for r in rows if r.method == subject.reconstruction.method}
        copy = {r.name: getattr(r, content.error) for r in rows if r.method == "copy" and r.quantity == "emg"}
        explained = [r.r2 for (quantity, _), r in own.items() if quantity == "moment" and math.isfinite(r.r2)]
        cells = f"<td>{fixed(min(explained)) if explained else MISSING}</td>"
        for name in content.deep:
            row = own.get(("emg", name), NOT_SCORED)
            ratio = getattr(row, content.error) / copy[name] if copy.get(name) else math.nan
            ratios[name] += [ratio] if ratio > 0 else []
            cells += f'<td>{fixed(row.r)}</td><td class="wide">{fixed(row.amplitude_ratio)}</td><td>{fixed(ratio)}</td>'
        body.append(
            f'<tr><th scope="row"><button data-choose="{place}">{escaped(subject.id)}</button></th>{cells}</tr>'
        )
    return table(tuple(head), [*body, _paired_mean(ratios)])


def _paired_mean(ratios: Mapping[str, list[float]]) -> str:
    if not any(ratios.values()):
        return ""
    cells = "".join(
        f'<td></td><td class="wide"></td><td>{fixed(geometric_mean(found)) if found else MISSING}'
        f'<small class="below">{sum(ratio < 1 for ratio in found)} of {len(found)} won</small></td>'
        for found in ratios.values()
    )
    return f'<tr class="ours"><th scope="row">Geometric mean</th><td></td>{cells}</tr>'
