"""The text of a study file: what it says, and on which line it says it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from profundus.errors import FileFormatError, Problem, Severity
from profundus.io.incoming import opened

Location = tuple[str | int, ...]
LARGEST = 50_000_000
NO_FILE = "-"
"""Stands for a path that the file ought to give but does not, once that has been told."""
_PART = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_KEY = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_KEY})\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(rf"\s*({_KEY})\s*=")
_QUOTES = re.compile(r'"""|' + "'''")


@dataclass(frozen=True)
class StudyText:
    """A parsed TOML file with the line of every key that stands at the beginning of a line."""

    file: str
    tables: dict[str, Any]
    lines: dict[Location, int]

    def line(self, at: Location) -> int | None:
        """Return the line of a key, of the nearest table around it, or None."""
        return next((self.lines[at[:n]] for n in range(len(at), 0, -1) if at[:n] in self.lines), None)

    def problem(
        self, severity: Severity, what: str, at: Location = (), *, expected: str = "", remedy: str = ""
    ) -> Problem:
        """Return a problem that names the file and the line of the key ``at``."""
        return Problem(severity, what, self.file, self.line(at), expected, remedy)


def read_study_text(path: Path) -> StudyText:
    """Return the parsed file; MissingFileError, UnsafeInputError or FileFormatError say what is wrong with it as a file."""
    with opened(path, limit=LARGEST, kind="a study file") as file:
        content = file.read()
    try:
        return parse_study_text(content.decode("utf-8-sig"), file=str(path))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileFormatError(
            Problem("error", "is not UTF-8 text", str(path), line, "a TOML file", "Save it with the encoding UTF-8")
        ) from error


def parse_study_text(text: str, *, file: str) -> StudyText:
    """Return the parsed text; a text that is not TOML is a FileFormatError with its line."""
    try:
        return StudyText(file, tomllib.loads(text), dict(_key_lines(text)))
    except RecursionError as error:
        raise FileFormatError(Problem("error", "is nested too deeply", file, expected="a study file")) from error
    except ValueError as error:  # TOMLDecodeError, or a number of more than 4300 digits
        place = re.search(r"\(at line (\d+)", str(error))
        what = "is not TOML: " + re.sub(r"\s*\(at .*\)$", "", str(error))
        remedy = "Write paths with forward slashes, or in single quotes" if "\\" in str(error) else "Correct this line"
        raise FileFormatError(Problem("error", what, file, int(place[1]) if place else None, remedy=remedy)) from error


def _key_lines(text: str) -> Iterator[tuple[Location, int]]:
    """Yield the location and line of every header and key; keys inside inline tables are not found."""
    counts: dict[Location, int] = {}
    table: Location = ()
    quote = ""
    for number, line in enumerate(text.splitlines(), start=1):
        inside = quote
        for mark in _QUOTES.findall(line):
            quote = "" if quote == mark else quote or mark
        if inside:
            continue
        if header := _HEADER.match(line):
            table = _location(_parts(header[2]), counts, item=header[1] == "[[")
            yield table, number
        elif key := _ASSIGNMENT.match(line):
            yield table + tuple(_parts(key[1])), number


def _parts(key: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_PART, key)]


def _location(parts: list[str], counts: dict[Location, int], *, item: bool) -> Location:
    """Return where a header leads: ``[[subject.trial]]`` is a further trial of the latest subject."""
    at: Location = ()
    for n, part in enumerate(parts, start=1):
        at += (part,)
        if item and n == len(parts):
            counts[at] = counts.get(at, -1) + 1
        if at in counts:
            at += (counts[at],)
    return at
