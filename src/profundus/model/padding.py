"""Lengths that recordings are filled up to, so that those of about one length share a compiled program."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def padded_count(count: int, *, least: int) -> int:
    """Return the smallest of ``least``, twice, four times ... ``least`` that ``count`` fits into."""
    pieces = -(-count // least)
    return least << (max(pieces, 1) - 1).bit_length()


def whole_blocks(rows: Floats, size: int) -> Iterator[Floats]:
    """Yield ``rows`` (row, ...) in blocks of ``size``: whatever their number, one program serves; the last row fills up the last block."""
    filled = np.pad(rows, [(0, -len(rows) % size)] + [(0, 0)] * (rows.ndim - 1), mode="edge")
    yield from np.split(filled, len(filled) // size)
