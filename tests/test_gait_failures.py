"""What goes wrong with a recording of walking, and what is said of it."""

import re
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from profundus.io.study_file import check_study, read_study
from profundus.io.study_model import outline_of
from profundus.io.tables import write_table
from profundus.records import QualityRow, Table
from profundus.signal import assemble_trials, quality_problems, quality_table
from profundus.signal.agreement import agreement_rows
from profundus.validate.false_strides import FalseStretch, exclude_lines, false_moment_problems, false_stretches
from profundus.validate.strides import by_stride, strides_of
from test_osim_sketch import leg

CLOCK = np.arange(2401) / 100
PHASE = 2 * np.pi * CLOCK / 1.2
KNEE = np.minimum(-5 - 55 * np.exp(-(((CLOCK / 1.2) % 1 - 0.5) ** 2) / 0.02), 0.0)
CALF = np.clip(np.sin(PHASE), 0.0, None) ** 2 + 0.01 * np.sin(7 * PHASE)
STUDY = """\
[study]
name = "walking"
model = "leg.osim"
coordinates = ["knee", "ankle"]
measured = ["soleus_r", "vastus_r"]
deep = ["rectus"]
[emg]
kind = "envelope"
normalization = "none"
[[subject]]
id = "a"
[[subject.trial]]
name = "walk"
kinematics = "motion.mot"
emg = "emg.sto"
moments = "moments.sto"
role = "fit"
"""
FALSE = (6.1, 22.3, 32.7, 39.6, 55.3)  # s, where both feet shared a belt (README of the recording)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Return a folder with a sound study of made-up strides, in a place without OpenSim."""
    monkeypatch.delenv("PROFUNDUS_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "opensim", None)
    (tmp_path / "leg.osim").write_text(leg(), encoding="utf-8")
    tables(tmp_path)
    return tmp_path


def tables(lab, *, angles=None, emg=None, moments=None, names=("knee_moment", "ankle_moment"), in_degrees=True):
    angles = np.column_stack([KNEE, 10 * np.sin(PHASE)]) if angles is None else angles
    emg = np.column_stack([0.02 + 0.3 * CALF, 0.03 + 0.2 * np.roll(CALF, 50)]) if emg is None else emg
    moments = np.column_stack([10 * np.roll(CALF, 60), -60 * np.roll(CALF, 8)]) if moments is None else moments
    write_table(Table(("knee", "ankle"), CLOCK, angles, in_degrees=in_degrees), lab / "motion.mot")
    write_table(Table(("soleus_r", "vastus_r"), CLOCK, emg), lab / "emg.sto")
    write_table(Table(names, CLOCK, moments), lab / "moments.sto")


def problems(lab, text=STUDY):
    (lab / "study.toml").write_text(text, encoding="utf-8")
    study, found = check_study(lab / "study.toml")
    if study is None:
        return [problem for problem in found if problem.severity == "error"]
    trials = trials_of(study)
    found += tuple(problem for trial in trials for problem in trial.problems)
    own = [
        problem for problem in found if not problem.file.endswith("study.toml")
    ]  # not what so short a study leaves open
    return [*own, *quality_problems(quality_table(trials, study.subjects[0]), "a"), *false_moment_problems(trials)]


def trials_of(study):
    return assemble_trials(study, study.subjects[0], outline_of(study).muscles)


def test_sound_strides_raise_no_doubt(lab):
    assert problems(lab) == []


@pytest.mark.parametrize(
    ("given", "instead", "meant"),
    [
        ('"soleus_r", "vastus_r"]', '"soleus_r", "vastis_r"]', "vastus_r"),
        ('"knee", "ankle"]', '"knee", "ankel"]', "ankle"),
    ],
)
def test_misspelled_name_is_told_with_the_nearest(lab, given, instead, meant):
    assert any(f"Did you mean '{meant}'" in problem.remedy for problem in problems(lab, STUDY.replace(given, instead)))


def test_radians_under_a_header_that_says_degrees_are_refused(lab):
    tables(lab, angles=np.deg2rad(np.column_stack([KNEE, 20 * np.sin(PHASE)])))
    found = problems(lab)
    assert [problem.what.split(" goes")[0] for problem in found] == ["column of knee", "column of ankle"]
    assert all("radians, but the header says degrees" in problem.what for problem in found)


def test_degrees_under_a_header_that_says_radians_are_refused(lab):
    tables(lab, in_degrees=False)
    assert all("degrees, but the header says radians" in problem.what for problem in problems(lab))


def test_file_of_the_other_leg_is_refused_without_offering_its_column(lab):
    mirrored = (
        leg()
        .replace("'knee'", "'knee_r'")
        .replace('"knee"', '"knee_r"')
        .replace("<Coordinate name", "<Coordinate name")
    )
    (lab / "leg.osim").write_text(mirrored, encoding="utf-8")
    tables(lab, names=("knee_l_moment", "ankle_moment"))
    text = STUDY.replace('["knee", "ankle"]', '["knee_r", "ankle"]')
    text += '[kinematics]\ncolumns = { knee_r = "knee" }\n'
    (found,) = problems(lab, text)
    assert "no column 'knee_r_moment'" in found.what
    assert "'knee_l_moment' is of the other side" in found.what
    assert "Did you mean" not in found.remedy


def made_up(*, moment_late=0.0):
    """Return trials whose ankle moment is soleus' work, later than it should be by ``moment_late`` [s], and their moment arms."""
    arm = np.zeros((len(CLOCK), 2, 3))
    arm[:, 1, 2] = -0.05  # the soleus plantarflexes: negative in this model
    moment = -40 * np.interp(CLOCK - 0.08 - moment_late, CLOCK, CALF)
    return moment, arm


@pytest.mark.parametrize(("late", "checks"), [(0.0, []), (0.6, ["moment sign", "moment of other leg"])])
def test_moment_of_the_other_leg_is_half_a_stride_off(lab, late, checks):
    moment, arm = made_up(moment_late=late)
    tables(lab, moments=np.column_stack([0 * moment, moment]))
    (lab / "study.toml").write_text(STUDY, encoding="utf-8")
    trials = trials_of(read_study(lab / "study.toml"))
    rows = agreement_rows(trials, [arm], {"rectus": 1000.0, "vastus_r": 1000.0, "soleus_r": 3000.0})
    assert [row.check for row in rows if row.verdict != "ok"] == checks
    if checks:
        assert abs(abs(rows[-2].value) - 0.6) < 0.13  # half a stride, and what the muscle's delay leaves open
        assert any("other leg's" in problem.what for problem in quality_problems(rows, "a"))


def test_moment_divided_by_body_mass_is_too_small_for_its_muscles(lab):
    moment, arm = made_up()
    tables(lab, moments=np.column_stack([0 * moment, moment / 60.0]))
    (lab / "study.toml").write_text(STUDY, encoding="utf-8")
    trials = trials_of(read_study(lab / "study.toml"))
    rows = agreement_rows(trials, [arm], {"rectus": 1000.0, "vastus_r": 1000.0, "soleus_r": 3000.0})
    assert [row.check for row in rows if row.verdict != "ok"] == ["moment size"]


def test_stride_with_a_false_moment_is_told_with_the_lines_that_exclude_it(lab):
    moments = np.column_stack([10 * np.roll(CALF, 60), -60 * np.roll(CALF, 8)])
    moments[900:930, 1] += 50 * np.hanning(30)
    tables(lab, moments=moments)
    (found,) = problems(lab)
    assert "the moment of ankle from 8.9 to 9.4 s is up to 50 N.m away" in found.what
    pasted = found.remedy[found.remedy.index("[[exclude]]") :]
    assert problems(lab, f"{STUDY}{pasted}") == []
    (table,) = tomllib.loads(pasted)["exclude"]
    assert (table["trial"], table["what"]) == ("walk", "moments")
    assert table["time"] == [8.9, 9.4]


def test_a_gap_in_the_moment_is_told_and_makes_no_stride_false(lab):
    moments = np.column_stack([10 * np.roll(CALF, 60), -60 * np.roll(CALF, 8)])
    moments[900:1000, 1] = np.nan
    tables(lab, moments=moments)
    found = problems(lab)
    assert any("ankle is known in 2301 of 2401 samples" in problem.what for problem in found)
    assert not any("away from the other strides" in problem.what for problem in found)


def test_a_dead_channel_is_told(lab):
    tables(lab, emg=np.column_stack([0.02 + 0.3 * CALF, np.where(CLOCK < 12.0, 0.2 * CALF, 0.001)]))
    assert ["vastus_r: flat" in problem.what for problem in problems(lab) if "flat" in problem.what] == [True]


def test_two_channels_that_are_copies_are_told(lab):
    tables(lab, emg=np.column_stack([0.3 * CALF, 0.6 * CALF + 0.01]))
    (found,) = (problem for problem in problems(lab) if "identical" in problem.what)
    assert "vastus_r, soleus_r" in found.what
    assert "one column in [emg.channels]" in found.what


def test_strides_are_those_of_the_made_up_walk(lab):
    (lab / "study.toml").write_text(STUDY, encoding="utf-8")
    (trial,) = trials_of(read_study(lab / "study.toml"))
    found = strides_of(trial)
    assert (found.coordinate, len(found.begin)) == ("knee", 19)
    np.testing.assert_allclose(found.end - found.begin, 1.2, atol=0.011)
    np.testing.assert_allclose(found.begin, 0.6 + 1.2 * np.arange(19), atol=0.011)  # the most flexed posture
    curves = by_stride(trial.time, trial.emg[:, [2]], found)
    np.testing.assert_allclose(curves.std(axis=0), 0.0, atol=0.01)
    np.testing.assert_allclose(
        curves[0, :, 0], 0.02 + 0.3 * np.clip(np.sin(np.pi + np.linspace(0, 2 * np.pi, 101)), 0, None) ** 2, atol=0.02
    )


def test_a_motion_that_does_not_repeat_itself_has_no_strides(lab):
    chance = np.random.default_rng(0)
    wander = np.cumsum(chance.normal(size=(len(CLOCK), 2)), axis=0)
    tables(lab, angles=-30 + 10 * wander / np.abs(wander).max())
    (lab / "study.toml").write_text(STUDY, encoding="utf-8")
    assert strides_of(*trials_of(read_study(lab / "study.toml"))) is None


@pytest.fixture(scope="module")
def walked(reference):
    """Return the trials of the recorded walk without and with the exclusions of the example study."""
    example = Path(__file__).parents[1] / "examples" / "gait" / "study.toml"
    study = read_study(example, data_root=reference / "data" / "gait_treadmill")
    (subject,) = study.subjects
    bare = replace(subject, recordings=tuple(replace(one, exclusions=()) for one in subject.recordings))
    muscles = outline_of(study).muscles
    return assemble_trials(study, bare, muscles), assemble_trials(study, subject, muscles)


def test_false_strides_of_the_recorded_walk_are_found_and_no_others(walked):
    bare, excluded = walked
    found = false_stretches(bare)
    excused = [tuple(e["time"]) for t in excluded for e in t.processing["exclusions"] if e["what"] == "moments"]
    assert all(abs(low + 0.1 - time) < 0.3 for (low, _), time in zip(excused, FALSE, strict=True))
    met = [[one for one in found if one.time[0] < high and one.time[1] > low] for low, high in excused]
    assert all(met)
    assert len(found) - len({one for those in met for one in those}) <= 2
    assert len(false_stretches(excluded)) <= 2
    assert all(
        re.match(r'\[\[exclude\]\]\ntrial = "\w+_strides"\nsubject = "\w+"\n', exclude_lines(one)) for one in found
    )


def test_loose_electrode_of_the_recorded_walk_is_not_heard_after_50_s(walked):
    _, (first, second, last) = walked
    loose = first.muscles.index("vas_lat_r")
    assert first.emg_valid[:, loose].all()
    assert second.emg_valid[:, loose].all()
    assert not last.emg_valid[:, loose].any()
    assert last.measured.sum() == first.measured.sum() - 1


def test_quality_rows_are_told_once_a_check():
    rows = [QualityRow("all", "ankle", "moment size", 0.001, 0.01, "warning")]
    assert "divided by body mass" in quality_problems(rows, "a")[0].what


def test_the_lines_that_leave_a_stride_out_name_the_one_person_whose_it_is():
    stretch = FalseStretch("sub-02", "walk_1", (6.0, 7.4), ("ankle_angle_r",), 60.0)
    (item,) = tomllib.loads(exclude_lines(stretch))["exclude"]
    assert (item["subject"], item["trial"], item["time"], item["what"]) == ("sub-02", "walk_1", [6.0, 7.4], "moments")
