"""What a network says of people that it has not learned from, with the usual electrodes and with each of them missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Bool
from numpy.typing import NDArray

from profundus.model.heard import heard
from profundus.model.views import AnyWindows, remade
from profundus.network.person import PersonTransformer, Scale, Told
from profundus.pretrain.learning import People

Floats = NDArray[np.float64]
AT_ONCE = 10
USUAL = "usual"
SMALL = 1e-12


class Answers(NamedTuple):
    """Answers about people with the same electrodes ``seen`` (muscle,), and the truth.

    ``middle``, ``course_sd``, ``reference`` and ``truth`` (person, window, sample, muscle) are log excitations, ``level_sd``
    (person, muscle), ``valid`` (person, window, sample), ``load`` (person, window) [kg], ``family`` (person,) the index of his strategy.
    """

    middle: Floats
    course_sd: Floats
    level_sd: Floats
    reference: Floats
    truth: Floats
    valid: NDArray[np.bool_]
    load: Floats
    family: NDArray[np.int_]
    seen: NDArray[np.bool_]

    @property
    def people(self) -> int:
        """Return how many people were asked about."""
        return len(self.truth)

    def part(self, people: NDArray[np.int_]) -> Answers:
        """Return the answers about some of the people."""
        return self._replace(**{name: getattr(self, name)[people] for name in self._fields if name != "seen"})


class Errors(NamedTuple):
    """``level`` (person, muscle): log of the one factor from estimate to truth; ``course`` (person, window, sample, muscle): all other."""

    level: Floats
    course: Floats


def conditions(muscles: tuple[str, ...], usual: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    """Return which muscles (muscle,) have electrodes, by name: ``usual``, and ``without X`` for each usual electrode."""
    one_less = {f"without {muscles[i]}": usual & (np.arange(len(usual)) != i) for i in np.flatnonzero(usual)}
    return {USUAL: usual, **one_less}


def condition_of(muscle: int, muscles: tuple[str, ...], usual: NDArray[np.bool_]) -> str:
    """Return the condition in which a muscle has no electrode, and as many others as possible have."""
    return f"without {muscles[muscle]}" if usual[muscle] else USUAL


def answers_to(
    network: PersonTransformer,
    scale: Scale,
    people: People,
    family: NDArray[np.int_],
    *,
    seen: NDArray[np.bool_],
    together: NDArray[np.float64],
) -> Answers:
    """Return what a network says of people who have electrodes where they are ``seen`` (muscle,)."""
    electrodes = np.broadcast_to(seen, (people.truth.shape[1], len(seen)))
    found = []
    for first in range(0, people.count, AT_ONCE):
        chosen = np.minimum(np.arange(first, first + AT_ONCE), people.count - 1)
        windows = remade(people.windows, (_single(field[chosen]) for field in people.windows))
        told, usual = _asked(network, scale, windows, electrodes, together)
        parts = (usual + told.ratio, np.exp(told.log_sd), np.exp(told.level_log_sd), usual)
        found.append([np.asarray(part, dtype=float)[: people.count - first] for part in parts])
    middle, course_sd, level_sd, reference = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Answers(
        middle=middle,
        course_sd=course_sd,
        level_sd=level_sd,
        reference=reference,
        truth=np.asarray(people.truth, dtype=float),
        valid=np.asarray(people.windows.valid),
        load=np.asarray(people.windows.load, dtype=float),
        family=np.asarray(family, dtype=int),
        seen=seen,
    )


def same_answers(
    one: PersonTransformer,
    other: PersonTransformer,
    scale: Scale,
    people: People,
    *,
    among: Mapping[str, NDArray[np.bool_]],
    together: NDArray[np.float64],
) -> float:
    """Return by how much two networks' log ratios differ at most, over people and conditions."""
    family = np.zeros(people.count, dtype=int)
    found = [
        [answers_to(network, scale, people, family, seen=seen, together=together).middle for network in (one, other)]
        for seen in among.values()
    ]
    return max(float(np.abs(first - second).max()) for first, second in found)


def errors_of(answers: Answers) -> Errors:
    """Return how far answers are from the truth.

    The factor is that of least squares of the excitations: what a calibration with one contraction of all strengths would find.
    """
    counted = answers.valid[..., None]
    estimate, true = np.exp(answers.middle) * counted, np.exp(answers.truth) * counted
    axes = (1, 2)
    level = np.log((np.sum(true * estimate, axis=axes) + SMALL) / (np.sum(estimate**2, axis=axes) + SMALL))
    return Errors(level, answers.truth - answers.middle - level[:, None, None])


@eqx.filter_jit
def _asked(
    network: PersonTransformer,
    scale: Scale,
    windows: AnyWindows,
    seen: Bool[Array | np.ndarray, "window muscle"],
    together: NDArray[np.float64],
) -> tuple[Told, Array]:
    return jax.vmap(lambda own: heard(network, scale, own, seen, together))(windows)


def _single(array: NDArray[Any]) -> NDArray[Any]:
    return array if array.dtype == np.bool_ else array.astype(np.float32)
