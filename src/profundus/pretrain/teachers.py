"""Virtual people by the block, as windows that a network learns from: the same block again whenever it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.model.clocks import true_windows
from profundus.model.limb_windows import LimbWindows
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.views import CLOCKS, AnyWindows, windows_in
from profundus.model.windows import USUAL_SCALE_SD, Windows
from profundus.records import Anatomy, GivenMotion, PopulationSettings, Recipe, TeachersSettings, View, VirtualPerson
from profundus.simulate import simulate_people
from profundus.simulate.limbs import simulate_limbs

Arrays = dict[str, NDArray[Any]]
LOADS = 3
STORED = np.float16  # five times finer than the noise of any of it


def blocks_of(teachers: TeachersSettings) -> int:
    """Return how many blocks the people of a recipe fill."""
    return -(-teachers.people // teachers.block)


def laboratory(recipe: Recipe, block: int) -> PopulationSettings:
    """Return the laboratory of a block: loads, motions, tendons, and how good its MVC and electrodes are."""
    own = recipe.teachers
    chance = np.random.default_rng([recipe.seed, block])
    others = np.arange(0.0, own.other_loads_most + 0.25, 0.5)
    picked = tuple(sorted(float(load) for load in chance.choice(others, LOADS, replace=False)))
    coins = chance.uniform(size=4)
    kinds = own.kinds[int(chance.choice(len(own.kinds), p=np.array(own.kinds_share) / np.sum(own.kinds_share)))]
    free = chance.uniform() < own.free_share
    return PopulationSettings(
        families=dict.fromkeys(own.families, 1.0),
        trials={kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
        loads_kg=picked if coins[0] < own.other_loads_share else own.loads_kg,
        tendon="compliant" if coins[1] < own.compliant_share else "rigid",
        free_share=1.0 if free else 0.0,
        mvc_error=own.mvc_error if coins[2] < own.mvc_error_share else 0.0,
        crosstalk=own.crosstalk if coins[3] < own.crosstalk_share else 0.0,
        rate_hz=own.rate_hz,
    )


def taught_block(
    recipe: Recipe, block: int, anatomy: Anatomy, model: MusculoskeletalModel, motions: Sequence[GivenMotion] = ()
) -> Arrays:
    """Return the people of a block: the fields of their windows but ``scale_sd``, and ``truth``, all with the person as first axis.

    And ``family`` (person,), the index of its name in the recipe's. With ``motions`` people do what recorded people did, and windows are
    those of a limb; else they lift loads.
    """
    own = recipe.teachers
    view: View = "limb" if motions else "hinge"
    people: list[Arrays] = []
    for person in _people(recipe, block, anatomy, model, motions):
        seen = windows_in(view, person.trials, model)._asdict()
        del seen["scale_sd"]
        family = own.families.index(person.facts["control"]["family"])  # type: ignore[index]
        people.append({**seen, "truth": true_windows(person.trials, CLOCKS[view]), "family": np.array(family)})
    stacked = {name: np.stack([person[name] for person in people]) for name in people[0]}
    return {name: _stored(array) for name, array in stacked.items()}


def _people(
    recipe: Recipe, block: int, anatomy: Anatomy, model: MusculoskeletalModel, motions: Sequence[GivenMotion]
) -> Iterator[VirtualPerson]:
    own = recipe.teachers
    who: dict[str, Any] = {"seed": recipe.seed, "count": own.block, "first": block * own.block}
    if not motions:
        return simulate_people(anatomy, model.geometry, laboratory(recipe, block), **who)
    return simulate_limbs(
        anatomy, model.geometry, motions, model.coordinates, families=own.families, rate_hz=own.rate_hz, **who
    )


def _stored(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(STORED) if np.issubdtype(array.dtype, np.floating) else array


def windows_from(arrays: Arrays) -> tuple[AnyWindows, NDArray[Any], NDArray[Any]]:
    """Return the windows (person, window, ...), the logarithm of the truth and the families of a block."""
    kind = LimbWindows if "effort" in arrays else Windows
    fields = {name: arrays[name] for name in kind._fields if name in arrays}
    usual: NDArray[Any] = np.full(arrays["load"].shape, USUAL_SCALE_SD, dtype=np.float32)
    return kind(**fields, scale_sd=usual), arrays["truth"], arrays["family"]
