"""OpenSim in a process of its own: what it refuses, and files that stop it."""

import numpy as np
import pytest

from profundus.errors import InputError
from profundus.skeleton.child import asked_of_opensim
from profundus.skeleton.inverse_dynamics import joint_moments


def test_all_that_opensim_refuses_is_told_at_once_and_leaves_no_log(reference, tmp_path, monkeypatch):
    pytest.importorskip("opensim")
    monkeypatch.chdir(tmp_path)
    load = {"body": "hand", "mass": 1.0, "position": [0.0, 0.0, 0.0], "radius": 0.0}
    question = {"model": str(reference / "data" / "virtual_elbow" / "arm26.osim"), "held": {"knee": 0.0}, "load": load}
    question |= {"coordinates": ["elbow", "r_elbow_flex"], "motion_types": {"r_elbow_flex": "translational"}}
    with pytest.raises(InputError) as caught:
        joint_moments(
            question | {"low_pass_hz": None, "external_loads": "", "span": (0.0, 4.0)},
            np.arange(5.0),
            np.zeros((5, 2)),
            file="arm26.osim",
        )
    assert [problem.what for problem in caught.value.problems] == [
        "the model has no coordinate elbow",
        "the model has no coordinate knee",
        "r_elbow_flex is rotational to OpenSim and translational by the file",
        "the model has no body hand to carry the load",
    ]
    assert not list(tmp_path.iterdir())


def test_a_file_that_stops_opensim_and_a_long_wait_are_errors_of_the_file(tmp_path):
    pytest.importorskip("opensim")
    question = {"model": str(tmp_path / "none.osim"), "coordinates": [], "motion_types": {}, "held": {}, "load": None}
    question |= {"low_pass_hz": None, "external_loads": "", "span": (0.0, 4.0)}
    with pytest.raises(InputError, match=r"my\.osim: OpenSim cannot work with this file"):
        joint_moments(question, np.arange(5.0), np.zeros((5, 0)), file="my.osim")
    with pytest.raises(InputError, match=r"my\.osim: OpenSim took longer than 0\.01 s"):
        joint_moments(question, np.arange(5.0), np.zeros((5, 0)), file="my.osim", timeout_s=0.01)
    with pytest.raises(InputError, match="no task of this package"):
        asked_of_opensim("os:abort", {}, {}, file="my.osim")
