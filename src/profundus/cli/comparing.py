"""`compare` and `validate`: every method on the same split, in a table, a page and figures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from profundus.cli.fitting import warning_words
from profundus.cli.outcome import Outcome, Words, printable, table
from profundus.cli.progress import Listener, shown_progress
from profundus.io.study_file import read_study
from profundus.pages.comparison import write_comparison_page
from profundus.pages.run import PAGE
from profundus.protocols.asking import Asked, ComparisonResult, How
from profundus.protocols.comparing import compare_study
from profundus.protocols.hiding import validate_study
from profundus.protocols.methods import chosen
from profundus.records import Flag, Scorecard
from profundus.records.recording import Role
from profundus.report.scale import leading_error
from profundus.report.words import plain
from profundus.validate.paired import Error, PairedRow, paired

MISSING = "-"
SHOWN = 12


@dataclass(frozen=True)
class Wish:
    """What the options of both commands say, in words."""

    methods: str = "all"
    split: str = "roles"
    seed: int = 0
    people: int = 100
    subjects: Sequence[str] | None = None
    resume: bool = False
    overwrite: bool = False
    data_root: Path | None = None
    quiet: bool = False


def compared(study_file: Path, out: Path, wish: Wish) -> Outcome:
    """Return the outcome of asking every method about everybody; answers, scores, page and figures have been written."""
    study = read_study(study_file, data_root=wish.data_root)
    with shown_progress(quiet=wish.quiet) as tell:
        return _outcome(compare_study(study, out, _asked(wish), _how(wish, tell)))


def validated(study_file: Path, out: Path, hide: Sequence[str], wish: Wish) -> Outcome:
    """Return the outcome of hiding measured muscles; answers, scores, page and figures have been written."""
    study = read_study(study_file, data_root=wish.data_root)
    with shown_progress(quiet=wish.quiet) as tell:
        return _outcome(validate_study(study, out, hide, _asked(wish), _how(wish, tell)))


def _asked(wish: Wish) -> Asked:
    named = [name.strip() for name in wish.methods.split(",") if name.strip()]
    return Asked(chosen(None if "all" in named else named), wish.seed, wish.people, wish.split)


def _how(wish: Wish, tell: Listener | None) -> How:
    return How(wish.subjects, wish.resume, wish.overwrite, tell, write_comparison_page)


def _outcome(result: ComparisonResult) -> Outcome:
    everybody, per_load = held_against_copy(result)
    return Outcome(_facts(result, everybody, per_load), _words(result, everybody, per_load))


def held_against_copy(result: ComparisonResult) -> tuple[list[PairedRow], list[PairedRow]]:
    """Return every method against the copy for the muscles in question, over all loads and load by load; nothing where no truth is known.

    On the test trials; on those of the fit where there are no others.
    """
    manifest = result.directory.manifest
    names = set(manifest["hidden"] or manifest["deep"])
    rows = [row for row in result.scores.rows if row.quantity == "emg" and row.name in names]
    card = Scorecard(tuple(rows))
    if not rows:
        return [], []
    role: Role = "test" if any(row.role == "test" for row in rows) else "fit"
    per_load = any(row.trial == "load" and row.role == role for row in rows)
    by = leading_error(manifest)
    loads = paired(card, role=role, pooled="load", by=by) if per_load else ()
    return list(paired(card, role=role, by=by)), list(loads)


def _facts(
    result: ComparisonResult, everybody: Sequence[PairedRow], per_load: Sequence[PairedRow]
) -> dict[str, object]:
    return {
        "out": result.directory.path,
        "page": result.directory.path / PAGE,
        "paired": [asdict(row) for row in (*everybody, *per_load)],
        "flags": [{"method": method, **vars(flag)} for method, flag in result.flags],
        "failures": [dict(zip(("method", "subject", "why"), failure, strict=True)) for failure in result.failures],
        "warnings": result.warnings,
        "seconds": result.seconds,
    }


def _words(result: ComparisonResult, everybody: Sequence[PairedRow], per_load: Sequence[PairedRow]) -> list[Words]:
    words: list[Words] = (
        [] if everybody else ["No truth is known of the muscles in question: only moments were scored."]
    )
    by = leading_error(result.directory.manifest)
    for muscle in dict.fromkeys(row.name for row in everybody):
        rows = sorted(
            (row for row in everybody if row.name == muscle), key=lambda row: (math.isnan(row.ratio), row.ratio)
        )
        loads = {(row.method, row.load_kg): row for row in per_load if row.name == muscle}
        mark = ", hidden on purpose" if rows[0].hidden else ""
        factor = "" if by == "rmse" else " after one factor (not normalized: amplitudes mean nothing)"
        title = f"{muscle}{mark}: RMSE{factor} over the copy's, geometric mean (5 to 95 %), people won, medians"
        words.append(table([_line(row, loads, by) for row in rows], title=title))
    lines = [f"{method}: {printable(subject)}: {printable(why)}" for method, subject, why in result.failures]
    return [
        *words,
        *_first(lines, "answer is missing", "answers are missing"),
        *_first(
            _unpaired_lines(result, everybody),
            "method is not held against the copy",
            "methods are not held against the copy",
        ),
        *_first(_flag_lines(result.flags), "caution", "cautions"),
        *warning_words(result.warnings),
        "A good moment fit does not prove the deep envelopes.",
        f"\nCompared in {result.seconds:.0f} s.",
        f"Results: {result.directory.path}",
        f"Page:    {result.directory.path / PAGE}",
    ]


def _line(row: PairedRow, loads: Mapping[tuple[str, float], PairedRow], by: Error) -> dict[str, str]:
    kilograms = sorted({load for _, load in loads})
    yardstick = row.method == row.against
    return {
        "method": row.method,
        "x copy": plain(row.ratio),
        "5-95 %": MISSING if yardstick or math.isnan(row.lower) else f"{plain(row.lower)}-{plain(row.upper)}",
        "wins": MISSING if yardstick else f"{row.wins}/{row.people}",
        **{
            f"{load:g} kg": plain(loads[row.method, load].ratio) if (row.method, load) in loads else MISSING
            for load in kilograms
        },
        "r": plain(row.r),
        **(_sizes(row) if by == "rmse" else {"RMSE after factor": plain(row.rmse_scaled, 4)}),
        "band holds": plain(row.coverage90),
    }


def _sizes(row: PairedRow) -> dict[str, str]:
    return {"RMSE": plain(row.rmse, 3), "nRMSE": plain(row.nrmse), "amplitude": plain(row.amplitude_ratio)}


def _flag_lines(flags: Iterable[tuple[str, Flag]]) -> list[str]:
    """Return one line a method, flag and muscle, with the number of people that it was raised for."""
    raised = {(method, flag.name, flag.muscle, flag.subject): None for method, flag in flags}  # once a person, in order
    counts = Counter((method, name, muscle) for method, name, muscle, _ in raised)
    return [
        f"{method}: {name.replace('_', ' ')}{f' ({muscle})' if muscle else ''} in {count} {'person' if count == 1 else 'people'}"
        for (method, name, muscle), count in counts.items()
    ]


def _unpaired_lines(result: ComparisonResult, everybody: Sequence[PairedRow]) -> list[str]:
    """Return one line for every method that the tables leave out, in everybody or in some people, though it has answered."""
    people = max((row.people for row in everybody if row.method == row.against), default=0)
    lines = []
    for method in dict.fromkeys(name for methods in result.directory.noted.values() for name in methods):
        left_out = max((row.left_out for row in everybody if row.method == method), default=people)
        silent = left_out - sum(failed == method for failed, _, _ in result.failures)
        if silent > 0:
            why = "fewer of the judged samples than the copy, or none (is a moment missing that it needs?)"
            lines.append(f"{method}: in {silent} of {people} people it answers {why}")
    return lines


def _first(lines: Sequence[str], one: str, many: str) -> list[str]:
    if not lines:
        return []
    more = [f"  and {len(lines) - SHOWN} more; the page lists them all"] if len(lines) > SHOWN else []
    return [f"\n{len(lines)} {one if len(lines) == 1 else many}", *(f"  {line}" for line in lines[:SHOWN]), *more]
