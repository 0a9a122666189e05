"""Trees of numbers as named arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import jax
import numpy as np
from numpy.typing import NDArray

from profundus.errors import FileFormatError, Problem

Tree = TypeVar("Tree")


def leaves(name: str, tree: Any) -> dict[str, NDArray[Any]]:
    """Return the leaves of a tree as arrays called ``name/0000``, ``name/0001`` ..."""
    return {f"{name}/{i:04d}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(tree))}


def filled(
    name: str, like: Tree, arrays: Mapping[str, NDArray[Any]], *, file: str, remedy: str, shapes: bool = True
) -> Tree:
    """Return a tree like ``like`` with the arrays of that name as its leaves; dtypes are those of the arrays.

    Raises FileFormatError, with ``remedy``, where an array is missing or (unless ``shapes`` is off) of another shape.
    """
    parts, structure = jax.tree.flatten(like)
    found = [arrays.get(f"{name}/{i:04d}") for i in range(len(parts))]
    wrong = [
        f"{name}/{i:04d}"
        for i, (leaf, array) in enumerate(zip(parts, found, strict=True))
        if array is None or (shapes and tuple(array.shape) != tuple(leaf.shape))
    ]
    if wrong:
        what = f"arrays are missing or of another shape: {', '.join(wrong[:5])}"
        raise FileFormatError(Problem("error", what, file=file, expected="those of the settings in it", remedy=remedy))
    tree: Tree = jax.tree.unflatten(structure, jax.device_put(found))
    return tree
