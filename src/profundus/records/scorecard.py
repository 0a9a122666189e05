"""Scores, row by row, as ``scores.csv`` holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NAN = float("nan")


@dataclass(frozen=True)
class ScoreRow:
    """One score row; the fields are the columns of ``scores.csv``, in its order.

    ``trial`` is a trial's name, "all" (pooled over the subject's trials of that role) or "load" (pooled per load). ``name`` is a muscle
    (quantity "emg") or a coordinate (quantity "moment"). RMSE is a fraction of maximum or N.m.
    """

    method: str
    subject: str
    trial: str
    load_kg: float
    role: str
    quantity: Literal["emg", "moment"]
    name: str
    r: float = NAN
    rmse: float = NAN
    nrmse: float = NAN
    amplitude_ratio: float = NAN
    rmse_scaled: float = NAN
    lag_ms: float = NAN
    vaf: float = NAN
    coverage90: float = NAN
    band_width: float = NAN
    interval_score90: float = NAN
    hidden: bool = False
    n: int = 0
    r2: float = NAN


@dataclass(frozen=True)
class Scorecard:
    """All score rows of one or several methods."""

    rows: tuple[ScoreRow, ...] = ()
