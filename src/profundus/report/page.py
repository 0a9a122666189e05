"""One self-contained HTML page about a fit: it opens from a file, without network, and cannot reach one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from plotly.offline import get_plotlyjs

from profundus.report.content import PageContent, SubjectContent, TrainingCurve
from profundus.report.decided import decided_block
from profundus.report.details import excluded_block, parameter_block, problem_block, provenance_block, quality_block
from profundus.report.methods import methods_paragraph
from profundus.report.palette import muscle_colors
from profundus.report.sections import across_block, score_block, verdict_block
from profundus.report.series import PackedSeries, packed_series
from profundus.report.single_file import LIMIT_BYTES, asset, filled, json_text, policy
from profundus.report.strides import stride_block
from profundus.report.words import escaped, method_name, muscle_name

CURVE_POINTS = 120  # of one person; shared by several, but at least FEWEST_CURVE_POINTS
FEWEST_CURVE_POINTS = 24
DECIDED = (
    '<section id="decided" class="panel"><h2>What decided the answer</h2><p class="note">How wide the answer for each deep muscle is, as a '
    "factor up or down that holds 90\u202f%, when more and more is known. Light: all of it; dark: the level alone, the one factor that "
    "all of the person's samples share.</p>{}</section>"
)
STRIDES = '<section id="strides" class="panel"><h2>Average stride</h2>{}</section>'
MOST_STRIDES = 4  # people: one takes about 60 kB
UNTRAINED = {True: "Nothing was trained on this person: a learned prior answered.", False: "No training was recorded."}


def build_page(content: PageContent) -> str:
    """Return the page as HTML text, below 6 MB: time series are thinned, and the page says so, where they would not fit."""
    plotly = get_plotlyjs().replace("\r\n", "\n")
    script = asset("shared.js", "page.js")
    parts = {
        "policy": policy(plotly, script),
        "style": asset("page.css", "charts.css"),
        "title": escaped(content.title),
        "study": escaped(content.study),
        "subjects": _options(content),
        "plotly": plotly,
        "script": script,
        **_sections(content),
    }
    data = _data(content)
    taken = sum(len(part.encode()) for part in (*parts.values(), asset("page.html"), json_text(data)))
    series = packed_series(content, LIMIT_BYTES - taken)
    last = {
        "sampling": escaped(_sampling(series)),
        "data": json_text({**data, "trials": series.subjects, "resolution": series.resolution}),
    }
    return filled(asset("page.html"), {**parts, **last})


def _sections(content: PageContent) -> dict[str, str]:
    several = len(content.subjects) > 1
    met = any(subject.decided for subject in content.subjects)
    drawn = _strides(content)
    return {
        "decided": DECIDED.format(_per_subject(content, decided_block)) if met else "",
        "nav_decided": '<a href="#decided">Decided by</a>' if met else "",
        "strides": STRIDES.format(_per_subject(content, lambda one: drawn[one.id])) if any(drawn.values()) else "",
        "nav_strides": '<a href="#strides">Strides</a>' if any(drawn.values()) else "",
        "verdicts": _per_subject(content, lambda subject: verdict_block(content, subject)),
        "scores": _per_subject(content, lambda subject: score_block(content, subject)),
        "across": f'<section id="across"><h2>All subjects</h2>{across_block(content)}</section>' if several else "",
        "parameters": _per_subject(content, parameter_block),
        "quality": _per_subject(content, lambda subject: _quality(content, subject)),
        "problems": problem_block(content.problems),
        "provenance": provenance_block(content.provenance),
        "methods": "".join(f"<p>{escaped(part)}</p>" for part in methods_paragraph(content).split("\n\n")),
    }


def _strides(content: PageContent) -> dict[str, str]:
    """Return each person's average stride; for later people a word that there was no room, where the first have strides."""
    drawn = {subject.id: stride_block(content, subject) for subject in content.subjects[:MOST_STRIDES]}
    later = '<p class="note">Strides are drawn for the first people alone, to keep this file small.</p>'
    return drawn | {s.id: later if any(drawn.values()) else "" for s in content.subjects[MOST_STRIDES:]}


def _quality(content: PageContent, subject: SubjectContent) -> str:
    return excluded_block(subject) + quality_block(subject.quality, 60 // len(content.subjects))


def _per_subject(content: PageContent, block: Callable[[SubjectContent], str]) -> str:
    return "".join(
        f'<div data-subject="{place}"{" hidden" if place else ""}>{block(subject)}</div>'
        for place, subject in enumerate(content.subjects)
    )


def _options(content: PageContent) -> str:
    return "".join(f'<option value="{i}">{escaped(subject.id)}</option>' for i, subject in enumerate(content.subjects))


def _data(content: PageContent) -> dict[str, object]:
    points = max(FEWEST_CURVE_POINTS, CURVE_POINTS // len(content.subjects))
    colors = muscle_colors(content.muscles, content.groups, content.deep)
    return {
        "muscles": [
            {
                "name": name,
                "label": muscle_name(name),
                "color": colors[name],
                "deep": name in content.deep,
                "group": content.groups.get(name, ""),
            }
            for name in content.muscles
        ],
        "coordinates": list(content.coordinates),
        "emgUnit": _emg_unit(content),
        "subjects": [subject.id for subject in content.subjects],
        "method": method_name(content.subjects[0].reconstruction.method),
        "methods": {other.method: method_name(other.method) for s in content.subjects for other in s.others},
        "scores": [_trial_scores(content, subject) for subject in content.subjects],
        "untrained": [UNTRAINED[bool(subject.decided)] for subject in content.subjects],
        "training": [[_curve(curve, points) for curve in subject.training] for subject in content.subjects],
    }


def _emg_unit(content: PageContent) -> str:
    """Return what an envelope of 1 is; excitations are fractions of the muscle's maximum all the same."""
    emg = content.provenance.get("emg")
    normalization = emg.get("normalization") if isinstance(emg, Mapping) else "mvc"
    return {"session_max": "session max", "none": "as given"}.get(str(normalization), "MVC")


def _trial_scores(content: PageContent, subject: SubjectContent) -> dict[str, dict[str, float]]:
    """Return ``{trial: {muscle or coordinate: r, or R² of a moment}}``."""
    found: dict[str, dict[str, float]] = {}
    for row in content.scorecard.rows:
        value = row.r if row.quantity == "emg" else row.r2
        mine = row.subject == subject.id and row.method == subject.reconstruction.method
        if mine and row.trial not in {"all", "load"} and math.isfinite(value):
            found.setdefault(row.trial, {})[row.name] = round(value, 2)
    return found


def _curve(curve: TrainingCurve, points: int) -> dict[str, object]:
    keep = slice(None, None, max(1, math.ceil(len(curve.steps) / points)))
    return {"steps": list(curve.steps[keep]), "terms": {name: _rounded(v[keep]) for name, v in curve.terms.items()}}


def _rounded(values: Sequence[float]) -> list[float | None]:
    return [float(f"{value:.4g}") if math.isfinite(value) else None for value in values]


def _sampling(series: PackedSeries) -> str:
    thinned = f" (recorded at {series.original_rate_hz:.4g} Hz, thinned to keep this file small)"
    steps = f"excitations to {100 * series.resolution['excitation']:g} % of maximum, moments to {series.resolution['moment']:g} N·m"
    said = f"Curves are drawn at {series.rate_hz:.4g} Hz{thinned if series.rate_hz < series.original_rate_hz else ''}, {steps}."
    if series.left_out:
        said += f" {series.left_out} trials are without curves, for the same reason."
    return said + " Scores use every sample, but for 0.3 s at each end of a trial."
