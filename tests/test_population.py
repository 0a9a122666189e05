"""What other people teach holds for people like them, and the band says how well."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from answers import trial
from profundus.errors import InputError
from profundus.rivals.population import RegressionSettings, learn_population, population_regression

MEASURED, TARGETS = ("TRIlong", "TRIlat", "BIClong", "BICshort"), ("TRImed", "BRA")
PLAIN = RegressionSettings(target="linear", ridge=0.0, smoothing=0.0, every=0.0)


def person(number, *, noise=0.0, **options):
    """Return a trial of a person whose deep muscles are sums of measured ones, load and moment, but for ``noise``."""
    given = trial(subject=f"sub-{number}", seed=number, load_kg=1.0 + number % 4, **options)
    chance = np.random.default_rng([number, 1])
    truth = given.truth.copy()
    truth[:, 2] = 0.02 + 0.5 * given.emg[:, 0] + 0.3 * given.emg[:, 1]
    truth[:, 5] = 0.6 * given.emg[:, 3] + 0.01 * given.load_kg + 0.005 * given.moment[:, 0]
    truth[:, [2, 5]] += chance.normal(0.0, noise, (len(truth), 2)) if noise else 0.0
    return replace(given, truth=truth)


def crowd(count=6, **options):
    return [(person(number, **options),) for number in range(count)]


def test_sums_that_hold_for_all_people_are_found_again():
    learned = learn_population(crowd(), MEASURED, TARGETS, PLAIN)
    stranger = person(9)
    (part,) = population_regression([stranger], learned).trials
    np.testing.assert_allclose(part.excitation[:, [2, 5]], stranger.truth[:, [2, 5]], atol=1e-9)
    np.testing.assert_array_equal(part.excitation[:, 0], stranger.emg[:, 0])


def test_without_penalty_it_is_ordinary_least_squares():
    people = crowd(noise=0.03)
    learned = learn_population(people, MEASURED, TARGETS, PLAIN)
    given = [one for (one,) in people]
    inputs = np.concatenate([np.column_stack([t.emg[:, [0, 1, 3, 4]], t.angle, t.velocity]) for t in given])
    other = LinearRegression().fit(inputs, np.concatenate([t.truth[:, [2, 5]] for t in given]))
    np.testing.assert_allclose(learned.rules[()].weights, other.coef_.T, atol=1e-8)
    np.testing.assert_allclose(learned.rules[()].offset, other.intercept_, atol=1e-8)


def test_a_load_or_moment_that_nobody_knows_is_not_asked_for():
    learned = learn_population(crowd(noise=0.01), MEASURED, TARGETS)
    whole = person(9)
    valid = whole.moment_valid.copy()
    valid[100:200] = False
    bare = replace(whole, load_kg=np.nan, moment_valid=valid)
    without = replace(whole, load_kg=np.nan, moment_valid=np.zeros_like(valid))
    answers = [population_regression([one], learned).trials[0].excitation[:, [2, 5]] for one in (whole, bare, without)]
    assert all(np.isfinite(answer).all() for answer in answers)
    np.testing.assert_array_equal(answers[1][100:200], answers[2][100:200])
    assert not np.allclose(answers[1][:100], answers[2][:100])
    assert not np.allclose(answers[0], answers[1])


@pytest.mark.parametrize("target", ["log", "linear"])
def test_the_band_covers_nine_tenths_of_people_like_those_learned_from(target):
    learned = learn_population(crowd(30, noise=0.02), MEASURED, TARGETS, RegressionSettings(target=target))
    inside = []
    for number in range(100, 120):
        stranger = person(number, noise=0.02)
        (part,) = population_regression([stranger], learned).trials
        inside.append((part.lower <= stranger.truth) & (stranger.truth <= part.upper))
    assert np.mean(inside, axis=(0, 1))[[2, 5]] == pytest.approx(0.9, abs=0.03)


def test_the_truth_of_the_person_asked_about_is_never_read():
    learned = learn_population(crowd(), MEASURED, TARGETS)
    given = person(9)
    blind = replace(given, truth=np.full_like(given.truth, np.nan))
    answers = [population_regression([one], learned).trials[0].excitation for one in (given, blind)]
    np.testing.assert_array_equal(*answers)


def test_what_an_electrode_missed_stays_unknown_and_harms_nothing_else():
    learned = learn_population(crowd(), MEASURED, TARGETS, RegressionSettings(smoothing=0.0))
    given = person(9)
    valid = given.emg_valid.copy()
    valid[100:120, 3] = False
    (part,) = population_regression([replace(given, emg_valid=valid)], learned).trials
    (whole,) = population_regression([given], learned).trials
    assert np.flatnonzero(np.isnan(part.excitation[:, 5])).tolist() == list(range(100, 120))
    np.testing.assert_array_equal(part.excitation[120:, 5], whole.excitation[120:, 5])


def test_what_cannot_teach_or_be_asked_is_refused():
    with pytest.raises(InputError, match=r"two or more[\s\S]*no muscle 'SOL'"):
        learn_population(crowd(1), ("SOL",), TARGETS)
    with pytest.raises(InputError, match="overlap"):
        learn_population(crowd(), MEASURED, ("TRIlong",))
    with pytest.raises(InputError, match="ridge is -1"):
        learn_population(crowd(), MEASURED, TARGETS, RegressionSettings(ridge=-1.0))
    unknown = [(replace(one, truth=np.full_like(one.truth, np.nan)),) for (one,) in crowd()]
    with pytest.raises(InputError, match="truth of all targets"):
        learn_population(unknown, MEASURED, TARGETS)
    learned = learn_population(crowd(), MEASURED, TARGETS)
    with pytest.raises(InputError, match="one person"):
        population_regression([person(1), person(2)], learned)
    with pytest.raises(InputError, match="coordinates knee"):
        population_regression([replace(person(1), coordinates=("knee",))], learned)
