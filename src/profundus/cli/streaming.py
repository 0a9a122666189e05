"""`stream`: a fitted person's deep muscles while he moves."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from profundus.cli.outcome import Outcome, Words, printable, table
from profundus.errors import InputError, Problem
from profundus.protocols.stream_devices import Found, Wanted
from profundus.protocols.stream_listeners import Heard
from profundus.protocols.streamed_person import streamed_person
from profundus.protocols.streaming import StreamResult, replay, stream
from profundus.stream.session import SessionSummary

NAMES = {0.5: "median", 0.99: "99 %", 0.999: "99.9 %", 1.0: "longest"}


def streamed(
    run: Path,
    wanted: Wanted,
    *,
    subject: str | None = None,
    trial: str | None = None,
    outlet: str | None = None,
    record: Path | None = None,
    overwrite: bool = False,
    frames: bool = False,
    quiet: bool = False,
) -> Outcome:
    """Return how a stream went, after it has ended: that of a laboratory, or of a ``trial`` that was played once more.

    With ``frames`` stdout takes the answers, one JSON object a line, and the words go to stderr.
    """
    _refuse_both(wanted, trial, outlet)
    heard = Heard(outlet, record, sys.stdout if frames else None, overwrite)
    heard.refuse_places()
    person = streamed_person(run, subject)
    with _few_pauses():
        if trial is not None:
            result = replay(person, trial, heard=heard, load_kg=wanted.load_kg, seconds=wanted.seconds)
        elif quiet:
            result = stream(person, wanted, heard=heard)
        else:
            _say(f"Looking for streams of {person.student.subject} ({wanted.patience_s:g} s)")
            began = partial(_began, person.student.subject)
            result = stream(person, wanted, heard=heard, on_found=began, on_second=_told)
    if frames:
        for line in _lines(result):
            print(line, file=sys.stderr)
        return Outcome(_facts(result))
    return Outcome(_facts(result), _words(result))


@contextmanager
def _few_pauses() -> Iterator[None]:
    """Leave what was loaded out of the search for garbage, that would stop the stream for tens of milliseconds."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _refuse_both(wanted: Wanted, trial: str | None, outlet: str | None) -> None:
    named = [wanted.emg, wanted.angles]
    if trial is not None and (any(named) or outlet is not None or wanted.network or wanted.wait_s is not None):
        what = "a trial that is played needs no network"
        remedy = "Leave out --replay, or --emg, --angles, --outlet, --network and --wait"
        raise InputError(Problem("error", what, remedy=remedy))


def _began(subject: str, found: Found) -> None:
    emg, angles = found.electrodes[0].name, found.joints[0].name
    _say(f"Streaming {subject} from '{emg}' and '{angles}'; Ctrl-C ends it.")


def _say(words: str) -> None:
    print(printable(words), file=sys.stderr, flush=True)


def _told(summary: SessionSummary) -> None:
    counts = summary.counts
    median = f", {1e3 * summary.latency_s[0.5]:.2f} ms a frame" if summary.latency_s else ""
    lost = ", lost: " + ", ".join(counts.lost) if counts.lost else ""
    outside = ", outside: " + ", ".join(counts.outside) if counts.outside else ""
    silent = ", silent: " + ", ".join(summary.silent) if summary.silent else ""
    _say(f"{counts.answered} frames, {counts.missed} missed{median}{lost}{outside}{silent}")


def _facts(result: StreamResult) -> dict[str, object]:
    return {
        "subject": result.subject,
        **asdict(result.summary.counts),
        "late_samples": result.summary.late_samples,
        "clock_resets": dict(result.summary.clock_resets),
        "silent": result.summary.silent,
        "latency_ms": {NAMES[q]: 1e3 * seconds for q, seconds in result.summary.latency_s.items()},
        "seconds": result.seconds,
        "ended": result.ended,
        "records": result.records,
        "against_run": {name: {"r": r, "rmse": rmse} for name, (r, rmse) in (result.against_run or {}).items()},
        "ignored_channels": result.ignored,
    }


def _lines(result: StreamResult) -> list[str]:
    counts = result.summary.counts
    said = [f"\n{result.subject}: {result.ended}, after {result.seconds:.1f} s."]
    said.append(
        f"{counts.answered} frames answered, {counts.missed} missed, {counts.late + result.summary.late_samples} late or "
        f"twice, {counts.restarts} restarts."
    )
    said += [
        f"{name}: missing in {n} frames, lost in {counts.lost.get(name, 0)}." for name, n in counts.missing.items()
    ]
    said += [f"{name}: beyond what the run had met in {n} frames." for name, n in counts.outside.items()]
    said += [f"{name}: clock resets: {n}." for name, n in result.summary.clock_resets.items()]
    if result.summary.latency_s:
        told = ", ".join(f"{NAMES[q]} {1e3 * seconds:.2f} ms" for q, seconds in result.summary.latency_s.items())
        said.append(f"From a frame to its answer: {told}.")
    said += [f"Not used: {', '.join(result.ignored)}."] if result.ignored else []
    said += [f"Answers: {path}" for path in result.records]
    return [printable(line) for line in said]


def _words(result: StreamResult) -> list[Words]:
    rows = [
        {"muscle": name, "r": f"{r:.3f}", "RMSE": f"{rmse:.3f}"}
        for name, (r, rmse) in (result.against_run or {}).items()
    ]
    tables: list[Words] = (
        [table(rows, title="Streamed against the run's own answer (RMSE: fraction of maximum)")] if rows else []
    )
    return [*tables, *_lines(result)]
