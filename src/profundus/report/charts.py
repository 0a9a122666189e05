"""Small charts as SVG text: no script draws them, they print, and one column of them fits a phone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from profundus.report.comparison_style import Dash
from profundus.report.words import escaped

WIDTH, HEIGHT = 320.0, 222.0
LEFT, RIGHT, TOP, BOTTOM = 42.0, 10.0, 8.0, 38.0
DASHES: dict[Dash, str] = {"solid": "", "dash": "6 3", "dot": "2 2.5", "dashdot": "6 2 2 2"}
GUIDE = "#8b9297"


@dataclass(frozen=True)
class Axis:
    """One axis: its name, its ends, and what is written at which value."""

    name: str
    low: float
    high: float
    ticks: Mapping[float, str]


@dataclass(frozen=True)
class Curve:
    """A line through ``x`` and ``y`` (point,) in the spread from ``low`` to ``high`` (empty: none); ``told`` are words for each point."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    color: str = GUIDE
    dash: Dash = "solid"
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    told: Sequence[str] = ()
    thick: float = 1.8


@dataclass(frozen=True)
class Chart:
    """A titled picture of curves, the first at the back; what goes up stands beside the title."""

    title: str
    curves: tuple[Curve, ...]
    x: Axis
    y: Axis


def charts_block(charts: Sequence[Chart], said: str, *, kind: str = "") -> str:
    """Return charts side by side, one below the other where there is no room; ``said`` tells who cannot see them what they show.

    ``kind`` "small": many fit in a row.
    """
    return f'<div class="{f"charts {kind}".strip()}" role="group" aria-label="{escaped(said)}">{"".join(map(_figure, charts))}</div>'


def key_block(curves: Sequence[Curve]) -> str:
    """Return the key to curves."""
    items = "".join(
        f'<li><svg width="26" height="10" aria-hidden="true"><line x1="0" x2="26" y1="5" y2="5" stroke="{c.color}" '
        f'stroke-width="2" stroke-dasharray="{DASHES[c.dash]}"/></svg>{escaped(c.name)}</li>'
        for c in curves
    )
    return f'<ul class="key">{items}</ul>'


def stairs(heights: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the outline (x, y) of bars of equal width over 0 to 1."""
    count = len(heights)
    edges = [place / count for place in range(count + 1)]
    return [edge for edge in edges for _ in (0, 1)][1:-1], [height for height in heights for _ in (0, 1)]


def percent_axis(name: str) -> Axis:
    """Return an axis of shares from 0 to 100 %."""
    return Axis(name, 0.0, 1.0, {share / 100: f"{share}\u202f%" for share in (0, 25, 50, 75, 100)})


def _figure(chart: Chart) -> str:
    inner = "".join((*_grid(chart), *(piece for curve in chart.curves for piece in _drawn(curve, chart))))
    return (
        f"<figure><figcaption>{escaped(chart.title)} <small>{escaped(chart.y.name)}</small></figcaption>"
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        f'aria-label="{escaped(chart.title)}">{inner}</svg></figure>'
    )


def _grid(chart: Chart) -> Iterator[str]:
    bottom = HEIGHT - BOTTOM
    for value, text in chart.y.ticks.items():
        y = _y(value, chart.y)
        yield f'<line class="grid" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{LEFT - 6:g}" y="{y + 3.5:g}" text-anchor="end">{escaped(text)}</text>'
    for value, text in chart.x.ticks.items():
        x = _x(value, chart.x)
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP:g}" y2="{bottom:g}"/>'
        yield f'<text x="{x}" y="{bottom + 14:g}" text-anchor="middle">{escaped(text)}</text>'
    yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{HEIGHT - 5:g}" text-anchor="middle">{escaped(chart.x.name)}</text>'


def _drawn(curve: Curve, chart: Chart) -> Iterator[str]:
    points = _points(curve.x, curve.y, chart)
    if not points:
        return
    if curve.low:
        around = [*_points(curve.x, curve.low, chart), *reversed(_points(curve.x, curve.high, chart))]
        yield f'<polygon points="{" ".join(around)}" fill="{curve.color}" fill-opacity="0.15"/>'
    name = escaped(curve.name)
    yield (
        f'<polyline points="{" ".join(points)}" fill="none" stroke="{curve.color}" stroke-width="{curve.thick:g}" '
        f'stroke-dasharray="{DASHES[curve.dash]}"><title>{name}</title></polyline>'
    )
    for x, y, words in zip(curve.x, curve.y, curve.told, strict=False):
        if math.isfinite(y):
            place = f'cx="{_x(x, chart.x)}" cy="{_y(y, chart.y)}"'
            yield f'<circle {place} r="2.6" fill="{curve.color}"><title>{name}: {escaped(words)}</title></circle>'


def _points(x: Sequence[float], y: Sequence[float], chart: Chart) -> list[str]:
    return [f"{_x(a, chart.x)},{_y(b, chart.y)}" for a, b in zip(x, y, strict=True) if math.isfinite(b)]


def _x(value: float, axis: Axis) -> float:
    return round(LEFT + _share(value, axis) * (WIDTH - LEFT - RIGHT), 1)


def _y(value: float, axis: Axis) -> float:
    return round(HEIGHT - BOTTOM - _share(value, axis) * (HEIGHT - TOP - BOTTOM), 1)


def _share(value: float, axis: Axis) -> float:
    """Return how far along an axis a value lies; what is beyond its ends is drawn at them."""
    return min(1.0, max(0.0, (value - axis.low) / (axis.high - axis.low)))
