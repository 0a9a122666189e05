"""A trained network becomes a prior: its weights are rounded where that changes nothing, its doubts calibrated, its answers judged."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from profundus.model.prior import DeepPrior
from profundus.model.views import CLOCKS
from profundus.network.person import PersonTransformer
from profundus.pretrain.answering import Answers, answers_to, conditions, same_answers
from profundus.pretrain.calibrating import calibrated, mean_level
from profundus.pretrain.judging import Judged, judged
from profundus.pretrain.learning import Learner, People
from profundus.pretrain.strangeness import reference
from profundus.records import Anatomy

MOST_ROUNDED = 1e-3  # of a log ratio, by weights of 16 bits
ROUNDED_ON = 20  # people
FEWEST, MOST_KNOWN = 200, 1500  # people whose habits tell who is a stranger


def prior_and_scores(
    learner: Learner,
    anatomy: Anatomy,
    network: PersonTransformer,
    people: People,
    family: NDArray[np.int_],
    *,
    coordinates: tuple[str, ...],
) -> tuple[DeepPrior, Judged]:
    """Return the calibrated prior and its scores; every other person calibrates, the rest judge.

    A network that learned by ratios of errors answers a little too low: its levels are raised until they are right on average.
    """
    recipe, view = learner.recipe, learner.view
    among = conditions(anatomy.muscles, learner.usual)

    def asked(network: PersonTransformer) -> tuple[dict[str, Answers], dict[str, Answers]]:
        """Return the answers about those who calibrate, and about those who judge."""
        found = {
            name: answers_to(network, learner.scale, people, family, seen=seen, together=learner.together)
            for name, seen in among.items()
        }
        first, second = (
            {name: one.part(np.arange(start, people.count, 2)) for name, one in found.items()} for start in (0, 1)
        )
        return first, second

    level = mean_level(asked(network)[0], anatomy.muscles, learner.usual)
    kept = _rounded(network.raised(level), learner, people, among)
    halves = asked(kept)
    calibration = calibrated(halves[0], anatomy.muscles, learner.usual, hz=CLOCKS[view].hz)
    scores = judged(halves[1], calibration, anatomy.muscles, recipe.teachers.families, learner.usual)
    prior = DeepPrior(
        network=kept,
        scale=learner.scale,
        muscles=anatomy.muscles,
        groups=anatomy.groups,
        coordinates=coordinates,
        electrodes=recipe.electrodes,
        **calibration._asdict(),
        learning=recipe.learning,
        view=view,
        strangeness=_strangeness(learner, anatomy),
    )
    return prior, scores


def _strangeness(learner: Learner, anatomy: Anatomy) -> dict[str, NDArray[Any]]:
    """Return what people who were learned from are like, so that strangers are known; nothing where these are too few to tell."""
    if learner.view != "hinge" or learner.people.count < FEWEST:
        return {}
    return reference(learner.people, learner.usual, anatomy.groups, seed=learner.recipe.seed, most=MOST_KNOWN)


def _rounded(
    network: PersonTransformer, learner: Learner, people: People, among: dict[str, NDArray[np.bool_]]
) -> PersonTransformer:
    """Return the network with weights that 16 bits hold, where no answer changes by more than 0.001, else with 32."""
    few = People(*jax.tree.map(lambda field: field[:ROUNDED_ON], (people.windows, people.truth)))
    half, full = (_held_by(np.dtype(kind), network) for kind in (np.float16, np.float32))
    off = same_answers(half, full, learner.scale, few, among=among, together=learner.together)
    return half if off <= MOST_ROUNDED else full


def _held_by(kind: np.dtype[Any], network: PersonTransformer) -> PersonTransformer:
    """Return the network with weights of 32 bits that went through another kind."""

    def through(leaf: Any) -> Any:
        with np.errstate(over="ignore"):
            return jnp.asarray(np.asarray(leaf).astype(kind).astype(np.float32))

    held: PersonTransformer = jax.tree.map(through, network)
    return held
