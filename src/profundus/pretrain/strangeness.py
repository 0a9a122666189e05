"""What marks virtual people have, by electrodes and number of trials: the reference that tells who is unlike them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.model.balance import EFFORTS, later
from profundus.model.outside import JUDGED, PROBABILITIES, features, together
from profundus.model.strangeness import LEAST_LOADS_KG, chosen, marks
from profundus.model.windows import Windows
from profundus.pretrain.learning import People
from profundus.pretrain.lessons import ANY_SEEN

Floats = NDArray[np.float64]
Marks = dict[str, float]
COUNTS = (3, 6, 9)  # windows of a person
MOST = 3000  # people
MOVED = 40  # people on whom it is seen what a wrong input does
MOVED_KG, MOVED_GAIN = 1.0, 1.5
RIDGE = 2e-3  # share of the variances that is added to them


def reference(
    people: People,
    usual: NDArray[np.bool_],
    groups: tuple[str, ...],
    *,
    seed: int,
    most: int = MOST,
    counts: Sequence[int] = COUNTS,
) -> dict[str, NDArray[Any]]:
    """Return what `outside` holds a person against, from up to ``most`` people: the arrays of `DeepPrior.strangeness`.

    ``electrodes`` (electrodes, muscle) are the ``usual`` ones, each of them with one less, and at last none, which stands for any;
    ``counts`` (count,) numbers of windows. By mark, quantiles (count, electrodes, probability). ``mean`` (electrodes, feature),
    ``covariance`` (electrodes, feature, feature); ``load_way`` (electrodes, feature) is what 1 kg that is stated too much, with the moment
    that it brings, does to the features, ``gain_way`` (electrodes, muscle, feature) what an electrode's gain does, per unit of its log.
    Fewer than a thousand people do not tell a covariance of 55 features, and raise flags in ordinary people.
    """
    chance = np.random.default_rng([seed, 7])
    sets = [usual, *(usual & (np.arange(len(usual)) != i) for i in np.flatnonzero(usual)), np.zeros_like(usual)]
    those, whole = chance.permutation(people.count)[:most], people.truth.shape[1]
    known = [count for count in counts if count <= whole] or [whole]
    seen = [np.where(one.any(), one, True) for one in sets]  # where any may be meant, habits of all muscles are taken
    full = [[_marked(windows, one, groups) for windows in _each(people, those)] for one in seen]
    first = list(_each(people, those[:MOVED]))
    spaces = [_space(found, first, one, groups) for found, one in zip(full, sets, strict=True)]
    out: dict[str, NDArray[Any]] = {"electrodes": np.stack(sets), "counts": np.array(known)}
    out |= {name: np.stack([space[name] for space in spaces]) for name in spaces[0]}
    tables: list[list[list[Marks]]] = []
    for count in known:
        same = [found if count == whole and one.any() else None for found, one in zip(full, sets, strict=True)]
        shown = [
            found or [_shown(windows, one, groups, count, chance) for windows in _each(people, those)]
            for found, one in zip(same, sets, strict=True)
        ]
        tables.append([[found | together(found, out, i) for found in row] for i, row in enumerate(shown)])
    for mark in JUDGED:
        out[mark] = np.array([[_quantiles(np.array([f[mark] for f in found])) for found in row] for row in tables])
    return out


def _marked(windows: Windows, electrodes: NDArray[np.bool_], groups: tuple[str, ...]) -> Marks:
    return marks(windows, np.broadcast_to(electrodes, (len(windows.load), len(electrodes))), groups)


def _shown(
    windows: Windows, electrodes: NDArray[np.bool_], groups: tuple[str, ...], count: int, chance: np.random.Generator
) -> Marks:
    """Return the marks of a person who shows ``count`` windows with some electrodes, with any where there are none."""
    seen = electrodes if electrodes.any() else chance.uniform(size=len(electrodes)) < ANY_SEEN
    return _marked(chosen(windows, np.sort(chance.permutation(len(windows.load))[:count])), seen, groups)


def _space(
    found: Sequence[Marks], first: Sequence[Windows], electrodes: NDArray[np.bool_], groups: tuple[str, ...]
) -> dict[str, Floats]:
    """Return mean and covariance of the features of people, and what wrong inputs do to those of the ``first``.

    How moments go with envelopes depends on the electrodes: where any are meant, it is left out.
    """
    names = features(len(groups))
    any_meant = not electrodes.any()
    seen = electrodes | any_meant

    def values(one: Marks) -> Floats:
        return np.array([np.nan if any_meant and name in EFFORTS else one[name] for name in names])

    def way(wrong: Callable[[Windows], Windows], size: float) -> Floats:
        moved = np.stack([values(_marked(wrong(windows), seen, groups)) for windows in first]) - table[: len(first)]
        return np.nan_to_num(_mean(moved) / size)

    table = np.stack([values(one) for one in found])
    mean, covariance = _moments(table)
    gains = [
        way(partial(_louder, muscle=muscle), np.log(MOVED_GAIN)) if seen[muscle] else np.zeros(len(names))
        for muscle in range(len(seen))
    ]
    return {"mean": mean, "covariance": covariance, "load_way": way(_heavier, MOVED_KG), "gain_way": np.stack(gains)}


def _heavier(windows: Windows) -> Windows:
    """Return a person's windows as a laboratory has them that believes all loads to be 1 kg heavier, in its inverse dynamics, too."""
    if not np.ptp(windows.load) >= LEAST_LOADS_KG:  # or unknown: nothing is moved
        return windows
    load = windows.load + MOVED_KG
    hanging = np.sin(later(windows.motion[..., 0])) * windows.valid
    per_kg = np.polyfit(windows.load, np.sum(windows.moment * hanging, axis=1) / np.sum(hanging**2, axis=1), 1)[0]
    return windows._replace(load=load, moment=windows.moment + MOVED_KG * per_kg * hanging)


def _louder(windows: Windows, muscle: int) -> Windows:
    """Return a person's windows with one electrode of a larger gain."""
    off = np.where(np.arange(windows.fast.shape[-1]) == muscle, np.log(MOVED_GAIN), 0.0)
    return windows._replace(fast=windows.fast + off, slow=windows.slow + off)


def _each(people: People, which: NDArray[np.intp]) -> Iterator[Windows]:
    for person in which:
        yield Windows(*(_wide(np.asarray(field[person])) for field in people.windows))


def _wide(field: NDArray[Any]) -> Any:
    return field if field.dtype == np.bool_ else field.astype(np.float64)


def _moments(table: Floats) -> tuple[Floats, Floats]:
    """Return mean and covariance of features (person, feature) of which some are NaN; NaN and zero where all are."""
    mean = _mean(table)
    off = np.where(np.isfinite(table), table - mean, 0.0)
    both = np.isfinite(table).astype(float)
    covariance = off.T @ off / np.maximum(both.T @ both, 1.0)
    return mean, covariance + RIDGE * np.diag(np.diag(covariance))


def _mean(table: Floats) -> Floats:
    count = np.isfinite(table).sum(axis=0)
    return np.asarray(np.where(count > 0, np.nansum(table, axis=0) / np.maximum(count, 1), np.nan))


def _quantiles(values: Floats) -> Floats:
    known = values[np.isfinite(values)]
    return np.quantile(known, PROBABILITIES) if len(known) else np.full(len(PROBABILITIES), np.nan)
