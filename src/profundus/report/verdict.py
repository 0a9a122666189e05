"""What the numbers of one person say, in plain words, and what they cannot say."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from profundus.records import Scorecard, ScoreRow
from profundus.report.content import PageContent, SubjectContent
from profundus.report.words import fixed, joined, muscle_name, percent
from profundus.validate.paired import Error

Tone = Literal["good", "caution", "bad", "unknown"]

EXPLAINED, PARTLY_EXPLAINED = 0.9, 0.7  # R² of the moment
FOLLOWS, FOLLOWS_LOOSELY = 0.85, 0.6  # correlation with the truth
AMPLITUDE_OFF = 0.25  # share by which the mean may stray before only the time course counts
NUISANCES = ("emg_gain", "excitation_level")  # fitted beside the parameters, and none of them
NARROW, WIDE = 0.8, 0.97  # share of the truth that a 90 % band should hold, at least and at most


@dataclass(frozen=True)
class Finding:
    """One statement: a title, the number that carries it (may be empty), sentences and their tone."""

    title: str
    number: str
    sentences: tuple[str, ...]
    tone: Tone


@dataclass(frozen=True)
class Verdict:
    """A headline and the findings behind it."""

    headline: str
    findings: tuple[Finding, ...]

    @property
    def text(self) -> str:
        """Return the verdict as one paragraph."""
        said = (f"{f.title}: {f.number + '. ' if f.number else ''}{' '.join(f.sentences)}" for f in self.findings)
        return " ".join((self.headline, *said))


def verdict(content: PageContent, subject: SubjectContent) -> Verdict:
    """Return the verdict on one person's answer, from the rows pooled over test trials (over fit trials where there is no other)."""
    rows, role = pooled_rows(content.scorecard, subject.id)
    own = [row for row in rows if row.method == subject.reconstruction.method]
    moments = [_moment(name, own) for name in content.explained]
    deep = [_deep(name, own, rows, content, subject) for name in content.deep]
    headline = " ".join((_moment_headline(own, role), _deep_headline(own, content.deep)))
    return Verdict(headline, (*moments, *deep, *_parameters(subject)))


def pooled_rows(card: Scorecard, subject: str) -> tuple[list[ScoreRow], str]:
    """Return one person's rows pooled over the test trials, or over the fit trials where there is no test trial; and that role."""
    pooled = [row for row in card.rows if row.trial == "all" and row.subject == subject]
    role = "test" if any(row.role == "test" for row in pooled) else "fit"
    return [row for row in pooled if row.role == role], role


def _find(rows: Iterable[ScoreRow], quantity: str, name: str) -> ScoreRow | None:
    return next((row for row in rows if row.quantity == quantity and row.name == name), None)


def _moment_headline(rows: list[ScoreRow], role: str) -> str:
    scored = [row.r2 for row in rows if row.quantity == "moment" and math.isfinite(row.r2)]
    if not scored:
        return "The moment was not scored: nothing here was held against inverse dynamics."
    where = "test trials" if role == "test" else "the very trials it was fitted to (there are no test trials)"
    number = f"R² {fixed(min(scored))}" if len(scored) == 1 else f"R² {fixed(min(scored))} to {fixed(max(scored))}"
    if min(scored) >= EXPLAINED:
        return f"Moment explained on {where}: {number}."
    if min(scored) >= PARTLY_EXPLAINED:
        return f"Moment only partly explained on {where}: {number}."
    return f"Moment not explained on {where}: {number}. Do not read the deep envelopes before that is understood."


def _deep_headline(rows: list[ScoreRow], deep: tuple[str, ...]) -> str:
    scored = [(name, row.r) for name in deep if (row := _find(rows, "emg", name)) and math.isfinite(row.r)]
    if not scored:
        return "No truth to compare with: a good moment fit does not prove the deep envelopes."
    said = joined([f"{name} r {fixed(r)}" for name, r in scored])
    unscored = [name for name in deep if name not in dict(scored)]
    rest = f" No truth to compare with for {joined(unscored)}." if unscored else ""
    return f"Deep envelopes against known truth: {said}.{rest}"


def _moment(coordinate: str, rows: list[ScoreRow]) -> Finding:
    title = f"Moment, {coordinate}"
    row = _find(rows, "moment", coordinate)
    if row is None or not math.isfinite(row.r2):
        return Finding(title, "", ("No measured moment to hold the model against.",), "unknown")
    error = f"RMSE {fixed(row.rmse)} N·m."
    if row.r2 >= EXPLAINED:
        return Finding(title, f"R² {fixed(row.r2)}", (error,), "good")
    tone: Tone = "caution" if row.r2 >= PARTLY_EXPLAINED else "bad"
    return Finding(title, f"R² {fixed(row.r2)}", (error, "The model misses part of the moment."), tone)


def _deep(
    muscle: str, own: list[ScoreRow], rows: list[ScoreRow], content: PageContent, subject: SubjectContent
) -> Finding:
    row = _find(own, "emg", muscle)
    flags = {flag.name: flag.why for flag in content.flags_of(subject) if flag.muscle == muscle}
    cautions = [_flag_words(name, why) for name, why in flags.items()]
    if row is None or not math.isfinite(row.r):
        said = (_level_words(subject, muscle), "No truth to compare with.", *cautions)
        return Finding(muscle_name(muscle), "", said, "unknown")
    words, tone = _against_truth(row, content.error)
    beside = _beside_copy(row, _find((r for r in rows if r.method == "copy"), "emg", muscle), content.error)
    if flags:
        tone = "bad" if tone == "bad" else "caution"
    return Finding(muscle_name(muscle), f"r {fixed(row.r)}", (*words, *beside, *cautions), tone)


def _against_truth(row: ScoreRow, by: Error) -> tuple[list[str], Tone]:
    tone: Tone = "good" if row.r >= FOLLOWS else "caution" if row.r >= FOLLOWS_LOOSELY else "bad"
    reference = "its own EMG, hidden on purpose" if row.hidden else "known truth"
    follows = {"good": "Follows", "caution": "Follows loosely", "bad": "Does not follow"}[tone]
    if by == "rmse_scaled":
        return [
            f"{follows} {reference}, RMSE {fixed(row.rmse_scaled, 4)} after one factor: amplitudes mean nothing here."
        ], tone
    words = [
        f"{follows} {reference}, RMSE {percent(row.rmse, 1)} of maximum.",
        f"Amplitude ×{fixed(row.amplitude_ratio)}.",
    ]
    if abs(row.amplitude_ratio - 1) > AMPLITUDE_OFF and tone != "bad":
        words[-1] += " Trust the time course more than the amplitude."
        tone = "caution" if tone == "good" else tone
    if math.isfinite(row.coverage90):
        words.append(f"The 90\u202f% band holds {percent(row.coverage90)}{_band_words(row.coverage90)}.")
        tone = "caution" if tone == "good" and row.coverage90 < NARROW else tone
    return words, tone


def _band_words(coverage: float) -> str:
    return ": too narrow, too sure of itself" if coverage < NARROW else ": wider than needed" if coverage > WIDE else ""


def _beside_copy(row: ScoreRow, copy: ScoreRow | None, by: Error) -> list[str]:
    floor: float = getattr(copy, by, math.nan)
    if row.method == "copy" or not (math.isfinite(floor) and floor > 0):
        return []
    ratio: float = getattr(row, by) / floor
    judged = "better than" if ratio < 0.95 else "worse than" if ratio > 1.05 else "no better than"
    return [f"Error ×{fixed(ratio)} of the copy's: {judged} copying the nearest measured muscle."]


def _flag_words(name: str, why: str) -> str:
    known = {
        "silent": "silent for most of the time",
        "saturated": "saturated",
        "prior_only": "only the prior speaks, the data did not narrow it",
    }
    reason = f" ({why.rstrip('.')})" if why else ""
    return f"Caution: {known.get(name, name.replace('_', ' '))}{reason}."


def _level_words(subject: SubjectContent, muscle: str) -> str:
    answers = [answer for answer in subject.reconstruction.trials if muscle in answer.trial.muscles]
    if not answers:
        return "Not in any trial."
    columns = [answer.trial.muscles.index(muscle) for answer in answers]
    level = np.concatenate([a.excitation[:, k] for a, k in zip(answers, columns, strict=True)]).mean()
    width = np.concatenate([(a.upper - a.lower)[:, k] for a, k in zip(answers, columns, strict=True)]).mean()
    band = f"90\u202f% band on average {percent(float(width))} wide" if width > 0 else "without a band"
    return f"Mean {percent(float(level))} of maximum, {band}."


def _parameters(subject: SubjectContent) -> list[Finding]:
    rows = [row for row in subject.parameters if row.parameter not in NUISANCES]
    if not rows:
        return []
    moved, at_bound = sum(row.moved_by_data for row in rows), sum(row.at_bound for row in rows)
    stuck = f"{at_bound} {'sits' if at_bound == 1 else 'sit'} at a bound." if at_bound else "None sits at a bound."
    said = ("Narrowed by the data; the others are what the prior says.", stuck)
    return [Finding("Parameters", f"{moved} of {len(rows)}", said, "caution" if at_bound else "good")]
