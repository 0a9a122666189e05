"""What is exported is what OpenSim reads."""

import numpy as np
import pytest

from answers import MUSCLES, answer, reconstruction, trial
from profundus.errors import InputError
from profundus.io.export_opensim import export_opensim
from profundus.io.tables import read_table
from profundus.records import Reconstruction


def test_controls_and_states_have_opensims_names(tmp_path):
    paths = export_opensim(reconstruction(), tmp_path, fixed={"r_shoulder_elev": 0.1})
    assert {path.name for path in paths} == {
        f"curl_{i}_{kind}.sto" for i in (1, 2, 3) for kind in ("controls", "states")
    }
    part = reconstruction().trials[0]
    assert read_table(tmp_path / "curl_1_controls.sto").labels == MUSCLES
    states = read_table(tmp_path / "curl_1_states.sto")
    assert states.in_degrees is False
    np.testing.assert_array_equal(states["/jointset/r_elbow/r_elbow_flex/value"], part.trial.angle[:, 0])
    np.testing.assert_array_equal(states["/jointset/r_elbow/r_elbow_flex/speed"], part.trial.velocity[:, 0])
    np.testing.assert_array_equal(states["/jointset/r_shoulder/r_shoulder_elev/value"], 0.1)
    np.testing.assert_array_equal(states["/forceset/BRA/activation"], part.activation[:, 5])
    np.testing.assert_array_equal(states["/forceset/TRIlong/fiber_length"], part.fiber_length[:, 0])
    assert not any("forceset" in label for label in read_table(tmp_path / "curl_3_states.sto").labels)


def test_a_coordinate_without_a_joint_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InputError) as caught:
        export_opensim(reconstruction(), tmp_path / "out", joints={}, fixed={"hip": 0.0})
    assert "'r_elbow_flex'" in str(caught.value)
    assert "'hip'" in str(caught.value)
    with pytest.raises(InputError):
        export_opensim(Reconstruction("nmm", "sub-01", (answer(trial("../x")),)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_opensim_reads_the_exported_tables(tmp_path):
    opensim = pytest.importorskip("opensim")
    export_opensim(reconstruction(), tmp_path)
    part = reconstruction().trials[1]
    controls = opensim.TimeSeriesTable(str(tmp_path / "curl_2_controls.sto"))
    assert list(controls.getColumnLabels()) == list(MUSCLES)
    np.testing.assert_array_equal(controls.getDependentColumn("BRA").to_numpy(), part.excitation[:, 5])
    storage = opensim.Storage(str(tmp_path / "curl_2_states.sto"))
    assert (storage.getSize(), storage.isInDegrees()) == (523, False)


def test_opensim_accepts_the_states_of_its_model(tmp_path, reference):
    opensim = pytest.importorskip("opensim")
    model = opensim.Model(str(reference / "data" / "virtual_elbow" / "arm26.osim"))
    model.initSystem()
    export_opensim(reconstruction(), tmp_path, fixed={"r_shoulder_elev": 0.0})
    table = opensim.TimeSeriesTable(str(tmp_path / "curl_1_states.sto"))
    trajectory = opensim.StatesTrajectory.createFromStatesTable(model, table)  # refuses missing and unknown states
    part = reconstruction().trials[0]
    state = trajectory.get(100)
    value = model.getStateVariableValue
    elbow = "/jointset/r_elbow/r_elbow_flex/value"
    assert value(state, elbow) == pytest.approx(part.trial.angle[100, 0], abs=1e-12)
    assert value(state, "/forceset/BRA/activation") == pytest.approx(part.activation[100, 5], abs=1e-12)
    assert value(state, "/forceset/TRImed/fiber_length") == pytest.approx(0.1, abs=1e-12)
