"""Virtual people on disk, block by block, made by several processes: what was made once is not made again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from profundus.errors import InputError
from profundus.io.weights import read_arrays, write_arrays
from profundus.protocols.ground import Ground
from profundus.records import Recipe

PEOPLE = "people"
ONE_THREAD = {
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "OMP_NUM_THREADS": "1",
}
Facts = dict[str, Any]


def block_file(out: Path, block: int) -> Path:
    """Return where a block of people is kept."""
    return out / PEOPLE / f"block_{block:05d}.safetensors"


def block_facts(recipe: Recipe, block: int, ground: str = "") -> Facts:
    """Return what a block's content follows from; the number of people is not among it. ``ground`` is the digest of a study's motions."""
    teachers = {name: value for name, value in asdict(recipe.teachers).items() if name != "people"}
    facts = {"anatomy": recipe.anatomy, "seed": recipe.seed, "teachers": _plain(teachers), "block": block}
    return {**facts, "ground": ground} if ground else facts


def make_people(
    recipe: Recipe, ground: Ground, out: Path, blocks: int, *, workers: int, told: Callable[[int], None] | None = None
) -> None:
    """Write the blocks that are not there yet, or that another recipe made; ``told`` hears how many are done.

    Every worker is a process with one thread. Whatever stops this, finished blocks stay.
    """
    digest = ground.digest
    missing = [block for block in range(blocks) if not _is_there(recipe, out, block, digest)]
    done = blocks - len(missing)
    if told is not None:
        told(done)
    if not missing:
        return
    with (
        _environment(ONE_THREAD),
        ProcessPoolExecutor(min(workers, len(missing)), mp_context=get_context("spawn")) as pool,
    ):
        jobs = [pool.submit(_make, recipe, ground, out, block, digest) for block in missing]
        try:
            for job in as_completed(jobs):
                job.result()
                done += 1
                if told is not None:
                    told(done)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _make(recipe: Recipe, ground: Ground, out: Path, block: int, digest: str) -> None:
    from profundus.fit.compiled import keep_compiled
    from profundus.pretrain.teachers import taught_block

    keep_compiled()
    arrays = taught_block(recipe, block, ground.anatomy, ground.model, ground.motions)
    write_arrays(block_file(out, block), arrays, block_facts(recipe, block, digest))


def _is_there(recipe: Recipe, out: Path, block: int, digest: str) -> bool:
    path = block_file(out, block)
    if not path.is_file():
        return False
    try:
        _, facts = read_arrays(path)
    except InputError:
        return False
    return bool(facts == block_facts(recipe, block, digest))


def _plain(values: Facts) -> Facts:
    """Return values as JSON gives them back."""
    return {name: _listed(value) for name, value in values.items()}


def _listed(value: Any) -> Any:
    return [_listed(part) for part in value] if isinstance(value, list | tuple) else value


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set environment variables for processes that are started inside."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, old in before.items():
            if old is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = old
