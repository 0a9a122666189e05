"""One self-contained HTML page about several methods on the same people: pictures first, numbers behind them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from plotly.offline import get_plotlyjs

from profundus.records import ScoreRow
from profundus.report.comparison_bands import band_block
from profundus.report.comparison_content import CEILING, ComparisonContent
from profundus.report.comparison_numbers import cells, levels, loads_of, median_subject, ratios, shown_at_first
from profundus.report.comparison_physiology import amplitude_words, expected, way_of
from profundus.report.comparison_series import comparison_series
from profundus.report.comparison_style import TRUTH, method_styles, short_name
from profundus.report.comparison_tables import ceiling_block, run_block, score_block
from profundus.report.comparison_words import cautions, findings, headline
from profundus.report.details import problem_block, provenance_block
from profundus.report.scale import NO_SCALE
from profundus.report.sections import card
from profundus.report.series import PackedSeries
from profundus.report.single_file import LIMIT_BYTES, asset, filled, json_text, policy
from profundus.report.strides import compared_strides
from profundus.report.words import escaped, method_name, muscle_name

METRICS = {"nrmse": "nrmse", "r": "r", "amplitude": "amplitude_ratio"}
RATIO_NOTES = {
    "rmse": "Geometric mean over people of RMSE / RMSE of the copy; left of the line is nearer to the truth than the copy. Bars are 5 to "
    "95\u202f% bootstrap intervals over people. The hollow marker is the same for the time course alone, after one factor per person on "
    "every answer, the copy's included.",
    "rmse_scaled": "Geometric mean over people of RMSE / RMSE of the copy, each after one factor a muscle and person; left of the line is "
    "nearer to the truth's time course than the copy. Bars are 5 to 95\u202f% bootstrap intervals over people.",
}
EMPTY = {
    "forest": "No paired scores: there is no known truth, or the copy of the nearest muscle was not run.",
    "cells": "Nothing was scored: there is no known truth.",
    "moments": "There is neither a measured moment nor one of the chosen methods.",
    "levels": "Nobody came near 90 deg with a known load.",
}


def build_comparison(content: ComparisonContent) -> str:
    """Return the page as HTML text, below 6 MB: curves are thinned, and the page says so, where they would not fit."""
    plotly = get_plotlyjs().replace("\r\n", "\n")
    script, template = asset("shared.js", "comparison.js"), asset("comparison.html")
    parts = {
        "policy": policy(plotly, script),
        "style": asset("page.css", "comparison.css", "charts.css"),
        "title": escaped(content.title),
        "study": escaped(content.study),
        "plotly": plotly,
        "script": script,
        **_sections(content),
    }
    data = _data(content)
    taken = sum(len(part.encode()) for part in (*parts.values(), template, json_text(data)))
    series = comparison_series(content, LIMIT_BYTES - taken - 2000)
    last = {
        "sampling": escaped(_sampling(series)),
        "data": json_text({**data, "trials": series.subjects, "resolution": series.resolution}),
    }
    return filled(template, {**parts, **last})


def _sections(content: ComparisonContent) -> dict[str, str]:
    found, bands, strides = ceiling_block(content), band_block(content), compared_strides(content)
    between = (
        '<section id="ceiling" class="panel"><h2>Hidden muscles, from floor to ceiling</h2><p class="note">The floor is the copy of '
        "the nearest measured muscle, the ceiling what the muscle's own EMG in other trials tells; neither is a strict bound.</p>"
        f"{found}</section>"
    )
    return {
        "verdict": _verdict(content),
        "ratio_note": escaped(RATIO_NOTES[content.error]),
        "metrics": "".join(f'<option value="{key}">{name}</option>' for key, name in _metrics(content).items()),
        "people": escaped(_people_words(content)),
        "strides": f'<section id="strides" class="panel"><h2>Average stride</h2>{strides}</section>' if strides else "",
        "amplitude": escaped(amplitude_words(content)),
        "scores": score_block(content),
        "bands": f'<section id="bands" class="panel"><h2>Do the bands hold?</h2>{bands}</section>' if bands else "",
        "nav_strides": '<a href="#strides">Strides</a>' if strides else "",
        "nav_bands": '<a href="#bands">Bands</a>' if bands else "",
        "ceiling": between if found else "",
        "run": run_block(content),
        "problems": problem_block(content.problems),
        "provenance": provenance_block(content.provenance),
    }


def _verdict(content: ComparisonContent) -> str:
    cards = "".join(card(finding) for finding in findings(content)) if ratios(content) else ""
    warned = "".join(
        f'<p class="caution-line">{escaped(text)}</p>' for text in (*_no_scale(content), *cautions(content))
    )
    return f'<p class="headline">{escaped(headline(content))}</p><div class="cards">{cards}</div>{warned}'


def _metrics(content: ComparisonContent) -> dict[str, str]:
    """Return {key: label} of what the map of everybody can show."""
    if content.error == "rmse":
        return {"nrmse": "nRMSE", "r": "r", "amplitude": "amplitude / truth"}
    return {"nrmse": "RMSE after one factor", "r": "r"}


def _no_scale(content: ComparisonContent) -> tuple[str, ...]:
    return (NO_SCALE,) if content.error == "rmse_scaled" else ()


def _people_words(content: ComparisonContent) -> str:
    trials = "test trials" if content.role == "test" else "fitted trials, as there are no others"
    pooled = "each load" if loads_of(content) else "all trials, as no load is known"
    return f"One row a method, one column a person and load; pooled over the {trials} of {pooled}. Darker is worse."


def _data(content: ComparisonContent) -> dict[str, object]:
    styles = method_styles(content.methods)
    return {
        "truth": TRUTH,
        "deep": [{"name": name, "label": muscle_name(name)} for name in content.deep],
        "coordinates": list(content.coordinates),
        "methods": [
            {
                "id": method,
                "name": method_name(method),
                "short": short_name(method),
                "ours": place == 0,
                **vars(styles[method]),
            }
            for place, method in enumerate(content.methods)
        ],
        "shown": list(shown_at_first(content)),
        "subjects": [subject.id for subject in content.subjects],
        "median": median_subject(content),
        "ratios": _ratios(content),
        "ceiling": {row.name: _rounded(row.ratio) for row in ratios(content) if row.method == CEILING},
        "cells": _cells(content),
        "levels": {name: found for name in content.deep if (found := _levels(content, name))},
        "r2": _r2(content),
        "errorName": "nRMSE" if content.error == "rmse" else "RMSE after one factor",
        "empty": EMPTY,
    }


def _ratios(content: ComparisonContent) -> dict[str, list[dict[str, object]]]:
    beside = ratios(content, by="rmse_scaled") if content.error == "rmse" else ()
    scaled = {(row.method, row.name): row.ratio for row in beside}
    found: dict[str, list[dict[str, object]]] = {}
    for row in ratios(content):
        if row.method in content.methods:
            entry = {
                "method": row.method,
                "n": row.people,
                "wins": row.wins,
                "ratio": _rounded(row.ratio),
                "low": _rounded(row.lower),
                "high": _rounded(row.upper),
                "scaled": _rounded(scaled.get((row.method, row.name), math.nan)),
            }
            found.setdefault(row.name, []).append(entry)
    return found


def _cells(content: ComparisonContent) -> dict[str, object]:
    loads = loads_of(content) or (-1.0,)
    columns = [(subject.id, load) for subject in content.subjects for load in loads]
    values = {}
    for muscle in content.deep:
        found = cells(content, muscle)
        if found:
            rows = [[found.get((method, *column)) for column in columns] for method in content.methods]
            shown = METRICS if content.error == "rmse" else {"nrmse": "rmse_scaled", "r": "r"}
            values[muscle] = {key: [_values(row, name) for row in rows] for key, name in shown.items()}
    named = [{"subject": subject, "load": load if load >= 0 else None} for subject, load in columns]
    return {"columns": named, "values": values}


def _values(rows: Iterable[ScoreRow | None], name: str) -> list[float | None]:
    return [_rounded(getattr(row, name)) if row is not None else None for row in rows]


def _levels(content: ComparisonContent, muscle: str) -> dict[str, object] | None:
    found = levels(content, muscle)
    if found is None:
        return None
    rows = [(None, found.truth)] if any(found.truth) else []
    return {
        "loads": list(found.loads),
        "note": ", while flexing" if way_of(muscle) == "rising" else "",
        "rows": [
            {"method": method, "levels": [level and [_rounded(v, 4) for v in level] for level in values]}
            for method, values in [*rows, *found.methods.items()]
        ],
        "physiology": [expected(muscle, load) for load in found.loads],
    }


def _r2(content: ComparisonContent) -> list[dict[str, dict[str, dict[str, float | None]]]]:
    """Return for each person ``{method: {coordinate: {trial, or "all": R2}}}``."""
    places = {subject.id: place for place, subject in enumerate(content.subjects)}
    found: list[dict[str, dict[str, dict[str, float | None]]]] = [{} for _ in content.subjects]
    for row in content.scorecard.rows:
        if row.quantity == "moment" and row.role == content.role and row.trial != "load" and row.subject in places:
            of_method = found[places[row.subject]].setdefault(row.method, {})
            of_method.setdefault(row.name, {})[row.trial] = _rounded(row.r2)
    return found


def _rounded(value: float, digits: int = 3) -> float | None:
    return round(float(value), digits) if math.isfinite(value) else None


def _sampling(series: PackedSeries) -> str:
    thinned = f" (recorded at {series.original_rate_hz:.4g} Hz, thinned to keep this file small)"
    said = f"Curves are drawn at {series.rate_hz:.4g} Hz{thinned if series.rate_hz < series.original_rate_hz else ''}."
    if series.left_out:
        said += f" {series.left_out} trials are without curves, for the same reason."
    return said + " Scores use every sample, but for 0.3 s at each end of a trial."
