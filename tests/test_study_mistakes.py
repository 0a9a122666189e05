"""Whatever is wrong with a study is told by name, all at once, with its line."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profundus.errors import InputError, Problem, StudyError
from profundus.io.study_file import check_study, read_study
from profundus.io.study_schema import NewTrialsFile, StudyFile
from profundus.io.study_text import LARGEST, StudyText
from profundus.io.study_validation import validate
from study_lab import CLOCK, ELBOW, HEAD, MUSCLES, STUDY, TRIAL, check, errors, line_of, only_error, warnings, write
from study_lab import lab as lab  # noqa: PLC0414  a fixture


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
    ],
)
def test_what_is_no_study_file_is_refused(tmp_path, content, what):
    (tmp_path / "study.toml").write_bytes(content)
    study, problems = check_study(tmp_path / "study.toml")
    assert study is None
    assert any(what in problem.what for problem in problems), "\n".join(map(str, problems))


def test_a_file_too_large_for_a_study_is_refused_unread(tmp_path):
    with (tmp_path / "study.toml").open("wb") as file:
        file.truncate(LARGEST + 1)
    study, problems = check_study(tmp_path / "study.toml")
    assert study is None
    assert [problem.what for problem in problems] == [f"has {LARGEST + 1} bytes"]


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
