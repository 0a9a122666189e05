"""What a comparison says in plain words, muscle by muscle, and what it cannot say."""

from __future__ import annotations

import math

from profundus.report.comparison_content import FLOOR, ComparisonContent
from profundus.report.comparison_numbers import moment_r2, ranked, ratios
from profundus.report.verdict import EXPLAINED, Finding, Tone
from profundus.report.words import fixed, joined, method_name, muscle_name
from profundus.validate.paired import PairedRow

ENOUGH_PEOPLE = 20
NOT_SCORED = "Nothing was held against a truth: pictures only, and no method can be said to be better than another."


def headline(content: ComparisonContent) -> str:
    """Return which method comes nearest to the truth, for each deep muscle."""
    said = [
        _nearest(muscle, rows, _target(content, muscle)) for muscle in content.deep if (rows := ranked(content, muscle))
    ]
    return " ".join(said) if said else NOT_SCORED


def _target(content: ComparisonContent, muscle: str) -> str:
    return "its own hidden EMG" if muscle in content.hidden else "the truth"


def _nearest(muscle: str, rows: list[PairedRow], target: str) -> str:
    best = rows[0]
    if best.method == FLOOR:
        return f"{muscle}: no method comes nearer to {target} than copying the nearest measured muscle."
    judged = "" if _tone(best) != "caution" else "; that is not told apart from no difference"
    return (
        f"{muscle}: {method_name(best.method)} comes nearest to {target}, with {fixed(best.ratio)} times the error of copying "
        f"the nearest measured muscle ({_certainty(best)}){judged}."
    )


def findings(content: ComparisonContent) -> tuple[Finding, ...]:
    """Return one finding for each deep muscle: our method's error against the copy's, and who comes nearest.

    Where the copy is the first of the methods, there is none of ours: the best of the others stands in the finding.
    """
    return tuple(_finding(content, muscle) for muscle in content.deep)


def _finding(content: ComparisonContent, muscle: str) -> Finding:
    rows = ranked(content, muscle)
    others = [row.method for row in rows if row.method != FLOOR]
    shown = others[0] if content.methods[0] == FLOOR and others else content.methods[0]
    ours = next((row for row in rows if row.method == shown), None)
    copy = next((row for row in rows if row.method == FLOOR), None)
    name = method_name(shown)
    if ours is None:
        return Finding(muscle_name(muscle), "", (f"{name} was not scored for this muscle.",), "unknown")
    beside = f", the copy {fixed(copy.r)}" if copy is not None else ""
    rank = rows.index(ours) + 1
    best = (
        "the nearest of all" if rank == 1 else f"{method_name(rows[0].method)} comes nearer (×{fixed(rows[0].ratio)})"
    )
    said = (
        f"Error of {name} against the copy's{_interval(ours)}; nearer to the truth in {ours.wins} of {ours.people} people.",
        f"Place {rank} of {len(rows)}: {best}.",
        f"Median r {fixed(ours.r)}{beside}.",
    )
    return Finding(muscle_name(muscle), f"×{fixed(ours.ratio)}", said, _tone(ours))


def cautions(content: ComparisonContent) -> tuple[str, ...]:
    """Return what a reader must not conclude: that a moment fit proves anything, that a few people decide, that all are in the ranking."""
    found = (_moment_caution(content), _people_caution(content), _silence_caution(content))
    return tuple(text for text in found if text)


def _moment_caution(content: ComparisonContent) -> str:
    good = [method for method, r2 in moment_r2(content).items() if r2 >= EXPLAINED]
    spreads = []
    for muscle in content.deep:
        errors = [row.ratio for row in ranked(content, muscle) if row.method in good]
        if len(errors) > 1:
            spreads.append(f"{muscle} from ×{fixed(min(errors))} to ×{fixed(max(errors))}")
    if not spreads:
        return "A good fit of the moment proves nothing about a deep muscle: many excitations give the same moment."
    return (
        f"A good fit of the moment proves nothing: {len(good)} methods explain it with R² of {EXPLAINED:g} or more, and their "
        f"errors still range, as multiples of the copy's, for {joined(spreads)}."
    )


def _people_caution(content: ComparisonContent) -> str:
    people = max((row.people for muscle in content.deep for row in ranked(content, muscle)), default=0)
    if not 0 < people < ENOUGH_PEOPLE:
        return ""
    counted = "One person decides" if people == 1 else f"{people} people decide"
    return f"{counted} little: a ranking needs about {ENOUGH_PEOPLE}."


def _silence_caution(content: ComparisonContent) -> str:
    """Return which methods have answered and are in no ranking, as they did not answer the samples that the copy is judged by."""
    scored = {row.method for row in ratios(content)}
    answered = {answer.method for subject in content.subjects for answer in subject.answers}
    silent = [method_name(name) for name in content.methods if name in answered - scored]
    if not scored or not silent:
        return ""
    return (
        f"Not held against the copy, as fewer of the judged samples were answered, or none: {joined(silent)}. "
        "Is a moment missing that they need?"
    )


def _tone(row: PairedRow) -> Tone:
    if not (math.isfinite(row.lower) and math.isfinite(row.upper)):
        return "unknown"
    return "good" if row.upper < 1 else "bad" if row.lower > 1 else "caution"


def _interval(row: PairedRow) -> str:
    return f" ({fixed(row.lower)} to {fixed(row.upper)})" if math.isfinite(row.lower) else ""


def _certainty(row: PairedRow) -> str:
    wins = f"nearer in {row.wins} of {row.people} people"
    return f"{fixed(row.lower)} to {fixed(row.upper)}, {wins}" if math.isfinite(row.lower) else wins
