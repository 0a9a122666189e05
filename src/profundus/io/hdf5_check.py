"""What an HDF5 file claims, held against what it can hold, before a byte is allocated for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py

from profundus.errors import FileFormatError, MissingFileError, Problem, UnsafeInputError

MAX_BYTES = 2 << 30
_SMALL = 1 << 20  # what may be claimed without proof
_DEFLATE = 1100  # DEFLATE makes nothing smaller than 1/1032
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}


def weigh(path: Path) -> None:
    """Refuse an HDF5 file that is no flat netCDF-4 file of numbers and characters of the sizes it claims.

    Raises MissingFileError, FileFormatError (truncated or not HDF5), or UnsafeInputError that lists every variable that claims more than
    the file can hold or more than 2 GiB in all, every link out of the file, and every type that is neither number nor character.
    """
    if not path.is_file():
        raise MissingFileError(Problem("error", "there is no such file", file=str(path)))
    try:
        with h5py.File(path, "r") as file:
            said = list(_lies(file, path.stat().st_size))
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise FileFormatError(
            Problem(
                "error", f"not a whole HDF5 file ({error})", file=str(path), expected="netCDF-4", remedy="Make it again"
            )
        ) from error
    if said:
        raise UnsafeInputError(Problem("error", what, file=str(path), expected=expected) for what, expected in said)


def _lies(file: h5py.File, size: int) -> Iterator[tuple[str, str]]:
    """Yield what is wrong and what is expected, of every object; links are looked at, not followed."""
    claimed = 0
    yield from _attribute_lies("the file", file)
    for name in file:
        if not isinstance(file.get(name, getlink=True), h5py.HardLink):
            yield f"'{name}' points out of its place", "no soft or external links"
        elif file.get(name, getclass=True) is not h5py.Dataset:
            yield f"'{name}' is a group or a type", "variables only"
        else:
            yield from _dataset_lies(f"'{name}'", file[name], size)
            yield from _attribute_lies(f"'{name}'", file[name])
            claimed += file[name].nbytes
    if claimed > MAX_BYTES:
        yield f"claims {claimed} bytes in all", f"at most {MAX_BYTES}"


def _dataset_lies(name: str, dataset: h5py.Dataset, size: int) -> Iterator[tuple[str, str]]:
    if dataset.dtype.kind not in "iufS":
        yield f"{name} holds {dataset.dtype}", "numbers or characters of fixed length"
    if dataset.is_virtual or dataset.external:
        yield f"{name} lies in another file", "data in this file"
    plan = dataset.id.get_create_plist()
    filters = {plan.get_filter(i)[0] for i in range(plan.get_nfilters())}
    if filters - _FILTERS:
        yield f"{name} is packed by an unknown filter", "zlib, shuffle or fletcher32"
    stored = dataset.id.get_storage_size()
    if stored > size:
        yield f"{name} claims to store {stored} bytes", f"no more than the file's {size}"
    holds = stored * (_DEFLATE if h5py.h5z.FILTER_DEFLATE in filters else 1)
    if dataset.nbytes > max(holds, _SMALL):
        yield (
            f"{name} claims the shape {dataset.shape}, {dataset.nbytes} bytes",
            f"at most {max(holds, _SMALL)} bytes, by what is stored of it",
        )
    if dataset.chunks:
        chunk = dataset.dtype.itemsize
        for length in dataset.chunks:
            chunk *= length
        if chunk > max(4 * dataset.nbytes, _SMALL):
            yield f"{name} claims chunks of {dataset.chunks}", "chunks no larger than the variable"


def _attribute_lies(name: str, owner: h5py.File | h5py.Dataset) -> Iterator[tuple[str, str]]:
    for key in owner.attrs:
        claimed = h5py.h5a.open(owner.id, key.encode()).get_storage_size()
        if claimed > _SMALL:
            yield f"attribute '{key}' of {name} claims {claimed} bytes", f"at most {_SMALL}"
