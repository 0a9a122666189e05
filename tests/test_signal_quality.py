"""Checks find what was put into a signal, and stay silent about a clean one."""

from dataclasses import replace

import numpy as np
import pytest

from profundus.io.anatomy import arm_sign, read_anatomy
from profundus.records import Table
from profundus.signal import assemble_trials, quality_problems, quality_table
from profundus.signal.checks import (
    clipped_share,
    depth_below_zero,
    floor_to_peak,
    hum_share,
    longest_flat,
    low_share,
    offset_ratio,
)
from profundus.signal.filters import band_pass
from profundus.signal.timing import emg_lead
from test_signal_trials import MUSCLES, RAW_RATE, SLOW, envelopes, moments, raw, recording, study_of

TIME = np.arange(16000) / RAW_RATE


def emg_noise(seed=0):
    """Band-limited noise of unit variance, as a surface electrode gives it."""
    noise = band_pass((20.0, 450.0), rate_hz=RAW_RATE, what="x")(np.random.default_rng(seed).standard_normal(16000))
    return noise / noise.std()


def test_hum_share_is_the_power_of_the_line():
    # a sine of amplitude a has the power a^2 / 2 beside noise of power 1
    for hz in (50.0, 60.0):
        for a in (0.5, 1.0, 2.0):
            measured = hum_share(emg_noise() + a * np.sin(2 * np.pi * hz * TIME), RAW_RATE)
            assert measured == pytest.approx((a**2 / 2) / (1 + a**2 / 2), abs=0.02)
    assert hum_share(emg_noise(), RAW_RATE) < 0.02


def test_low_share_is_the_power_of_the_movement():
    moved = emg_noise() + np.sin(2 * np.pi * 3 * TIME)
    assert low_share(moved, RAW_RATE) == pytest.approx(0.5 / 1.5, abs=0.03)
    assert low_share(emg_noise(), RAW_RATE) < 0.05


def test_clipping_is_the_share_of_samples_at_the_rails():
    noise = emg_noise()
    rail = np.quantile(np.abs(noise), 0.95)
    assert clipped_share(np.clip(noise, -rail, rail), RAW_RATE) == pytest.approx(0.05, abs=0.02)
    assert clipped_share(noise, RAW_RATE) == 0.0


def test_depth_below_zero_is_relative_to_the_size_of_the_signal():
    sine = np.sin(2 * np.pi * TIME)  # its size exceeds sin(0.95 * 90 deg) for 5 % of the time
    for unit in (1.0, 1e-4):
        assert depth_below_zero(unit * sine, RAW_RATE) == pytest.approx(1 / np.sin(np.deg2rad(85.5)), rel=1e-4)
        assert depth_below_zero(unit * (1 + sine), RAW_RATE) == 0.0
    assert depth_below_zero(np.zeros(10), RAW_RATE) == 0.0


def warned(emg, **changes):
    study, subject = study_of(recording(emg=emg), **changes)
    rows = quality_table(assemble_trials(study, subject, MUSCLES), subject)
    return {(row.channel, row.check) for row in rows if row.verdict == "warning"}


@pytest.mark.parametrize("normalization", ["mvc", "session_max", "none"])
def test_raw_emg_in_volts_is_no_envelope(normalization):
    found = warned(raw(0), normalization=normalization)
    assert {("TRIlong", "below zero"), ("BIClong", "below zero")} <= found


def test_envelopes_a_thousand_times_too_small_are_no_fraction_of_mvc():
    faint = {("TRIlong", "faint"), ("BIClong", "faint")}
    assert warned(envelopes(scale=1e-3)) == faint
    assert warned(envelopes()) == set()
    assert warned(envelopes(scale=1e-3), normalization="none") == set()


def test_flat_stretch_is_found_with_its_length():
    values = emg_noise()
    values[4000:4400] = values[4000]
    assert longest_flat(values, RAW_RATE) == pytest.approx(0.2, abs=1e-3)
    assert longest_flat(np.zeros(1000), RAW_RATE) == pytest.approx(0.5)


def test_offset_is_the_mean_over_the_spread():
    assert offset_ratio(emg_noise() + 0.5, RAW_RATE) == pytest.approx(0.5, abs=0.02)
    assert offset_ratio(np.full(10, 2.0), RAW_RATE) == np.inf


def test_envelope_of_pure_noise_has_no_modulation():
    study, subject = study_of(recording(emg=raw(0)), kind="raw", normalization="session_max")
    rows = quality_table(assemble_trials(study, subject, MUSCLES), subject)
    assert {r.channel for r in rows if r.check == "no modulation" and r.verdict == "warning"} == {"TRIlong", "BIClong"}
    assert floor_to_peak(0.5 + 0.4 * np.sin(SLOW * TIME), RAW_RATE) < 0.3


def test_dead_channel_and_hum_are_named_and_the_clean_channel_is_not():
    clean = emg_noise() * (0.2 + np.sin(SLOW * TIME) ** 2)
    dead = np.where(TIME < 4, emg_noise(1) * (0.2 + np.sin(SLOW * TIME) ** 2), 0.0) + 0.0
    emg = Table(("TRIlong", "BIClong"), TIME, np.column_stack([dead, clean]))
    study, subject = study_of(recording(emg=emg), kind="raw", normalization="session_max")
    problems = quality_problems(quality_table(assemble_trials(study, subject, MUSCLES), subject), "sub-01")
    assert [p for p in problems if "BIClong" in p.what] == []
    assert any("TRIlong: flat" in p.what for p in problems)


@pytest.mark.parametrize(
    ("column", "verdict", "check"), [("Arm", "note", "shared electrode"), ("Other", "warning", "identical")]
)
def test_one_signal_for_two_muscles_is_a_note_only_if_the_study_says_so(column, verdict, check):
    emg = envelopes()
    emg = replace(emg, values=emg.values[:, [1, 1]])
    study, subject = study_of(recording(emg=emg), emg={"channels": {"TRIlong": "Arm", "BIClong": column}})
    rows = [r for r in quality_table(assemble_trials(study, subject, MUSCLES), subject) if "," in r.channel]
    assert [(r.channel, r.check, r.verdict) for r in rows] == [("TRIlong, BIClong", check, verdict)]
    (problem,) = quality_problems(rows, "sub-01")
    assert "TRIlong, BIClong" in problem.what
    assert problem.severity == verdict


def lagging(seed, lag):
    """A recording of 30 s whose moment follows its two envelopes after ``lag`` seconds."""
    time = np.arange(3001) / 100
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 6, 6)
    emg = lambda t, k: 0.5 + 0.4 * np.sin(SLOW * (1 + 0.37 * k) * t + phase[k]) * np.sin(1.3 * t + phase[k + 2])  # noqa: E731
    angle = (1 + 0.6 * np.sin(0.9 * SLOW * time + phase[4]))[:, None]
    moment = 40 * emg(time - lag, 1) - 25 * emg(time - lag, 0) + rng.standard_normal(len(time))
    channels = np.column_stack([emg(time, 0), emg(time, 1)])
    one = lambda values: Table(("r_elbow_flex",), time, values)  # noqa: E731
    return recording(angles=one(angle), emg=Table(("TRIlong", "BIClong"), time, channels), moments=one(moment[:, None]))


@pytest.mark.parametrize(("lag", "verdict"), [(0.1, "ok"), (0.0, "ok"), (-0.2, "warning"), (0.34, "warning")])
def test_lead_of_emg_over_the_moment_is_found_and_judged(lag, verdict):
    study, subject = study_of(lagging(3, lag))
    trials = assemble_trials(study, subject, MUSCLES)
    assert emg_lead(trials, 0)[0] == pytest.approx(lag, abs=0.021)
    (row,) = [r for r in quality_table(trials, subject) if r.check == "lead"]
    assert row.verdict == verdict


def test_lead_is_not_judged_on_a_few_seconds():
    study, subject = study_of(recording())
    assert emg_lead(assemble_trials(study, subject, MUSCLES), 0) is None


def test_moment_against_its_own_muscles_is_doubted():
    flipped = replace(moments(), values=-moments().values)
    swapped = replace(envelopes(), values=envelopes().values[:, ::-1])
    arms = arm_sign(read_anatomy("arm26"), ["r_elbow_flex"])
    verdicts = []
    for changes in ({}, {"moments": flipped}, {"emg": swapped}):
        study, subject = study_of(recording(**changes))
        rows = quality_table(assemble_trials(study, subject, MUSCLES), subject, arm_sign=arms)
        verdicts += [r.verdict for r in rows if r.check == "moment sign"]
    assert verdicts == ["ok", "warning", "warning"]


def test_flexors_bend_the_elbow_and_extensors_do_not():
    signs = arm_sign(read_anatomy("arm26"), ["r_elbow_flex"])["r_elbow_flex"]
    assert signs == {"TRIlong": -1, "TRIlat": -1, "TRImed": -1, "BIClong": 1, "BICshort": 1, "BRA": 1}
