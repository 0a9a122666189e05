"""What OpenSim's Inverse Dynamics tool does in the child process: a motion and a held mass in, generalized forces out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.skeleton.child import Refused

MOTION, RESULT = "motion.sto", "inverse_dynamics.sto"
LOAD = "profundus_load"
TYPES = {1: "rotational", 2: "translational"}
Given = Mapping[str, NDArray[Any]]


def generalized_forces(question: Mapping[str, Any], given: Given) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the labels, and ``time`` (row,) and ``forces`` (row, label) [N.m, N] as the tool writes them.

    ``question``: model, coordinates, motion_types, held, low_pass_hz (None: no filter), span, external_loads, load; see
    `profundus.skeleton.inverse_dynamics.joint_moments`. ``given``: ``time`` (row,) and ``values`` (row, coordinate) in rad and m. Muscles
    are left out, as in every inverse dynamics.
    """
    import opensim

    opensim.Logger.setLevelString("Error")
    model = opensim.Model(question["model"])
    _refuse_unknown(model, question)
    for name, value in question["held"].items():
        model.updCoordinateSet().get(name).setDefaultValue(value)
    if question["load"]:
        _weld(model, question["load"])
    _write_motion(Path(MOTION), question["coordinates"], given["time"], given["values"])
    tool = opensim.InverseDynamicsTool()
    tool.setModel(model)
    tool.setCoordinatesFileName(MOTION)
    tool.setLowpassCutoffFrequency(-1.0 if question["low_pass_hz"] is None else question["low_pass_hz"])
    tool.setStartTime(question["span"][0])
    tool.setEndTime(question["span"][1])
    excluded = opensim.ArrayStr()
    excluded.append("Muscles")
    tool.setExcludedForces(excluded)
    if question["external_loads"]:
        tool.setExternalLoadsFileName(question["external_loads"])
    tool.setResultsDir(".")
    tool.setOutputGenForceFileName(RESULT)
    if not tool.run():
        raise Refused({"what": "OpenSim's Inverse Dynamics tool did not finish"})
    table = opensim.TimeSeriesTable(RESULT)
    found = {"time": np.array(table.getIndependentColumn()), "forces": table.getMatrix().to_numpy()}
    return {"labels": list(table.getColumnLabels()), "opensim": opensim.GetVersion()}, found


def _refuse_unknown(model: Any, question: Mapping[str, Any]) -> None:
    """Raise Refused for coordinates and bodies that the model has not, and for a coordinate of another kind than was thought."""
    coordinates = {one.getName(): one for one in model.getCoordinateSet()}
    problems = [
        {"what": f"the model has no coordinate {name}", "expected": "one of " + ", ".join(coordinates)}
        for name in (*question["coordinates"], *question["held"])
        if name not in coordinates
    ]
    for name, thought in question["motion_types"].items():
        kind = TYPES.get(coordinates[name].getMotionType(), "coupled") if name in coordinates else thought
        if kind != thought:
            remedy = "Compute the moments in OpenSim and name their file under moments"
            problems.append({"what": f"{name} is {kind} to OpenSim and {thought} by the file", "remedy": remedy})
    bodies = [body.getName() for body in model.getBodySet()]
    if question["load"] and question["load"]["body"] not in bodies:
        what = f"the model has no body {question['load']['body']} to carry the load"
        problems.append({"what": what, "expected": "one of " + ", ".join(bodies)})
    if problems:
        raise Refused(*problems)


def _weld(model: Any, load: Mapping[str, Any]) -> None:
    """Weld a solid sphere (a point where its radius is zero) to a body of the model."""
    import opensim

    still = opensim.Vec3(0.0)
    moment_of_inertia = 0.4 * load["mass"] * load["radius"] ** 2
    held = opensim.Body(LOAD, load["mass"], still, opensim.Inertia(*[moment_of_inertia] * 3))
    parent = model.getBodySet().get(load["body"])
    place = opensim.Vec3(*load["position"])
    weld = opensim.WeldJoint(f"{LOAD}_weld", parent, place, still, held, still, still)
    model.addBody(held)
    model.addJoint(weld)
    model.finalizeConnections()


def _write_motion(path: Path, labels: list[str], time: NDArray[Any], values: NDArray[Any]) -> None:
    """Write a motion [rad, m] for the tool, to the last digit."""
    head = ["motion", "version=1", f"nRows={len(time)}", f"nColumns={len(labels) + 1}", "inDegrees=no", "endheader"]
    rows = ("\t".join(f"{number:.17g}" for number in row) for row in np.column_stack([time, values]))
    path.write_text("\n".join([*head, "\t".join(["time", *labels]), *rows, ""]), encoding="utf-8")
