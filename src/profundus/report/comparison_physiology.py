"""What physiologists have measured of deep muscles near 90 degrees, as a range beside the answers."""

from __future__ import annotations

from profundus.report.comparison_content import ComparisonContent


def expected(content: ComparisonContent, muscle: str, load_kg: float) -> tuple[float, float] | None:
    """Return the range (low, high) of a muscle's level at a load, as fractions of maximum, None where nothing is known."""
    return None


def amplitude_words(content: ComparisonContent) -> str:
    """Return what the picture of amplitudes shows, and where its physiological ranges come from."""
    return "Mean excitation within 10 deg of 90 deg: median over people, bars from 5 to 95 %."
