"""The personalized model is the user's own file with a person's muscles in it, and OpenSim reads it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from answers import MUSCLES, reconstruction
from cli_study import ELBOW, called
from profundus.errors import InputError
from profundus.io.export_opensim import export_ceinms, export_model, export_muscles, export_opensim, on_clock
from profundus.io.osim_edit import personalized_model
from profundus.io.osim_joints import read_joints
from profundus.io.run_directory import read_run, start_run
from profundus.io.store import digest
from profundus.io.tables import read_table, write_table
from profundus.protocols.exporting import export_run
from profundus.records import ParameterRow, Table

MODEL = """<?xml version="1.0" encoding="UTF-8" ?>
<OpenSimDocument Version="40000">
  <!-- built by hand: keep me -->
  <Model name="two">
    <defaults><Thelen2003Muscle name="default"><max_isometric_force>1</max_isometric_force></Thelen2003Muscle></defaults>
    <ForceSet name="forceset"><objects>
      <Thelen2003Muscle name="one" note="a > b">
        <!--Maximum isometric force, µN-->
        <max_isometric_force>  100 </max_isometric_force>
        <optimal_fiber_length/>
        <path><max_isometric_force>7</max_isometric_force></path>
      </Thelen2003Muscle>
      <RigidTendonMuscle name='two'><tendon_slack_length>0.2</tendon_slack_length></RigidTendonMuscle>
    </objects></ForceSet>
  </Model>
</OpenSimDocument>
"""


STUDY = (
    ELBOW.replace("arm26", "{model}")
    + """
[[subject]]
id = "sub-01"
"""
)


def rows(muscles=MUSCLES, seed=0) -> tuple[ParameterRow, ...]:
    """Return parameters that no generic model has, with all their digits."""
    chance = np.random.default_rng(seed)
    fields = {
        "max_isometric_force": ("N", 900.0),
        "optimal_fiber_length": ("m", 0.12),
        "tendon_slack_length": ("m", 0.14),
        "pennation_at_optimal": ("rad", 0.2),
        "electromechanical_delay": ("s", 0.05),
        "emg_gain": ("-", 1.0),
    }
    found = [
        ParameterRow(muscle, name, unit, usual, usual * chance.uniform(0.8, 1.2), 0.5 * usual, 2 * usual, 0.1, 0.2)
        for muscle in muscles
        for name, (unit, usual) in fields.items()
    ]
    found += [
        ParameterRow("", name, "-", at, at, at, at, 0.1, 0.2)
        for name, at in (("shape_factor", -0.61), ("time_constant", 0.0123))
    ]
    return tuple(found)


def arm26(reference):
    return reference / "data" / "virtual_elbow" / "arm26.osim"


def a_run(folder, model="arm26", **facts):
    """Write a run of three trials with its study; return its directory."""
    study = folder / "study.toml"
    text = STUDY.format(model=model)
    for name in ("curl_1", "curl_2", "curl_3"):
        text += f'[[subject.trial]]\nname = "{name}"\nrole = "fit"\nemg = "emg.sto"\nkinematics = "{name}.mot"\n'
    study.write_text(text, encoding="utf-8")
    run = start_run(
        folder / "run", {"coordinates": ["r_elbow_flex"], "fixed": {"r_shoulder_elev": 0.1}, **facts}, study_file=study
    )
    run.write_subject(reconstruction(), rows())
    run.finish()
    return read_run(folder / "run")


def test_only_the_parameters_change_in_the_file(tmp_path):
    path = tmp_path / "two.osim"
    path.write_text(MODEL, encoding="utf-8")
    values = {
        "one": {"max_isometric_force": 1 / 3, "optimal_fiber_length": 0.1, "activation_time_constant": 0.012},
        "two": {"tendon_slack_length": 0.25, "activation_time_constant": 0.012},
    }
    content = personalized_model(path, values, remarks={"one": "delay 0.05 s"}).decode("utf-8")
    changed = content.replace(
        "<max_isometric_force>0.3333333333333333</max_isometric_force>",
        "<max_isometric_force>  100 </max_isometric_force>",
    )
    changed = changed.replace("<optimal_fiber_length>0.1</optimal_fiber_length>", "<optimal_fiber_length/>")
    changed = changed.replace(
        "<tendon_slack_length>0.25</tendon_slack_length>", "<tendon_slack_length>0.2</tendon_slack_length>"
    )
    changed = changed.replace("\n        <!--delay 0.05 s-->", "")
    changed = changed.replace("\n        <activation_time_constant>0.012</activation_time_constant>", "")
    assert changed == MODEL  # a rigid-tendon muscle has no activation dynamics and gets no time constant


def test_muscles_that_the_model_has_not_are_all_named(tmp_path):
    path = tmp_path / "two.osim"
    path.write_text(MODEL, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        personalized_model(path, {"oen": {}, "BRA": {}, "two": {}})
    assert [problem.what for problem in caught.value.problems] == [
        "the model has no muscle oen",
        "the model has no muscle BRA",
    ]
    assert "'one'" in caught.value.problems[0].remedy


def test_opensim_reads_the_fitted_muscles_back(tmp_path, reference):
    opensim = pytest.importorskip("opensim")
    path = export_model(rows(), arm26(reference), tmp_path / "sub-01.osim", deactivation_ratio=4.0)
    model = opensim.Model(str(path))
    model.initSystem()
    for row in rows():
        if row.muscle and row.parameter in {
            "max_isometric_force",
            "optimal_fiber_length",
            "tendon_slack_length",
            "pennation_at_optimal",
        }:
            muscle = model.getMuscles().get(row.muscle)
            name = {"pennation_at_optimal": "pennation_angle_at_optimal"}.get(row.parameter, row.parameter)
            assert getattr(muscle, f"get_{name}")() == row.fitted
    thelen = opensim.Thelen2003Muscle.safeDownCast(model.getMuscles().get("BRA"))
    assert (thelen.get_activation_time_constant(), thelen.get_deactivation_time_constant()) == (0.0123, 4 * 0.0123)


def test_the_comments_of_the_model_stay_and_delay_and_shape_join_them(tmp_path, reference):
    given = arm26(reference).read_text(encoding="utf-8")
    made = export_model(rows(), arm26(reference), tmp_path / "sub-01.osim", deactivation_ratio=4.0).read_text(
        encoding="utf-8"
    )
    comments = re.findall("<!--.*?-->", given)
    left = [one for one in re.findall("<!--.*?-->", made) if "profundus" not in one]
    assert left == comments
    delay = next(row.fitted for row in rows() if (row.muscle, row.parameter) == ("BRA", "electromechanical_delay"))
    assert f"<!--profundus: electromechanical_delay {delay:.6g} s, shape_factor -0.61;" in made


def test_the_table_of_muscles_says_what_opensim_has_no_place_for(tmp_path):
    lines = export_muscles(rows(("BRA",)), tmp_path / "m.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "muscle,parameter,unit,generic,fitted,posterior_sd,opensim"
    names = {line.split(",")[1]: line.split(",")[-1] for line in lines[1:]}
    assert names["pennation_at_optimal"] == "pennation_angle_at_optimal"
    assert names["electromechanical_delay"] == names["shape_factor"] == names["emg_gain"] == ""


@pytest.mark.parametrize(
    "file",
    ["virtual_elbow/arm26.osim", "gait_treadmill/model/gait2392.osim", "arm26_reference/opensim-core/ID/arm26.osim"],
)
def test_joints_and_kinds_of_coordinates_are_those_of_opensim(file, reference, tmp_path, monkeypatch):
    opensim = pytest.importorskip("opensim")
    monkeypatch.chdir(tmp_path)
    joints = read_joints(reference / "data" / file)
    model = opensim.Model(str(reference / "data" / file))
    kinds = {1: "rotational", 2: "translational", 3: "coupled"}
    theirs = {
        c.getName(): (c.getJoint().getName(), kinds[c.getMotionType()], c.getDefaultValue())
        for c in model.getCoordinateSet()
    }
    assert {c.name: (c.joint, c.motion_type, c.default) for c in joints.coordinates} == theirs
    assert list(joints.bodies) == [body.getName() for body in model.getBodySet()]


def test_the_states_of_a_gait_hold_the_whole_body(tmp_path, reference):
    opensim = pytest.importorskip("opensim")
    folder = reference / "data" / "gait_treadmill"
    joints, motion = read_joints(folder / "model" / "gait2392.osim"), read_table(folder / "data" / "walk36" / "ik.sto")
    rows = slice(0, 600)
    radians = [np.pi / 180 if joints.motion_types[name] == "rotational" else 1.0 for name in motion.labels]
    posture = Table(motion.labels, motion.time[rows], motion.values[rows] * radians)
    rec = reconstruction()
    short = replace(rec, trials=(rec.trials[2],))
    trial = replace(short.trials[0].trial, coordinates=("knee_angle_r",))
    part = replace(short.trials[0], trial=trial)
    export_opensim(replace(rec, trials=(part,)), tmp_path, joints=joints.joint_of, postures={trial.name: posture})
    path = str(tmp_path / f"{trial.name}_states.sto")
    model = opensim.Model(str(folder / "model" / "gait2392.osim"))
    model.initSystem()
    trajectory = opensim.StatesTrajectory.createFromStatesTable(model, opensim.TimeSeriesTable(path), True)
    state = trajectory.get(100)
    recorded = dict(zip(motion.labels, motion.values[100] * radians, strict=True))
    recorded["knee_angle_r"] = trial.angle[100, 0]
    for name, value in recorded.items():
        coordinate = model.getCoordinateSet().get(name)
        assert coordinate.getValue(state) == pytest.approx(value, abs=1e-12)
    assert model.getCoordinateSet().get("pelvis_tx").getSpeedValue(state) == pytest.approx(
        np.gradient(posture["pelvis_tx"], posture.time)[100], abs=0.01
    )


def test_a_coordinate_with_gaps_is_left_out_of_the_body():
    time = np.arange(50) / 10.0
    values = np.column_stack([np.sin(time), np.where(time == 2.0, np.nan, time)])
    found = on_clock(Table(("whole", "gap"), time, values), time[10:40])
    assert list(found) == ["whole"]
    np.testing.assert_allclose(found["whole"][1], np.cos(time[10:40]), atol=2e-3)


def test_a_run_of_the_shipped_model_asks_for_a_model_file(tmp_path):
    found = export_run(a_run(tmp_path), tmp_path / "out")
    names = {path.name for path in found.files["sub-01"]}
    assert "sub-01_muscles.csv" in names
    assert "sub-01.osim" not in names
    assert any("--model arm26.osim" in note.remedy for note in found.notes)


def test_the_recorded_shoulder_is_in_the_states_while_its_file_is_there(tmp_path):
    rec = reconstruction()
    for part in rec.trials:
        time = part.trial.time
        table = Table(
            ("r_shoulder_elev", "r_elbow_flex"), time, np.column_stack([10 * time, 20 * time]), in_degrees=True
        )
        write_table(table, tmp_path / f"{part.trial.name}.mot")
    digests = {f"curl_{i}.mot": digest(tmp_path / f"curl_{i}.mot") for i in (1, 2, 3)}
    run = a_run(tmp_path, data_root=str(tmp_path), digests=digests)
    (tmp_path / "curl_2.mot").unlink()
    (tmp_path / "curl_3.mot").write_bytes((tmp_path / "curl_1.mot").read_bytes())
    found = export_run(run, tmp_path / "out")
    shoulder = "/jointset/r_shoulder/r_shoulder_elev/"
    states = read_table(tmp_path / "out" / "sub-01" / "curl_1_states.sto")
    np.testing.assert_allclose(states[shoulder + "value"], np.deg2rad(10 * states.time), atol=1e-12)
    np.testing.assert_allclose(states[shoulder + "speed"], np.deg2rad(10), atol=1e-9)
    for name in ("curl_2", "curl_3"):
        assert np.all(read_table(tmp_path / "out" / "sub-01" / f"{name}_states.sto")[shoulder + "value"] == 0.1)
    said = " ".join(note.what for note in found.notes)
    assert "curl_2 has no motion file any more" in said
    assert "curl_3 has another motion file" in said


def test_the_model_can_be_named(tmp_path, reference, capsys):
    pytest.importorskip("opensim")
    run = a_run(tmp_path)
    code, facts = called(
        capsys, "export", run.path, "--to", "opensim", "--model", arm26(reference), "--out", tmp_path / "out"
    )
    assert code == 0, facts
    assert (tmp_path / "out" / "sub-01" / "sub-01.osim").is_file()
    assert json.dumps(facts["files"]).count("sub-01.osim") == 1


def test_a_model_without_the_muscles_leaves_nothing_behind(tmp_path, reference):
    with pytest.raises(InputError) as caught:
        export_run(
            a_run(tmp_path), tmp_path / "out", model=reference / "data" / "gait_treadmill" / "model" / "gait2392.osim"
        )
    assert {f"the model has no muscle {name}" for name in MUSCLES} <= {p.what for p in caught.value.problems}
    assert not (tmp_path / "out").exists()


def test_ceinms_gets_a_column_a_muscle(tmp_path):
    paths = export_ceinms(reconstruction(), tmp_path)
    assert {path.name for path in paths} == {f"curl_{i}_excitations.sto" for i in (1, 2, 3)}
    table = read_table(tmp_path / "curl_2_excitations.sto")
    part = reconstruction().trials[1]
    assert table.labels == MUSCLES
    np.testing.assert_array_equal(table.values, part.excitation)
    np.testing.assert_array_equal(table.time, part.trial.time)
