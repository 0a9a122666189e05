"""What a study needs to know of a model's names and ranges is read from its file without OpenSim."""

import sys

import numpy as np
import pytest

from profundus.errors import FileFormatError
from profundus.io.anatomy import arm_sign
from profundus.io.osim import read_sketch

COORDINATE = """<Coordinate name="{name}"><default_value>{default}</default_value><range>{low} {high}</range>
<locked>{locked}</locked></Coordinate>"""
JOINT = """<PinJoint name="{child}_joint"><socket_parent_frame>{parent}</socket_parent_frame>
<socket_child_frame>{child}_offset</socket_child_frame><coordinates>{coordinate}</coordinates>
<frames><PhysicalOffsetFrame name="{child}_offset"><socket_parent>/bodyset/{child}</socket_parent></PhysicalOffsetFrame>
</frames></PinJoint>"""
POINT = "<PathPoint name='p'><socket_parent_frame>/bodyset/{body}</socket_parent_frame></PathPoint>"
LEG = (("ground", "thigh", "hip"), ("/bodyset/thigh", "shank", "knee"), ("/bodyset/shank", "foot", "ankle"))
MUSCLES = {"rectus": ("thigh", "foot"), "vastus_r": ("thigh", "shank"), "soleus_r": ("shank", "foot")}
COUPLED = """<CoordinateCouplerConstraint name="c"><isEnforced>{on}</isEnforced>
<independent_coordinate_names>knee</independent_coordinate_names>
<dependent_coordinate_name>ankle</dependent_coordinate_name></CoordinateCouplerConstraint>"""


def leg(kind="Thelen2003Muscle", *, locked="false", constraints="", low=-2.0, extra=""):
    joints = "".join(
        JOINT.format(parent=parent, child=child, coordinate=COORDINATE.format(name=name, default=0.1, low=low, high=0.5, locked=locked))
        for parent, child, name in LEG
    )  # fmt: skip
    muscles = "".join(
        f"<{kind} name='{name}'>{''.join(POINT.format(body=body) for body in bodies)}</{kind}>"
        for name, bodies in MUSCLES.items()
    )
    groups = "<groups><ObjectGroup name='calf'><members> soleus_r </members></ObjectGroup></groups>"
    return f"""<OpenSimDocument Version="40000"><Model name="leg">
<defaults><Thelen2003Muscle name="default"/><Coordinate name="default"/></defaults>
<JointSet name="j">{joints}</JointSet><ConstraintSet name="c">{constraints}</ConstraintSet>
<ForceSet name="f"><objects>{muscles}{extra}</objects>{groups}</ForceSet></Model></OpenSimDocument>"""


def sketch(tmp_path, text):
    path = tmp_path / "leg.osim"
    path.write_text(text, encoding="utf-8")
    return read_sketch(path)


def test_muscles_and_coordinates_come_in_file_order_and_defaults_are_none_of_them(tmp_path):
    found = sketch(tmp_path, leg())
    assert list(found.muscles) == ["rectus", "vastus_r", "soleus_r"]
    assert set(found.muscles.values()) == {"Thelen2003Muscle"}
    assert [(c.name, c.low, c.high, c.default) for c in found.coordinates] == [
        (name, -2.0, 0.5, 0.1) for name in ("hip", "knee", "ankle")
    ]
    assert found.groups == {"calf": ("soleus_r",)}


def test_a_muscle_crosses_the_joints_between_its_bodies(tmp_path):
    assert sketch(tmp_path, leg()).crosses == {"rectus": {"knee", "ankle"}, "vastus_r": {"knee"}, "soleus_r": {"ankle"}}


def test_an_outline_holds_what_its_muscles_can_cross_and_what_moves(tmp_path):
    outline = sketch(tmp_path, leg()).outline({"vastus_r"}, ["hip"])
    assert (outline.muscles, [c.name for c in outline.coordinates]) == (("vastus_r",), ["hip", "knee"])
    assert np.isnan(outline.optimal_fiber_length).all()
    assert arm_sign(outline, ["knee"]) == {"knee": {}}


def test_names_patterns_and_groups_mean_muscles(tmp_path):
    found = sketch(tmp_path, leg())
    meant = {name: found.matching(name) for name in ("*_r", "calf", "rectus", "*_l")}
    assert meant == {"*_r": ("vastus_r", "soleus_r"), "calf": ("soleus_r",), "rectus": ("rectus",), "*_l": ()}


def test_a_coupled_coordinate_follows_and_cannot_be_moved(tmp_path):
    found = sketch(tmp_path, leg(constraints=COUPLED.format(on="true")))
    assert found.coordinates[2].follows == ("knee",)
    assert found.leading("soleus_r") == {"knee"}
    assert [p.what for p in found.unusable(["ankle"], [])] == ["ankle follows knee in the model"]
    assert [c.name for c in found.outline({"soleus_r"}).coordinates] == ["knee"]
    assert sketch(tmp_path, leg(constraints=COUPLED.format(on="false"))).coordinates[2].follows == ()


def test_a_locked_coordinate_may_be_held_but_not_moved(tmp_path):
    found = sketch(tmp_path, leg(locked="true"))
    assert [p.what for p in found.unusable(["knee"], ["hip"])] == ["knee is locked in the model"]


def test_what_slides_in_a_planar_or_free_joint_is_a_translation(tmp_path):
    turn, slide, other = (f"<Coordinate name='knee_{name}'/>" for name in ("rz", "tx", "ty"))
    (tmp_path / "leg.osim").write_text(
        leg(extra=f"<PlanarJoint name='k'><coordinates>{turn}{slide}{other}</coordinates></PlanarJoint>"),
        encoding="utf-8",
    )
    found = {c.name: c.translation for c in read_sketch(tmp_path / "leg.osim").coordinates}
    assert found == {"hip": False, "knee": False, "ankle": False, "knee_rz": False, "knee_tx": True, "knee_ty": True}


def test_a_misspelled_coordinate_is_told_with_the_nearest(tmp_path):
    (problem,) = sketch(tmp_path, leg()).unusable(["kne"], [])
    assert problem.what == "there is no coordinate kne"
    assert problem.remedy == "Did you mean 'knee'?"


@pytest.mark.parametrize("kind", ["Schutte1993Muscle_Deprecated", "RigidTendonMuscle"])
def test_muscles_of_other_classes_are_refused_by_name(tmp_path, kind):
    (problem,) = sketch(tmp_path, leg(kind)).strange_muscles(["soleus_r"])
    assert problem.what == f"soleus_r is a {kind}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (leg()[:400], "not well-formed"),
        ("<Osim><Model/></Osim>", "is no OpenSim model"),
        ("<OpenSimDocument/>", "is no OpenSim model"),
        ("<OpenSimDocument><Model/></OpenSimDocument>", "no muscles"),
        (leg(low=3), "coordinate 'hip': range is '3 0.5'"),
        (leg(low="x"), "range is 'x 0.5'"),
        (leg(extra="<Thelen2003Muscle name='a b'/>"), "a muscle is called 'a b'"),
    ],
)
def test_a_file_that_is_no_model_is_refused(tmp_path, text, said):
    with pytest.raises(FileFormatError, match=said.replace("'", ".")):
        sketch(tmp_path, text)


def test_the_published_models_are_sketched_without_opensim(reference, monkeypatch):
    monkeypatch.setitem(sys.modules, "opensim", None)
    arm = read_sketch(reference / "data" / "virtual_elbow" / "arm26.osim")
    assert list(arm.muscles) == ["TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA"]
    walker = read_sketch(reference / "data" / "gait_treadmill" / "model" / "gait2392.osim")
    assert (len(walker.muscles), len(walker.coordinates)) == (92, 23)
    assert walker.crosses["rect_fem_r"] == {"hip_flexion_r", "hip_adduction_r", "hip_rotation_r", "knee_angle_r"}
    assert [c.name for c in walker.coordinates if c.translation] == ["pelvis_tx", "pelvis_ty", "pelvis_tz"]
    (problem,) = walker.unusable(["pelvis_tx"], [])
    assert problem.what == "pelvis_tx is a translation"
