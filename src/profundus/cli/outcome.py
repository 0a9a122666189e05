"""What a command has to say, to people and to programs, and how it is said."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

from profundus.errors import Problem

if TYPE_CHECKING:
    from rich.table import Table

Words: TypeAlias = "str | Table"
PIPE_WIDTH = 160  # columns of a table that no terminal shows


@dataclass(frozen=True)
class Outcome:
    """The result of a command: ``facts`` for ``--json``, ``words`` (lines of text, tables) for people, and its exit code."""

    facts: Mapping[str, object]
    words: Sequence[Words] = ()
    exit_code: int = 0


Job = Callable[[], Outcome]
"""A command that has understood its arguments and is ready to run."""


def deliver(outcome: Outcome, *, as_json: bool) -> None:
    """Print an outcome to stdout. A reader that went away (``| head``) has heard enough: that is no failure."""
    try:
        if as_json:
            print(json.dumps(plain(outcome.facts), allow_nan=False))
        else:
            for part in outcome.words:
                _say(part)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: problems by their fields, paths as text, unknown numbers as null."""
    if isinstance(value, Problem):
        return value.as_dict()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, PurePath) else value


def printable(text: object) -> str:
    """Return the text with control characters spelled out, so that no file can steer the terminal that shows its name."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in str(text))


def table(rows: Iterable[Mapping[str, str]], *, title: str = "") -> Table:
    """Return rows of text as a table for the terminal; all rows have the keys of the first, numbers stand right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    listed = list(rows)
    made = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for key in listed[0] if listed else ():
        is_number = all(row[key].strip("-").replace(".", "", 1).isdigit() or not row[key].strip("-") for row in listed)
        made.add_column(key, justify="right" if is_number else "left", overflow="fold")
    for row in listed:
        made.add_row(*(Text(printable(cell)) for cell in row.values()))
    return made


def grouped_by_severity(problems: Iterable[Problem], *, at_most: int = 40) -> list[str]:
    """Return problems as lines, errors first and all of them; of warnings and of notes ``at_most``, the others are counted."""
    listed = list(problems)
    lines = []
    for severity, many in (("error", "errors"), ("warning", "warnings"), ("note", "notes")):
        found = [problem for problem in listed if problem.severity == severity]
        if found:
            lines.append(f"\n{len(found)} {severity if len(found) == 1 else many}")
            shown = found if severity == "error" else found[:at_most]
            lines += [f"  {printable(problem)}" for problem in shown]
            lines += [f"  and {len(found) - len(shown)} more; --json lists them all"] if len(shown) < len(found) else []
    return lines


def _say(part: Words) -> None:
    if isinstance(part, str):
        print(part)
        return
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPE_WIDTH
    Console(file=sys.stdout, markup=False, highlight=False, emoji=False, width=width).print(part)
