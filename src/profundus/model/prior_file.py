"""A learned prior as named arrays and plain facts, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import equinox as eqx
import jax
import numpy as np
from numpy.typing import NDArray

from profundus.errors import FileFormatError, Problem
from profundus.model.clocks import FLOOR, LATE_S
from profundus.model.clues import Clues, clue_counts, same_group
from profundus.model.prior import DeepPrior, new_network
from profundus.model.prior_facts import AGAIN, KIND, NAMES, facts_problems
from profundus.model.strangeness import MARKS_VERSION
from profundus.model.trees import filled, leaves
from profundus.model.views import CLOCKS, clues_of, nothing_seen
from profundus.model.windows import MUSCLES, WEAK, WORKING
from profundus.network.person import Scale
from profundus.records import LearningSettings, View

Arrays = dict[str, NDArray[Any]]
Facts = dict[str, Any]
STRANGE = "strange/"
NUMBERS = ("level_factor", "course_factor", "course_memory_s", "level_correlation")


def prior_to_arrays(prior: DeepPrior) -> tuple[Arrays, Facts]:
    """Return everything that an answer needs; weights in 16 bits where these hold them exactly, in 32 where not."""
    weights = {name: _short(array) for name, array in leaves("network", prior.network).items()}
    arrays = {
        **weights,
        **{f"scale/{name}": np.asarray(array, np.float32) for name, array in prior.scale._asdict().items()},
        **{name: np.asarray(getattr(prior, name), np.float64) for name in NUMBERS},
        **{f"{STRANGE}{name}": np.asarray(array) for name, array in prior.strangeness.items()},
    }
    names = {name: list(getattr(prior, name)) for name in NAMES}
    learning = {**asdict(prior.learning), "without": list(prior.learning.without)}
    return arrays, {"kind": KIND, **names, "learning": learning, "view": prior.view, "seen": seen_as(prior.view)}


def prior_from_arrays(arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], *, file: str) -> DeepPrior:
    """Return the prior that was saved. Raises FileFormatError for something else, or what another version saw otherwise."""
    problems = list(_problems(arrays, facts, file))
    if problems:
        raise FileFormatError(problems)
    known: dict[str, Any] = {name: tuple(facts[name]) for name in NAMES}
    known |= {name: np.asarray(arrays[name], np.float64) for name in NUMBERS}
    scale = Scale(*jax.device_put([arrays[f"scale/{name}"].astype(np.float32) for name in Scale._fields]))
    learning = LearningSettings(**{**facts["learning"], "without": tuple(facts["learning"].get("without", ()))})
    shapes = eqx.filter_eval_shape(new_network, learning, scale, muscles=len(known["muscles"]), seed=0)
    wide = {name: array.astype(np.float32) for name, array in arrays.items() if name.startswith("network/")}
    return DeepPrior(
        network=filled("network", shapes, wide, file=file, remedy=AGAIN),
        scale=scale,
        **known,
        learning=learning,
        view=facts.get("view", "hinge"),
        strangeness={name.removeprefix(STRANGE): array for name, array in arrays.items() if name.startswith(STRANGE)},
    )


def seen_as(view: View) -> Facts:
    """Return how trials are seen: a network understands only what was made the same way."""
    clock = CLOCKS[view]
    judged = {"marks": MARKS_VERSION} if view == "hinge" else {}
    return judged | {
        "rate_hz": clock.hz,
        "window": clock.samples,
        "low_pass_hz": [clock.fast_hz, clock.slow_hz],
        "late_s": LATE_S,
        "floor": FLOOR,
        "muscle_models": list(MUSCLES),
        "activations": [WEAK, WORKING],
    }


def _problems(arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], file: str) -> list[Problem]:
    """Return why arrays and facts are not a prior of this version."""
    if problems := facts_problems(facts, file):
        return problems
    missing = [name for name in (*NUMBERS, *(f"scale/{part}" for part in Scale._fields)) if name not in arrays]
    if missing:
        return [Problem("error", f"not in it: {', '.join(missing)}", file, remedy=AGAIN)]
    view: View = facts.get("view", "hinge")
    if facts["seen"] != seen_as(view):
        differ = ", ".join(name for name, value in seen_as(view).items() if facts["seen"].get(name) != value)
        what = f"was taught on trials that were seen otherwise ({differ})"
        return [Problem("error", what, file, expected="as this version sees them", remedy=AGAIN)]
    count = len(facts["muscles"])
    each, person = _clue_counts(view, tuple(facts["groups"]), len(facts["coordinates"]))
    expected: dict[str, tuple[int, ...]] = dict.fromkeys(NUMBERS[:3], (count,))
    expected["level_correlation"] = (count, count)
    expected |= {
        "scale/mean": (each,),
        "scale/sd": (each,),
        "scale/person_mean": (person,),
        "scale/person_sd": (person,),
    }
    return [
        Problem("error", f"{name} has the shape {arrays[name].shape}", file, expected=f"{shape}", remedy=AGAIN)
        for name, shape in expected.items()
        if arrays[name].shape != shape
    ]


def _clue_counts(view: View, groups: tuple[str, ...], coordinates: int) -> tuple[int, int]:
    """Return how many clues of a sample and of a person there are."""
    if view == "hinge":
        return clue_counts(len(groups), models=len(MUSCLES))  # tracing them would take as long as an answer
    whole = nothing_seen(view, muscles=len(groups), coordinates=coordinates)
    found: Clues = eqx.filter_eval_shape(clues_of, whole, np.zeros((1, len(groups)), np.bool_), same_group(groups))
    return found.each.shape[-1], len(found.person)


def _short(array: NDArray[Any]) -> NDArray[Any]:
    """Return weights in 16 bits if no bit of 32 is lost, else in 32."""
    full = array.astype(np.float32)
    with np.errstate(over="ignore"):
        half = full.astype(np.float16)
    return half if np.array_equal(half.astype(np.float32), full) else full
