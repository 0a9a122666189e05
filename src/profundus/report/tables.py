"""Scores as rows of text, for a terminal and for the page."""

from __future__ import annotations

from profundus.records import Scorecard, ScoreRow
from profundus.report.verdict import pooled_rows
from profundus.report.words import plain
from profundus.validate.paired import Error


def score_table(card: Scorecard, *, by: Error = "rmse") -> list[dict[str, str]]:
    """Return one row of text per subject, muscle (or coordinate) and method.

    Pooled over the subject's test trials; over the fit trials, and said so in ``trials``, where there is no test trial. RMSE is a fraction
    of maximum for muscles and N.m for moments; ``-`` is unknown. ``by`` "rmse_scaled": what is left after one factor leads, and amplitudes
    are left out.
    """
    subjects = dict.fromkeys(row.subject for row in card.rows)
    rows = [row for subject in subjects for row in grouped(pooled_rows(card, subject)[0])]
    return [_texts(row) if by == "rmse" else _scaled_texts(row) for row in rows]


def grouped(rows: list[ScoreRow], first: tuple[str, ...] = ()) -> list[ScoreRow]:
    """Return the rows with those of one muscle together, the muscles ``first`` at the top, moments last, otherwise in their own order."""
    names = list(dict.fromkeys(row.name for row in rows))
    return sorted(rows, key=lambda row: (row.quantity == "moment", row.name not in first, names.index(row.name)))


def _scaled_texts(row: ScoreRow) -> dict[str, str]:
    known = _texts(row)
    led = {key: known[key] for key in ("subject", "muscle", "method", "trials", "r")}
    return {**led, "RMSE after factor": plain(row.rmse_scaled, 4), "coverage": known["coverage"]}


def _texts(row: ScoreRow) -> dict[str, str]:
    return {
        "subject": row.subject,
        "muscle": row.name if row.quantity == "emg" else f"{row.name} moment",
        "method": row.method,
        "trials": row.role,
        "r": plain(row.r),
        "nRMSE": plain(row.nrmse),
        "RMSE": plain(row.rmse, 3),
        "amplitude ratio": plain(row.amplitude_ratio),
        "coverage": plain(row.coverage90),
    }
