"""The figures of a paper from a comparison: vector drawings with real text, the same bytes every time."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from profundus.report.comparison_content import ComparisonContent
from profundus.report.figures_curves import envelopes_by_load, heatmaps, moments_by_method
from profundus.report.figures_scores import amplitude_plausibility, paired_ratios

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "profundus",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6,
    "ytick.labelsize": 6,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "text.parse_math": False,  # a dollar sign in a name starts no formula
}
NO_DATE = {"svg": {"Date": None}, "pdf": {"CreationDate": None, "ModDate": None}}


def paper_figures(content: ComparisonContent) -> dict[str, bytes]:
    """Return ``{file name: content}``, every figure as SVG and PDF, 85 or 175 mm wide.

    ``heatmaps_<muscle>``: time courses of everybody; ``envelopes_by_load`` and ``moments_by_method``: the median person;
    ``amplitude_plausibility`` and ``paired_ratios``: everybody. A figure of which nothing is known is left out.
    """
    import matplotlib as mpl

    drawn: dict[str, Callable[[], Figure | None]] = {
        "envelopes_by_load": lambda: envelopes_by_load(content),
        "moments_by_method": lambda: moments_by_method(content),
        "amplitude_plausibility": lambda: amplitude_plausibility(content),
        "paired_ratios": lambda: paired_ratios(content),
    }
    for place, muscle in enumerate(content.deep):
        drawn[_file_name(f"heatmaps_{muscle}", place, drawn)] = lambda muscle=muscle: heatmaps(content, muscle)
    files: dict[str, bytes] = {}
    with mpl.rc_context(STYLE):
        for name, draw in drawn.items():
            figure = draw()
            if figure is not None:
                files |= {f"{name}.{kind}": _saved(figure, kind) for kind in NO_DATE}
    return files


def _file_name(text: str, place: int, taken: dict[str, Callable[[], Figure | None]]) -> str:
    """Return the text as a file name that is not taken yet."""
    name = re.sub(r"[^\w-]+", "_", text, flags=re.ASCII)[:80]
    return f"{name}_{place}" if name in taken else name


def _saved(figure: Figure, kind: str) -> bytes:
    written = BytesIO()
    figure.savefig(written, format=kind, metadata=NO_DATE[kind])
    figure.set_layout_engine("none")  # what was laid out once need not be for the next format
    return written.getvalue()
