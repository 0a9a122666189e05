"""Arrays of a fitted network and its checkpoints, in files that are checked to the last bit before anything is believed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
from numpy.typing import NDArray
from safetensors.numpy import load, save

from profundus.errors import FileFormatError, InputError, MissingFileError, Problem, UnsafeInputError
from profundus.io.store import sweep, write_whole

Arrays = dict[str, NDArray[Any]]
Facts = dict[str, Any]
DTYPES = (
    "bool",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float16",
    "float32",
    "float64",
)
MAX_BYTES, MAX_HEADER_BYTES = 2 << 30, 100_000_000
_CHECKPOINT = re.compile(r"checkpoint_(\d{1,18})\.safetensors")
_FORMAT = "profundus 1"
_AGAIN = "Write it again, or take an older copy"


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write named arrays and JSON-like facts to a safetensors file, whole, with a digest over both.

    Every bit and shape is kept, of 0-d and of empty arrays, too. Raises InputError for a dtype that is not in ``DTYPES``.
    """
    plain = {name: _little_endian(np.asarray(array, order="C")) for name, array in arrays.items()}
    refused = [f"'{name}' is {array.dtype}" for name, array in plain.items() if array.dtype.name not in DTYPES]
    if refused:
        raise InputError([Problem("error", what, file=str(path), expected=", ".join(DTYPES)) for what in refused])
    text = json.dumps(facts, default=_plain)
    about = {"format": _FORMAT, "facts": text, "digest": _digest(plain, text)}
    write_whole(
        path, save(plain, {"profundus": json.dumps(about)})
    )  # one key: several would stand in an order of chance


def read_arrays(path: Path) -> tuple[Arrays, Facts]:
    """Return the arrays (by name, read-only) and the facts of a file that ``write_arrays`` wrote.

    Nothing is allocated but the file's own size. Raises MissingFileError, UnsafeInputError (header or offsets that lie about the file,
    or a file above 2 GiB) or FileFormatError (not such a file, damaged content).
    """
    content = _content(path)
    try:
        arrays = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (safetensors.SafetensorError, ValueError, KeyError, RecursionError) as error:
        raise _unfitting(path, error) from error
    metadata = _metadata(header, path)
    text = metadata.get("facts", "")
    if metadata.get("digest") != _digest(arrays, text):
        raise FileFormatError(
            Problem("error", "the content does not fit its digest: the file is damaged", file=str(path), remedy=_AGAIN)
        )
    return dict(sorted(arrays.items())), json.loads(text)


def read_facts(path: Path) -> Facts:
    """Return the facts of a file that ``write_arrays`` wrote, from its header alone: neither arrays nor digest are looked at.

    Raises MissingFileError, UnsafeInputError or FileFormatError.
    """
    if not path.is_file():
        raise MissingFileError(Problem("error", "there is no such file", file=str(path)))
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        try:
            header = json.loads(file.read(min(length, MAX_HEADER_BYTES)))
            return dict(json.loads(_metadata(header, path).get("facts", "{}")))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            if isinstance(error, InputError):
                raise
            raise _unfitting(path, error) from error


class CheckpointStore:
    """The newest checkpoints of one training, each a file with everything in it: ``checkpoint_<step>.safetensors``.

    ``problems`` says which damaged checkpoints ``latest`` passed over.
    """

    def __init__(self, folder: Path, *, keep: int = 2) -> None:
        self.folder = folder
        self.keep = keep
        self.problems: tuple[Problem, ...] = ()
        sweep(folder)

    def save(self, step: int, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> Path:
        """Write the checkpoint of a step and drop all but the newest ``keep``; those of later steps belong to a training started over."""
        path = self.folder / f"checkpoint_{step}.safetensors"
        write_arrays(path, arrays, facts)
        steps = self.steps()
        for old in set(steps) - set([other for other in steps if other <= step][-self.keep :]):
            (self.folder / f"checkpoint_{old}.safetensors").unlink(missing_ok=True)
        return path

    def latest(self) -> tuple[Arrays, Facts] | None:
        """Return the newest checkpoint that is whole, or None; damaged ones are passed over and said in ``problems``."""
        said = []
        for step in reversed(self.steps()):
            try:
                found = read_arrays(self.folder / f"checkpoint_{step}.safetensors")
            except InputError as error:
                said += [
                    Problem("warning", problem.what, file=problem.file, remedy="An older checkpoint is used")
                    for problem in error.problems
                ]
            else:
                self.problems = tuple(said)
                return found
        self.problems = tuple(said)
        return None

    def steps(self) -> list[int]:
        """Return the steps that have a checkpoint, oldest first."""
        names = (path.name for path in self.folder.iterdir()) if self.folder.is_dir() else ()
        return sorted(int(match[1]) for name in names if (match := _CHECKPOINT.fullmatch(name)))


def _metadata(header: Mapping[str, Any], path: Path) -> dict[str, str]:
    """Return format, facts and digest; FileFormatError where the file is somebody else's."""
    metadata = _about(header.get("__metadata__", {}))
    if metadata.get("format") != _FORMAT:
        raise FileFormatError(
            Problem("error", "not written by profundus", file=str(path), expected=f"format '{_FORMAT}' in its metadata")
        )
    return metadata


def _unfitting(path: Path, error: Exception) -> UnsafeInputError:
    what, expected = f"the header does not fit the file ({error})", "a safetensors file whose arrays fill it exactly"
    return UnsafeInputError(Problem("error", what, file=str(path), expected=expected, remedy=_AGAIN))


def _about(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return format, facts and digest as they were written; nothing where the file is somebody else's."""
    try:
        about = json.loads(metadata.get("profundus", "{}"))
    except (ValueError, RecursionError):
        return {}
    return about if isinstance(about, dict) and all(isinstance(value, str) for value in about.values()) else {}


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise MissingFileError(Problem("error", "there is no such file", file=str(path)))
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise UnsafeInputError(
            Problem("error", f"the file has {size} bytes", file=str(path), expected=f"at most {MAX_BYTES}")
        )
    return path.read_bytes()


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _plain(value: Any) -> Any:
    """Return NumPy numbers and arrays as JSON can hold them."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"facts hold a {type(value).__name__}, expected numbers, text, lists and dictionaries")


def _digest(arrays: Mapping[str, NDArray[Any]], text: str) -> str:
    """Return the SHA-256 over names, dtypes, shapes and bits of all arrays, and the facts."""
    whole = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        whole.update(json.dumps([name, array.dtype.name, array.shape, array.nbytes]).encode())
        whole.update(array.tobytes())
    whole.update(text.encode())
    return whole.hexdigest()
