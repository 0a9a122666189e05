"""XML from outside (models): parsed within limits on size, depth and number, without entities and without recursion."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from profundus.errors import FileFormatError, InputError, Problem, UnsafeInputError
from profundus.io.incoming import opened, shown

MAX_BYTES = 20 * 2**20
MAX_DEPTH = 200
MAX_ELEMENTS = 500_000


class _Guard:
    """Builds the tree from the parser's events and stops at the first one that no honest model needs."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.tree = TreeBuilder()
        self.depth = 0
        self.elements = 0
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.tree.data
        self.parser.StartDoctypeDeclHandler = self.doctype

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > MAX_DEPTH:
            self.refuse(f"elements are nested more than {MAX_DEPTH} deep")
        if self.elements > MAX_ELEMENTS:
            self.refuse(f"there are more than {MAX_ELEMENTS} elements")
        self.tree.start(tag, attributes)

    def end(self, tag: str) -> None:
        self.depth -= 1
        self.tree.end(tag)

    def doctype(self, name: str, *_: object) -> None:
        self.refuse(f"there is a DOCTYPE ({shown(name)}), with which a small file can grow without end", "Remove it")

    def refuse(self, what: str, remedy: str = "") -> NoReturn:
        line = self.parser.CurrentLineNumber
        raise UnsafeInputError(Problem("error", what, self.file, line, expected="a plain model file", remedy=remedy))


def parse_xml(path: str | Path) -> Element:
    """Return the root element of an XML file of at most 20 MB, 200 levels and 500,000 elements. Comments are dropped.

    Raises MissingFileError, UnsafeInputError (a DOCTYPE or a limit passed), FileFormatError (not well-formed), each with the line.
    """
    path = Path(path)
    with opened(path, limit=MAX_BYTES, kind="an XML file") as file:
        content = file.read(MAX_BYTES + 1)
    guard = _Guard(str(path))
    try:
        guard.parser.Parse(content, True)
    except InputError:
        raise
    except expat.ExpatError as error:
        what = f"is not well-formed XML: {expat.ErrorString(error.code)}, at column {error.offset + 1}"
        raise FileFormatError(Problem("error", what, str(path), error.lineno)) from error
    except (ValueError, LookupError) as error:
        what = f"has an encoding that cannot be read: {error}"
        raise FileFormatError(Problem("error", what, str(path), expected="UTF-8")) from error
    return guard.tree.close()
