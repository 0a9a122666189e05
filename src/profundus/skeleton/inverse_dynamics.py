"""Joint moments from motion, external loads and a mass in the hand, by OpenSim's own Inverse Dynamics tool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from profundus.skeleton.child import asked_of_opensim

Floats = NDArray[np.float64]
TASK = "profundus.skeleton.opensim_dynamics:generalized_forces"


class Moments(NamedTuple):
    """What the tool writes: ``time`` (row,) [s], ``forces`` (row, label) [N.m, N], labels such as ``knee_angle_r_moment``."""

    time: Floats
    labels: tuple[str, ...]
    forces: Floats
    opensim: str


def joint_moments(
    question: Mapping[str, Any], time: Floats, values: Floats, *, file: str, timeout_s: float = 600.0
) -> Moments:
    """Return the generalized forces that a motion takes, of all coordinates of a model.

    ``values`` (row, coordinate) in rad and m. ``question`` says what `profundus.skeleton.opensim_dynamics.generalized_forces` asks for:
    absolute paths of ``model`` and ``external_loads`` ("" for none), ``coordinates`` (the columns), ``motion_types`` ({coordinate:
    "rotational" or "translational"}), ``held`` ({coordinate: value} where the motion says nothing; others stand at their default),
    ``span`` (start and end [s] of what is asked for), ``low_pass_hz`` of the tool's own filter (None: none) and ``load`` (None, or body,
    mass [kg], position [m], radius [m]).
    Raises InputError that names ``file`` where OpenSim is not installed, or cannot do it.
    """
    answer, found = asked_of_opensim(
        TASK,
        question,
        {"time": time, "values": values},
        file=file,
        instead="or compute the moments elsewhere and name their file under moments",
        timeout_s=timeout_s,
    )
    return Moments(found["time"], tuple(answer["labels"]), found["forces"], answer["opensim"])
