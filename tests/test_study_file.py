"""A study file says what was recorded: what it says reaches the recordings, from where it says."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from profundus.errors import StudyError
from profundus.io.study_file import check_study, read_new_trials, read_study
from study_lab import BODY, CLOCK, ELBOW, HEAD, MUSCLES, STUDY, check, errors, only_error, saved, warnings, write
from study_lab import lab as lab  # noqa: PLC0414  a fixture


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
    trial = read_study(saved(lab)).subjects[0].recordings[0]
    assert trial.angles.labels == ("r_elbow_flex",)
    np.testing.assert_allclose(trial.angles["r_elbow_flex"], ELBOW * np.pi / 180)
    assert trial.emg.labels == MUSCLES
    np.testing.assert_array_equal(trial.emg["BICshort"], 0.4)
    assert trial.truth is None


def test_digests_are_those_of_the_files(lab):
    study = read_study(saved(lab))
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


def test_the_folder_of_the_data_is_the_first_that_is_named(lab, monkeypatch):
    places = {name: lab / name for name in ("asked", "environment", "named")}
    for place in places.values():
        place.mkdir()
        (lab / "motion.mot").rename(place / "motion.mot") if place.name == "asked" else None
        for file in ("emg.sto", "moments.sto"):
            (place / file).write_bytes((lab / file).read_bytes())
    (places["environment"] / "motion.mot").write_bytes((places["asked"] / "motion.mot").read_bytes())
    text = STUDY.replace("[study]", '[study]\ndata_root = "named"')
    assert only_error(lab, text).what.endswith("in its folder named")
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
        read_new_trials(new, saved(lab))
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


def _root(lab):
    (lab / "elsewhere").mkdir()
    for file in ("motion.mot", "moments.sto"):
        (lab / "elsewhere" / file).write_bytes((lab / file).read_bytes())
    return 'data_root = "elsewhere"'
