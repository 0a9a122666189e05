"""Whether two runs are the same, file by file, but for when they were made and how long they took."""

import json
from pathlib import Path

import numpy as np

from profundus.io.archive import read_archive
from profundus.io.weights import read_arrays

PAGE = "report.html"  # tells how long the run took


def differences(one: Path, other: Path) -> list[str]:
    """Return the files that differ, or that only one of two finished runs has."""
    mine, theirs = ({p.relative_to(run) for p in run.rglob("*") if p.is_file()} for run in (one, other))
    wrong = [f"{name}: only in one" for name in sorted(mine ^ theirs)]
    return wrong + [f"{name}: differs" for name in sorted(mine & theirs) if not same(one / name, other / name)]


def same(one: Path, other: Path) -> bool:
    if one.name == PAGE:
        return True
    if one.suffix == ".json":
        return timeless(json.loads(one.read_bytes())) == timeless(json.loads(other.read_bytes()))
    if one.suffix == ".nc":
        return same_arrays(read_archive(one).variables, read_archive(other).variables)
    if one.suffix == ".safetensors":  # the library writes the facts in its header in any order
        (arrays, facts), (their_arrays, their_facts) = read_arrays(one), read_arrays(other)
        return facts == their_facts and same_arrays(arrays, their_arrays)
    return one.read_bytes() == other.read_bytes()


def same_arrays(mine, theirs) -> bool:
    return set(mine) == set(theirs) and all(bits(mine[name]) == bits(theirs[name]) for name in mine)


def bits(values) -> bytes:
    array = np.asarray(values)
    return array.tobytes() if array.dtype != object else repr(array.tolist()).encode()


def timeless(facts):
    if isinstance(facts, dict):
        return {key: timeless(value) for key, value in facts.items() if key != "seconds"}
    return [timeless(value) for value in facts] if isinstance(facts, list) else facts
