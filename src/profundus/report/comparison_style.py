"""One look a method, the same in every picture: the hue tells its family, line and marker its place in the family."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from profundus.report.words import method_name

Dash = Literal["solid", "dash", "dot", "dashdot"]
TRUTH = "#111417"


@dataclass(frozen=True)
class MethodStyle:
    """Color, line and marker (by Plotly's names) of a method."""

    color: str
    dash: Dash
    marker: str


# Hues after Okabe and Ito (2008) and Tol (2021), darkened where they are too faint on white; families: ours blue, copies gray,
# synergies green, optimization purple, learned without physics orange, physics alone olive.
KNOWN = {
    "nmm": MethodStyle("#0b5fa5", "solid", "circle"),
    "nmm_paper": MethodStyle("#3f9fe0", "dash", "circle-open"),
    "nmm_no_pretraining": MethodStyle("#2f7fc4", "dashdot", "circle-open"),
    "nmm_no_physics": MethodStyle("#5a8fd6", "dot", "circle-open"),
    "nmm_no_emg": MethodStyle("#7d9fc9", "dot", "circle-open"),
    "copy": MethodStyle("#6b7378", "solid", "square"),
    "copy_group": MethodStyle("#8b9297", "dash", "square-open"),
    "copy_best": MethodStyle("#9aa0a4", "dot", "square-open"),
    "own_pattern": MethodStyle("#4a4f53", "dot", "star"),
    "population_regression": MethodStyle("#e08a00", "solid", "diamond"),
    "network_only": MethodStyle("#c2510c", "dash", "diamond-open"),
    "mse_nmf": MethodStyle("#00795a", "solid", "triangle-up"),
    "synx_pca": MethodStyle("#3fae8d", "dash", "triangle-up-open"),
    "static_optimization": MethodStyle("#8e3a80", "solid", "cross"),
    "emg_assisted": MethodStyle("#c977b4", "dash", "cross-open"),
    "physics_only": MethodStyle("#857400", "dashdot", "hexagon"),
}
SPARE = tuple(MethodStyle(color, "dashdot", "pentagon") for color in ("#8c2f4b", "#332288", "#5b4a2f", "#117733"))


def method_styles(methods: Iterable[str]) -> dict[str, MethodStyle]:
    """Return ``{method: style}``; a personalized variant keeps its method's color, dotted."""
    found: dict[str, MethodStyle] = {}
    strangers: dict[str, MethodStyle] = {}
    for method in methods:
        base = method.removesuffix("_personalized")
        if base not in KNOWN:
            strangers.setdefault(base, SPARE[len(strangers) % len(SPARE)])
        style = KNOWN.get(base) or strangers[base]
        found[method] = style if base == method else MethodStyle(style.color, "dot", f"{_solid(style)}-open-dot")
    return found


def _solid(style: MethodStyle) -> str:
    return style.marker.removesuffix("-open")


SHORT = {
    "nmm_paper": "NMM, published",
    "nmm_no_pretraining": "NMM, untaught",
    "nmm_no_physics": "NMM, no physics",
    "nmm_no_emg": "NMM, no EMG",
    "copy": "copy",
    "copy_group": "group mean",
    "copy_best": "best copy",
    "own_pattern": "own pattern",
    "population_regression": "population",
    "mse_nmf": "NMF",
    "synx_pca": "SynX",
    "static_optimization": "static optim.",
    "emg_assisted": "EMG-assisted",
    "network_only": "network only",
    "physics_only": "physics only",
}


def short_name(method: str) -> str:
    """Return the method's name for narrow places; a star marks a personalized variant."""
    base = method.removesuffix("_personalized")
    return SHORT.get(base, method_name(base)) + ("*" if base != method else "")
