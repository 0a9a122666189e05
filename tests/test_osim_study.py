"""A study names an OpenSim model: what does not fit it is told without OpenSim, and what only moves has no moment."""

import sys

import numpy as np
import pytest

from profundus.errors import InputError
from profundus.io.anatomy_file import ANATOMY, write_anatomy_file
from profundus.io.study_file import check_study, read_new_trials, read_settings
from profundus.io.study_model import outline_of
from profundus.io.tables import write_table
from profundus.protocols.models import model_of
from profundus.protocols.osim import misfits
from profundus.records import Anatomy, CoordinateRange, PathFit, PathSpline, Table
from profundus.signal import assemble_trials
from test_osim_sketch import COUPLED, leg

CLOCK = np.arange(401) / 100
WAVE = np.sin(2 * np.pi * 0.5 * CLOCK)
MORE = "".join(f"<Thelen2003Muscle name='extra_{n}_l'/>" for n in range(20))
STUDY = """\
[study]
name = "steps"
model = "leg.osim"
coordinates = ["ankle"]
measured = ["soleus_r"]
deep = ["rectus"]
ignored = ["vastus_*"]
[kinematics]
moving = ["knee"]
[emg]
kind = "envelope"
normalization = "mvc"
[[subject]]
id = "a"
[[subject.trial]]
name = "one"
load_kg = 0.0
kinematics = "motion.mot"
emg = "emg.sto"
moments = "moments.sto"
role = "fit"
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Return a folder with a sound study, in a place without OpenSim."""
    monkeypatch.delenv("PROFUNDUS_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "opensim", None)
    (tmp_path / "leg.osim").write_text(leg(extra=MORE.replace("extra", "vastus")), encoding="utf-8")
    angles = np.column_stack([-30 + 25 * WAVE, 5 * WAVE, 10 * WAVE])
    write_table(Table(("knee", "ankle", "hip"), CLOCK, angles, in_degrees=True), tmp_path / "motion.mot")
    write_table(Table(("soleus_r",), CLOCK, 0.3 + 0.1 * WAVE[:, None]), tmp_path / "emg.sto")
    write_table(Table(("ankle_moment",), CLOCK, 20 * WAVE[:, None]), tmp_path / "moments.sto")
    return tmp_path


def check(lab, text=STUDY, *, model=None):
    if model is not None:
        (lab / "leg.osim").write_text(model, encoding="utf-8")
    (lab / "study.toml").write_text(text, encoding="utf-8")
    return check_study(lab / "study.toml")


def errors(lab, *changes, model=None):
    text = STUDY
    for given, instead in changes:
        assert given in text
        text = text.replace(given, instead)
    study, problems = check(lab, text, model=model)
    assert study is None
    return [problem for problem in problems if problem.severity == "error"]


def test_a_study_is_checked_without_opensim(lab):
    study, problems = check(lab)
    assert study is not None, problems
    assert not [p for p in problems if "hip" in p.what]  # no muscle of the study crosses it
    assert (study.coordinates, study.moving, study.moved) == (("ankle",), ("knee",), ("ankle", "knee"))
    assert len(study.ignored) == 21
    assert "leg.osim" in study.digests
    outline = outline_of(study)
    assert (outline.muscles, [c.name for c in outline.coordinates]) == (("rectus", "soleus_r"), ["knee", "ankle"])


def test_a_coordinate_that_only_moves_has_an_angle_and_no_moment(lab):
    study, _ = check(lab)
    (trial,) = assemble_trials(study, study.subjects[0], ("rectus", "soleus_r"))
    assert trial.coordinates == ("ankle", "knee")
    np.testing.assert_allclose(trial.angle[:, 1], np.deg2rad(-30 + 25 * WAVE)[: len(trial.time)], atol=1e-3)
    assert np.isnan(trial.moment[:, 1]).all()
    assert trial.moment_valid.all(axis=0).tolist() == [True, False]
    assert not [p for p in trial.problems if "knee" in p.what and "moments" in p.what]


def test_a_crossed_coordinate_that_strays_is_told_how_to_move(lab):
    _, problems = check(lab, STUDY.replace('moving = ["knee"]', ""))
    (problem,) = [p for p in problems if p.what.startswith("knee goes from")]
    assert 'moving = ["knee"] under [kinematics]' in problem.remedy


@pytest.mark.parametrize(
    ("given", "instead", "what", "remedy"),
    [
        ('["soleus_r"]', '["soleus"]', "there is no muscle soleus", "Did you mean 'soleus_r'?"),
        ('["ankle"]', '["ankel"]', "there is no coordinate ankel", "Did you mean 'ankle'?"),
        ('moving = ["knee"]', 'moving = ["kne"]', "there is no coordinate kne", "Did you mean 'knee'?"),
        ('moving = ["knee"]', 'moving = ["ankle"]', "names ankle twice", "once"),
        ('moving = ["knee"]', 'moving = ["knee"]\nfixed = { knee = 0.0 }', "among kinematics.moving", ""),
        ('"vastus_*"', '"vastus_*", "glut_*"', "no muscle fits glut_*", "pattern"),
        ("[emg]", '[groups]\ncalf = ["soleus"]\n[emg]', "group calf: soleus is neither", "Did you mean 'soleus_r'?"),
        ("[emg]", '[groups]\na = ["rectus"]\nb = ["rectus"]\n[emg]', "rectus is named 2 times in [groups]", ""),
        ("[emg]", "[geometry]\nallow_mm = -1\n[emg]", "allow_mm is -1", ""),
        ('"leg.osim"', '"arm.osim"', "there is no file 'arm.osim'", "Did you mean 'leg.osim'?"),
        ('"leg.osim"', '"../leg.osim"', "unsafe path", "--data"),
    ],
)
def test_what_does_not_fit_the_model_is_told(lab, given, instead, what, remedy):
    assert any(what in p.what and remedy in p.remedy for p in errors(lab, (given, instead)))


def test_a_name_goes_before_a_pattern_that_means_it_too(lab):
    study, problems = check(lab, STUDY.replace("vastus_*", "*"))
    assert study is not None, problems
    assert len(study.ignored) == 21


def test_many_forgotten_muscles_are_counted_and_a_pattern_is_proposed(lab):
    (problem,) = errors(lab, ('ignored = ["vastus_*"]', ""), model=leg(extra=MORE))
    assert "and 9 more (21 muscles)" in problem.what
    assert 'ignored = ["*_l"]' in problem.remedy


def test_a_muscle_that_crosses_nothing_that_moves_is_refused_by_name(lab):
    (problem,) = errors(
        lab, ('["rectus"]', '["rectus", "vastus_r"]'), ('moving = ["knee"]', ""), ('"vastus_*"', '"*_l"')
    )
    assert problem.what.startswith("vastus_r crosses none of ankle")


def test_a_muscle_that_crosses_only_what_is_not_explained_is_refused_before_a_fit(lab):
    (problem,) = errors(lab, ('["rectus"]', '["rectus", "vastus_r"]'), ('"vastus_*"', '"*_l"'))
    assert problem.what.startswith("vastus_r crosses none of ankle")
    assert problem.remedy == "It crosses knee"
    assert problem.remedy == "It crosses knee"


def test_what_the_model_does_not_let_move_is_refused(lab):
    locked = errors(lab, model=leg(locked="true"))
    assert [p.what for p in locked] == ["ankle is locked in the model", "knee is locked in the model"]
    coupled = errors(lab, model=leg(constraints=COUPLED.format(on="true")))
    assert any(p.what == "ankle follows knee in the model" or "no coordinate ankle" in p.what for p in coupled)


def test_a_muscle_of_an_unknown_class_is_refused_only_where_it_is_used(lab):
    strange = "<Schutte1993Muscle_Deprecated name='vastus_9'/>"
    assert check(lab, model=leg(extra=strange))[0] is not None
    used = errors(lab, model=leg("Schutte1993Muscle_Deprecated"))
    assert {p.what for p in used} == {f"{name} is a Schutte1993Muscle_Deprecated" for name in ("soleus_r", "rectus")}


def test_a_damaged_model_is_told_with_its_line(lab):
    (problem,) = errors(lab, model=leg()[:900])
    assert "not well-formed" in problem.what
    assert problem.line is not None


def test_declared_groups_take_the_place_of_derived_ones(lab):
    study, _ = check(lab, STUDY + '[groups]\nplantarflexors = ["soleus_r", "rectus"]\n')
    assert set(outline_of(study).groups) == {"plantarflexors"}


@pytest.fixture
def kept(lab):
    """Return a folder as a run leaves it: study and anatomy, no model."""
    knots = np.r_[[-1.0] * 3, np.linspace(-1, 1, 6), [1.0] * 3]
    slopes = [np.outer(np.linspace(0, 1, 8), np.array(arms)) for arms in ([0.05, 0.1], [0.02, 0.0])]
    anatomy = Anatomy(
        "leg.osim",
        ("rectus", "soleus_r"),
        (CoordinateRange("ankle", -1, 1), CoordinateRange("knee", -1, 1)),
        ("ankle_negative",) * 2,
        *[np.array([100.0, 200.0])] * 5,
        paths=tuple(map(PathSpline, ("ankle", "knee"), (3, 3), (knots, knots), slopes)),
    )
    (lab / "run").mkdir()
    (lab / "run" / "study.toml").write_text(STUDY, encoding="utf-8")
    write_anatomy_file(anatomy, lab / "run" / ANATOMY)
    (lab / "leg.osim").unlink()
    return lab


def test_a_run_needs_neither_the_model_nor_opensim(kept):
    study = read_settings(kept / "run" / "study.toml")
    anatomy, model = model_of(study)
    assert (anatomy.muscles, model.coordinates) == (("rectus", "soleus_r"), ("ankle", "knee"))
    new = '[[trial]]\nname = "two"\nkinematics = "motion.mot"\nemg = "emg.sto"\n'
    (kept / "new.toml").write_text(new, encoding="utf-8")
    (recording,) = read_new_trials(kept / "new.toml", kept / "run" / "study.toml")
    assert recording.angles.labels == ("ankle", "knee")


def test_a_run_whose_anatomy_is_lost_says_so(kept):
    (kept / "run" / ANATOMY).unlink()
    with pytest.raises(InputError, match=ANATOMY):
        read_settings(kept / "run" / "study.toml")


def test_a_path_is_refused_beyond_a_hundredth_of_its_excursion_and_what_is_allowed():
    def fit(muscle, excursion, worst):
        return PathFit(muscle, "knee", excursion, worst, 0.1, 40.0, 1.0, 0.1, 0.0)

    fits = (fit("short", 50.0, 1.1), fit("long", 150.0, 1.4), fit("worse", 150.0, 1.6))
    anatomy = Anatomy("m", (), (), (), *[np.empty(0)] * 5, paths=(), path_fits=fits)
    assert [p.what.split()[3] for p in misfits(anatomy, "m.osim")] == ["short", "worse"]
    assert [p.what.split()[3] for p in misfits(anatomy, "m.osim", allow_mm=2.0)] == []
