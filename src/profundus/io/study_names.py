"""Names and values of a study file as they may be written, shown and corrected."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
PATTERN = re.compile(r"[A-Za-z0-9_*?-][A-Za-z0-9_.*?-]{0,63}")
NAME_RULE = "1 to 64 letters, digits, '_', '-' or '.', not beginning with a dot"

_SIDE = re.compile(r"(?<![A-Za-z])(left|right|l|r)(?![A-Za-z])", re.IGNORECASE)
_OTHER = {"l": "r", "r": "l", "left": "right", "right": "left"}

LONGEST = 120
"""Characters of a text that an error shows: paths are longer than names."""


def is_name(text: str) -> bool:
    """Return whether a muscle, coordinate, subject or trial may be called so: names become file names and HTML."""
    return NAME.fullmatch(text) is not None


def is_pattern(text: str) -> bool:
    """Return whether a text is a name, or a name with * or ? for what may vary."""
    return PATTERN.fullmatch(text) is not None


def shown(value: object) -> str:
    """Return a value as an error may show it: on one line, escaped, shortened."""
    if isinstance(value, int) and abs(value) > 10**18:
        return "a very large number"
    if isinstance(value, list) and len(value) <= 4 and all(isinstance(item, int | float) for item in value):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else f"a list of {len(value)}"
    if not isinstance(value, str):
        return str(value)
    short = value if len(value) <= LONGEST else value[: LONGEST - 3] + "..."
    return "'" + "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in short) + "'"


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return "Did you mean 'x'?" for the known name that is nearest to a name, or the known names, or nothing."""
    names = list(known)
    folded = {candidate.casefold(): candidate for candidate in reversed(names)}
    close = difflib.get_close_matches(name[:64].casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {shown(folded[close[0]])}?"
    return "There is " + ", ".join(shown(n) for n in names[:12]) + (" ..." if len(names) > 12 else "") if names else ""


def other_side(name: str, known: Iterable[str]) -> str:
    """Return the known name that is the same on the other side of the body (``knee_angle_l`` of ``knee_angle_r``), or nothing."""
    mirrored = _SIDE.sub(lambda found: _OTHER[found[0].lower()], name).casefold()
    return next((one for one in known if one.casefold() == mirrored != name.casefold()), "")
