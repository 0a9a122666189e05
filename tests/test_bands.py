"""Bands are held against what they say: of errors that are known, the shares, ranks and scores follow in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from answers import MUSCLES, STEP, trial
from profundus.records import Reconstruction, TrialReconstruction
from profundus.validate import bands
from profundus.validate.scores import score

BRA = MUSCLES.index("BRA")
EDGE = 1.6448536269514722


def known(*, error_sd=0.2, told_sd=0.2, bias=0.0, samples=20_060, subject="sub-01", role="test", load_kg=2.0, seed=0):
    """Return an answer whose log errors are normal with a known sd, in log-normal bands of a told sd."""
    given = trial(samples=samples, subject=subject, role=role, load_kg=load_kg)
    chance = np.random.default_rng(seed)
    middle = np.full_like(given.truth, 0.2)
    truth = middle * np.exp(bias + chance.normal(0.0, error_sd, given.truth.shape))
    lower, upper = middle * np.exp(-EDGE * told_sd), middle * np.exp(EDGE * told_sd)
    return Reconstruction(
        "nmm", subject, (TrialReconstruction(replace(given, truth=truth), middle, lower, upper, moment=given.moment),)
    )


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_bands_hold_what_a_normal_distribution_says(ratio):
    found = bands.person_band(known(error_sd=0.2, told_sd=0.2 * ratio), "BRA", role="test")
    expected = [2.0 * norm.cdf(ratio * norm.ppf(0.5 + share / 2)) - 1.0 for share in bands.SHARES]
    np.testing.assert_allclose(found.held, expected, atol=0.012)
    assert found.coverage == pytest.approx(expected[bands.SHARES.index(0.9)], abs=0.012)


def test_ranks_are_flat_where_bands_are_right_and_heap_where_they_are_not():
    flat = bands.person_band(known(), "BRA", role="test").ranks
    np.testing.assert_allclose(flat, 0.1, atol=0.01)
    assert flat.sum() == pytest.approx(1.0)
    narrow = bands.person_band(known(told_sd=0.1), "BRA", role="test").ranks
    assert narrow[0] == pytest.approx(norm.cdf(0.5 * norm.ppf(0.1)), abs=0.01)
    wide = bands.person_band(known(told_sd=0.4), "BRA", role="test").ranks
    assert wide[0] < 0.02 < wide[4]
    low = bands.person_band(known(bias=0.2), "BRA", role="test").ranks  # the answer is too low: the truth lies high
    assert low[-1] == pytest.approx(1.0 - norm.cdf(norm.ppf(0.9) - 1.0), abs=0.01)


def test_coverage_width_and_score_are_those_of_the_scorecard():
    rec = known(error_sd=0.3)
    found = bands.person_band(rec, "BRA", role="test")
    row = next(r for r in score(rec).rows if r.name == "BRA" and r.trial == "all")
    assert (found.coverage, found.width, found.interval_score) == pytest.approx(
        (row.coverage90, row.band_width, row.interval_score90)
    )


def test_a_band_that_ends_at_one_is_read_from_its_lower_end():
    truth, middle = np.array([0.7 * np.exp(0.3)]), np.array([0.7])
    place = bands.places(truth, middle, middle * np.exp(-EDGE * 0.3), np.array([1.0]))
    assert place == pytest.approx([1.0])


def test_a_band_that_starts_at_zero_is_read_from_its_upper_end():
    middle = np.array([0.05])
    place = bands.places(middle * np.exp(-0.6), middle, np.array([0.0]), middle * np.exp(EDGE * 0.3))
    assert place == pytest.approx([-2.0])


def test_a_truth_of_zero_lies_below_every_band():
    place = bands.places(np.array([0.0]), np.array([0.1]), np.array([0.05]), np.array([0.2]))
    assert place == [-np.inf]
    assert bands.rank_shares(place)[0] == 1.0
    assert bands.held_shares(place).max() == 0.0


def test_samples_without_band_or_truth_do_not_count():
    nan = np.nan
    place = bands.places(*np.array([[0.1, nan, 0.1, 0.1], [0.1] * 4, [0.05, 0.05, nan, 0.1], [0.2, 0.2, 0.2, 0.1]]))
    assert place == pytest.approx([0.0])
    assert np.isnan(bands.held_shares(place[:0])).all()
    assert np.isnan(bands.rank_shares(place[:0])).all()


def test_a_method_without_bands_or_truth_is_not_judged():
    rec = known(samples=200)
    part = rec.trials[0]
    bare = replace(rec, trials=(replace(part, lower=part.excitation, upper=part.excitation),))
    assert bands.person_band(bare, "BRA", role="test") is None
    assert bands.person_band(rec, "BRA", role="fit") is None
    blind = replace(part, trial=replace(part.trial, truth=np.full_like(part.trial.truth, np.nan)))
    assert bands.person_band(replace(rec, trials=(blind,)), "BRA", role="test") is None


def test_each_load_is_told_apart():
    light, heavy = known(load_kg=0.0), known(load_kg=4.0, told_sd=0.05)
    both = replace(light, trials=(*light.trials, *heavy.trials))
    found = bands.person_band(both, "BRA", role="test").by_load
    assert found[0.0] == pytest.approx(0.9, abs=0.012)
    assert found[4.0] == pytest.approx(2 * norm.cdf(EDGE / 4) - 1, abs=0.012)


def people(*, count=6, **options):
    """Return copies without bands: a fit trial and a test trial each."""
    found = []
    for seed in range(count):
        fit = known(subject=f"sub-{seed}", role="fit", seed=seed, samples=4060, **options).trials[0]
        test = known(subject=f"sub-{seed}", seed=100 + seed, samples=4060, **options).trials[0]
        parts = tuple(replace(part, lower=part.excitation, upper=part.excitation) for part in (fit, test))
        found.append(Reconstruction("copy", f"sub-{seed}", parts))
    return found


def test_a_band_of_others_errors_holds_what_it_says_where_people_are_alike():
    found = bands.with_others_errors(people(error_sd=0.2, bias=0.3), "BRA")
    for rec in found:
        part = rec.trials[1]
        np.testing.assert_allclose(part.lower[:, BRA], 0.2 * np.exp(0.3 - EDGE * 0.2), rtol=0.02)
        np.testing.assert_allclose(part.upper[:, BRA], 0.2 * np.exp(0.3 + EDGE * 0.2), rtol=0.02)
        assert bands.person_band(rec, "BRA", role="test").coverage == pytest.approx(0.9, abs=0.025)


def test_nobody_s_band_is_made_of_his_own_errors_nor_of_test_trials():
    usual = people()
    strange = replace(usual[0], trials=tuple(_doubled_truth(part) for part in usual[0].trials))
    before = {rec.subject: rec.trials[1].upper[0, BRA] for rec in bands.with_others_errors(usual, "BRA")}
    after = {rec.subject: rec.trials[1].upper[0, BRA] for rec in bands.with_others_errors([strange, *usual[1:]], "BRA")}
    assert after["sub-0"] == before["sub-0"]
    assert after["sub-1"] > 1.2 * before["sub-1"]
    tested = [replace(rec, trials=(rec.trials[0], _doubled_truth(rec.trials[1]))) for rec in usual]
    assert {r.subject: r.trials[1].upper[0, BRA] for r in bands.with_others_errors(tested, "BRA")} == before


def test_too_few_others_make_no_band():
    assert len(bands.with_others_errors(people(count=5), "BRA")) == 5
    assert bands.with_others_errors(people(count=4), "BRA") == ()


def _doubled_truth(part):
    return replace(part, trial=replace(part.trial, truth=2.0 * part.trial.truth))


def test_the_clock_of_the_builder_is_the_one_that_is_assumed():
    assert STEP == 0.01  # 0.3 s at each end of 20,060 samples leave 20,000
