"""The personalized musculoskeletal parameters of one person, row by row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ParameterRow:
    """One parameter: generic and fitted value, fence, widths of prior and posterior (all in ``unit``).

    ``muscle`` is empty for parameters of the whole person. ``moved_by_data``: the posterior is narrower than 0.8 of the prior.
    ``at_bound``: within 1 % of the range from a bound.
    """

    muscle: str
    parameter: str
    unit: str
    generic: float
    fitted: float
    lower: float
    upper: float
    posterior_sd: float
    prior_sd: float

    @property
    def moved_by_data(self) -> bool:
        """Return whether the data narrowed the prior."""
        return self.posterior_sd < 0.8 * self.prior_sd

    @property
    def at_bound(self) -> bool:
        """Return whether the fitted value sits at a bound."""
        margin = 0.01 * (self.upper - self.lower)
        return self.fitted <= self.lower + margin or self.fitted >= self.upper - margin


@dataclass(frozen=True)
class TradeOff:
    """Two unknowns that the data hardly tell apart: what one gains, the other makes up for. ``correlation`` is that of their posterior."""

    first: str
    second: str
    correlation: float


@dataclass(frozen=True)
class DecidedRow:
    """How wide the log excitation of a muscle without an electrode is (standard deviations), as more and more is known.

    ``motion_sd`` with motion and load alone, ``envelopes_sd`` and ``moments_sd`` with these beside them, ``all_sd`` with everything;
    ``level_motion_sd`` and ``level_all_sd`` are the parts of it that all samples of the person share. ``calibrated``: a wire, a maximal
    contraction or a ratio is part of everything.
    """

    muscle: str
    motion_sd: float
    envelopes_sd: float
    moments_sd: float
    all_sd: float
    level_motion_sd: float
    level_all_sd: float
    calibrated: bool = False

    @property
    def share(self) -> float:
        """Return the share of the variance that envelopes, moments and calibrations decided."""
        return 1.0 - self.all_sd**2 / self.motion_sd**2
