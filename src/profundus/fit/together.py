"""Several people in one program: what an accelerator is for, and a processor is not."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import PyTree


def by_default() -> bool:
    """Return whether people are computed together: where JAX found an accelerator. On a processor it brings nothing: processes do."""
    return jax.default_backend() != "cpu"


def alike(keys: Iterable[Hashable]) -> list[list[int]]:
    """Return the places of equal keys, group by group."""
    groups: dict[Hashable, list[int]] = {}
    for place, key in enumerate(keys):
        groups.setdefault(key, []).append(place)
    return list(groups.values())


def shapes(tree: PyTree) -> tuple[object, ...]:
    """Return what two trees must share to be stacked: shapes and types of all arrays."""
    return tuple((jnp.shape(leaf), str(getattr(leaf, "dtype", type(leaf)))) for leaf in jax.tree.leaves(tree))


def stacked(trees: Sequence[PyTree]) -> Any:
    """Return trees of the same shapes as one, with the person as the first axis of every array."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


def parted(tree: PyTree, count: int) -> list[Any]:
    """Return the ``count`` trees that were stacked."""
    return [jax.tree.map(lambda leaf, at=place: leaf[at], tree) for place in range(count)]
