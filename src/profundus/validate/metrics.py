"""How near an estimate comes to the truth: in shape, in size, in time, and within its own band.

All functions take samples over time (time,), leave out those where either is NaN, and return NaN where the score is not defined.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem

Floats = NDArray[np.float64]


def pearson_r(truth: Floats, estimate: Floats) -> float:
    """Return Pearson's correlation [-]; NaN where either is constant."""
    y, x = both(truth, estimate)
    if _constant(y) or _constant(x):
        return np.nan
    y, x = y - y.mean(), x - x.mean()
    return float(np.sum(y * x) / np.sqrt(np.sum(y**2) * np.sum(x**2)))


def rmse(truth: Floats, estimate: Floats) -> float:
    """Return the root mean square of the error, in the unit of the truth."""
    y, x = both(truth, estimate)
    return float(np.sqrt(np.mean((x - y) ** 2))) if len(y) else np.nan


def nrmse(truth: Floats, estimate: Floats) -> float:
    """Return RMSE / range of the truth [-]."""
    y, _ = both(truth, estimate)
    return _ratio(rmse(truth, estimate), float(np.ptp(y))) if len(y) else np.nan


def amplitude_ratio(truth: Floats, estimate: Floats) -> float:
    """Return mean of the estimate / mean of the truth [-]; NaN where the truth swings around zero and has no amplitude to speak of."""
    y, x = both(truth, estimate)
    if not len(y) or abs(float(np.mean(y))) < 0.02 * float(np.ptp(y)):
        return np.nan
    return _ratio(float(np.mean(x)), float(np.mean(y)))


def rmse_scaled(truth: Floats, estimate: Floats) -> float:
    """Return what is left of the RMSE after the one factor on the estimate that makes it smallest: the error of the time course."""
    y, x = both(truth, estimate)
    power = float(np.sum(x**2))
    return rmse(y, x * (float(np.sum(x * y)) / power if power > 0.0 else 0.0))


def vaf(truth: Floats, estimate: Floats) -> float:
    """Return the variance accounted for, 1 - sum(error^2) / sum(truth^2) [-], about zero as in the study of muscle synergies."""
    y, x = both(truth, estimate)
    return 1.0 - _ratio(float(np.sum((x - y) ** 2)), float(np.sum(y**2)))


def r2(truth: Floats, estimate: Floats) -> float:
    """Return the coefficient of determination, 1 - sum(error^2) / sum((truth - its mean)^2) [-]; may be negative."""
    y, x = both(truth, estimate)
    return 1.0 - _ratio(float(np.sum((x - y) ** 2)), float(np.sum((y - y.mean()) ** 2))) if len(y) else np.nan


def lag_ms(truth: Floats, estimate: Floats, *, step: float, reach_ms: float = 300.0) -> float:
    """Return by how many milliseconds the estimate comes late (negative: early), ``step`` [s] being the clock's.

    The lag at which the estimate, moved back, correlates best with the truth, a parabola through the three highest values; NaN where
    no peak lies within ``reach_ms`` (or a quarter of the trial, where that is less).
    """
    reach = min(round(reach_ms / 1000.0 / step), len(truth) // 4)
    if reach < 1:
        return np.nan
    r = _lagged_r(truth, estimate, reach)
    if np.isnan(r).any():
        return np.nan
    peak = int(np.argmax(r))
    if peak in (0, len(r) - 1):
        return np.nan
    before, top, after = r[peak - 1 : peak + 2]
    bend = before - 2.0 * top + after
    offset = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
    return float((peak - reach + offset) * step * 1000.0)


def coverage90(truth: Floats, lower: Floats, upper: Floats) -> float:
    """Return the fraction of samples at which the truth lies in the band [-]; 0.9 is asked of a 90 % band."""
    y, low, high = both(truth, lower, upper)
    return float(np.mean((y >= low) & (y <= high))) if len(y) else np.nan


def band_width(lower: Floats, upper: Floats) -> float:
    """Return the mean width of the band, in its unit."""
    low, high = both(lower, upper)
    return float(np.mean(high - low)) if len(low) else np.nan


def interval_score90(truth: Floats, lower: Floats, upper: Floats) -> float:
    """Return the mean interval score of a 90 % band, width + 2/0.1 x what the truth lies outside; smaller is better.

    Gneiting and Raftery (2007), eq. 43.
    """
    y, low, high = both(truth, lower, upper)
    outside = np.maximum(low - y, 0.0) + np.maximum(y - high, 0.0)
    return float(np.mean(high - low + 2.0 / 0.1 * outside)) if len(y) else np.nan


def constant_band_score(truth: Floats, center: Floats, coverage: float) -> float:
    """Return the interval score of the band center +- constant that covers this fraction of the truth: what a band has to be better than.

    ``truth`` and ``center`` are (time,); the score is that of `interval_score90`. The constant is chosen in hindsight. NaN where
    nothing or no coverage is known. Raises InputError for a coverage that is no fraction.
    """
    if not (np.isnan(coverage) or 0.0 <= coverage <= 1.0):
        raise InputError(Problem("error", f"coverage is {coverage:g}", expected="a fraction, 0 to 1"))
    y, middle = both(truth, center)
    if not len(y) or np.isnan(coverage):
        return np.nan
    half = float(np.quantile(np.abs(y - middle), coverage, method="inverted_cdf")) if coverage > 0.0 else 0.0
    return interval_score90(y, middle - half, middle + half)


def both(*series: Floats) -> tuple[Floats, ...]:
    """Return the samples at which all of the series are known."""
    known = np.all(np.isfinite(series), axis=0)
    return tuple(np.asarray(one, dtype=np.float64)[known] for one in series)


def _lagged_r(truth: Floats, estimate: Floats, reach: int) -> Floats:
    """Return Pearson's r (lag,) of the truth with the estimate moved back by -reach to reach samples; NaN where one of them is constant."""
    known = [np.isfinite(truth), np.isfinite(estimate)]
    if not known[0].any() or not known[1].any():
        return np.full(2 * reach + 1, np.nan)
    y, x = (np.where(k, s - np.mean(s[k]), 0.0) for s, k in zip((truth, estimate), known, strict=True))
    here, there = (k.astype(float) for k in known)

    def summed(one: Floats, other: Floats) -> Floats:
        return np.correlate(np.pad(other, reach), one, mode="valid")

    count = np.maximum(summed(here, there), 1.0)
    mean_y, mean_x = summed(y, there) / count, summed(here, x) / count
    power_y = summed(y**2, there) / count - mean_y**2
    power_x = summed(here, x**2) / count - mean_x**2
    flat = (power_y <= 1e-12 * np.max(y**2)) | (power_x <= 1e-12 * np.max(x**2))
    shared = summed(y, x) / count - mean_y * mean_x
    return np.where(flat, np.nan, shared / np.sqrt(np.where(flat, 1.0, power_y * power_x)))


def _constant(series: Floats) -> bool:
    """Return whether a series varies by no more than rounding does."""
    return len(series) < 2 or float(np.ptp(series)) <= 1e-12 * float(np.max(np.abs(series)))


def _ratio(above: float, below: float) -> float:
    return above / below if below != 0.0 else np.nan
