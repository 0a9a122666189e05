"""What the figures of a paper share: sizes in millimeters, the look of each method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from profundus.report.comparison_style import TRUTH, MethodStyle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NARROW, WIDE, TALLEST = 85.0, 175.0, 235.0  # mm: one column, two columns, a page
DASHES = {"solid": "-", "dash": (0, (4, 1.6)), "dot": (0, (1, 1.2)), "dashdot": (0, (4, 1.4, 1, 1.4))}
MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "cross": "P",
    "hexagon": "h",
    "star": "*",
    "pentagon": "p",
}
TRUTH_LINE: dict[str, Any] = {"color": TRUTH, "linewidth": 1.1}


def sheet(width: float, height: float) -> Figure:
    """Return an empty figure of that size [mm], its parts laid out without overlap."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 25.4, min(height, TALLEST) / 25.4), layout="constrained")


def line_style(style: MethodStyle, *, ours: bool) -> dict[str, Any]:
    """Return how a method's curve is drawn."""
    return {"color": style.color, "linestyle": DASHES[style.dash], "linewidth": 1.3 if ours else 0.9}


def marker_style(style: MethodStyle, *, ours: bool) -> dict[str, Any]:
    """Return how a method's point is drawn."""
    hollow = "-open" in style.marker
    return {
        "marker": MARKERS[style.marker.split("-open")[0]],
        "color": style.color,
        "markerfacecolor": "white" if hollow else style.color,
        "markersize": 5.0 if ours else 3.8,
        "markeredgewidth": 0.9,
        "linestyle": "none",
    }
