"""Regenerate the shipped numbers of Arm26 from its OpenSim file: ``python benchmarks/make_arm26_numbers.py arm26.osim``.

Needs the extra ``[opensim]``. For every coordinate the moment arm is sampled every 0.1 degree, the others at 0, and fitted by a cubic
spline; the path length is its exact integral. Three things that OpenSim's wrapping does at the shoulder need care. At single angles it
fails: those samples are left out. At 31.3 (BIClong), 41.6 and 70.8 degrees (TRIlong) it changes sides, and the length jumps by 1.7 to 2.7
mm: one basis function (2 degrees wide) bridges the jump. And its moment arm is not quite the derivative of its length (by 0.3 mm for
BIClong, up to 4 mm for TRIlong beyond 70 degrees): length counts there, so the drift, smoothed over 10 degrees, is put into the slope.
At the elbow the two agree within 0.02 mm of length, and the moment arm counts.
"""

import argparse
import json
import re
from pathlib import Path

import numpy as np
import opensim
from scipy.interpolate import BSpline, make_lsq_spline
from scipy.ndimage import median_filter

KNOT_SPACING_DEG = {"r_shoulder_elev": 0.5, "r_elbow_flex": 1.25}
SAMPLE_SPACING_DEG = 0.1
DRIFT_SPACING_DEG = {"r_shoulder_elev": 10.0}
GLITCH = 0.5e-3  # m; OpenSim's wrapping fails at single angles, by millimeters
JUMP = 0.5e-3  # m of path length between neighboring samples
GROUPS = {"TRI": "elbow_extensors", "BIC": "elbow_flexors", "BRA": "elbow_flexors"}
RANGES_DEG = {"r_shoulder_elev": (-70.0, 90.0), "r_elbow_flex": (0.0, 130.0)}
CREDIT = (
    "Arm26: The OpenSim Development Team (Reinbolt, J; Seth, A; Habib, A; Hamner, S), adapted from a model by Kate Holzbaur (11/22/04), "
    "CC BY 3.0, http://creativecommons.org/licenses/by/3.0/. Holzbaur KRS, Murray WM, Delp SL, Ann Biomed Eng 33:829-840, 2005. "
    "Changes: numbers only; path lengths are splines fitted to moment arms computed by OpenSim 4.6."
)


def sampled_paths(model, state, coordinate, angles):
    """Return path lengths and moment arms, each (angle, muscle) [m], with all other coordinates at zero."""
    coordinates, muscles = model.getCoordinateSet(), model.getMuscles()
    for other in coordinates:
        other.setValue(state, 0.0)
    moving = coordinates.get(coordinate)
    lengths, moment_arms = [], []
    for angle in angles:
        moving.setValue(state, float(angle))
        model.realizePosition(state)
        paths = [muscles.get(i).getGeometryPath() for i in range(muscles.getSize())]
        lengths.append([path.getLength(state) for path in paths])
        moment_arms.append([path.computeMomentArm(state, moving) for path in paths])
    return np.array(lengths), np.array(moment_arms)


def cubic(angles, values, breaks):
    """Return the cubic spline over ``breaks`` that is closest to ``values``."""
    return make_lsq_spline(angles, values, np.r_[[breaks[0]] * 3, breaks, [breaks[-1]] * 3], 3)


def fitted_path(angles, length, moment_arm, breaks, *, drift_breaks):
    """Return path length (zero at angle 0) as a quartic B-spline whose derivative is minus the fitted moment arm."""
    sound = np.abs(moment_arm - median_filter(moment_arm, 15)) < GLITCH
    angles, length, moment_arm = angles[sound], length[sound], moment_arm[sound]
    jumps = np.diff(length) + 0.5 * (moment_arm[1:] + moment_arm[:-1]) * np.diff(angles)
    jumps[np.abs(jumps) < JUMP] = 0.0
    slope = cubic(angles, -moment_arm, breaks)
    if drift_breaks is not None:
        drift = length - np.r_[0.0, np.cumsum(jumps)] - slope.antiderivative()(angles)
        slope = cubic(angles, slope(angles) + cubic(angles, drift, drift_breaks).derivative()(angles), breaks)
    for index in np.flatnonzero(jumps):
        basis = int(np.argmin(np.abs(slope.t[2:-2] - angles[index])))
        slope.c[basis] += jumps[index] * 4 / (slope.t[basis + 4] - slope.t[basis])
        print(f"    length jumps by {1e3 * jumps[index]:.2f} mm at {np.rad2deg(angles[index]):.1f} deg")
    path = slope.antiderivative()
    coefficients = path.c[: len(path.t) - path.k - 1]
    return BSpline(path.t, coefficients - path(0.0), path.k)


def path_record(model, state, coordinate, muscles):
    """Return the record of one coordinate's share of the paths, and path length at zero as its best fit (muscle,) [m]."""
    low, high = RANGES_DEG[coordinate]
    count = round((high - low) / SAMPLE_SPACING_DEG)
    angles = np.deg2rad(np.linspace(low, high, count + 1))
    intervals = round((high - low) / KNOT_SPACING_DEG[coordinate])
    breaks = np.linspace(angles[0], angles[-1], intervals + 1)
    drifting = coordinate in DRIFT_SPACING_DEG
    drift_breaks = breaks[:: round(DRIFT_SPACING_DEG[coordinate] / KNOT_SPACING_DEG[coordinate])] if drifting else None
    lengths, moment_arms = sampled_paths(model, state, coordinate, angles)
    coefficients, base = {}, []
    for column, muscle in enumerate(muscles):
        print(f"  {coordinate} {muscle}")
        path = fitted_path(angles, lengths[:, column], moment_arms[:, column], breaks, drift_breaks=drift_breaks)
        rest = lengths[:, column] - path(angles)
        base.append(0.5 * (rest.min() + rest.max()))
        if np.max(np.abs(moment_arms[:, column])) > 1e-9:
            coefficients[muscle] = [round(float(c), 10) for c in path.c]
    record = {"coordinate": coordinate, "degree": 4, "intervals": intervals, "coefficients": coefficients}
    return record, base


def numbers(osim: Path) -> dict:
    """Return everything that is shipped, as plain values in SI units."""
    opensim.Logger.setLevelString("Error")
    model = opensim.Model(str(osim))
    state = model.initSystem()
    muscles = [opensim.Thelen2003Muscle.safeDownCast(m) for m in model.getMuscles()]
    names = [m.getName() for m in muscles]
    records, bases = zip(*(path_record(model, state, c, names) for c in RANGES_DEG), strict=True)
    return {
        "name": "arm26",
        "credit": CREDIT,
        "default_coordinates": ["r_elbow_flex"],
        "tendon_strain_at_one": muscles[0].get_FmaxTendonStrain(),
        "passive_strain_at_one": muscles[0].get_FmaxMuscleStrain(),
        "coordinates": [
            {"name": c, "low_deg": low, "high_deg": high, "default_deg": 0.0} for c, (low, high) in RANGES_DEG.items()
        ],
        "muscles": [
            {
                "name": m.getName(),
                "group": GROUPS[m.getName()[:3]],
                "max_isometric_force": m.getMaxIsometricForce(),
                "optimal_fiber_length": m.getOptimalFiberLength(),
                "tendon_slack_length": m.getTendonSlackLength(),
                "pennation_at_optimal": m.getPennationAngleAtOptimalFiberLength(),
                "base_length": round(float(base), 10),
            }
            for m, base in zip(muscles, bases[-1], strict=True)
        ],
        "paths": records,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("osim", type=Path, help="arm26.osim")
    shipped = Path(__file__).parents[1] / "src" / "profundus" / "data" / "arm26.json"
    parser.add_argument("--out", type=Path, default=shipped)
    arguments = parser.parse_args()
    text = json.dumps(numbers(arguments.osim), indent=1)
    text = re.sub(r"\[[^][{}\"]*\]", lambda found: " ".join(found.group().split()), text)  # one line a row of numbers
    arguments.out.write_text(text + "\n", encoding="utf-8")
