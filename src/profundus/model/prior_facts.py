"""What stands in the header of a learned prior's file, and whether it is one of a study's model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from profundus.errors import Problem
from profundus.records import Anatomy

KIND = "learned prior"
NAMES = ("muscles", "groups", "coordinates", "electrodes")
AGAIN = "Take the prior that comes with this version, or teach it again with `profundus pretrain`"


def facts_problems(facts: Mapping[str, Any], file: str) -> list[Problem]:
    """Return why facts are not those of a learned prior."""
    if facts.get("kind") != KIND:
        return [Problem("error", "not a learned prior", file, expected=f"kind '{KIND}' in its facts", remedy=AGAIN)]
    missing = [name for name in (*NAMES, "learning", "seen") if name not in facts]
    return [Problem("error", f"not in it: {', '.join(missing)}", file, remedy=AGAIN)] if missing else []


def mismatch(facts: Mapping[str, Any], anatomy: Anatomy, coordinates: tuple[str, ...]) -> str:
    """Return in what a prior is not that of an anatomy whose ``coordinates`` move; empty where it is.

    Groups that the anatomy does not know yet (those of an OpenSim model before it is sampled) are not looked at.
    """
    muscles, groups, moved = (tuple(facts[name]) for name in ("muscles", "groups", "coordinates"))
    if muscles != anatomy.muscles:
        return f"knows {', '.join(muscles)}, the model has {', '.join(anatomy.muscles)}"
    if any(own and own != group for own, group in zip(anatomy.groups, groups, strict=True)):
        return f"groups muscles as {', '.join(groups)}, the model as {', '.join(anatomy.groups)}"
    if moved != coordinates:
        return f"knows {', '.join(moved)}, the study moves {', '.join(coordinates)}"
    return ""
