"""Joint moments are those of OpenSim's own Inverse Dynamics tool, run by hand on the same files."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.interpolate import make_interp_spline

from cli_study import ELBOW, called
from profundus.errors import InputError
from profundus.io.osim_joints import read_joints
from profundus.io.study_file import check_study, read_study
from profundus.io.tables import read_table, write_table
from profundus.protocols import inverse_dynamics
from profundus.protocols.inverse_dynamics import uncarried, with_moments
from profundus.protocols.models import model_of
from profundus.protocols.recordings import recorded
from profundus.records import InverseDynamics, Table
from profundus.skeleton import child
from profundus.skeleton.inverse_dynamics import Moments, joint_moments

STUDY = (
    ELBOW
    + """
[inverse_dynamics]
model = "arm26.osim"
load_body = "r_ulna_radius_hand"
load_position = [0.0, -0.33, 0.0]
load_radius = 0.04
low_pass_hz = false
[[subject]]
id = "S100"
[[subject.trial]]
name = "load2_01_cyclic"
load_kg = 2.0
kinematics = "kinematics.mot"
emg = "emg.sto"
inverse_dynamics = "opensim"
role = "fit"
"""
)
ENDS = slice(50, -50)  # the reference was computed on a longer recording
LOADS = """<?xml version="1.0" encoding="UTF-8" ?>
<OpenSimDocument Version="40000"><ExternalLoads name="loads"><objects>
<ExternalForce name="right"><applied_to_body>{body}</applied_to_body>
<force_expressed_in_body>ground</force_expressed_in_body><point_expressed_in_body>ground</point_expressed_in_body>
<force_identifier>{start}force_v</force_identifier><point_identifier>{start}force_p</point_identifier>
<torque_identifier>{start}torque_</torque_identifier></ExternalForce>
</objects><groups/><datafile>{datafile}</datafile></ExternalLoads></OpenSimDocument>
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """Return the folder in which these tests keep moments: what one has computed, the next need not."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def lab(tmp_path, reference, monkeypatch, kept) -> Path:
    """Return a folder with a study of one curl with 2 kg."""
    pytest.importorskip("opensim")
    monkeypatch.setenv("PROFUNDUS_CACHE", str(kept))
    elbow = reference / "data" / "virtual_elbow"
    shutil.copy(elbow / "arm26.osim", tmp_path)
    for name in ("kinematics.mot", "emg.sto", "inverse_dynamics.sto"):
        shutil.copy(elbow / "S100" / "load2_01_cyclic" / name, tmp_path)
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def changed(lab, *pairs) -> Path:
    text = STUDY
    for given, instead in pairs:
        assert given in text
        text = text.replace(given, instead)
    (lab / "study.toml").write_text(text, encoding="utf-8")
    return lab / "study.toml"


def moments_of(path) -> tuple[np.ndarray, dict]:
    """Return the moments (row, coordinate) of the first recording of a study and how they were computed."""
    study = read_study(path)
    found = with_moments(study, study.subjects[0]).recordings[0]
    return found.moments.values, found.moments_from["inverse_dynamics"]


def errors(path) -> list[str]:
    return [str(problem) for problem in check_study(path)[1] if problem.severity == "error"]


def by_hand(folder, model, *, low_pass_hz=-1.0, loads=None) -> Table:
    """Return what the tool writes when it is run as its manual says, on the motion file itself."""
    opensim = pytest.importorskip("opensim")
    here = Path.cwd()
    os.chdir(folder)
    try:
        opensim.Logger.setLevelString("Off")
        body, tool, muscles = opensim.Model(str(model)), opensim.InverseDynamicsTool(), opensim.ArrayStr()
        muscles.append("Muscles")
        motion = read_table("kinematics.mot")
        tool.setModel(body)
        tool.setCoordinatesFileName("kinematics.mot")
        tool.setLowpassCutoffFrequency(low_pass_hz)
        tool.setStartTime(motion.time[0])
        tool.setEndTime(motion.time[-1])
        tool.setExcludedForces(muscles)
        if loads:
            tool.setExternalLoadsFileName(loads)
        tool.setResultsDir(".")
        tool.setOutputGenForceFileName("by_hand.sto")
        assert tool.run()
        return read_table("by_hand.sto")
    finally:
        os.chdir(here)


def test_moments_of_a_held_dumbbell_are_those_of_the_model_that_has_one(lab, reference):
    theirs = by_hand(lab, reference / "data" / "virtual_elbow" / "arm26_dumbbell_2kg.osim")["r_elbow_flex_moment"]
    ours, said = moments_of(lab / "study.toml")
    np.testing.assert_allclose(ours[:, 0], theirs, atol=1e-6)
    known = read_table(lab / "inverse_dynamics.sto")["r_elbow_flex_moment"]
    np.testing.assert_allclose(ours[ENDS, 0], known[ENDS], atol=1e-6)
    assert said["load"] == {"body": "r_ulna_radius_hand", "mass": 2.0, "position": (0.0, -0.33, 0.0), "radius": 0.04}
    assert said["low_pass_hz"] is None


def test_the_motion_is_filtered_as_envelopes_are_unless_the_study_says_otherwise(lab):
    path = changed(lab, ("low_pass_hz = false\n", ""), ("load_kg = 2.0", "load_kg = 0.0"))
    ours, said = moments_of(path)
    assert said["low_pass_hz"] == 6.0
    theirs = by_hand(lab, lab / "arm26.osim", low_pass_hz=6.0)["r_elbow_flex_moment"]
    np.testing.assert_allclose(ours[:, 0], theirs, atol=1e-6)
    of_motion = ("[inverse_dynamics]", "[kinematics]\nlow_pass_hz = 4.0\n[inverse_dynamics]")
    for written, cutoff in (("", 4.0), ("low_pass_hz = 3", 3.0), ("low_pass_hz = false", None)):
        study = read_study(changed(lab, ("low_pass_hz = false", written), of_motion))
        assert study.subjects[0].recordings[0].inverse_dynamics.low_pass_hz == cutoff


def test_a_load_in_a_point_misses_the_spin_of_a_sphere(lab):
    sphere, _ = moments_of(lab / "study.toml")
    point, _ = moments_of(changed(lab, ("load_radius = 0.04\n", "")))
    motion = read_table(lab / "kinematics.mot")
    turn = make_interp_spline(motion.time, np.deg2rad(motion.values.sum(axis=1)), k=5)
    spin = turn.derivative(2)(motion.time)
    np.testing.assert_allclose(
        (sphere - point)[ENDS, 0], 0.4 * 2.0 * 0.04**2 * spin[ENDS], atol=5e-5
    )  # all but about one axis


def test_five_seconds_of_arm26_are_those_of_the_oracle(reference):
    pytest.importorskip("opensim")
    table = pd.read_csv(reference / "oracle" / "arm26_opensim_inverse_dynamics_5s.csv")
    question = {
        **{"model": str(reference / "data" / "virtual_elbow" / "arm26.osim"), "coordinates": ["r_elbow_flex"]},
        **{"motion_types": {"r_elbow_flex": "rotational"}, "held": {"r_shoulder_elev": 0.0}},
        **{"low_pass_hz": None, "external_loads": "", "load": None, "span": (0.0, 5.0)},
    }
    found = joint_moments(question, table.time_s.to_numpy(), table.elbow_rad.to_numpy()[:, None], file="arm26.osim")
    ours = found.forces[:, found.labels.index("r_elbow_flex_moment")]
    np.testing.assert_allclose(ours, table.tau_elbow_IDTool_Nm, atol=5e-5)  # its angles have nine digits
    np.testing.assert_allclose(ours, table.tau_elbow_solver_Nm, atol=2e-3)


def test_walking_with_forces_under_the_foot_is_that_of_the_tool(tmp_path, reference):
    folder = reference / "data" / "gait_treadmill"
    for source, target, seconds in (("ik.sto", "kinematics.mot", 2.0), ("XLD.mot", "forces.mot", 2.5)):
        table = read_table(folder / "data" / "walk36" / source)
        rows = table.time < seconds
        short = Table(table.labels, table.time[rows], table.values[rows], in_degrees=table.in_degrees)
        write_table(short, tmp_path / target)
    (tmp_path / "right.xml").write_text(
        LOADS.format(body="calcn_r", start="ground_", datafile="forces.mot"), encoding="utf-8"
    )
    model, motion = folder / "model" / "gait2392.osim", read_table(tmp_path / "kinematics.mot")
    loads = str(tmp_path / "right.xml")
    theirs = by_hand(tmp_path, model, low_pass_hz=6.0, loads=loads)
    kinds = read_joints(model).motion_types
    radians = [np.pi / 180 if kinds[name] == "rotational" else 1.0 for name in motion.labels]
    question = {
        "model": str(model),
        "coordinates": list(motion.labels),
        "motion_types": kinds,
        "held": {},
        "load": None,
    }
    question |= {"low_pass_hz": 6.0, "external_loads": loads, "span": (motion.time[0], motion.time[-1])}
    found = joint_moments(question, motion.time, motion.values * radians, file=str(model))
    assert found.labels == theirs.labels
    np.testing.assert_allclose(found.forces, theirs.values, atol=1e-6)
    assert np.ptp(found.forces[:, found.labels.index("ankle_angle_r_moment")]) > 50.0  # the foot pushed off


def pushed(lab, *, seconds=(0.0, 9.0), body="r_ulna_radius_hand", start="push_") -> Path:
    """Write a force on the forearm, known for some seconds, into the folder; return the study file."""
    time = np.arange(*seconds, 0.01)
    labels = tuple(f"push_{kind}{axis}" for kind in ("force_v", "force_p", "torque_") for axis in "xyz")
    values = np.zeros((len(time), 9))
    values[:, 1], values[:, 3] = 10.0 * np.sin(time), 0.2
    write_table(Table(labels, time, values, in_degrees=False), lab / "forces.mot")
    (lab / "loads").mkdir(exist_ok=True)
    text = LOADS.format(body=body, start=start, datafile="../forces.mot")
    (lab / "loads" / "push.xml").write_text(text, encoding="utf-8")
    return changed(lab, ('"opensim"', '"opensim"\nexternal_loads = "loads/push.xml"'), ("load_kg = 2.0", "load_kg = 0"))


@pytest.mark.parametrize(("weight", "warned"), [(737.0, True), (20.0, False)])
def test_a_walker_whom_no_force_carries_is_told(weight, warned):
    turn, slides = "pelvis_tilt", ("pelvis_tx", "pelvis_ty", "pelvis_tz")
    kinds = {turn: "rotational", **dict.fromkeys(slides, "translational")}
    posture = Table((turn, *slides), np.arange(3.0), np.zeros((3, 4)), "motion")
    asked = InverseDynamics("walker.osim", posture, kinds, 6.0)
    labels = (f"{turn}_moment", *(f"{name}_force" for name in slides))
    found = Moments(posture.time, labels, np.tile([500.0, 0.0, weight, 0.0], (3, 1)), "4.6")
    said = [problem.what for problem in uncarried("walk_1", asked, found)]
    assert (
        said
        == [
            "walk_1: inverse dynamics needs 737 N, half of the time more, that no recorded force explains: its moments are false"
        ]
        * warned
    )


def test_a_force_on_the_forearm_is_in_the_moment_of_the_elbow(lab):
    ours, said = moments_of(pushed(lab))
    theirs = by_hand(lab, lab / "arm26.osim", loads=str(lab / "loads" / "push.xml"))["r_elbow_flex_moment"]
    np.testing.assert_allclose(ours[:, 0], theirs, atol=1e-6)
    assert said["external_loads"] == "push.xml"
    without, _ = moments_of(changed(lab, ("load_kg = 2.0", "load_kg = 0")))
    assert np.abs(ours - without).max() > 1.0


def test_there_is_no_moment_where_the_force_is_not_known(lab):
    study = read_study(pushed(lab, seconds=(1.0, 5.0)))
    anatomy, _ = model_of(study)
    (trial,) = recorded(study, study.subjects[0], anatomy).trials
    known = (trial.time > 0.995) & (trial.time < 4.995)
    np.testing.assert_array_equal(trial.moment_valid[:, 0], known)
    assert any("is known in" in problem.what for problem in trial.problems)


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"body": "r_ulna"}, "a force acts on 'r_ulna', a body that the model has not"),
        ({"start": "pusj_"}, "there is no column that begins with 'pusj_force_v'"),
    ],
)
def test_forces_that_lead_nowhere_are_errors(lab, wrong, what):
    said = errors(pushed(lab, **wrong))
    assert any(what in one for one in said), said


def test_forces_of_another_time_are_an_error(lab):
    study = read_study(pushed(lab, seconds=(20.0, 25.0)))
    with pytest.raises(InputError, match=r"the forces are known from 20 to 24\.99 s"):
        with_moments(study, study.subjects[0])


def test_coordinates_that_were_not_recorded_stand_still_and_are_told(lab):
    motion = read_table(lab / "kinematics.mot")
    write_table(motion.select({"r_elbow_flex": "r_elbow_flex"}), lab / "kinematics.mot")
    study = read_study(lab / "study.toml")
    at_default, said = moments_of(lab / "study.toml")
    assert said["at_default"] == ["r_shoulder_elev"]
    assert any(
        "stand at the model's default: r_shoulder_elev" in p.what for p in study.subjects[0].recordings[0].problems
    )
    path = changed(lab, ("[inverse_dynamics]", "[kinematics]\nfixed = { r_shoulder_elev = 0.5 }\n[inverse_dynamics]"))
    held, said = moments_of(path)
    assert (said["at_default"], said["held"]) == ([], {"r_shoulder_elev": 0.5})
    shoulder = Table(
        ("r_shoulder_elev", "r_elbow_flex"),
        motion.time,
        np.column_stack([np.full(len(motion.time), np.rad2deg(0.5)), motion["r_elbow_flex"]]),
        in_degrees=True,
    )
    write_table(shoulder, lab / "kinematics.mot")
    np.testing.assert_allclose(held, moments_of(lab / "study.toml")[0], atol=1e-6)
    assert np.abs(held - at_default).max() > 1.0


def test_trials_have_the_computed_moments_and_say_so(lab):
    study = read_study(lab / "study.toml")
    anatomy, _ = model_of(study)
    (trial,) = recorded(study, study.subjects[0], anatomy).trials
    assert trial.moment_valid.all()
    assert trial.processing["moments"]["inverse_dynamics"]["model"]["file"] == "arm26.osim"
    assert set(study.digests) == {"kinematics.mot", "emg.sto", "arm26.osim"}


def test_the_second_time_opensim_is_not_started(lab, monkeypatch):
    first, _ = moments_of(lab / "study.toml")

    def started(*_, **__):
        raise AssertionError("OpenSim was started")

    monkeypatch.setattr(inverse_dynamics, "joint_moments", started)
    np.testing.assert_array_equal(moments_of(lab / "study.toml")[0], first)
    with pytest.raises(AssertionError, match="started"):
        moments_of(changed(lab, ("load_kg = 2.0", "load_kg = 2.5")))
    model = lab / "arm26.osim"
    model.write_text(model.read_text(encoding="utf-8").replace("<mass>1.5343", "<mass>1.6343"), encoding="utf-8")
    with pytest.raises(AssertionError, match="started"):
        moments_of(changed(lab))


def test_what_was_kept_and_damaged_is_computed_again(lab, monkeypatch):
    monkeypatch.setenv("PROFUNDUS_CACHE", str(lab / "cache"))
    first, _ = moments_of(lab / "study.toml")
    (file,) = (lab / "cache" / "inverse_dynamics").iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    np.testing.assert_array_equal(moments_of(lab / "study.toml")[0], first)


def test_check_says_whether_it_would_work(lab, capsys):
    code, facts = called(capsys, "check", lab / "study.toml")
    assert code == 0, facts
    assert facts["subjects"][0]["trials"][0]["moment"]


def test_without_opensim_the_extra_is_named(lab, monkeypatch, capsys):
    monkeypatch.setattr(child, "opensim_version", lambda: None)
    monkeypatch.setattr(inverse_dynamics, "opensim_version", lambda: None)
    code, facts = called(capsys, "check", lab / "study.toml")
    assert code == 2
    (problem,) = (p for p in facts["problems"] if p["severity"] == "error" and "OpenSim" in p["what"])
    assert 'pip install "profundus[opensim]"' in problem["remedy"]
    assert "under moments" in problem["remedy"]


@pytest.mark.parametrize(
    ("given", "instead", "what"),
    [
        (
            'inverse_dynamics = "opensim"',
            'inverse_dynamics = "opensim"\nmoments = "inverse_dynamics.sto"',
            "moments and asks for inverse dynamics",
        ),
        (
            'inverse_dynamics = "opensim"',
            'moments = "inverse_dynamics.sto"\nexternal_loads = "l.xml"',
            "not used without",
        ),
        ('model = "arm26.osim"\n', "", "needs masses, which the model 'arm26' has not"),
        ('model = "arm26.osim"', 'model = "arm62.osim"', "Did you mean 'arm26.osim'?"),
        ('model = "arm26.osim"', 'model = "../arm26.osim"', "unsafe path"),
        ('load_body = "r_ulna_radius_hand"', 'load_body = "r_ulna_radius_hnad"', "Did you mean 'r_ulna_radius_hand'?"),
        ('load_body = "r_ulna_radius_hand"\n', "", "but no body"),
        ("load_position = [0.0, -0.33, 0.0]\n", "", "is not said"),
        ("load_position = [0.0, -0.33, 0.0]", "load_position = [0.0, -0.33]", "load_position"),
        ("load_kg = 2.0\n", "", "Give load_kg"),
        ("load_radius", "load_raduis", "unknown key 'inverse_dynamics.load_raduis'"),
        ('"opensim"', '"opensim"\nexternal_loads = "kinematics.mot"', "not well-formed"),
        ('"opensim"', '"opensim"\nexternal_loads = "away.xml"', "unsafe path"),
        ('"opensim"', '"opensim"\nexternal_loads = "arm26.osim"', "names no file of forces"),
    ],
)
def test_a_mistake_is_refused_by_name(lab, given, instead, what):
    (lab / "away.xml").write_text(
        LOADS.format(body="r_ulna_radius_hand", start="push_", datafile="../../forces.mot"), encoding="utf-8"
    )
    said = errors(changed(lab, (given, instead)))
    assert any(what in one for one in said), said


def test_a_load_that_nobody_holds_is_a_warning(lab):
    without = 'load_body = "r_ulna_radius_hand"\nload_position = [0.0, -0.33, 0.0]\nload_radius = 0.04\n'
    study = read_study(changed(lab, (without, "")))
    assert any("the load of 2 kg is left out" in problem.what for problem in study.problems)


def test_a_gap_in_any_recorded_coordinate_is_an_error(lab):
    motion = read_table(lab / "kinematics.mot")
    values = motion.values.copy()
    values[200:300, motion.labels.index("r_shoulder_elev")] = np.nan
    write_table(Table(motion.labels, motion.time, values, in_degrees=True), lab / "kinematics.mot")
    with pytest.raises(InputError, match="posture is missing from"):
        moments_of(lab / "study.toml")
