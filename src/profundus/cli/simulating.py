"""`simulate`: a study of virtual people whose deep EMG is known."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from profundus.cli.outcome import Outcome
from profundus.cli.progress import LINE_EVERY_S
from profundus.errors import InputError, Problem
from profundus.io.study_file import read_study
from profundus.protocols.simulating import simulate_study
from profundus.records import PopulationSettings
from profundus.records.virtual import FAMILIES


def simulated(
    out: Path,
    *,
    people: int = 10,
    seed: int = 0,
    measured: Sequence[str] = (),
    families: Sequence[str] = (),
    without: Sequence[str] = (),
    loads_kg: Sequence[float] = (),
    like: Path | None = None,
    muscle: str = "mixed",
    tendon: str = "rigid",
    raw: bool = False,
    crosstalk: float = 0.0,
    mvc_error: float = 0.0,
    overwrite: bool = False,
    quiet: bool = False,
) -> Outcome:
    """Return the outcome of writing a study of virtual people to ``out``; ``families`` (all, if empty) loses those ``without``."""
    unknown = [name for name in without if name not in FAMILIES]
    if unknown:
        raise InputError(Problem("error", f"no family is called {', '.join(unknown)}", expected=", ".join(FAMILIES)))
    chosen = {name: 1.0 for name in families or FAMILIES if name not in without}
    settings = PopulationSettings(
        families=chosen,
        muscle=muscle,  # type: ignore[arg-type]  # a word from the command line: the settings refuse what they do not know
        tendon=tendon,  # type: ignore[arg-type]
        emg="raw" if raw else "fast",
        crosstalk=crosstalk,
        mvc_error=mvc_error,
    )
    if loads_kg:
        settings = replace(settings, loads_kg=tuple(loads_kg))
    began = time.perf_counter()
    lab = simulate_study(
        out,
        settings,
        people=people,
        seed=seed,
        measured=measured,
        like=read_study(like) if like else None,
        overwrite=overwrite,
        on_person=None if quiet else _lines(people),
    )
    seconds = time.perf_counter() - began
    facts = {"study": lab.study_file, "people": lab.people, "trials": lab.trials, "seed": seed, "seconds": seconds}
    words = [
        f"{lab.people} virtual people, {lab.trials} trials in {seconds:.0f} s. Their deep excitations stand in truth_emg.sto.",
        f"Study: {lab.study_file}",
        "Scores on virtual people are scores on virtual people: they show what a method can do, not that it works.",
    ]
    return Outcome(facts, words)


def _lines(people: int) -> Callable[[int], None]:
    """Return who tells on stderr, every few seconds, how many people are done."""
    last = time.monotonic()

    def tell(done: int) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_EVERY_S:
            last = time.monotonic()
            print(f"{done} of {people} people", file=sys.stderr, flush=True)

    return tell
