"""Read the anatomical models that are shipped as numbers."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from profundus.errors import InputError, Problem
from profundus.records import Anatomy, CoordinateRange, PathProducts, PathSpline

SHIPPED = files("profundus") / "data"


def shipped_models() -> tuple[str, ...]:
    """Return the names of the shipped models."""
    return tuple(sorted(f.name.removesuffix(".json") for f in SHIPPED.iterdir() if f.name.endswith(".json")))


def read_anatomy(name: str, *, ignored: Collection[str] = ()) -> Anatomy:
    """Return a shipped model by its name, in SI units and radians, without the muscles that are ``ignored``.

    Raises ``InputError`` for a name that is not shipped. OpenSim files are read by `read_sketch` and sampled by `osim_anatomy`.
    """
    if name not in shipped_models():
        expected = f"one of {', '.join(shipped_models())}, or an .osim file"
        raise InputError(Problem("error", f"there is no model '{name}'", file=name, expected=expected))
    numbers = json.loads((SHIPPED / f"{name}.json").read_text(encoding="utf-8"))
    return _anatomy({**numbers, "muscles": [muscle for muscle in numbers["muscles"] if muscle["name"] not in ignored]})


def arm_sign(anatomy: Anatomy, coordinates: Collection[str]) -> dict[str, dict[str, int]]:
    """Return {coordinate: {muscle: +1 or -1}}, the sign of each moment arm in the middle of the coordinate's range.

    The arm is minus the derivative of path length. A muscle that does not cross the joint is left out; so are all
    where the anatomy has no paths yet.
    """
    middle = {joint.name: (joint.low + joint.high) / 2 for joint in anatomy.coordinates}
    signs: dict[str, dict[str, int]] = {name: {} for name in coordinates}
    for path in anatomy.paths:
        if path.coordinate in signs:
            spline = BSpline(path.knots, path.coefficients, path.degree)
            arms = -spline(middle[path.coordinate], nu=1)
            arms = arms - sum(_slope(products, path.coordinate, middle) for products in anatomy.products)
            signs[path.coordinate] = {
                muscle: int(np.sign(arm)) for muscle, arm in zip(anatomy.muscles, arms, strict=True) if arm != 0
            }
    return signs


def _slope(products: PathProducts, coordinate: str, angle: Mapping[str, float]) -> NDArray[np.float64]:
    """Return the derivative (muscle,) of what products add to path length, by one coordinate at given angles [rad]."""
    if coordinate not in products.coordinates:
        return np.zeros(products.coefficients.shape[1])
    terms = np.ones(len(products.degrees))
    for name, low, high, degrees in zip(
        products.coordinates, products.low, products.high, products.degrees.T, strict=True
    ):
        scale, every = 2.0 / (high - low), np.eye(int(degrees.max()) + 1)
        series = chebyshev.chebder(every, scl=scale) if name == coordinate else every
        terms *= chebyshev.chebval((angle[name] - low) * scale - 1.0, series)[degrees]
    return np.asarray(terms @ products.coefficients, dtype=np.float64)


def _anatomy(numbers: dict[str, Any]) -> Anatomy:
    muscles = numbers["muscles"]
    names = tuple(muscle["name"] for muscle in muscles)
    coordinates = tuple(
        CoordinateRange(c["name"], *(np.deg2rad([c["low_deg"], c["high_deg"], c["default_deg"]]).tolist()))
        for c in numbers["coordinates"]
    )
    ranges = {coordinate.name: coordinate for coordinate in coordinates}
    columns: dict[str, Any] = {
        key: np.array([m[key] for m in muscles]) for key in muscles[0] if key not in {"name", "group"}
    }
    return Anatomy(
        name=numbers["name"],
        muscles=names,
        coordinates=coordinates,
        groups=tuple(muscle["group"] for muscle in muscles),
        paths=tuple(_path(path, names, ranges[path["coordinate"]]) for path in numbers["paths"]),
        tendon_strain_at_one=numbers["tendon_strain_at_one"],
        passive_strain_at_one=numbers["passive_strain_at_one"],
        credit=numbers["credit"],
        default_coordinates=tuple(numbers["default_coordinates"]),
        **columns,
    )


def _path(path: dict[str, Any], muscles: tuple[str, ...], valid: CoordinateRange) -> PathSpline:
    """Return one coordinate's splines; a muscle without a row does not depend on the coordinate."""
    degree, intervals = path["degree"], path["intervals"]
    breaks = np.linspace(valid.low, valid.high, intervals + 1)
    knots = np.concatenate([np.repeat(breaks[0], degree), breaks, np.repeat(breaks[-1], degree)])
    still = np.zeros(intervals + degree)
    coefficients = np.column_stack([path["coefficients"].get(muscle, still) for muscle in muscles])
    return PathSpline(path["coordinate"], degree, knots, coefficients)
