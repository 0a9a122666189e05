"""The head of an OpenSim table: name, keys, free text, ``endheader``, and the line of labels."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from profundus.io.incoming import Findings, shown

MAX_HEAD_BYTES = 8 * 2**20
MAX_HEAD_LINES = 10_000
MAX_ROWS = 10**8
MAX_COLUMNS = 10**5

Delimiter = Literal["\t", ",", " "]
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n|\Z)")
_ENTRY = re.compile(
    r"(version|nrows|nr|datarows|ncolumns|nc|datacolumns|indegrees|datatype)(?:\s*=\s*(.*)|\s+(\S+))",
    re.IGNORECASE | re.ASCII,
)
_MEANING = {
    "nr": "rows",
    "nrows": "rows",
    "datarows": "rows",
    "nc": "columns",
    "ncolumns": "columns",
    "datacolumns": "columns",
}


@dataclass
class Header:
    """What the head says. ``labels`` begins with time; ``body`` is the offset of the first data byte, ``line`` its line number."""

    name: str = ""
    labels: tuple[str, ...] = ()
    delimiter: Delimiter = "\t"
    in_degrees: bool | None = None
    version: int | None = None
    claims: list[tuple[str, str, int, int]] = field(default_factory=list)
    body: int = 0
    line: int = 1


def is_entry(text: str) -> bool:
    """Return whether a line of a header would be read as a key or as its end."""
    text = text.strip(" \t").rstrip(" \t,")
    return text.casefold() == "endheader" or _ENTRY.fullmatch(text) is not None


def is_numbers(text: str) -> bool:
    """Return whether a line holds numbers alone, so that it may be taken for data."""
    try:
        return bool([float(word) for word in text.split()])
    except ValueError:
        return False


def parsed_header(head: bytes, findings: Findings) -> Header | None:
    """Return the header that ``head`` (the first MAX_HEAD_BYTES of a file) begins with, None if the rest is not worth reading."""
    if not head.strip():
        findings.add("error", "is empty", expected="a header that ends with 'endheader', labels, rows of numbers")
        return None
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in head:
        where = head[: head.find(b"\0")].count(b"\n") + 1
        findings.add("error", "holds NUL bytes: this is binary or UTF-16", line=where, expected="plain text in UTF-8")
        return None
    header = Header()
    position, header.line = (3 if head.startswith(b"\xef\xbb\xbf") else 0), 1
    first, ended = True, False
    while position < len(head) and header.line <= MAX_HEAD_LINES:
        found = _LINE.match(head, position)
        assert found is not None  # the pattern matches everywhere, also nothing
        raw, position = found[1], found.end()
        if position >= len(head) and len(head) >= MAX_HEAD_BYTES:
            break
        if ended and raw.strip(b" \t,"):
            readable = _take_labels(raw, header, findings)
            header.body, header.line = position, header.line + 1
            return header if readable else None
        if ended:
            findings.add("warning", "blank line before the labels", line=header.line)
        else:
            ended = _take_line(raw, header, findings, first=first)
        first, header.line = False, header.line + 1
    missing = "no line of labels follows 'endheader'" if ended else "there is no line 'endheader'"
    findings.add(
        "error",
        f"{missing} within the first {min(header.line - 1, MAX_HEAD_LINES)} lines and {position} bytes",
        line=header.line - 1,
        expected="'endheader', then one line of labels",
        remedy="Is this an OpenSim table, and is it complete?",
    )
    return None


def _take_line(raw: bytes, header: Header, findings: Findings, *, first: bool) -> bool:
    """Read one header line into ``header``; return whether it is the last one."""
    name = raw.decode("utf-8", errors="backslashreplace").strip(" \t")
    text = name.rstrip(" \t,")  # in comma-separated tables the header's lines are padded with commas
    if text.casefold() == "endheader":
        return True
    entry = _ENTRY.fullmatch(text)
    if entry is None:
        header.name = name if first else header.name
        return False
    key, value = entry[1], (entry[2] or entry[3] or "").strip()
    match key.casefold():
        case "indegrees":
            _take_degrees(value, header, findings)
        case "datatype":
            if value.casefold() != "double":
                findings.add("error", f"{key} is {shown(value)}", line=header.line, expected="DataType=double")
        case lower if re.fullmatch(r"\d{1,18}", value, re.ASCII):
            if lower == "version":
                header.version = int(value)
            else:
                _take_claim(key, int(value), header, findings)
        case _:
            findings.add("warning", f"{key} is {shown(value)} and was ignored", line=header.line, expected="a number")
    return False


def _take_degrees(value: str, header: Header, findings: Findings) -> None:
    said = {"yes": True, "no": False}.get(value.casefold())
    if said is None:
        findings.add(
            "error",
            f"inDegrees is {shown(value)}",
            line=header.line,
            expected="inDegrees=yes or inDegrees=no",
            remedy="OpenSim takes every other word for radians or fails: write yes or no",
        )
    elif header.in_degrees not in (None, said):
        findings.add("error", "inDegrees is said twice, with different values", line=header.line, expected="one value")
    else:
        header.in_degrees = said


def _take_claim(key: str, number: int, header: Header, findings: Findings) -> None:
    what = _MEANING[key.casefold()]
    most = MAX_ROWS if what == "rows" else MAX_COLUMNS
    if number > most:
        findings.add("error", f"the header claims {key}={number}", line=header.line, expected=f"at most {most}")
    else:
        header.claims.append((key, what, number, header.line))


def _take_labels(raw: bytes, header: Header, findings: Findings) -> bool:
    """Split the line of labels, find what separates the table's fields; return whether the rows below are worth reading."""
    line = header.line
    try:
        text = raw.decode("utf-8").strip(" \t")
    except UnicodeDecodeError as error:
        findings.add("error", f"labels are not UTF-8: {shown(raw[error.start :])}", line=line, expected="UTF-8")
        return False
    fields: list[str]
    if re.match(r"time *,", text, re.IGNORECASE) and "\t" not in text:
        header.delimiter, fields = ",", text.rstrip(" ,").split(",")
        header.name = header.name.rstrip(" ,")
    elif re.match(r"time *(\t|$)", text, re.IGNORECASE):
        header.delimiter, fields = "\t", text.split("\t")
    else:
        header.delimiter, fields = " ", re.split(r"[ \t]+", text)
    labels = ["time", *(label.strip(" ") for label in fields[1:])]
    if fields[0].strip(" ").casefold() != "time":
        findings.add("error", f"the first label is {shown(fields[0])}", line=line, expected="'time'")
    if len(labels) > MAX_COLUMNS:
        findings.add("error", f"there are {len(labels)} labels", line=line, expected=f"at most {MAX_COLUMNS}")
        return False
    for column, label in enumerate(labels, start=1):
        if not label:
            findings.add(
                "error", f"the label of column {column} is empty", line=line, expected="a name for each column"
            )
        elif not label.isprintable():
            findings.add(
                "error", f"label {shown(label)} of column {column} holds a character that cannot be shown", line=line
            )
    for label, times in Counter(labels).items():
        if times > 1 and label:
            findings.add("error", f"label {shown(label)} stands {times} times", line=line, expected="each label once")
    header.labels = tuple(labels)
    return True
