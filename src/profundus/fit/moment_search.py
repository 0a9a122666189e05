"""The search for the parameters that explain joint moments: the linearized physics, compiled once for people who share shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from numpy.typing import NDArray

from profundus.fit.coarse import CoarseTrials
from profundus.fit.priors import ParameterPrior
from profundus.fit.together import alike, parted, shapes, stacked
from profundus.model.musculoskeletal import Geometry, MusculoskeletalModel, Parameters
from profundus.numerics.levenberg_marquardt import Solution, levenberg_marquardt

Floats = NDArray[np.float64]
TOLERANCE = 3e-4  # of the sum of squares: R² no longer moves by 0.001, directions that hardly matter to it may, by about a posterior sd


class Gains(NamedTuple):
    """Log gains (muscle,) that excitations are divided by: ``held`` + ``wide`` (muscle, free) times what is ``free``, in prior sd.

    Free are EMG gains of electrodes, and levels of muscles without one.
    """

    held: Floats | Float[Array, " muscle"]
    wide: Floats | Float[Array, "muscle free"]
    free: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class SamePrior:
    """A prior, equal to every other that holds the same numbers."""

    prior: ParameterPrior

    def _all(self) -> tuple[object, ...]:
        own = self.prior
        return own.names, *(values.tobytes() for values in (own.center, own.low, own.high, own.mixing))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SamePrior) and self._all() == other._all()

    def __hash__(self) -> int:
        return hash(self._all())


@dataclass(frozen=True)
class Physics:
    """What the compiler must know; people who share it, and the shapes of their trials, share a compilation."""

    prior: SamePrior
    muscle: str
    tendon: str
    smoothing: float
    step: float


class Search(NamedTuple):
    """At most how many ``steps``, and from where; zeros are the prior's center."""

    steps: Int[Array, ""]
    start: Float[Array, " unknown"]


class Question(NamedTuple):
    """What one person's search is about."""

    physics: Physics
    gains: Gains
    rows: CoarseTrials
    search: Search


class Found(NamedTuple):
    """The search's end, parameter ``values`` there and their ``slope`` over the whitened ones."""

    solution: Solution
    values: Float[Array, " parameter"]
    slope: Float[Array, "parameter parameter"]


class _Elements(NamedTuple):
    """What each muscle's force follows from: its own numbers alone (field, muscle), the last its log gain, and the person's (field,)."""

    muscles: Float[Array, "field muscle"]
    person: Float[Array, " field"]


def searched_all(questions: Sequence[Question], model: MusculoskeletalModel, *, together: bool) -> list[Found]:
    """Return what is found for each person, in NumPy; ``together`` in one program for all who share shapes, else one after the other."""
    if not together:
        found = [searched(one.physics, model, one.gains, one.rows, one.search) for one in questions]
        return [jax.tree.map(np.asarray, one) for one in found]
    out: list[Any] = [None] * len(questions)
    arrays = [(one.gains.held, one.gains.wide, one.rows, one.search) for one in questions]
    keys = [(one.physics, one.gains.free, shapes(own)) for one, own in zip(questions, arrays, strict=True)]
    for places in alike(keys):
        first = questions[places[0]]
        many = _searched_together(first.physics, model, first.gains.free, stacked([arrays[place] for place in places]))
        for place, one in zip(places, parted(jax.tree.map(np.asarray, many), len(places)), strict=True):
            out[place] = one
    return out


@eqx.filter_jit
def _searched_together(physics: Physics, model: MusculoskeletalModel, free: tuple[str, ...], arrays: Any) -> Found:
    def one(held: Array, wide: Array, rows: CoarseTrials, search: Search) -> Found:
        found: Found = searched(physics, model, Gains(held, wide, free), rows, search)
        return found

    many: Found = jax.vmap(one)(*arrays)
    return many


@eqx.filter_jit
def searched(physics: Physics, model: MusculoskeletalModel, gains: Gains, rows: CoarseTrials, search: Search) -> Found:
    """Return the most probable unknowns: whitened parameters, then free gains."""
    prior = physics.prior.prior
    count = len(prior.names)

    def elements(unknown: Array) -> _Elements:
        own = prior.parameters(unknown[:count])
        log_gain = gains.held + gains.wide @ unknown[count:]
        return _Elements(
            jnp.stack([*jax.tree.leaves(own.muscles), log_gain]), jnp.stack(jax.tree.leaves(own.activation))
        )

    def linearized(unknown: Array) -> tuple[Array, Array]:
        known, slope = elements(unknown), jax.jacfwd(elements)(unknown)
        error, by_muscle, by_person = jax.lax.map(lambda row: _linearized(physics, model, row, known), rows)
        jacobian = jnp.einsum("rscfm,fmu->rscu", by_muscle, slope.muscles) + by_person @ slope.person
        prior_error = jnp.eye(len(unknown), dtype=unknown.dtype)
        return jnp.concatenate([error.ravel(), unknown]), jnp.concatenate(
            [jacobian.reshape(-1, len(unknown)), prior_error]
        )

    solution = levenberg_marquardt(linearized, search.start, steps=search.steps, tolerance=TOLERANCE)
    personal = solution.value[:count]
    return Found(solution, prior.values(personal), jax.jacfwd(prior.values)(personal))


def _linearized(
    physics: Physics, model: MusculoskeletalModel, row: CoarseTrials, elements: _Elements
) -> tuple[Array, Array, Array]:
    """Return one trial's errors of the moment in sd (time, coordinate), and their slopes over the elements.

    A muscle's force feels only its own numbers and the person's: one push a field gives the slopes of all muscles at once.
    """
    example = model.generic_parameters

    def force(given: _Elements) -> Array:
        muscles = jax.tree.unflatten(jax.tree.structure(example.muscles), list(given.muscles[:-1]))
        person = jax.tree.unflatten(jax.tree.structure(example.activation), list(given.person))
        response = model.respond(
            jnp.clip(row.excitation * jnp.exp(-given.muscles[-1]), 0.0, 1.0),
            Geometry(row.path_length, row.path_velocity, row.moment_arm),
            Parameters(muscles, person),
            step=physics.step,
            muscle=physics.muscle,
            tendon=physics.tendon,
            smoothing=physics.smoothing,
            substeps=1,
        )
        return response.tendon_force

    fields, people = len(elements.muscles), len(elements.person)
    directions = jnp.eye(fields + people, dtype=row.moment.dtype)
    muscles = jnp.broadcast_to(directions[:, :fields, None], (fields + people, *elements.muscles.shape))
    pulled, push = jax.linearize(force, elements)
    slope = jax.vmap(push)(_Elements(muscles, directions[:, fields:]))
    arm = row.moment_arm * row.weight[..., None]
    error = jnp.einsum("scm,sm->sc", arm, pulled) - row.moment * row.weight
    by_muscle = jnp.einsum("scm,fsm->scfm", arm, slope[:fields])
    return error, by_muscle, jnp.einsum("scm,fsm->scf", arm, slope[fields:])
