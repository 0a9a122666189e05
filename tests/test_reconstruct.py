"""A fitted person answers for new trials: bounded, with bands, each trial for itself."""

from dataclasses import replace

import numpy as np
import pytest

from curls import arm, curl, small_fit
from profundus.errors import InputError
from profundus.reconstruct import reconstruct
from profundus.reconstruct.trained import band, center

PER_SAMPLE = ("time", "angle", "velocity", "acceleration", "emg", "emg_valid", "moment", "moment_valid", "truth")
PER_MUSCLE = ("emg", "emg_valid", "truth")
NEW = curl("new", load_kg=2.0, role="test", seed=7)


def answers(*trials):
    return reconstruct(small_fit().fitted, arm(), trials).trials


def cut(trial, samples):
    return replace(trial, **{name: getattr(trial, name)[:samples] for name in PER_SAMPLE})


@pytest.fixture(scope="module")
def answer():
    return answers(NEW)[0]


def test_excitations_are_fractions_of_maximum(answer):
    for values in (answer.lower, answer.excitation, answer.upper, answer.draws, answer.activation):
        assert np.all((values >= 0) & (values <= 1))


def test_the_band_contains_the_middle(answer):
    assert np.all(answer.lower < answer.excitation)
    assert np.all(answer.excitation < answer.upper)


def test_forces_pull_and_fibers_have_length(answer):
    assert np.all(answer.tendon_force > -1.0)
    assert np.all((answer.fiber_length > 0.02) & (answer.fiber_length < 0.5))


def test_the_answer_is_on_the_trials_clock(answer):
    assert answer.trial is NEW
    assert answer.excitation.shape == (400, 6)
    assert answer.draws.shape == (5, 400, 6)
    assert answer.moment.shape == (400, 1)


def test_the_method_has_its_name():
    rec = reconstruct(small_fit().fitted, arm(), [NEW])
    assert (rec.method, rec.subject) == ("nmm", "sub-01")


def test_the_truth_does_not_change_the_answer(answer):
    (blind,) = answers(replace(NEW, truth=np.full_like(NEW.truth, np.nan)))
    np.testing.assert_array_equal(blind.excitation, answer.excitation)
    np.testing.assert_array_equal(blind.upper, answer.upper)


def test_every_trial_answers_for_itself(answer):
    beside = answers(curl("other", load_kg=1.0, seed=3, seconds=3.0), NEW)[1]
    np.testing.assert_allclose(beside.draws, answer.draws, atol=1e-5)
    np.testing.assert_allclose(beside.moment, answer.moment, atol=1e-3)


def test_a_long_trial_in_the_same_call_changes_nothing(answer):
    beside = answers(curl("long", load_kg=1.0, seed=3, seconds=20.0), NEW)[1]
    np.testing.assert_allclose(beside.draws, answer.draws, atol=1e-5)


def test_the_answer_does_not_depend_on_the_order():
    other = curl("other", load_kg=1.0, seed=3)
    np.testing.assert_array_equal(answers(NEW, other)[0].draws, answers(other, NEW)[1].draws)


def test_a_shorter_trial_works(answer):
    (short,) = answers(cut(NEW, 87))
    assert short.excitation.shape == (87, 6)
    np.testing.assert_allclose(short.excitation[:40], answer.excitation[:40], atol=0.05)


def test_a_long_recording_works():
    (long,) = answers(curl("long", load_kg=1.0, seed=3, seconds=20.0))
    assert np.all(np.isfinite(long.excitation))
    assert np.corrcoef(long.excitation[:, 3], long.trial.truth[:, 3])[0, 1] > 0.9


def test_an_unknown_load_works(answer):
    (unknown,) = answers(replace(NEW, load_kg=float("nan")))
    np.testing.assert_allclose(unknown.excitation, answer.excitation, atol=0.1)


def test_a_trial_without_joint_moment_works(answer):
    blind = replace(NEW, moment=np.full_like(NEW.moment, np.nan), moment_valid=np.zeros_like(NEW.moment_valid))
    (found,) = answers(blind)
    assert np.all(np.isfinite(found.excitation))
    assert np.all(np.isfinite(found.moment))


def test_a_stranger_is_refused_by_name():
    other = replace(NEW, name="knee", coordinates=("knee_angle_r",))
    with pytest.raises(InputError, match="knee: muscles or coordinates differ"):
        answers(other)


def test_a_trial_of_fewer_muscles_is_refused_by_name():
    fewer = replace(
        NEW, name="few", muscles=NEW.muscles[:5], **{name: getattr(NEW, name)[:, :5] for name in PER_MUSCLE}
    )
    with pytest.raises(InputError, match="few: muscles or coordinates differ"):
        answers(fewer)


def test_a_trial_without_an_electrode_of_the_fit_is_refused_by_name():
    valid = NEW.emg_valid.copy()
    valid[:, 3] = False
    with pytest.raises(InputError, match="no EMG of BIClong"):
        answers(replace(NEW, emg_valid=valid))


def test_every_stranger_is_named_at_once():
    slow = replace(NEW, name="slow", time=2 * NEW.time)
    knee = replace(NEW, name="knee", coordinates=("knee_angle_r",))
    with pytest.raises(InputError) as caught:
        answers(slow, knee)
    assert [problem.what.split(":")[0] for problem in caught.value.problems] == ["slow", "knee"]


def test_the_middle_is_the_mean_in_logits():
    draws = 1 / (1 + np.exp(-np.array([-2.0, 1.0, 0.0, 1.0]))).reshape(4, 1, 1)
    np.testing.assert_allclose(center(draws), 0.5)


def test_a_band_is_that_of_a_new_draw_plus_noise():
    logits = np.array([-1.0, 1.0]).reshape(2, 1, 1)
    lower, upper = band(1 / (1 + np.exp(-logits)), np.full((1, 1), 0.5))
    half = 1.6448536 * np.sqrt(1.5 * 2.0 + 0.25)
    np.testing.assert_allclose([lower[0, 0], upper[0, 0]], 1 / (1 + np.exp([half, -half])), rtol=1e-6)
