"""An anatomy in a file of its own: what was sampled from a model once is there for the next time, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from profundus.errors import FileFormatError, Problem
from profundus.io.weights import read_arrays, write_arrays
from profundus.records import Anatomy, CoordinateRange, PathFit, PathProducts, PathSpline

ANATOMY = "anatomy.safetensors"
"""How the file is called beside the study file of a run."""
_MUSCLE = (
    *("max_isometric_force", "optimal_fiber_length", "tendon_slack_length"),
    *("pennation_at_optimal", "base_length"),
)
_PLAIN = ("name", "tendon_strain_at_one", "passive_strain_at_one", "credit")
_NAMES = ("muscles", "groups", "default_coordinates")


def write_anatomy_file(anatomy: Anatomy, path: Path) -> None:
    """Write an anatomy, whole or not at all. Raises ResourceError."""
    arrays: dict[str, NDArray[Any]] = {key: getattr(anatomy, key) for key in _MUSCLE}
    for at, spline in enumerate(anatomy.paths):
        arrays |= {f"path_{at}_knots": spline.knots, f"path_{at}_coefficients": spline.coefficients}
    for at, several in enumerate(anatomy.products):
        arrays |= {f"product_{at}_{key}": getattr(several, key) for key in ("low", "high", "degrees", "coefficients")}
    facts = {key: getattr(anatomy, key) for key in (*_PLAIN, *_NAMES)}
    facts["coordinates"] = [asdict(one) for one in anatomy.coordinates]
    facts["paths"] = [[spline.coordinate, spline.degree] for spline in anatomy.paths]
    facts["products"] = [several.coordinates for several in anatomy.products]
    facts["path_fits"] = [asdict(one) for one in anatomy.path_fits]
    facts["problems"] = [problem.as_dict() for problem in anatomy.problems]
    write_arrays(path, arrays, facts)


def read_anatomy_file(path: Path) -> Anatomy:
    """Return the anatomy of a file. Raises as `read_arrays`, and FileFormatError for a file with something else in it."""
    arrays, facts = read_arrays(path)
    try:
        return _anatomy(arrays, facts)
    except (KeyError, TypeError, ValueError) as error:
        what = f"holds no anatomy ({type(error).__name__}: {error})"
        raise FileFormatError(Problem("error", what, str(path), remedy="Remove it: it is made again")) from error


def _anatomy(arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> Anatomy:
    whole: dict[str, Any] = {key: arrays[key] for key in _MUSCLE} | {key: facts[key] for key in _PLAIN}
    return Anatomy(
        **whole | {key: tuple(facts[key]) for key in _NAMES},
        coordinates=tuple(CoordinateRange(**one) for one in facts["coordinates"]),
        paths=tuple(
            PathSpline(name, degree, arrays[f"path_{at}_knots"], arrays[f"path_{at}_coefficients"])
            for at, (name, degree) in enumerate(facts["paths"])
        ),
        products=tuple(
            PathProducts(
                tuple(names), *(arrays[f"product_{at}_{key}"] for key in ("low", "high", "degrees", "coefficients"))
            )
            for at, names in enumerate(facts["products"])
        ),
        path_fits=tuple(PathFit(**one) for one in facts["path_fits"]),
        problems=tuple(Problem(**one) for one in facts["problems"]),
    )
