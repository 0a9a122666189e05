"""How numbers and names are written for a reader."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable

FULL_NAMES = {
    "TRIlong": "triceps long head",
    "TRIlat": "triceps lateral head",
    "TRImed": "triceps medial head",
    "BIClong": "biceps long head",
    "BICshort": "biceps short head",
    "BRA": "brachialis",
}
METHODS = {
    "nmm": "NMM",
    "nmm_paper": "NMM as published",
    "nmm_no_pretraining": "NMM without pretraining",
    "nmm_no_physics": "NMM without physics",
    "nmm_no_emg": "NMM without EMG",
    "copy": "copy of the nearest muscle",
    "copy_group": "mean of the muscle's group",
    "copy_best": "best copy in hindsight",
    "own_pattern": "own pattern in other trials",
    "population_regression": "population regression",
    "mse_nmf": "synergies (NMF)",
    "synx_pca": "synergies (SynX, PCA)",
    "static_optimization": "static optimization",
    "emg_assisted": "EMG-assisted optimization",
    "network_only": "network without physics",
    "physics_only": "physics without network",
}
MISSING = "–"


def escaped(text: object) -> str:
    """Return the text as HTML shows it literally, quotes included."""
    return html.escape(str(text), quote=True)


def muscle_name(name: str) -> str:
    """Return the muscle's name in words, the model's own name behind it: ``Brachialis (BRA)``."""
    full = FULL_NAMES.get(name)
    return f"{full[0].upper()}{full[1:]} ({name})" if full else name


def method_name(method: str) -> str:
    """Return the method's name in words; a star marks a variant with personalized parameters."""
    base = method.removesuffix("_personalized")
    return METHODS.get(base, base) + (" *" if base != method else "")


def plain(value: float, digits: int = 2) -> str:
    """Return a number with fixed digits in ASCII, ``-`` where it is unknown."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"


def fixed(value: float, digits: int = 2) -> str:
    """Return a number with fixed digits and a true minus sign, a dash where it is unknown."""
    return f"{value:.{digits}f}".replace("-", "−") if math.isfinite(value) else MISSING


def significant(value: float, digits: int = 3) -> str:
    """Return a number with significant digits, without needless exponent."""
    if not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return (f"{value:.{decimals}f}" if decimals <= 7 else f"{value:.{digits - 1}e}").replace("-", "−")


def percent(fraction: float, digits: int = 0) -> str:
    """Return a fraction in percent, with a thin space."""
    return f"{fixed(100 * fraction, digits)}\u202f%" if math.isfinite(fraction) else MISSING


def load_name(load_kg: float) -> str:
    """Return the load in words."""
    return f"{load_kg:g} kg" if math.isfinite(load_kg) else "load not stated"


def joined(parts: list[str]) -> str:
    """Return an enumeration in English."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def table(head: tuple[tuple[str, str, str], ...], rows: Iterable[str], kind: str = "") -> str:
    """Return a table in a box that scrolls on its own; ``head`` holds (label, explanation, class)."""
    labels = "".join(
        f'<th scope="col" class="{css}" title="{escaped(explanation)}">{escaped(label)}</th>'
        for label, explanation, css in head
    )
    top = f"<thead><tr>{labels}</tr></thead>" if labels else ""
    return f'<div class="scroll"><table class="{kind}">{top}<tbody>{"".join(rows)}</tbody></table></div>'
