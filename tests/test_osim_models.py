"""OpenSim's answers are those of the curves that stand for its models, in postures that were not fitted to."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import profundus as pf
from profundus.errors import InputError
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.protocols import osim
from profundus.protocols.osim import loaded
from profundus.skeleton import child

MUSCLES = ("TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA")
LEG = ("hip_flexion_r", "knee_angle_r", "ankle_angle_r")
WALKER = (
    *("soleus_r", "med_gas_r", "lat_gas_r", "tib_ant_r", "semimem_r", "bifemlh_r", "vas_lat_r", "rect_fem_r"),
    *("vas_med_r", "vas_int_r", "bifemsh_r", "tib_post_r", "flex_dig_r", "flex_hal_r", "per_long_r", "per_brev_r"),
    *("semiten_r", "grac_r", "sar_r"),
)
ASK = """
import json, sys, opensim
opensim.Logger.setLevelString("Off")
file, coordinates, muscles, postures = json.loads(sys.argv[1])
model = opensim.Model(file)
state = model.initSystem()
found = []
for posture in postures:
    for name, angle in zip(coordinates, posture):
        model.getCoordinateSet().get(name).setValue(state, angle, False)
    model.realizePosition(state)
    paths = [model.getMuscles().get(name).getGeometryPath() for name in muscles]
    arms = [[p.computeMomentArm(state, model.getCoordinateSet().get(c)) for p in paths] for c in coordinates]
    found.append([[p.getLength(state) for p in paths], *arms])
print(json.dumps(found))
"""
COUPLER = """<ConstraintSet name="constraintset"><objects><CoordinateCouplerConstraint name="both"><isEnforced>true</isEnforced>
<coupled_coordinates_function><LinearFunction><coefficients> 0.5 0.1</coefficients></LinearFunction></coupled_coordinates_function>
<independent_coordinate_names>r_elbow_flex</independent_coordinate_names>
<dependent_coordinate_name>r_shoulder_elev</dependent_coordinate_name><scale_factor>1</scale_factor>
</CoordinateCouplerConstraint></objects></ConstraintSet>"""


@pytest.fixture(autouse=True)
def _with_opensim():
    pytest.importorskip("opensim")


@pytest.fixture
def arm(reference):
    return reference / "data" / "virtual_elbow" / "arm26.osim"


@pytest.fixture
def changed(arm, tmp_path, monkeypatch):
    """Return a function that writes arm26 with something else in it, and forgets all models that were sampled before."""
    monkeypatch.setenv("PROFUNDUS_CACHE", str(tmp_path / "cache"))

    def write(pattern, instead, *, count=1):
        text, found = re.subn(pattern, instead, arm.read_text(encoding="utf-8"), count=count, flags=re.DOTALL)
        assert found
        (tmp_path / "arm.osim").write_text(text, encoding="utf-8")
        return tmp_path / "arm.osim"

    return write


def asked(file: Path, coordinates, muscles, postures, folder: Path):
    """Return OpenSim's lengths (posture, muscle) and moment arms (posture, coordinate, muscle)."""
    question = json.dumps([str(file), list(coordinates), list(muscles), np.asarray(postures).tolist()])
    told = subprocess.run([sys.executable, "-c", ASK, question], cwd=folder, capture_output=True, check=True, text=True)
    found = np.array(json.loads(told.stdout.splitlines()[-1]))
    return found[:, 0], found[:, 1:]


def test_the_arm_of_a_file_is_that_of_the_oracle(arm, reference):
    """The path of the long triceps jumps where the arm is far behind the body, beyond what the oracle holds: that is warned of."""
    table = pd.read_csv(reference / "oracle" / "arm26_opensim_geometry.csv")
    with pytest.warns(UserWarning, match="TRIlong over r_shoulder_elev cannot be followed"):
        model = pf.load_model(arm, coordinates=("r_elbow_flex", "r_shoulder_elev"))
    assert model.muscles == MUSCLES
    posture = np.deg2rad(table[["elbow_deg", "shoulder_deg"]].to_numpy())
    length, arms = model.path_length(posture), model.moment_arms(posture)[:, 0]
    lengths = [f"lmt_{name}_m" for name in model.muscles]
    np.testing.assert_allclose(length, table[lengths], atol=1e-3)  # 0.8 mm where BIClong jumps by more
    off = np.abs(arms - table[[f"ma_{name}_m" for name in model.muscles]].to_numpy())
    assert np.percentile(off, 99) < 0.5e-3


def test_the_arm_of_a_file_is_that_which_is_shipped(arm):
    """Held at the shoulder as the shipped one; its parameters are OpenSim's, too."""
    file, shipped = loaded(arm, coordinates=("r_elbow_flex",), muscles=MUSCLES), pf.load_model("arm26")
    model, elbow = MusculoskeletalModel(file), np.deg2rad(np.linspace(0, 130, 60))[:, None]
    np.testing.assert_allclose(model.path_length(elbow), shipped.path_length(elbow), atol=0.1e-3)
    np.testing.assert_allclose(model.moment_arms(elbow), shipped.moment_arms(elbow), atol=0.5e-3)
    for name, values in vars(shipped.generic_parameters.muscles).items():
        np.testing.assert_allclose(getattr(model.generic_parameters.muscles, name), values, rtol=1e-6, err_msg=name)
    assert (file.tendon_strain_at_one, file.passive_strain_at_one) == (0.033, 0.6)
    assert set(file.groups) == {"r_elbow_flex_positive", "r_elbow_flex_negative"}
    flexors = [name for name, group in zip(file.muscles, file.groups, strict=True) if group.endswith("positive")]
    assert flexors == ["BIClong", "BICshort", "BRA"]


def test_a_leg_is_followed_over_three_joints(reference, tmp_path):
    file = reference / "data" / "gait_treadmill" / "model" / "gait2392.osim"
    anatomy = loaded(file, coordinates=LEG, muscles=WALKER)
    model = MusculoskeletalModel(anatomy)
    low, high = np.deg2rad([-30, -80, -30]), np.deg2rad([50, 5, 25])
    postures = np.random.default_rng(7).uniform(low, high, (60, 3))
    length, arms = asked(file, LEG, model.muscles, postures, tmp_path)
    np.testing.assert_allclose(model.path_length(postures), length, atol=0.6e-3)
    off = np.abs(np.asarray(model.moment_arms(postures)) - arms)
    assert off.max() < 2e-3
    assert np.sqrt((off**2).mean(axis=0)).max() < 0.5e-3
    notes = [p.what for p in anatomy.problems]
    assert any("moment arm of sar_r about knee_angle_r changes its sign" in what for what in notes)
    assert all(fit.disagreement < 0.1 for fit in anatomy.path_fits)


def test_the_second_time_opensim_is_not_started(changed, monkeypatch):
    file = changed("arm26", "arm26")
    first = loaded(file, coordinates=("r_elbow_flex",), muscles=("BRA",))
    monkeypatch.setattr(osim, "sampled_paths", None)
    again = loaded(file, coordinates=("r_elbow_flex",), muscles=("BRA",))
    np.testing.assert_array_equal(first.paths[0].coefficients, again.paths[0].coefficients)
    assert again.path_fits == first.path_fits
    with pytest.raises(TypeError):
        loaded(file, coordinates=("r_elbow_flex",), muscles=("TRImed",))


def test_what_was_kept_and_is_damaged_is_made_again(changed):
    file = changed("arm26", "arm26")
    first = loaded(file, coordinates=("r_elbow_flex",), muscles=("BRA",))
    (kept,) = (file.parent / "cache" / "anatomies").iterdir()
    kept.write_bytes(kept.read_bytes()[:-9])
    again = loaded(file, coordinates=("r_elbow_flex",), muscles=("BRA",))
    np.testing.assert_array_equal(first.base_length, again.base_length)


def test_another_maximal_speed_than_that_of_the_muscle_models_is_told(changed):
    faster = '<Thelen2003Muscle name="BRA"><max_contraction_velocity>15</max_contraction_velocity>'
    file = changed(r'<Thelen2003Muscle name="BRA">', faster)
    found = loaded(file, coordinates=("r_elbow_flex",), muscles=("BRA",))
    assert [note.what for note in found.problems if "velocity" in note.what] == [
        "max_contraction_velocity is 15 to 15 optimal fiber lengths a second in the model; 10 is used for all muscles"
    ]


def test_a_coupled_coordinate_follows_the_one_that_leads(changed, arm, tmp_path):
    file = changed(r"<ConstraintSet\b.*?</ConstraintSet>|(?=<ForceSet\b)", COUPLER)
    model = MusculoskeletalModel(loaded(file, coordinates=("r_elbow_flex",), muscles=("BICshort", "BRA")))
    elbow = np.linspace(0.1, 2.0, 60)
    both = np.stack([elbow, 0.5 * elbow + 0.1], axis=1)
    length, arms = asked(arm, ("r_elbow_flex", "r_shoulder_elev"), model.muscles, both, tmp_path)
    np.testing.assert_allclose(model.path_length(elbow[:, None]), length, atol=0.3e-3)
    off = np.abs(np.asarray(model.moment_arms(elbow[:, None]))[:, 0] - (arms[:, 0] + 0.5 * arms[:, 1]))
    assert np.percentile(off, 95) < 0.5e-3
    with pytest.raises(InputError, match="r_shoulder_elev follows r_elbow_flex"):
        loaded(file, coordinates=("r_shoulder_elev",))


def test_names_that_there_are_not_are_told_at_once(arm):
    with pytest.raises(InputError) as caught:
        pf.load_model(arm, coordinates=("r_elbow",), fixed={"r_shoulder": 0.0}, muscles=("BRAC",))
    assert [p.what for p in caught.value.problems] == [
        "there is no coordinate r_elbow",
        "there is no coordinate r_shoulder",
        "there is no muscle BRAC",
    ]


def test_a_file_on_which_opensim_crashes_is_named(changed):
    file = changed(r"<coefficients>.*?</coefficients>", "<coefficients></coefficients>", count=0)
    with pytest.raises(InputError, match=r"arm\.osim.*OpenSim cannot work with this file"):
        loaded(file, coordinates=("r_elbow_flex",))


def test_without_opensim_the_extra_is_named(changed, monkeypatch):
    monkeypatch.setattr(child, "opensim_version", lambda: None)
    with pytest.raises(InputError, match=r'pip install "profundus\[opensim\]".*\[geometry\]'):
        loaded(changed("arm26", "arm26"), coordinates=("r_elbow_flex",))


def test_a_path_that_jumps_is_refused_where_it_is_asked_for(reference):
    file = reference / "data" / "gait_treadmill" / "model" / "gait2392.osim"
    with pytest.raises(InputError, match="iliacus_r over hip_flexion_r cannot be followed"):
        loaded(file, coordinates=("hip_flexion_r",), muscles=("iliacus_r", "soleus_r"))


def test_opensim_leaves_nothing_in_the_folder_and_nothing_on_stdout(changed, monkeypatch, capfd, tmp_path):
    file = changed("arm26", "arm26")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    loaded(file, coordinates=("r_elbow_flex",), muscles=("BRA",))
    assert not list((tmp_path / "here").iterdir())
    assert capfd.readouterr().out == ""
