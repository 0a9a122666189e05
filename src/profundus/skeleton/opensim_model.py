"""What OpenSim knows of a model's muscles: parameters, and path lengths and moment arms at given postures. Runs in the child alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.skeleton.child import Refused

Floats = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]
PROBES = 12
CROSSED = 1e-6  # m; a path that changes less does not depend on the coordinate
HELD = 1e-4  # rad or m; how far assembling may move a coordinate that was set


def sampled(question: Mapping[str, Any], given: Mapping[str, NDArray[Any]]) -> tuple[dict[str, Any], Arrays]:
    """Return the parameters of ``muscles`` and their paths at ``posture`` (posture, coordinate) [rad] of ``coordinates``.

    ``question`` holds ``model`` (a path), ``coordinates``, ``muscles`` (empty: all that cross a coordinate) and ``held`` {coordinate: rad};
    ``given`` holds ``posture`` and ``armed``, how many of them, from the first on, are asked for moment arms, too. The answer has
    ``length`` (posture, muscle), ``moment_arm`` (armed, coordinate, muscle), ``crosses`` (coordinate, muscle) and the parameters (muscle,).
    """
    limb = Limb(question["model"], question["coordinates"], question["held"])
    postures = given["posture"]
    wanted = question["muscles"] or limb.names
    crosses = limb.crossed(wanted, postures)
    if not question["muscles"]:
        wanted = [name for name, at_all in zip(wanted, np.any(crosses, axis=0).tolist(), strict=True) if at_all]
        crosses = crosses[:, np.any(crosses, axis=0)]
    muscles = [limb.muscles[name] for name in wanted]
    armed = int(given["armed"])
    length = np.empty((len(postures), len(wanted)))
    arm = np.zeros((armed, len(limb.coordinates), len(wanted)))
    for row, posture in enumerate(postures):
        limb.place(posture)
        length[row] = [muscle.getLength(limb.state) for muscle in muscles]
        if row < armed:
            for at, of in zip(*np.nonzero(crosses), strict=True):
                arm[row, at, of] = muscles[of].computeMomentArm(limb.state, limb.coordinates[at])
    lost = [name for name, known in zip(wanted, np.all(np.isfinite(length), axis=0).tolist(), strict=True) if not known]
    if lost:
        raise Refused(*({"what": f"the path of {name} has no length in some of the postures"} for name in lost))
    parameters = [muscle_parameters(muscle) for muscle in muscles]
    columns = {key: np.array([one[key] for one in parameters]) for key in (parameters[0] if parameters else ())}
    return {"muscles": wanted}, {"length": length, "moment_arm": arm, "crosses": crosses, **columns}


class Limb:
    """An OpenSim model in which some coordinates are moved, all others held, and coupled ones follow."""

    def __init__(self, model: str, coordinates: Sequence[str], held: Mapping[str, float]) -> None:
        import opensim

        opensim.Logger.setLevelString("Error")
        self.model = opensim.Model(model)
        known = self.model.getCoordinateSet()
        for at in range(known.getSize()):
            known.get(at).set_clamped(False)
        for name in (*coordinates, *held):
            if not known.contains(name):
                raise Refused({"what": f"OpenSim finds no coordinate {name} in the model"})
            known.get(name).set_locked(False)
        self.state = self.model.initSystem()
        self.coordinates = [known.get(name) for name in coordinates]
        held_at = {known.get(name): angle for name, angle in held.items()}
        for coordinate, angle in held_at.items():
            coordinate.setValue(self.state, angle, False)
        self.followers, self.loops = _constraints(self.model, opensim)
        muscles = self.model.getMuscles()
        self.muscles = {muscles.get(at).getName(): muscles.get(at) for at in range(muscles.getSize())}
        self.names = list(self.muscles)

    def place(self, posture: Floats) -> None:
        """Take up a posture (coordinate,) [rad]; coordinates that a coupler ties to others follow them."""
        for coordinate, angle in zip(self.coordinates, posture, strict=True):
            coordinate.setValue(self.state, float(angle), False)
        for follow in self.followers:
            follow(self.state)
        if self.loops:
            self.model.assemble(self.state)
            off = [abs(c.getValue(self.state) - q) for c, q in zip(self.coordinates, posture, strict=True)]
            if max(off) > HELD:
                name = self.coordinates[int(np.argmax(off))].getName()
                what = (
                    f"the model's constraints do not let {name} be {np.rad2deg(posture[int(np.argmax(off))]):.4g} deg"
                )
                raise Refused({"what": what, "remedy": "Move the coordinate that leads, or remove the constraint"})
        self.model.realizePosition(self.state)

    def crossed(self, muscles: Sequence[str], postures: Floats) -> NDArray[np.bool_]:
        """Return which muscle's path depends on which coordinate (coordinate, muscle), each swept through from several postures."""
        low, high = postures.min(axis=0), postures.max(axis=0)
        paths = [self.muscles[name] for name in muscles]
        found = np.zeros((len(self.coordinates), len(paths)), dtype=np.bool_)
        for start in postures[:: max(1, len(postures) // PROBES)]:
            for at in range(len(self.coordinates)):
                seen = []
                for angle in np.linspace(low[at], high[at], PROBES):
                    posture = start.copy()
                    posture[at] = angle
                    self.place(posture)
                    seen.append([path.getLength(self.state) for path in paths])
                found[at] |= np.ptp(seen, axis=0) > CROSSED
        return found


def muscle_parameters(muscle: Any) -> dict[str, float]:
    """Return a muscle's parameters in SI units; strains are those at one norm force."""
    import opensim

    tendon, passive = 0.033, 0.6
    if (thelen := opensim.Thelen2003Muscle.safeDownCast(muscle)) is not None:
        tendon, passive = thelen.get_FmaxTendonStrain(), thelen.get_FmaxMuscleStrain()
    elif (millard := opensim.Millard2012EquilibriumMuscle.safeDownCast(muscle)) is not None:
        tendon = millard.getTendonForceLengthCurve().getStrainAtOneNormForce()
        passive = millard.getFiberForceLengthCurve().getStrainAtOneNormForce()
    elif (degroote := opensim.DeGrooteFregly2016Muscle.safeDownCast(muscle)) is not None:
        tendon = degroote.get_tendon_strain_at_one_norm_force()
        passive = degroote.get_passive_fiber_strain_at_one_norm_force()
    return {
        "max_isometric_force": muscle.getMaxIsometricForce(),
        "optimal_fiber_length": muscle.getOptimalFiberLength(),
        "tendon_slack_length": muscle.getTendonSlackLength(),
        "pennation_at_optimal": muscle.getPennationAngleAtOptimalFiberLength(),
        "max_contraction_velocity": muscle.getMaxContractionVelocity(),
        "tendon_strain_at_one": tendon,
        "passive_strain_at_one": passive,
    }


def _constraints(model: Any, opensim: Any) -> tuple[list[Callable[[Any], None]], bool]:
    """Return what makes the coupled coordinates follow, and whether other constraints close a loop that has to be assembled."""
    followers: list[Callable[[Any], None]] = []
    loops = False
    constraints = model.getConstraintSet()
    for at in range(constraints.getSize()):
        constraint = constraints.get(at)
        if not constraint.get_isEnforced():
            continue
        coupler = opensim.CoordinateCouplerConstraint.safeDownCast(constraint)
        if coupler is None:
            loops = True
        else:
            followers.append(_follower(model, coupler, opensim))
    return followers * max(1, len(followers)), loops  # a chain of followers settles when each has been asked as often


def _follower(model: Any, coupler: Any, opensim: Any) -> Callable[[Any], None]:
    names = coupler.getIndependentCoordinateNames()
    leaders = [model.getCoordinateSet().get(names.get(at)) for at in range(names.getSize())]
    dependent = model.getCoordinateSet().get(coupler.getDependentCoordinateName())
    law = coupler.getFunction()
    scale = opensim.PropertyHelper.getValueDouble(coupler.getPropertyByName("scale_factor"))

    def follow(state: Any) -> None:
        at = opensim.Vector(len(leaders), 0.0)
        for index, leader in enumerate(leaders):
            at[index] = leader.getValue(state)
        dependent.setValue(state, scale * law.calcValue(at), False)

    return follow
