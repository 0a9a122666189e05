"""Lengths that recordings are filled up to, so that those of about one length share a compiled program."""

from __future__ import annotations


def padded_count(count: int, *, least: int) -> int:
    """Return the smallest of ``least``, twice, four times ... ``least`` that ``count`` fits into."""
    pieces = -(-count // least)
    return least << (max(pieces, 1) - 1).bit_length()
