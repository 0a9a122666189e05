"""What physiologists know of deep muscles near 90 degrees, beside the level that each answer gives them there."""

from __future__ import annotations

import math

from profundus.records import Reconstruction
from profundus.report.comparison_content import ComparisonContent
from profundus.report.words import joined
from profundus.validate.physiology import PHYSIOLOGY, KnownLevel, Way, level_near

ANGLE, WIDTH = math.pi / 2, math.radians(20.0)


def expected(muscle: str, load_kg: float) -> tuple[float, float] | None:
    """Return the known range (low, high) of a muscle's level at a load [fraction of maximum], None where nothing is known."""
    return next(
        (
            (known.low, known.high)
            for known in _known(muscle)
            if math.isnan(known.load_kg) or math.isclose(known.load_kg, load_kg, abs_tol=0.05)
        ),
        None,
    )


def way_of(muscle: str) -> Way:
    """Return on which way of the angle the muscle's known level holds: "rising" is flexion; "any" where nothing is known."""
    return next((known.way for known in _known(muscle)), "any")


def levels_of(rec: Reconstruction, muscle: str) -> dict[float, float]:
    """Return ``{load [kg]: mean level near 90 degrees}`` of a muscle, on the way for which its level is known."""
    there = all(muscle in part.trial.muscles for part in rec.trials)
    return level_near(rec, muscle, angle=ANGLE, width=WIDTH, way=way_of(muscle)) if rec.trials and there else {}


def amplitude_words(content: ComparisonContent) -> str:
    """Return what the picture of amplitudes shows, and where its ranges come from."""
    said = "Mean excitation between 80 and 100 deg of the first joint angle: median over people, bars from 5 to 95 %."
    sources = []
    for muscle in content.deep:
        known = _known(muscle)
        if known:
            flexing = " while flexing" if known[0].way == "rising" else ""
            sources.append(f"{muscle}{flexing} ({known[0].source})")
    if not sources:
        return said
    return (
        f"{said} Green: what is known of {joined(sources)}; for orientation, no bound, as weak people work much harder."
    )


def _known(muscle: str) -> list[KnownLevel]:
    return [known for known in PHYSIOLOGY if known.muscle == muscle]
