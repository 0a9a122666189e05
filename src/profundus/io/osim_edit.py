"""Write a person's muscle parameters into a model file, and leave every other byte of it as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from profundus.errors import FileFormatError, InputError, Problem
from profundus.io.study_names import nearest_name
from profundus.io.xml import parse_xml

ALL_CLASSES = ("max_isometric_force", "optimal_fiber_length", "tendon_slack_length", "pennation_angle_at_optimal")
WITH_ACTIVATION = ("Thelen2003Muscle", "Millard2012EquilibriumMuscle", "DeGrooteFregly2016Muscle")
TIME_CONSTANTS = ("activation_time_constant", "deactivation_time_constant")


@dataclass
class _Muscle:
    """Where a muscle stands in the file: its class, the end of its start tag, and its properties from tag to tag."""

    kind: str
    inside: int
    properties: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass
class _Finder:
    """Follows the parser through the file and notes where the muscles' properties stand, those of <defaults> left out."""

    content: bytes
    muscles: dict[str, _Muscle] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)
    _tags: list[str] = field(default_factory=list)
    _at: list[int] = field(default_factory=list)
    _current: tuple[int, _Muscle] | None = None

    def find(self) -> None:
        """Parse the whole content, which is known to be well-formed."""
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.Parse(self.content, True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        at = self._parser.CurrentByteIndex
        name = attributes.get("name")
        if self._current is None and tag.endswith("Muscle") and name is not None and "defaults" not in self._tags:
            if name in self.muscles:
                self.twice.append(name)
            self._current = len(self._tags), self.muscles.setdefault(name, _Muscle(tag, _tag_end(self.content, at)))
        self._tags.append(tag)
        self._at.append(at)

    def _end(self, tag: str) -> None:
        self._tags.pop()
        at = self._at.pop()
        if self._current is None:
            return
        depth, muscle = self._current
        if len(self._tags) == depth:
            self._current = None
        elif len(self._tags) == depth + 1:
            opened = _tag_end(self.content, at)
            empty = self.content[opened - 2 : opened] == b"/>"
            closed = opened if empty else _tag_end(self.content, self._parser.CurrentByteIndex)
            muscle.properties[tag] = at, closed


def personalized_model(
    path: Path, values: Mapping[str, Mapping[str, float]], *, remarks: Mapping[str, str] | None = None
) -> bytes:
    """Return the content of a model file with ``{muscle: {property: value}}`` written into it, to the last digit.

    A property that the muscle's class has not (time constants of activation) is left out; one that the file leaves to its default is added.
    ``remarks`` {muscle: text} become comments at the beginning of the muscle. Raises as `parse_xml`, and InputError that names every
    muscle that the file has not, or has twice.
    """
    parse_xml(path)  # refuses what is no honest XML
    content = path.read_bytes()
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise FileFormatError(Problem("error", "is UTF-16", str(path), expected="UTF-8", remedy="Save it with OpenSim"))
    finder = _Finder(content)
    finder.find()
    _refuse_strangers(finder, values, path)
    edits: list[tuple[int, int, bytes]] = []
    for name, wanted in values.items():
        muscle = finder.muscles[name]
        edits += _edits(content, muscle, wanted, (remarks or {}).get(name, ""))
    for start, end, text in sorted(edits, reverse=True):
        content = content[:start] + text + content[end:]
    return content


def _edits(content: bytes, muscle: _Muscle, wanted: Mapping[str, float], remark: str) -> list[tuple[int, int, bytes]]:
    """Return what takes the place of which bytes (start, end) of a muscle."""
    known = ALL_CLASSES + (TIME_CONSTANTS if muscle.kind in WITH_ACTIVATION else ())
    added, edits = [f"<!--{remark}-->"] if remark else [], []
    for name, value in wanted.items():
        element = f"<{name}>{value!r}</{name}>"
        if name in muscle.properties:
            edits.append((*muscle.properties[name], element.encode()))
        elif name in known:
            added.append(element)
    rest = content[muscle.inside :]
    indent = rest[: len(rest) - len(rest.lstrip())]
    return [*edits, (muscle.inside, muscle.inside, b"".join(indent + text.encode() for text in added))]


def _refuse_strangers(finder: _Finder, values: Mapping[str, Mapping[str, float]], path: Path) -> None:
    problems = [
        Problem("error", f"the model has no muscle {name}", str(path), remedy=nearest_name(name, finder.muscles))
        for name in values
        if name not in finder.muscles
    ]
    problems += [
        Problem("error", f"the model has two muscles {name}", str(path)) for name in finder.twice if name in values
    ]
    if problems:
        raise InputError(problems)


def _tag_end(content: bytes, at: int) -> int:
    """Return the index behind the ``>`` of the tag that begins at ``at``; one inside quotes does not end it."""
    quote = 0
    for index in range(at, len(content)):
        byte = content[index]
        if quote:
            quote = 0 if byte == quote else quote
        elif byte in b"\"'":
            quote = byte
        elif byte == ord(">"):
            return index + 1
    return len(content)
