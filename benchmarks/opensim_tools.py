"""OpenSim's own tools, as a user runs them: a setup file, one call, tables in a folder; for processes of OpenSim alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Prepared = Callable[[Any], None]


def saved_model(given: Path, out: Path, prepared: Prepared) -> Path:
    """Return the file of a model after ``prepared`` changed it."""
    import opensim

    opensim.Logger.setLevelString("Error")
    model = opensim.Model(str(given))
    prepared(model)
    model.finalizeConnections()
    model.printToXML(str(out))
    return out


def degroote(*, rigid: bool) -> Prepared:
    """Return what replaces a model's muscles by DeGrooteFregly2016Muscle with the strains of Arm26 and no fiber damping."""

    def prepared(model: Any) -> None:
        import opensim

        opensim.DeGrooteFregly2016Muscle.replaceMuscles(model)
        for at in range(model.getMuscles().getSize()):
            muscle = opensim.DeGrooteFregly2016Muscle.safeDownCast(model.updMuscles().get(at))
            muscle.set_ignore_tendon_compliance(rigid)
            muscle.set_fiber_damping(0.0)
            muscle.set_passive_fiber_strain_at_one_norm_force(0.6)
            muscle.set_tendon_strain_at_one_norm_force(0.033)

    return prepared


def with_reserves(optimal: Mapping[str, float]) -> Prepared:
    """Return what adds a reserve to coordinates, {coordinate: moment at a control of one [N.m]}."""

    def prepared(model: Any) -> None:
        import opensim

        for name, moment in optimal.items():
            reserve = opensim.CoordinateActuator(name)
            reserve.setName(f"{name}_reserve")
            reserve.setOptimalForce(moment)
            reserve.setMinControl(-1e4)
            reserve.setMaxControl(1e4)
            model.addForce(reserve)

    return prepared


def write_states(model: Path, out: Path, columns: Mapping[str, Floats], clock: Floats) -> None:
    """Write states of a model: ``columns`` {last part of a state's name, or muscle and it: values (time,)}; all others are held.

    Fiber lengths and tendon forces are first guesses, from which the tool finds the equilibrium.
    """
    import opensim

    built = opensim.Model(str(model))
    built.initSystem()
    found = built.getStateVariableNames()
    names = [found.get(at) for at in range(found.getSize())]
    guess = {"fiber_length": 0.1, "normalized_tendon_force": 0.3}
    values = [
        columns.get("/".join(name.split("/")[-2:]), np.full(len(clock), guess.get(name.split("/")[-1], 0.0)))
        for name in names
    ]
    head = ["states", "version=1", f"nRows={len(clock)}", f"nColumns={len(names) + 1}", "inDegrees=no", "endheader"]
    rows = ("\t".join(f"{number:.17g}" for number in row) for row in np.column_stack([clock, *values]).tolist())
    out.write_text("\n".join([*head, "\t".join(["time", *names]), *rows, ""]), encoding="utf-8")


def analyzed(
    name: str, model: Path, analysis: Any, out: Path, span: tuple[float, float], *, states: Path | None = None,
    coordinates: Path | None = None,
) -> float:  # fmt: skip
    """Return the seconds that the Analyze tool took, from reading its setup file to the last table written."""
    import opensim

    tool = opensim.AnalyzeTool()
    tool.setName(name)
    tool.setModelFilename(str(model))
    tool.setInitialTime(span[0])
    tool.setFinalTime(span[1])
    tool.setResultsDir(str(out))
    if states is not None:
        tool.setStatesFileName(str(states))
        tool.setSolveForEquilibrium(True)
    if coordinates is not None:
        tool.setCoordinatesFileName(str(coordinates))
    analysis.setStartTime(span[0])
    analysis.setEndTime(span[1])
    tool.updAnalysisSet().cloneAndAppend(analysis)
    setup = out.parent / f"{name}_setup.xml"
    tool.printToXML(str(setup))
    began = time.perf_counter()
    ready = opensim.AnalyzeTool(str(setup), True)
    if not ready.run():
        raise SystemExit(f"OpenSim's Analyze tool did not finish {name}")
    return time.perf_counter() - began
