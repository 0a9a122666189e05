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
