"""How a learned prior is judged and its doubts are made right, on answers whose errors are known."""

import numpy as np
import pytest

from profundus.pretrain.answering import Answers, condition_of, conditions, errors_of
from profundus.pretrain.calibrating import NINETY_PERCENT, calibrated, memory, quantile
from profundus.pretrain.judging import judged

MUSCLES = ("TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA")
ELECTRODES = ("TRIlong", "TRIlat", "BIClong", "BICshort")


def made_up(*, people=400, level_sd=0.3, course_sd=0.2, told_level=0.3, told_course=0.2, seed=0):
    """Return answers, by condition, whose errors are normal with known standard deviations, courses anew in every sample."""
    usual = np.isin(MUSCLES, ELECTRODES)
    chance = np.random.default_rng(seed)
    shape = (people, 4, 76, len(MUSCLES))
    found = {}
    for name, seen in conditions(MUSCLES, usual).items():
        middle = chance.normal(-2.0, 0.3, shape)
        level = chance.normal(0.0, level_sd, (people, 1, 1, len(MUSCLES)))
        found[name] = Answers(
            middle=middle,
            course_sd=np.full(shape, told_course),
            level_sd=np.full((people, len(MUSCLES)), told_level),
            reference=middle + 0.5,
            truth=middle + level + chance.normal(0.0, course_sd, shape),
            valid=np.ones(shape[:3], bool),
            load=np.tile([0.0, 0.0, 2.0, 2.0], (people, 1)),
            family=np.arange(people) % 2,
            seen=seen,
        )
    return found, usual


@pytest.mark.parametrize(("level", "course"), [(1.0, 1.0), (2.0, 0.5)])
def test_factors_make_normal_errors_right(level, course):
    answers, usual = made_up(level_sd=0.3 * level, course_sd=0.2 * course)
    found = calibrated(answers, MUSCLES, usual, hz=10.0)
    np.testing.assert_allclose(
        found.level_factor, level, rtol=0.17
    )  # of 400 people: three standard errors of a quantile
    np.testing.assert_allclose(found.course_factor, course, rtol=0.02)
    off = found.level_correlation[~np.eye(len(MUSCLES), dtype=bool)]
    assert np.abs(off).max() < 3.5 / np.sqrt(400)


def test_bands_hold_what_they_say_after_calibration():
    answers, usual = made_up(level_sd=0.6, course_sd=0.1)
    held = judged(
        made_up(level_sd=0.6, course_sd=0.1, seed=1)[0],
        calibrated(answers, MUSCLES, usual, hz=10.0),
        MUSCLES,
        ("a", "b"),
        usual,
    )
    for row in held.scores:
        assert row["level_held"] == pytest.approx(0.9, abs=0.06)
        assert row["course_held"] == pytest.approx(0.9, abs=0.01)
        assert row["level_rms"] == pytest.approx(0.6, rel=0.12)
    for row in held.ranks:
        np.testing.assert_allclose(row["level_held"], row["bands"], atol=0.09)
        np.testing.assert_allclose(row["sample"], 1 / 20, atol=0.03)
        low, high = row["level_expected"]
        assert low < 400 / 20 < high
    assert {(row["family"], row["people"]) for row in held.families} == {("a", 200), ("b", 200)}
    assert {(row["load_kg"], row["people"]) for row in held.loads} == {(0.0, 400), (2.0, 400)}


def test_scores_are_those_of_known_errors():
    answers, usual = made_up(level_sd=0.0, course_sd=1e-9)
    factor = np.log(2.0)
    doubled = {name: one._replace(middle=one.truth + factor) for name, one in answers.items()}
    calibration = calibrated(made_up()[0], MUSCLES, usual, hz=10.0)
    row = judged(doubled, calibration, MUSCLES, ("a", "b"), usual).scores[0]
    assert row["level_mean"] == pytest.approx(-factor, abs=1e-4)  # what brings the estimate to the truth
    assert row["rmse_ratio"] == pytest.approx(1.0 / (np.exp(0.5) - 1.0), abs=1e-3)  # twice, and e^0.5 times
    assert row["r"] == pytest.approx(1.0, abs=1e-4)
    assert (row["better"], row["level_held"]) == (0.0, 0.0)


def test_levels_that_go_together_are_found_to():
    answers, usual = made_up()
    one = answers["usual"]
    both = one.truth.copy()
    both[..., 5] = one.middle[..., 5] + (both - one.middle)[..., 2]
    found = calibrated({**answers, "usual": one._replace(truth=both)}, MUSCLES, usual, hz=10.0)
    assert found.level_correlation[2, 5] == pytest.approx(1.0, abs=0.02)
    assert found.level_correlation[0, 1] == pytest.approx(0.0, abs=1e-4)  # two electrodes: never missing together
    assert np.linalg.eigvalsh(found.level_correlation).min() > 0


def test_an_error_s_memory_is_that_of_its_autocorrelation():
    chance = np.random.default_rng(0)
    course, kept = np.zeros((300, 4, 76)), 0.8
    course[..., 0] = chance.normal(size=(300, 4))
    for sample in range(1, 76):
        noise = chance.normal(size=(300, 4)) * np.sqrt(1 - kept**2)
        course[..., sample] = kept * course[..., sample - 1] + noise
    assert memory(course, np.ones(course.shape, bool)) == pytest.approx(-1 / np.log(kept), rel=0.1)
    assert memory(np.ones(course.shape), np.ones(course.shape, bool)) == 38  # never falls: half a window


def test_samples_that_are_not_valid_count_for_no_error():
    answers, _ = made_up(people=5)
    one = answers["usual"]
    valid = one.valid & (np.arange(76) < 40)
    rubbish = one._replace(valid=valid, truth=np.where(valid[..., None], one.truth, 3.0))
    np.testing.assert_allclose(errors_of(rubbish).level, errors_of(one._replace(valid=valid)).level)


def test_the_quantile_of_a_split_is_that_of_conformal_prediction():
    assert quantile(np.arange(1.0, 100.0)) == 90.0  # of 99: the 90th, ceil(0.9 x 100)
    assert quantile(np.arange(5.0)) == 4.0  # too few to tell: the largest
    assert pytest.approx(1.6448536269514722) == NINETY_PERCENT


def test_each_muscle_is_asked_for_where_it_has_no_electrode():
    usual = np.isin(MUSCLES, ELECTRODES)
    assert condition_of(2, MUSCLES, usual) == "usual"
    assert condition_of(0, MUSCLES, usual) == "without TRIlong"
    assert not conditions(MUSCLES, usual)["without TRIlong"][0]
