"""Scores against values from closed forms and from SciPy."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from answers import answer, reconstruction, trial
from profundus.errors import InputError
from profundus.records import Reconstruction
from profundus.validate import metrics
from profundus.validate.scores import score

WAVE = 0.3 + 0.2 * np.sin(2 * np.pi * 0.5 * np.arange(0, 8, 0.01))
NOISY = WAVE + np.random.default_rng(0).normal(0, 0.05, WAVE.shape)


def rows(card, **wanted):
    return [row for row in card.rows if all(getattr(row, key) == value for key, value in wanted.items())]


def test_correlation_is_that_of_scipy_on_the_known_samples():
    holes = NOISY.copy()
    holes[100:200] = np.nan
    known = np.isfinite(holes)
    assert metrics.pearson_r(WAVE, holes) == pytest.approx(stats.pearsonr(WAVE[known], NOISY[known]).statistic)


@pytest.mark.parametrize("constant", [np.full(100, 0.1), np.zeros(100), np.full(100, np.nan)])
def test_correlation_with_a_constant_is_not_defined(constant):
    assert np.isnan(metrics.pearson_r(constant, WAVE[:100]))
    assert np.isnan(metrics.pearson_r(WAVE[:100], constant))


def test_errors_of_an_offset_are_those_of_the_closed_form():
    estimate = WAVE + 0.1
    assert metrics.rmse(WAVE, estimate) == pytest.approx(0.1)
    assert metrics.nrmse(WAVE, estimate) == pytest.approx(0.1 / 0.4)
    assert metrics.amplitude_ratio(WAVE, estimate) == pytest.approx(0.4 / 0.3)
    assert metrics.r2(WAVE, estimate) == pytest.approx(1 - 0.1**2 / (0.2**2 / 2))
    assert metrics.vaf(WAVE, estimate) == pytest.approx(1 - 0.1**2 / (0.3**2 + 0.2**2 / 2))


def test_a_wrong_scale_does_not_count_in_the_error_of_the_time_course():
    assert metrics.rmse_scaled(WAVE, 3 * WAVE) == pytest.approx(0.0, abs=1e-15)
    slope = np.linalg.lstsq(NOISY[:, None], WAVE, rcond=None)[0]
    assert metrics.rmse_scaled(WAVE, NOISY) == pytest.approx(np.sqrt(np.mean((WAVE - slope * NOISY) ** 2)))
    assert metrics.rmse_scaled(WAVE, 0 * WAVE) == pytest.approx(np.sqrt(np.mean(WAVE**2)))


@pytest.mark.parametrize("late_ms", [-120.0, -3.0, 0.0, 37.0, 250.0])
def test_lag_is_how_late_the_estimate_comes(late_ms):
    time = np.arange(0, 8, 0.01)
    chance = np.random.default_rng(1)
    parts = [(f, chance.uniform(0, 6)) for f in (0.3, 0.7, 1.1, 1.9)]
    course = lambda t: sum(np.sin(2 * np.pi * f * t + p) for f, p in parts)  # noqa: E731
    late = metrics.lag_ms(course(time), 0.2 * course(time - late_ms / 1000) + 1.0, step=0.01)
    assert late == pytest.approx(late_ms, abs=0.5)


def test_lag_beyond_reach_and_of_short_trials_is_not_defined():
    time = np.arange(0, 8, 0.01)
    assert np.isnan(metrics.lag_ms(time, time**2, step=0.01))
    assert np.isnan(metrics.lag_ms(WAVE[:3], WAVE[:3], step=0.01))


def test_the_band_of_a_gaussian_is_scored_as_gneiting_and_raftery_say():
    truth = stats.norm.ppf((np.arange(20000) + 0.5) / 20000)
    z = stats.norm.ppf(0.95)
    lower, upper = np.full_like(truth, -z), np.full_like(truth, z)
    assert metrics.coverage90(truth, lower, upper) == pytest.approx(0.9, abs=1e-4)
    assert metrics.band_width(lower, upper) == pytest.approx(2 * z)
    outside = 2 * (stats.norm.pdf(z) - z * 0.05)  # expected shortfall of both tails
    assert metrics.interval_score90(truth, lower, upper) == pytest.approx(2 * z + 20 * outside, rel=1e-3)


def test_a_band_of_constant_width_scores_as_gneiting_and_raftery_say():
    truth = stats.norm.ppf((np.arange(20000) + 0.5) / 20000)
    z = stats.norm.ppf(0.95)
    outside = 2 * (stats.norm.pdf(z) - z * 0.05)  # expected shortfall of both tails
    assert metrics.constant_band_score(truth, np.zeros(20000), 0.9) == pytest.approx(2 * z + 20 * outside, rel=1e-3)


def test_a_band_that_follows_the_noise_is_better_than_a_constant_one():
    chance = np.random.default_rng(0)
    sd = np.linspace(0.01, 0.2, 20000)
    truth, z = chance.normal(0.5, sd), stats.norm.ppf(0.95)
    lower, upper = 0.5 - z * sd, 0.5 + z * sd
    constant = metrics.constant_band_score(truth, np.full(20000, 0.5), metrics.coverage90(truth, lower, upper))
    assert metrics.interval_score90(truth, lower, upper) < 0.9 * constant


@pytest.mark.parametrize("share", [0.0, 0.37, 0.9, 1.0])
def test_the_constant_band_covers_what_it_is_asked_to(share):
    errors = np.abs(np.random.default_rng(1).normal(size=1000))
    half = np.sort(errors)[round(1000 * share) - 1] if share else 0.0
    expected = 2 * half + 20 * np.mean(np.maximum(errors - half, 0))
    assert metrics.constant_band_score(errors, np.zeros(1000), share) == pytest.approx(expected)


def test_a_constant_band_around_nothing_is_not_scored():
    assert np.isnan(metrics.constant_band_score(np.full(9, np.nan), np.zeros(9), 0.9))
    assert np.isnan(metrics.constant_band_score(np.zeros(9), np.zeros(9), np.nan))
    with pytest.raises(InputError, match="coverage is 90"):
        metrics.constant_band_score(np.zeros(9), np.zeros(9), 90.0)


def test_nothing_known_scores_nothing():
    nothing = np.full(50, np.nan)
    for name in ("pearson_r", "rmse", "nrmse", "amplitude_ratio", "rmse_scaled", "vaf", "r2"):
        assert np.isnan(getattr(metrics, name)(nothing, WAVE[:50]))
    assert np.isnan(metrics.coverage90(nothing, nothing, nothing))


def test_rows_are_there_for_every_trial_role_and_load():
    card = score(reconstruction())
    bra = [(row.trial, row.role, row.n) for row in rows(card, name="BRA")]
    assert bra == [
        ("curl_1", "fit", 340),  # 0.3 s of 100 Hz left out at both ends
        ("curl_2", "test", 463),
        ("curl_3", "test", 240),
        ("all", "fit", 340),
        ("load", "fit", 340),
        ("all", "test", 703),
        ("load", "test", 463),  # the load of curl_3 is unknown
    ]
    assert {row.name for row in rows(card, quantity="moment")} == {"r_elbow_flex"}
    assert len(rows(card, quantity="moment")) == 6
    assert all(row.rmse == pytest.approx(0.1) for row in rows(card, quantity="moment"))


def test_pooled_scores_are_those_of_all_samples_together():
    rec = reconstruction()
    truth, estimate = (
        np.concatenate([getattr(part.trial if key == "truth" else part, key)[30:-30, 5] for part in rec.trials[1:]])
        for key in ("truth", "excitation")
    )
    (row,) = rows(score(rec), name="BRA", trial="all", role="test")
    assert row.r == pytest.approx(stats.pearsonr(truth, estimate).statistic)
    assert row.rmse == pytest.approx(np.sqrt(np.mean((truth - estimate) ** 2)))
    assert row.coverage90 == pytest.approx(np.mean(np.abs(truth - estimate) <= 0.05))
    assert row.band_width == pytest.approx(0.1)
    assert abs(row.lag_ms) < 2.0


def test_excluded_samples_and_muscles_without_truth_are_left_out():
    given = trial()
    valid = given.emg_valid.copy()
    valid[100:150, 0] = False
    truth = given.truth.copy()
    truth[:, 5] = np.nan
    moment_valid = given.moment_valid.copy()
    moment_valid[:200] = False
    given = replace(given, emg_valid=valid, truth=truth, moment_valid=moment_valid)
    card = score(Reconstruction("nmm", "sub-01", (answer(given),)), hidden=("TRImed",))
    assert {row.name: row.n for row in rows(card, trial="curl_1")} == {
        "TRIlong": 290,
        **dict.fromkeys(("TRIlat", "TRImed", "BIClong", "BICshort"), 340),
        "r_elbow_flex": 170,
    }
    assert {row.name for row in card.rows if row.hidden} == {"TRImed"}


def test_a_method_without_band_has_no_band_scores():
    part = answer(trial())
    card = score(Reconstruction("copy", "sub-01", (replace(part, lower=part.excitation, upper=part.excitation),)))
    assert all(np.isnan([row.coverage90, row.band_width, row.interval_score90]).all() for row in card.rows)
