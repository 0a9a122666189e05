"""A study file says what was recorded; whatever is wrong with it is told by name, all at once."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profundus.errors import InputError, Problem, StudyError
from profundus.io.study_file import check_study, read_new_trials, read_study
from profundus.io.study_schema import NewTrialsFile, StudyFile
from profundus.io.study_text import StudyText
from profundus.io.study_validation import validate
from profundus.io.tables import write_table
from profundus.records.table import Table

HEAD = """\
[study]
name = "curls"
model = "arm26"
coordinates = ["r_elbow_flex"]
measured = ["TRIlong", "TRIlat", "BIClong", "BICshort"]
deep = ["BRA", "TRImed"]

[emg]
kind = "envelope"
normalization = "mvc"
"""
TRIAL = """
[[subject.trial]]
name = "{name}"
load_kg = {load}
kinematics = "motion.mot"
emg = "emg.sto"
moments = "moments.sto"
role = "{role}"
"""
BODY = '\n[[subject]]\nid = "sub-01"\n' + "".join(
    TRIAL.format(name=f"curl_{load}_{role}", load=load, role=role) for load in (0, 2) for role in ("fit", "test")
)
STUDY = HEAD + BODY
CLOCK = np.arange(401) / 100
ELBOW = 60 + 50 * np.sin(2 * np.pi * 0.5 * CLOCK)
MUSCLES = ("TRIlong", "TRIlat", "BIClong", "BICshort")


def write(path, labels, *columns, time=CLOCK, in_degrees=False):
    values = np.column_stack(columns)
    write_table(Table(tuple(labels), time, values, in_degrees=in_degrees), path)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """Return a folder with a sound study of four trials."""
    monkeypatch.delenv("PROFUNDUS_DATA", raising=False)
    write(tmp_path / "motion.mot", ["r_shoulder_elev", "r_elbow_flex"], 0 * ELBOW, ELBOW, in_degrees=True)
    write(tmp_path / "emg.sto", MUSCLES, *[np.full(len(CLOCK), 0.1 * n) for n in (1, 2, 3, 4)])
    write(tmp_path / "moments.sto", ["r_elbow_flex_moment"], 5 + ELBOW / 100)
    return tmp_path


def check(lab, text=STUDY, **options):
    path = lab / "study.toml"
    path.write_text(text, encoding="utf-8")
    return check_study(path, **options)


def errors(lab, text, **options):
    study, problems = check(lab, text, **options)
    found = [problem for problem in problems if problem.severity == "error"]
    assert (study is None) == bool(found)
    return found


def only_error(lab, text, **options):
    found = errors(lab, text, **options)
    assert len(found) == 1, "\n".join(map(str, found))
    return found[0]


def warnings(lab, text):
    study, problems = check(lab, text)
    assert study is not None, "\n".join(map(str, problems))
    return "\n".join(str(problem) for problem in problems)


def line_of(text, part):
    return next(n for n, line in enumerate(text.splitlines(), start=1) if part in line)


def test_a_sound_study_is_read_without_a_warning(lab):
    study, problems = check(lab)
    assert problems == ()
    assert study.fixed == {"r_shoulder_elev": 0.0}
    assert study.rate_hz == 100.0
    trial = study.subjects[0].recordings[1]
    assert (trial.name, trial.role, trial.load_kg) == ("curl_0_test", "test", 0.0)


def test_the_kind_of_movement_reaches_the_recording_and_is_unknown_where_left_out(lab):
    study, _ = check(lab, STUDY.replace("load_kg = 2", 'load_kg = 2\nmotion = "steps"', 1))
    assert [r.motion for s in study.subjects for r in s.recordings].count("steps") == 1
    assert {r.motion for s in study.subjects for r in s.recordings} == {"", "steps"}
    assert "motion" in only_error(lab, STUDY.replace("load_kg = 2", "load_kg = 2\nmotion = 3", 1)).what


def test_angles_come_in_radians_and_envelopes_by_muscle(lab):
    trial = read_study(_saved(lab)).subjects[0].recordings[0]
    assert trial.angles.labels == ("r_elbow_flex",)
    np.testing.assert_allclose(trial.angles["r_elbow_flex"], ELBOW * np.pi / 180)
    assert trial.emg.labels == MUSCLES
    np.testing.assert_array_equal(trial.emg["BICshort"], 0.4)
    assert trial.truth is None


def test_digests_are_those_of_the_files(lab):
    study = read_study(_saved(lab))
    assert set(study.digests) == {"motion.mot", "emg.sto", "moments.sto"}
    assert study.digests["emg.sto"] == hashlib.sha256((lab / "emg.sto").read_bytes()).hexdigest()


def test_one_column_may_serve_several_muscles(lab):
    write(lab / "emg.sto", ["Biceps", "TRIlong", "TRIlat"], *[np.full(len(CLOCK), 0.1 * n) for n in (1, 2, 3)])
    text = HEAD + '[emg.channels]\nBIClong = "Biceps"\nBICshort = "Biceps"\n' + BODY
    trial = check(lab, text)[0].subjects[0].recordings[0]
    np.testing.assert_array_equal(trial.emg["BIClong"], trial.emg["BICshort"])
    assert "one electrode for elbow_flexors" in warnings(lab, text)


def test_the_sign_of_a_moment_follows_the_study(lab):
    text = STUDY + '[moments]\nsign = { r_elbow_flex = -1 }\ncolumns = { r_elbow_flex = "elbow" }\n'
    write(lab / "moments.sto", ["elbow"], 5 + ELBOW / 100)
    trial = check(lab, text)[0].subjects[0].recordings[0]
    np.testing.assert_allclose(trial.moments["r_elbow_flex"], -5 - ELBOW / 100)


def test_raw_emg_in_millivolts_becomes_volts(lab):
    clock = np.arange(4001) / 1000
    write(lab / "emg.sto", MUSCLES, *[np.full(len(clock), 3.0)] * 4, time=clock)
    raw = 'kind = "raw"\nunit = "mV"\nrate_hz = 1000\nmvc = ["emg.sto"]'
    study = check(lab, STUDY.replace('kind = "envelope"', raw))[0]
    np.testing.assert_allclose(study.subjects[0].recordings[0].emg.values, 0.003)
    assert study.subjects[0].mvc[0].labels == MUSCLES
    said = only_error(lab, STUDY.replace('kind = "envelope"', raw.replace("1000", "2000"))).what
    assert "1000 Hz" in said


def test_an_mvc_file_may_hold_some_of_the_muscles(lab):
    clock = np.arange(4001) / 1000
    write(lab / "emg.sto", MUSCLES, *[np.full(len(clock), 3.0)] * 4, time=clock)
    write(lab / "mvc.sto", ["BIClong"], np.full(len(clock), 9.0), time=clock)
    text = STUDY.replace('kind = "envelope"', 'kind = "raw"').replace(
        'id = "sub-01"', 'id = "sub-01"\nmvc = ["mvc.sto"]'
    )
    assert "TRIlat, TRIlong" in only_error(lab, text).what
    write(lab / "rest.sto", MUSCLES[:2] + MUSCLES[3:], *[np.full(len(clock), 9.0)] * 3, time=clock)
    text = text.replace('["mvc.sto"]', '["mvc.sto", "rest.sto"]')
    assert [len(table.labels) for table in check(lab, text)[0].subjects[0].mvc] == [1, 3]


def test_velocities_are_taken_from_their_columns(lab):
    write(lab / "motion.mot", ["r_elbow_flex", "gyro"], ELBOW, np.full(len(CLOCK), 90.0), in_degrees=True)
    text = STUDY + '[kinematics]\nvelocity_columns = { r_elbow_flex = "gyro" }\n'
    trial = check(lab, text)[0].subjects[0].recordings[0]
    np.testing.assert_allclose(trial.velocities["r_elbow_flex"], np.pi / 2)


def test_truth_has_the_muscles_that_it_knows(lab):
    write(lab / "truth.sto", ["BRA", "BRA_envelope"], CLOCK / 10, CLOCK / 20)
    text = STUDY.replace('role = "test"', 'role = "test"\ntruth = "truth.sto"')
    assert check(lab, text)[0].subjects[0].recordings[1].truth.labels == ("BRA",)


def test_exclusions_reach_their_trial(lab):
    stretch = '[[exclude]]\ntrial = "curl_0_fit"\ntime = [1.0, 1.5]\nwhat = "moments"\nwhy = "hit the table"\n'
    first, second, *_ = check(lab, STUDY + stretch)[0].subjects[0].recordings
    assert [(e.time, e.what, e.why) for e in first.exclusions] == [((1.0, 1.5), "moments", "hit the table")]
    assert second.exclusions == ()
    missing = only_error(lab, STUDY + stretch.replace("curl_0_fit", "curl_0_fitt"))
    assert "Did you mean 'curl_0_fit'" in missing.remedy


def test_exclusion_of_muscles_names_measured_ones_and_their_emg(lab):
    stretch = (
        '[[exclude]]\ntrial = "curl_0_fit"\ntime = [1.0, 1.5]\nwhat = "emg"\nmuscles = ["BIClong"]\nwhy = "loose"\n'
    )
    first, *_ = check(lab, STUDY + stretch)[0].subjects[0].recordings
    assert first.exclusions[0].muscles == ("BIClong",)
    assert "Did you mean 'BIClong'" in only_error(lab, STUDY + stretch.replace("BIClong", "BIClng")).remedy
    assert "no measured muscle BRA" in only_error(lab, STUDY + stretch.replace("BIClong", "BRA")).what
    assert 'what = "moments"' in only_error(lab, STUDY + stretch.replace('"emg"', '"moments"')).what


def test_fit_settings_are_those_of_the_file_and_false_leaves_a_loss_out(lab):
    fit = "[fit]\nmembers = 7\n[fit.network]\nwidth = 32\n[fit.loss]\neffort_sd = false\n"
    settings = check(lab, STUDY + fit)[0].fit
    assert (settings.members, settings.network.width, settings.loss.effort_sd) == (7, 32, None)


@pytest.mark.parametrize(
    ("given", "instead", "what", "remedy"),
    [
        ('kind = "envelope"', 'kind = "envelope"\nnormalisation = "mvc"', "normalisation", "'normalization'"),
        ('model = "arm26"', 'model = "arm62"', "arm62", ""),
        ("[emg]", "[emgs]\n[emg]", "emgs", "'emg'"),
        ('"BRA", ', "", "BRA", "ignored"),
        ('"BRA", ', '"BRa", "BRA", ', "BRa", "'BRA'"),
        ('"BRA", ', '"BRA", "BRA", ', "BRA twice", ""),
        ('"BRA", ', '"BRA", "TRIlat", ', "TRIlat is named in measured and in deep", ""),
        ('["r_elbow_flex"]', "[]", "coordinates is empty", ""),
        ('["r_elbow_flex"]', '["r_elbow_flexx"]', "r_elbow_flexx", "'r_elbow_flex'"),
        ('normalization = "mvc"', 'normalization = "trial_max"', "trial_max", "relation between loads"),
        ('normalization = "mvc"', 'normalization = "mcv"', "mcv", "'mvc'"),
        ('normalization = "mvc"', "", "'emg.normalization' is missing", ""),
        ('kind = "envelope"', 'kind = "envelope"\nlow_pass_hz = 600', "600", ""),
        ('kind = "envelope"', 'kind = "envelope"\nlow_pass_hz = "6 Hz"', "low_pass_hz", ""),
        ('kind = "envelope"', 'kind = "envelope"\nband_pass_hz = [450, 20]', "band_pass_hz", ""),
        ('kind = "envelope"', 'kind = "envelope"\nband_pass_hz = [20]', "band_pass_hz", ""),
        ('kind = "envelope"', 'kind = "envelope"\ndelay_prior_ms = [50, 0]', "delay_prior_ms", ""),
        ('kind = "envelope"', 'kind = "envelope"\nchannels = { BIC = "x" }', "no muscle BIC", "'BIClong'"),
        ("load_kg = 2", "load_kg = 2000", "load_kg is 2000", "grams"),
        ("load_kg = 2", "load_kg = -2", "load_kg is -2", ""),
        ("load_kg = 2", 'load_kg = "2 kg"', "load_kg", ""),
        ("load_kg = 2", "load_kg = nan", "load_kg", ""),
        ('role = "test"', 'role = "train"', "train", ""),
        ('role = "test"', 'role = "test"\ntime = [5.0, 1.0]', "[5.0, 1.0] ends before it begins", ""),
        ('role = "test"', 'role = "test"\ntime = [30, 40]', "outside of the data", "0.000 to 4.000 s"),
        (
            'role = "test"',
            'role = "test"\ninverse_dynamics = "opensim"',
            "moments and asks for inverse dynamics",
            "Leave one",
        ),
        ('name = "curl_2_fit"', 'name = "curl_0_fit"', "comes twice", ""),
        ('name = "curl_2_fit"', 'name = "CURL_0_fit"', "comes twice", ""),
        ('name = "curl_2_fit"', 'name = "all"', "reserved", ""),
        ('name = "curl_2_fit"', 'name = "../x"', "'../x'", ""),
        ('name = "curl_2_fit"', 'name = ".hidden"', "'.hidden'", ""),
        ('id = "sub-01"', 'id = "<script>alert(1)</script>"', "<script>", ""),
        ('id = "sub-01"', 'id = "sub-01"\nmass_kg = 72000', "72000", "grams"),
        ('"BRA", ', '"BRA", "<img src=x onerror=alert(1)>", ', "not a name", ""),
        ('model = "arm26"', 'model = "arm26.osim"', "there is no file 'arm26.osim'", "path"),
        ('model = "arm26"', 'model = "arm26"\nmuscle_parameters = "m.csv"', "muscle_parameters", "Leave it out"),
        ('model = "arm26"', 'model = "arm26"\nrate_hz = 5', "rate_hz is 5", ""),
        ('model = "arm26"', 'model = "arm26"\ndata_root = "nowhere"', "nowhere", "--data"),
        ('emg = "emg.sto"', 'emg = "egm.sto"', "egm.sto", "'emg.sto'"),
        ('emg = "emg.sto"', 'emg = "motion.mot"', "no column 'TRIlong'", "emg.channels"),
        ('emg = "emg.sto"', 'emg = "../emg.sto"', "unsafe path", "--data"),
        ('emg = "emg.sto"', 'emg = "."', "is not a file", ""),
        ('emg = "emg.sto"', 'emg = "emg\\u0000.sto"', "not a line of text", ""),
    ],
)
def test_a_mistake_is_refused_by_name(lab, given, instead, what, remedy):
    text = STUDY.replace(given, instead)
    found = [p for p in errors(lab, text) if what in p.what and remedy in p.remedy]
    assert found, "\n".join(map(str, errors(lab, text)))
    assert all(problem.file for problem in found)


@pytest.mark.parametrize(
    ("added", "what", "remedy"),
    [
        ("[fit]\nmembers = 3\n", "fit.members is 3", ""),
        ('[fit]\nmuscle = "hill"\n', "hill", ""),
        ("[fit]\nwidth = 64\n", "fit.width", "[fit.network]"),
        ("[fit.network]\nwidth = 50\nheads = 4\n", "width 50", ""),
        ("[fit.loss]\nemg_sd = false\n", "fit.loss.emg_sd", ""),
        ("[fit.loss]\neffort = 1.0\n", "fit.loss.effort", "effort_sd"),
        ("[kinematics]\nfixed = { r_shoulder_elev = 90.0 }\n", "90 rad", "degrees"),
        ("[kinematics]\nfixed = { r_elbow_flex = 0.0 }\n", "held still", ""),
        ("[kinematics]\nfixed = { shoulder = 0.0 }\n", "shoulder", ""),
        ("[kinematics]\ncolumns = { r_elbow_flex = 'elbow_flex' }\n", "'elbow_flex'", "'r_elbow_flex'"),
        ("[moments]\ncolumns = { r_elbow_flex = 'r_elbow_moment' }\n", "'r_elbow_moment'", "[moments.columns]"),
        ("[moments]\nsign = { r_elbow_flex = -2 }\n", "sign.r_elbow_flex is -2", ""),
        ("[geometry]\nlengths = 'a.sto'\nmoment_arms = {}\n", "[geometry]", "arm26"),
        ("[[calibration]]\nmuscle = 'BIClong'\nkind = 'dominant'\n", "no deep muscle BIClong", ""),
        ("[[subject]]\nid = 'SUB-01'\n", "comes twice", ""),
        ("[[subject]]\nid = 'sub-02'\n", "sub-02 has no trial of role 'fit'", ""),
        ("[surprise]\n", "surprise", ""),
        ("[[subject.trial]]\n'@at' = 3\n", "@at", ""),
    ],
)
def test_a_wrong_table_is_refused_by_name(lab, added, what, remedy):
    found = [p for p in errors(lab, STUDY + added) if what in p.what and remedy in p.remedy]
    assert found, "\n".join(map(str, errors(lab, STUDY + added)))


def test_eight_mistakes_give_eight_problems_at_once(lab):
    text = STUDY + "[fit]\nmembers = 2\n"
    for right, wrong in {
        'normalization = "mvc"': 'normalization = "trial_max"',
        'kind = "envelope"': 'kind = "envelope"\nchanels = { BIClong = "x" }',
        '"BRA", ': "",
        'name = "curl_0_test"': 'name = "../curl"',
    }.items():
        text = text.replace(right, wrong)
    parts = text.split("[[subject.trial]]")
    parts[1] = parts[1].replace("load_kg = 0", "load_kg = 5000")
    parts[3] = parts[3].replace("emg.sto", "emgs.sto")
    parts[4] = parts[4].replace('role = "test"', 'role = "test"\ntime = [50.0, 60.0]')
    text = "[[subject.trial]]".join(parts)
    found = errors(lab, text)
    marks = ["trial_max", "chanels", "BRA", "../curl", "5000", "emgs.sto", "50.000", "fit.members"]
    assert len(found) == len(marks), "\n".join(map(str, found))
    for mark in marks:
        assert sum(mark in problem.what for problem in found) == 1, mark
    assert all(problem.line is not None for problem in found)
    with pytest.raises(StudyError) as refused:
        read_study(lab / "study.toml")
    assert set(refused.value.problems) == set(found)


def test_a_problem_names_its_line(lab):
    text = STUDY.replace("load_kg = 2", "load_kg = 2000", 1).replace('role = "test"', 'role = "exam"', 1)
    lines = {problem.line for problem in errors(lab, text)}
    assert lines == {line_of(text, "2000"), line_of(text, "exam")}


def test_a_line_is_right_after_a_trial_that_is_set_aside(lab):
    text = STUDY.replace('kinematics = "motion.mot"\n', "", 1)
    cut = text.rindex("emg.sto")
    text = text[:cut] + "egm" + text[cut + 3 :]
    missing, file = errors(lab, text)
    assert "kinematics' is missing" in missing.what
    assert file.line == line_of(text, "egm.sto")


def test_a_trial_without_motion_does_not_hide_what_else_is_wrong_with_it(lab):
    text = STUDY.replace('kinematics = "motion.mot"\nemg = "emg.sto"', 'emg = "egm.sto"', 1)
    said = [problem.what for problem in errors(lab, text)]
    assert len(said) == 2
    assert "kinematics' is missing" in said[0]
    assert "egm.sto" in said[1]


def test_muscles_forgotten_are_all_named(lab):
    found = only_error(lab, STUDY.replace('["BRA", "TRImed"]', '["TRImed"]').replace('"TRIlat", ', ""))
    assert "BRA, TRIlat" in found.what


def test_degrees_that_are_called_radians_are_refused(lab):
    write(lab / "motion.mot", ["r_elbow_flex"], ELBOW, in_degrees=False)
    found = only_error(lab, STUDY)
    assert "says radians" in found.what
    assert 'angle_unit = "deg"' in found.remedy
    assert "'deg' was taken" in warnings(lab, STUDY + '[kinematics]\nangle_unit = "deg"\n')


def test_radians_that_are_called_degrees_are_refused(lab):
    write(lab / "motion.mot", ["r_elbow_flex"], ELBOW * np.pi / 180, in_degrees=True)
    assert "says degrees" in only_error(lab, STUDY).what


def test_a_silent_header_is_overridden_or_inferred_with_a_warning(lab):
    write(lab / "motion.mot", ["r_elbow_flex"], ELBOW, in_degrees=None)
    assert "taken to be in deg" in warnings(lab, STUDY)
    assert warnings(lab, STUDY + '[kinematics]\nangle_unit = "deg"\n') == ""
    assert "radians" in only_error(lab, STUDY + '[kinematics]\nangle_unit = "rad"\n').what


def test_a_joint_that_moves_though_it_is_held_is_told(lab):
    write(lab / "motion.mot", ["r_shoulder_elev", "r_elbow_flex"], 6 * CLOCK, ELBOW, in_degrees=True)
    assert "r_shoulder_elev goes from 0.0 to 24.0 deg but is held at 0 deg" in warnings(lab, STUDY)
    write(lab / "motion.mot", ["r_shoulder_elev", "r_elbow_flex"], CLOCK, ELBOW, in_degrees=True)
    study, problems = check(lab)
    assert problems == ()
    assert "0.0 to 4.0 deg" in study.subjects[0].recordings[0].problems[0].what


def test_an_angle_beyond_the_model_is_told(lab):
    write(lab / "motion.mot", ["r_elbow_flex"], ELBOW - 40, in_degrees=True)
    assert "r_elbow_flex goes from -30.0 to 70.0 deg" in warnings(lab, STUDY)


def test_emg_of_another_hour_is_refused(lab):
    write(lab / "emg.sto", MUSCLES, *[CLOCK * 0] * 4, time=CLOCK + 3600)
    found = errors(lab, STUDY)
    assert len(found) == 4
    assert "does not overlap" in found[0].what
    late = STUDY.replace('kind = "envelope"', 'kind = "envelope"\nsync_offset_ms = 900')
    write(lab / "emg.sto", MUSCLES, *[CLOCK * 0] * 4, time=CLOCK + 4.5)
    assert "0.40 s are common" in warnings(lab, late)


def test_emg_may_have_its_own_rate_and_range(lab):
    clock = np.arange(0, 12000) / 2000 - 1
    write(lab / "emg.sto", MUSCLES, *[np.full(len(clock), 0.5)] * 4, time=clock)
    study, problems = check(lab)
    assert problems == ()
    assert len(study.subjects[0].recordings[0].emg.time) == 12000


def test_envelopes_in_percent_are_refused(lab):
    write(lab / "emg.sto", MUSCLES, *[np.full(len(CLOCK), 45.0)] * 4)
    assert "percent" in only_error(lab, STUDY).remedy


def test_emg_with_its_time_in_milliseconds_is_refused(lab):
    write(lab / "emg.sto", MUSCLES, *[np.full(len(CLOCK), 0.1)] * 4, time=1000 * CLOCK)
    found = only_error(lab, STUDY)
    assert "0.1 Hz" in found.what
    assert "in ms?" in found.remedy


def test_an_incomplete_geometry_is_told_to_be_of_no_use_and_nothing_else(lab):
    assert "arm26 has paths of its own" in only_error(lab, STUDY + "[geometry]\nmoment_arms = {}\n").what


def test_truth_from_the_file_of_the_emg_is_no_truth(lab):
    assert "same file" in warnings(lab, STUDY.replace('emg = "emg.sto"', 'emg = "emg.sto"\ntruth = "./emg.sto"', 1))


def test_a_problem_is_said_in_sentences(lab):
    assert str(Problem("error", "is 3", "a.toml", 2, "1", "In mm?")) == "a.toml:2: is 3. Expected 1. In mm?"
    column = only_error(lab, STUDY + "[moments]\ncolumns = { r_elbow_flex = 'torque' }\n")
    assert str(column).endswith("There is 'r_elbow_flex_moment'. Name the column under [moments.columns].")


def test_moments_in_newton_millimeters_are_refused(lab):
    write(lab / "moments.sto", ["r_elbow_flex_moment"], 50 * ELBOW)
    assert "N.mm" in only_error(lab, STUDY).remedy


def test_raw_emg_needs_an_mvc_if_it_is_to_be_normalized_by_it(lab):
    found = errors(lab, STUDY.replace('kind = "envelope"', 'kind = "raw"'))
    assert any("no MVC recordings of sub-01" in problem.what for problem in found)
    assert any("cannot be filtered up to 450 Hz" in problem.what for problem in found)


def test_a_study_without_a_trial_to_fit_is_refused(lab):
    assert "no trial of role 'fit'" in only_error(lab, STUDY.replace('role = "fit"', 'role = "test"')).what
    assert "no [[subject]]" in only_error(lab, HEAD).what


@pytest.mark.parametrize("how", ["not a number", "outside of the window", "excluded"])
def test_a_person_without_a_finite_moment_to_fit_to_is_refused(lab, how):
    early = np.where(CLOCK < 2, 5.0, np.nan)
    write(lab / "moments.sto", ["r_elbow_flex_moment"], np.full(len(CLOCK), np.nan) if how == "not a number" else early)
    assert check(lab)[0] is not None or how == "not a number"
    text = STUDY.replace('role = "fit"', 'role = "fit"\ntime = [2.0, 4.0]') if how == "outside of the window" else STUDY
    if how == "excluded":
        for trial in ("curl_0_fit", "curl_2_fit"):
            text += f'[[exclude]]\ntrial = "{trial}"\ntime = [0.0, 3.0]\nwhat = "moments"\nwhy = "a belt"\n'
    found = only_error(lab, text)
    assert "subject sub-01" in found.what
    assert found.file.endswith("moments.sto")
    with pytest.raises(StudyError, match="no trial to fit to has a finite moment"):
        read_study(lab / "study.toml")


def test_a_measured_muscle_without_a_sample_is_to_be_moved_to_deep(lab):
    channels = [np.full(len(CLOCK), value) for value in (0.1, np.nan, 0.3, 0.4)]
    write(lab / "emg.sto", MUSCLES, *channels)
    found = only_error(lab, STUDY)
    assert "TRIlat has not one finite sample" in found.what
    assert "study.deep" in found.remedy


def test_trials_without_moments_cannot_be_fitted_to(lab):
    lines = 'moments = "moments.sto"\nrole = "fit"'
    assert "not fitted to" in warnings(lab, STUDY.replace(lines, 'role = "fit"', 1))
    assert len(errors(lab, STUDY.replace(lines, 'role = "fit"'))) == 2


def test_calibrations_are_accepted_and_said_to_be_unused_where_no_prior_is(lab):
    text = STUDY + '[[calibration]]\nmuscle = "BRA"\nkind = "ratio"\nratio = 0.9\nsd = 0.2\nto = "BIClong"\n'
    assert "calibration" not in warnings(lab, text)
    assert "[[calibration]] is not used" in warnings(lab, text + "[fit]\npaper = true\n")


def test_little_data_is_told_as_what_it_leaves_open(lab):
    text = HEAD.replace('"mvc"', '"session_max"') + '\n[[subject]]\nid = "s"\n'
    text += TRIAL.format(name="lift", load=0, role="fit").replace("load_kg = 0\n", "time = [1.0, 1.9]\n")
    said = warnings(lab, text)
    for mark in ("one trial in all", "in-sample", "load is unknown", "fractions of the session's maximum", "0.90 s"):
        assert mark in said


def test_the_folder_of_the_data_is_the_first_that_is_named(lab, monkeypatch):
    places = {name: lab / name for name in ("asked", "environment", "named")}
    for place in places.values():
        place.mkdir()
        (lab / "motion.mot").rename(place / "motion.mot") if place.name == "asked" else None
        for file in ("emg.sto", "moments.sto"):
            (place / file).write_bytes((lab / file).read_bytes())
    (places["environment"] / "motion.mot").write_bytes((places["asked"] / "motion.mot").read_bytes())
    text = STUDY.replace("[study]", '[study]\ndata_root = "named"')
    assert str(places["named"]) in only_error(lab, text).what
    monkeypatch.setenv("PROFUNDUS_DATA", str(places["environment"]))
    assert check(lab, text)[0].subjects[0].recordings[0].emg.source.startswith(str(places["environment"]))
    asked = check(lab, text, data_root=places["asked"])[0]
    assert asked.subjects[0].recordings[0].emg.source.startswith(str(places["asked"]))


def test_a_link_may_not_lead_out_of_the_data(lab):
    (lab / "data").mkdir()
    for file in ("emg.sto", "motion.mot", "moments.sto"):
        (lab / "data" / file).symlink_to(lab / file)
    found = errors(lab, STUDY.replace("[study]", '[study]\ndata_root = "data"'))
    assert len(found) == 3
    assert all("leads out of the folder" in problem.what for problem in found)
    absolute = STUDY.replace("emg.sto", str(lab / "emg.sto"))
    assert check(lab, absolute)[0] is not None
    assert "leads out" in only_error(lab, absolute.replace("[study]", f"[study]\n{_root(lab)}")).what


def test_a_pipe_or_a_loop_of_links_is_refused_without_waiting(lab):
    os.mkfifo(lab / "pipe.sto")
    (lab / "loop.sto").symlink_to(lab / "loop.sto")
    assert "is not a file" in only_error(lab, STUDY.replace("emg.sto", "pipe.sto")).what
    assert errors(lab, STUDY.replace("emg.sto", "loop.sto"))


def test_a_defect_inside_a_table_is_told_with_the_study(lab):
    text = (lab / "emg.sto").read_text().replace("\n0.02\t", "\n0.02\tabc", 1)
    (lab / "emg.sto").write_text(text)
    found = errors(lab, STUDY.replace("load_kg = 2", "load_kg = 2000", 1))
    assert {Path(problem.file).name for problem in found} == {"study.toml", "emg.sto"}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"[study\n", "is not TOML"),
        (b'[study]\nname = "C:\\data"\n', "is not TOML"),
        (b"\xff\xfe[study]", "UTF-8"),
        (b"a = " + b"[" * 100_000, "nested"),
        (b"a = 1" + b"0" * 5000, "is not TOML"),
        (b"a = 0x1" + b"0" * 5000, "unknown key 'a'"),
        (b"", "'study' is missing"),
        (b"study = 3\nemg = []\nsubject = {}\n", "study is 3"),
        (b"#" * 6_000_000, "bytes"),
    ],
)
def test_what_is_no_study_file_is_refused(tmp_path, content, what):
    (tmp_path / "study.toml").write_bytes(content)
    study, problems = check_study(tmp_path / "study.toml")
    assert study is None
    assert any(what in problem.what for problem in problems), "\n".join(map(str, problems))


def test_a_study_file_that_is_not_there_is_told(tmp_path):
    assert check_study(tmp_path / "none.toml")[1][0].severity == "error"
    assert check_study(tmp_path)[0] is None
    with pytest.raises(InputError):
        read_study(tmp_path / "none.toml")


KEYS = ("study", "emg", "subject", "trial", "exclude", "fit", "network", "name", "id", "role", "time", "mvc", "@at")
VALUES = st.recursive(
    st.integers() | st.floats() | st.booleans() | st.text(max_size=5) | st.sampled_from(["arm26", "mvc", "fit"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5), st.sampled_from([StudyFile, NewTrialsFile]))
def test_any_tables_are_read_or_told_what_is_wrong(tables, kind):
    file, problems, _ = validate(kind, StudyText("any.toml", tables, {}))
    assert file is not None or problems


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_damaged_text_gives_a_study_or_problems(tmp_path_factory, data):
    lines = STUDY.splitlines()
    for place in data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=4)):
        lines[place] = data.draw(st.sampled_from(["", "a = nan", "time = [1]", "[[subject]]", "[emg]", "x.y = {z=[]}"]))
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text("\n".join(lines))
    study, problems = check_study(path)
    assert study is not None or any(problem.severity == "error" for problem in problems)


def test_new_trials_are_read_with_the_columns_of_the_study(lab):
    write(lab / "emg.sto", ["T1", "T2", "B"], *[np.full(len(CLOCK), 0.1 * n) for n in (1, 2, 3)])
    channels = '[emg.channels]\nTRIlong = "T1"\nTRIlat = "T2"\nBIClong = "B"\nBICshort = "B"\n'
    new = lab / "new.toml"
    new.write_text('[[trial]]\nname = "new"\nkinematics = "motion.mot"\nemg = "emg.sto"\n')
    (trial,) = read_new_trials(new, HEAD + channels + BODY)
    assert (trial.name, trial.role, trial.moments) == ("new", "test", None)
    np.testing.assert_allclose(trial.emg["BICshort"], 0.3)


def test_all_problems_of_new_trials_are_told_at_once(lab):
    new = lab / "new.toml"
    one = '[[trial]]\nname = "{}"\nkinematics = "{}"\nemg = "emg.sto"\n'
    new.write_text("speed = 3\n" + one.format("a", "none.mot") + one.format("a", "motion.mot") + "load_kg = 1e4\n")
    with pytest.raises(StudyError) as refused:
        read_new_trials(new, _saved(lab))
    said = [problem.what for problem in refused.value.problems]
    assert len(said) == 4
    for mark in ("speed", "none.mot", "comes twice", "load_kg is 10000"):
        assert any(mark in what for what in said)


def test_the_virtual_elbow_is_read_without_a_warning(reference, monkeypatch):
    monkeypatch.delenv("PROFUNDUS_DATA", raising=False)
    study, problems = check_study(reference / "data" / "virtual_elbow" / "study.toml")
    assert problems == ()
    assert (len(study.subjects), {len(subject.recordings) for subject in study.subjects}) == (13, {18})
    first = study.subjects[0].recordings[0]
    assert first.angles["r_elbow_flex"][0] == pytest.approx(np.deg2rad(101.00369))
    assert first.moments["r_elbow_flex"][0] == pytest.approx(2.3195695)
    assert first.truth["BRA"][0] == pytest.approx(0.111932)


def test_the_box_lift_is_read_and_told_to_determine_little(reference):
    example = Path(__file__).parents[1] / "examples" / "box_lifting" / "study.toml"
    study, problems = check_study(example, data_root=reference / "data" / "box_lifting")
    assert study is not None, "\n".join(map(str, problems))
    trial = study.subjects[0].recordings[0]
    assert trial.emg.values.shape == (11600, 4)
    np.testing.assert_array_equal(trial.emg["BIClong"], trial.emg["BICshort"])
    assert trial.angles["r_elbow_flex"][0] == pytest.approx(np.deg2rad(42.06628447))
    assert trial.moments["r_elbow_flex"][0] == pytest.approx(2.36539107)
    said = "\n".join(map(str, problems))
    for mark in ("one trial in all", "in-sample", "load is unknown", "session's maximum", "0.87 s", "one electrode"):
        assert mark in said


def _saved(lab):
    (lab / "study.toml").write_text(STUDY, encoding="utf-8")
    return lab / "study.toml"


def _root(lab):
    (lab / "elsewhere").mkdir()
    for file in ("motion.mot", "moments.sto"):
        (lab / "elsewhere" / file).write_bytes((lab / file).read_bytes())
    return 'data_root = "elsewhere"'
