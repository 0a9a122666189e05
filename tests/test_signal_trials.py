"""Recordings become trials: scale, clock, gaps, exclusions, and everything that is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

from profundus.errors import InputError
from profundus.records import EmgSettings, Exclusion, Recording, Study, Subject, Table
from profundus.signal import assemble_trial, assemble_trials, emg_scale

MUSCLES = ("TRIlong", "BRA", "BIClong")
RAW_RATE = 2000.0
SLOW = 2 * np.pi * 0.5


def angles(start=0.0, end=8.0, rate=100.0):
    time = np.arange(round(start * rate), round(end * rate) + 1) / rate
    return Table(("r_elbow_flex",), time, (1 + 0.5 * np.sin(SLOW * time))[:, None], source="ik.mot")


def envelopes(start=0.0, end=8.0, rate=100.0, scale=1.0):
    time = np.arange(round(start * rate), round(end * rate) + 1) / rate
    values = scale * np.column_stack([0.1 + 0.05 * np.cos(SLOW * time), 0.4 + 0.3 * np.sin(SLOW * time)])
    return Table(("TRIlong", "BIClong"), time, values, source="emg.sto")


def moments(start=0.0, end=8.0):
    time = np.arange(round(start * 100), round(end * 100) + 1) / 100
    return Table(("r_elbow_flex",), time, 10 + 5 * np.sin(SLOW * time)[:, None], source="id.sto")


def raw(seed, amplitude=1e-4, seconds=8.0, level=None):
    """White noise whose mean absolute value is ``amplitude`` times ``level`` (time,)."""
    time = np.arange(round(seconds * RAW_RATE)) / RAW_RATE
    noise = np.random.default_rng(seed).standard_normal((len(time), 2))
    level = np.ones(len(time)) if level is None else level(time)
    return Table(("TRIlong", "BIClong"), time, amplitude * noise * level[:, None], source=f"raw{seed}.csv")


def recording(name="curl", **changes):
    return Recording(
        **{"name": name, "role": "fit", "angles": angles(), "emg": envelopes(), "moments": moments()} | changes
    )


def study_of(*recordings, mvc=(), normalization="mvc", kind="envelope", emg=None, **changes):
    subject = Subject("sub-01", recordings, mvc=mvc)
    settings = EmgSettings(kind, normalization, **(emg or {}))
    study = Study("s", "arm26", ("r_elbow_flex",), ("TRIlong", "BIClong"), ("BRA",), settings, (subject,), **changes)
    return study, subject


def assembled(*recordings, **changes):
    study, subject = study_of(*recordings, **changes)
    return assemble_trials(study, subject, MUSCLES)


def with_nan(table, start, end, column=slice(None)):
    values = table.values.copy()
    values[(table.time >= start) & (table.time <= end), column] = np.nan
    return replace(table, values=values)


def test_load_and_kind_of_movement_come_with_the_recording():
    (steps,) = assembled(recording(load_kg=2.0, motion="steps"))
    (plain,) = assembled(recording())
    assert (steps.load_kg, steps.motion, plain.motion) == (2.0, "steps", "")


def test_trial_holds_what_was_recorded_in_the_models_order():
    (trial,) = assembled(recording())
    np.testing.assert_allclose(trial.time, np.arange(801) / 100)
    np.testing.assert_allclose(trial.angle[:, 0], angles()["r_elbow_flex"], atol=1e-12)
    np.testing.assert_allclose(trial.emg[:, 2], envelopes()["BIClong"], atol=1e-12)
    np.testing.assert_allclose(trial.moment, moments().values, atol=1e-12)
    np.testing.assert_allclose(trial.velocity[:, 0], 0.5 * SLOW * np.cos(SLOW * trial.time), atol=1e-3)
    assert trial.problems == ()


def test_deep_muscle_has_no_emg_and_is_not_valid():
    (trial,) = assembled(recording())
    assert np.isnan(trial.emg[:, 1]).all()
    assert trial.measured.tolist() == [True, False, True]


def test_everything_that_was_done_can_be_written_as_json():
    (trial,) = assembled(recording(emg=raw(0)), kind="raw", normalization="session_max", moment_low_pass_hz=6.0)
    processing = json.loads(json.dumps(trial.processing, allow_nan=False))
    assert processing["emg_rate_hz"] == pytest.approx(2000.0)
    assert processing["emg_filters"][-1]["effective_hz"] == pytest.approx([4.8135], abs=1e-3)
    assert processing["moments"]["low_pass"]["effective_hz"][0] < 6.0
    assert set(processing["emg_maximum"]) == {"TRIlong", "BIClong"}


def test_half_of_the_maximal_contraction_is_half_of_the_maximum():
    # rectification and filters are linear in the amplitude: the largest half second of the halved recording must be 0.5
    (trial,) = assembled(recording(emg=raw(1, amplitude=5e-5)), mvc=(raw(1, amplitude=1e-4),), kind="raw")
    means = np.convolve(trial.emg[:, 2], np.full(50, 1 / 50), mode="valid")
    assert means.max() == pytest.approx(0.5, rel=0.01)


def test_new_recording_is_scaled_by_the_constants_of_the_fit():
    study, subject = study_of(recording(), recording("strong", emg=envelopes(scale=2.0)), normalization="session_max")
    scale = emg_scale(study, subject)
    assert scale.maximum["BIClong"] == pytest.approx(2 * 0.7, rel=1e-4)
    later = assemble_trial(study, recording("later", emg=envelopes(scale=0.5)), MUSCLES, scale=scale)
    np.testing.assert_allclose(later.emg[:, 2], 0.5 * envelopes()["BIClong"] / scale.maximum["BIClong"])
    assert later.subject == "sub-01"


def test_all_trials_of_a_session_share_one_maximum():
    weak, strong = assembled(recording(), recording("strong", emg=envelopes(scale=2.0)), normalization="session_max")
    assert strong.emg[:, 2].max() == pytest.approx(1.0)
    np.testing.assert_allclose(weak.emg[:, 2] * 2, strong.emg[:, 2])


def test_excluded_artefact_does_not_set_the_maximum_of_the_session():
    values = envelopes().values.copy()
    values[300:310] = 50.0
    bad = Exclusion("curl", (2.9, 3.2), "emg", "cable pulled")
    (trial,) = assembled(
        recording(emg=replace(envelopes(), values=values), exclusions=(bad,)), normalization="session_max"
    )
    assert trial.emg[trial.emg_valid[:, 2], 2].max() == pytest.approx(1.0)


def test_scale_found_with_other_settings_is_refused():
    study, subject = study_of(recording())
    other = replace(emg_scale(study, subject), normalization="session_max")
    with pytest.raises(InputError, match="session_max"):
        assemble_trial(study, recording(), MUSCLES, scale=other)


def test_maximal_contraction_that_is_too_short_is_refused_for_every_muscle():
    study, subject = study_of(recording(emg=raw(0)), mvc=(raw(1, seconds=0.4),), kind="raw")
    with pytest.raises(InputError) as refusal:
        emg_scale(study, subject)
    assert [p.what.split(": ")[1] for p in refusal.value.problems] == ["TRIlong", "BIClong"]
    assert "0.5 s" in str(refusal.value)


def test_envelope_above_one_is_kept_and_warned_about():
    (trial,) = assembled(recording(emg=envelopes(scale=2.0)))
    assert trial.emg[:, 2].max() == pytest.approx(1.4)
    assert [p.severity for p in trial.problems] == ["warning"]
    assert "BIClong" in trial.problems[0].what
    assert "1.40" in trial.problems[0].what


def test_latency_of_the_emg_system_is_taken_out_of_emg_and_truth():
    late = envelopes(0.05, 8.05)
    late = replace(late, values=envelopes().values.copy())
    truth = replace(late.select({"BRA": "BIClong"}))
    (trial,) = assembled(recording(emg=late, truth=truth), emg={"sync_offset_ms": 50.0})
    np.testing.assert_allclose(trial.emg[:, 2], 0.4 + 0.3 * np.sin(SLOW * trial.time), atol=1e-4)
    np.testing.assert_allclose(trial.truth[:, 1], 0.4 + 0.3 * np.sin(SLOW * trial.time), atol=1e-4)
    assert np.isnan(trial.truth[:, [0, 2]]).all()


def test_clock_stays_inside_of_window_motion_and_emg_and_says_so():
    (trial,) = assembled(recording(time=(0.503, 20.0), angles=angles(0, 7.5), emg=envelopes(1.0, 8.0)))
    assert trial.time[[0, -1]] == pytest.approx([1.0, 7.5])
    (problem,) = trial.problems
    assert problem.severity == "warning"
    assert "instead of 0.503 to 20.000 s" in problem.what


def test_recordings_without_common_time_are_refused_with_both_spans():
    with pytest.raises(InputError, match=r"motion 0\.000 to 8\.000 s, EMG 10\.000 to 12\.000 s"):
        assembled(recording(emg=envelopes(10, 12)))


def test_moment_that_covers_less_is_not_valid_where_it_is_not():
    (trial,) = assembled(recording(moments=moments(1.0, 5.0)))
    inside = (trial.time >= 1.0) & (trial.time <= 5.0)
    np.testing.assert_array_equal(trial.moment_valid[:, 0], inside)
    assert np.isnan(trial.moment[~inside]).all()
    assert trial.emg_valid[:, 2].all()


def test_trial_without_moments_is_assembled_with_a_note():
    (trial,) = assembled(recording(moments=None))
    assert not trial.moment_valid.any()
    assert [p.severity for p in trial.problems] == ["note"]


@pytest.mark.parametrize(
    ("what", "emg_goes", "moment_goes"),
    [("emg", True, False), ("moments", False, True), ("kinematics", True, True), ("all", True, True)],
)
def test_excluded_stretch_loses_what_it_names(what, emg_goes, moment_goes):
    bad = Exclusion("curl", (2.0, 3.0), what, "both feet on one belt")
    (trial,) = assembled(recording(exclusions=(bad,), truth=envelopes().select({"BRA": "BIClong"})))
    inside = (trial.time >= 2.0) & (trial.time <= 3.0)
    np.testing.assert_array_equal(trial.emg_valid[:, 2], ~(inside & emg_goes))
    np.testing.assert_array_equal(np.isfinite(trial.truth[:, 1]), ~(inside & emg_goes))  # no method is judged there
    np.testing.assert_array_equal(trial.moment_valid[:, 0], ~(inside & moment_goes))
    assert trial.processing["exclusions"] == [
        {"trial": "curl", "time": [2.0, 3.0], "what": what, "why": "both feet on one belt"}
    ]


def test_loose_electrode_silences_its_own_muscle_alone():
    loose = Exclusion("curl", (2.0, 3.0), "emg", "electrode came loose", muscles=("BIClong",))
    values = np.where((envelopes().time > 2.4)[:, None] & (envelopes().time < 2.6)[:, None], 9.0, envelopes().values)
    given = recording(emg=replace(envelopes(), values=values), exclusions=(loose,))
    (trial,) = assembled(given)
    inside = (trial.time >= 2.0) & (trial.time <= 3.0)
    valid = {name: trial.emg_valid[:, trial.muscles.index(name)] for name in ("TRIlong", "BIClong")}
    np.testing.assert_array_equal(valid.pop("BIClong"), ~inside)
    assert all(own.all() for own in valid.values())
    assert trial.moment_valid.all()
    assert trial.processing["exclusions"][0]["muscles"] == ["BIClong"]
    (scaled,) = assembled(given, normalization="session_max")
    assert scaled.processing["emg_maximum"]["BIClong"] < 9.0  # what is not trusted sets no maximum


def test_short_gap_in_the_angle_is_filled_and_said():
    (trial,) = assembled(recording(angles=with_nan(angles(), 3.0, 3.08)))
    np.testing.assert_allclose(trial.angle[:, 0], 1 + 0.5 * np.sin(SLOW * trial.time), atol=1e-5)
    assert "missing from 3.000 to 3.080 s" in trial.problems[0].what
    assert trial.processing["kinematics"]["gaps_filled"] == [["r_elbow_flex", 3.0, 3.08]]


def test_long_gap_in_the_angle_is_refused_unless_excluded_or_outside_of_the_window():
    holed = with_nan(angles(), 3.0, 3.5)
    with pytest.raises(InputError, match=r"missing from 2\.990 to 3\.510 s"):
        assembled(recording(angles=holed))
    (later,) = assembled(recording(angles=holed, time=(3.2, 8.0)))
    assert later.time[0] == pytest.approx(3.51)
    (kept,) = assembled(
        recording(angles=holed, exclusions=(Exclusion("curl", (2.9, 3.6), "kinematics", "marker hidden"),))
    )
    assert len(kept.time) == 801
    assert not kept.moment_valid[(kept.time > 2.91) & (kept.time < 3.59)].any()


def test_gap_in_raw_emg_is_not_valid_and_neither_is_its_neighborhood():
    (trial,) = assembled(recording(emg=with_nan(raw(0), 3.0, 3.2, column=1)), kind="raw", normalization="session_max")
    lost = ~trial.emg_valid[:, 2]
    np.testing.assert_allclose(trial.time[lost][[0, -1]], [3.0 - 0.5 / 6, 3.2 + 0.5 / 6], atol=0.011)
    assert np.diff(np.flatnonzero(lost)).max() == 1
    assert trial.emg_valid[:, 0].all()
    assert "BIClong 3.000 to 3.200 s" in trial.problems[0].what


def test_gap_in_the_maximal_contraction_is_reported():
    trials = assembled(recording(emg=raw(0)), mvc=(with_nan(raw(1), 3.0, 3.2),), kind="raw")
    assert any("MVC 1" in p.what and "missing" in p.what for p in trials[0].problems)


def test_velocity_that_was_recorded_is_not_differentiated_again():
    time = np.arange(0, 1601) / 200
    velocity = Table(("r_elbow_flex",), time, 0.3 + np.cos(SLOW * time)[:, None])
    (trial,) = assembled(recording(velocities=velocity))
    np.testing.assert_allclose(trial.velocity[:, 0], 0.3 + np.cos(SLOW * trial.time), atol=1e-3)
    np.testing.assert_allclose(trial.acceleration[:, 0], -SLOW * np.sin(SLOW * trial.time), atol=0.01)


def test_filters_see_the_recording_beyond_the_window():
    whole, part = (
        assembled(recording(emg=raw(0), time=t), kind="raw", normalization="session_max")[0] for t in (None, (3, 4))
    )
    inside = (whole.time > 2.995) & (whole.time < 4.005)
    np.testing.assert_allclose(part.emg, whole.emg[inside])


def test_problems_of_all_trials_are_listed_at_once():
    with pytest.raises(InputError) as refusal:
        assembled(
            recording("a", emg=envelopes(10, 12)),
            recording("b", angles=with_nan(angles(), 3.0, 3.5)),
            recording("c"),
        )
    assert sorted(p.what[0] for p in refusal.value.problems) == ["a", "b"]


def test_measured_muscle_without_emg_is_refused():
    with pytest.raises(InputError, match="no EMG of BIClong"):
        assembled(recording(emg=envelopes().select({"TRIlong": "TRIlong"})))


def test_band_pass_above_half_the_rate_is_refused_with_the_trial():
    slow = replace(raw(0), time=np.arange(16000) / 800.0)
    with pytest.raises(InputError, match=r"curl: EMG: band-pass at 450 Hz on a signal sampled at 800 Hz"):
        assembled(recording(emg=slow), kind="raw", normalization="none")
