"""The card of a learned prior: who taught it, how it was judged, what it cannot know."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus import __version__
from profundus.model.prior import DeepPrior
from profundus.model.prior_file import prior_to_arrays
from profundus.pretrain.judging import Judged
from profundus.pretrain.teachers import LOADS, blocks_of
from profundus.records import Anatomy, Recipe

KIND = "card of a learned prior"
LICENSE = "Apache-2.0"
LIBRARIES = ("jax", "jaxlib", "equinox", "optax", "numpy", "scipy")
AT_ENDS = 100  # steps at most
LIMITS = (
    "Everything here was learned from, and judged on, virtual people of one simulator. No score says how good the prior is for people.",
    "It has never seen fatigue, artifacts, electrodes that slip, impaired control, reflexes, or motions faster than those listed.",
    "It knows one anatomy, its coordinates and the control strategies listed; bands can miss a person with another strategy.",
    "Levels of deep muscles are what virtual people make likely; moments narrow them down as far as muscle models are right.",
    "Bands held 90 % on average over virtual people; for one person they can hold far less (column `least`).",
    "People of the half that calibrated and of the half that judged share laboratories.",
    "Research use only.",
)
COLUMNS = {
    "rmse": "RMSE",
    "rmse_ratio": "x reference",
    "better": "better",
    "r": "r",
    "level_mean": "level, mean",
    "level_rms": "level, rms",
    "course_ratio": "course x reference",
    "held": "90 % band holds",
    "held_least": "least",
    "level_held": "of the level",
    "course_held": "of the course",
}


def card_of(
    recipe: Recipe,
    anatomy: Anatomy,
    prior: DeepPrior,
    scores: Judged,
    *,
    people: Mapping[str, int],
    history: NDArray[np.float64],
    seconds: Mapping[str, float],
    file: Path,
) -> dict[str, Any]:
    """Return the card of a prior that was written to ``file``, as plain values."""
    ends = max(1, min(AT_ENDS, len(history) // 4))
    weights = [array for name, array in prior_to_arrays(prior)[0].items() if name.startswith("network/")]
    return {
        "kind": KIND,
        "date": datetime.now(UTC).date().isoformat(),
        "version": __version__,
        "libraries": {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}},
        "license": LICENSE,
        "anatomy": {
            "name": anatomy.name,
            "muscles": list(prior.muscles),
            "groups": list(prior.groups),
            "coordinates": list(prior.coordinates),
            "credit": anatomy.credit,
        },
        "electrodes": list(prior.electrodes),
        "population": {"words": _population(recipe), **people},
        "recipe": asdict(recipe),
        "learning": {
            "weights": sum(array.size for array in weights),
            "bits": max(8 * array.itemsize for array in weights),
            "bytes": file.stat().st_size,
            "steps": len(history),
            "loss_first": _mean(history[:ends]),
            "loss_last": _mean(history[-ends:]),
        },
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "calibration": {
            "level_factor": _by_muscle(prior, prior.level_factor),
            "course_factor": _by_muscle(prior, prior.course_factor),
            "course_memory_s": _by_muscle(prior, prior.course_memory_s),
            "level_correlation": np.round(prior.level_correlation, 4).tolist(),
        },
        "scores": scores.scores,
        "families": scores.families,
        "loads": scores.loads,
        "ranks": scores.ranks,
        "limits": list(LIMITS),
    }


def card_text(card: Mapping[str, Any]) -> str:
    """Return a card as a page of Markdown."""
    population, learning, seconds = card["population"], card["learning"], card["seconds"]
    spent = ", ".join(f"{name} {value:.0f} s" for name, value in seconds.items())
    parts = [
        f"# Learned prior of {card['anatomy']['name']}",
        f"{card['date']}, profundus {card['version']}, license {card['license']}. {card['anatomy']['credit']}",
        "What each key means: docs/pretraining.md. All numbers, and the recipe: card.json, recipe.toml.",
        "## Who taught it",
        f"{population['taught']} virtual people; {population['held_out']} others calibrated and judged it, half and half.",
        "\n".join(f"- {line}" for line in population["words"]),
        "## The network",
        f"{learning['weights']} weights of {learning['bits']} bits, {learning['bytes'] / 1e6:.2f} MB, {learning['steps']} steps; loss "
        f"{learning['loss_first']:.3f} at first, {learning['loss_last']:.3f} in the end. {spent}.",
        "## Scores on virtual people that it has not learned from",
        "Reference: the mean of the muscle's group that has electrodes. RMSE: fraction of maximum, median over people; "
        "ratios: geometric means over people; level: log of the factor from estimate to truth; course: after that factor.",
        _table(card["scores"], {"electrodes": "electrodes", "muscle": "muscle", **COLUMNS}),
        "### By control strategy, usual electrodes",
        _table(card["families"], {"family": "strategy", "muscle": "muscle", "people": "people", **COLUMNS}),
        "### By load, usual electrodes",
        _table(
            card["loads"],
            {
                "load_kg": "kg",
                "muscle": "muscle",
                "people": "people",
                "rmse_ratio": "x reference",
                "held": "90 % band holds",
            },
        ),
        "### How much bands hold",
        _table(_bands(card["ranks"]), None),
        "## Limits",
        "\n".join(f"- {line}" for line in card["limits"]),
    ]
    return "\n\n".join(parts) + "\n"


def _population(recipe: Recipe) -> list[str]:
    """Return who the teachers are, in sentences."""
    own = recipe.teachers
    if recipe.study:
        return [
            f"{blocks_of(own)} blocks of {own.block} people, seed {recipe.seed}, electrodes on {', '.join(recipe.electrodes)}.",
            f"Control strategies, equally often: {', '.join(own.families)}.",
            f"Motions and moments: stretches of the trials to fit of {Path(recipe.study).name}, at another pace, reach and effort.",
            "Rigid tendons; bodies, noise, crosstalk: docs/pretraining.md.",
        ]
    shares = np.array(own.kinds_share) / np.sum(own.kinds_share)
    kinds = "; ".join(f"{', '.join(kind)} ({share:.0%})" for kind, share in zip(own.kinds, shares, strict=True))
    loads = ", ".join(f"{load:g}" for load in own.loads_kg)
    return [
        f"{blocks_of(own)} laboratories of {own.block} people each, seed {recipe.seed}, electrodes on {', '.join(recipe.electrodes)}.",
        f"Control strategies, equally often: {', '.join(own.families)}.",
        f"Motions of every load: {kinds}.",
        f"Loads {loads} kg; in {own.other_loads_share:.0%} of the laboratories {LOADS} others up to {own.other_loads_most:g} kg.",
        f"Tendons that stretch in {own.compliant_share:.0%}, people who take liberties in {own.free_share:.0%} of the laboratories.",
        f"The maximal contraction wrong by up to {own.mvc_error:.0%} in {own.mvc_error_share:.0%}, crosstalk of {own.crosstalk:.0%} "
        f"in {own.crosstalk_share:.0%} of the laboratories.",
        "Bodies, tendons, levers, noise: docs/virtual-subjects.md.",
    ]


def _table(rows: list[dict[str, Any]], columns: Mapping[str, str] | None) -> str:
    """Return rows as a Markdown table; ``columns`` maps keys to titles, None takes the keys themselves."""
    if not rows:
        return "Too few people to tell."
    known = columns or {key: key for key in rows[0]}
    body = [_line(_shown(key, row[key]) for key in known) for row in rows]
    return "\n".join([_line(known.values()), _line("---" for _ in known), *body])


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _shown(key: str, value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    if key == "better" or "held" in key or key.endswith("%"):
        return f"{value:.0%}"
    return f"{value:g}" if key == "load_kg" else f"{value:.3f}"


def _bands(ranks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row a muscle and kind of band, with a column for each nominal share."""
    return [
        {"muscle": row["muscle"], "electrodes": row["electrodes"], "of": kind}
        | {f"{share:.0%}": held for share, held in zip(row["bands"], row[key], strict=True)}
        for row in ranks
        for kind, key in (("samples", "held"), ("level", "level_held"))
    ]


def _by_muscle(prior: DeepPrior, values: NDArray[np.float64]) -> dict[str, float]:
    return {muscle: round(float(value), 4) for muscle, value in zip(prior.muscles, values, strict=True)}


def _mean(values: NDArray[np.float64]) -> float:
    return round(float(np.mean(values)), 4)
