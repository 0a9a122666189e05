"""What a muscle's own envelope in some trials tells of it in others."""

from dataclasses import replace

import numpy as np
import pytest

from answers import MUSCLES, trial
from profundus.errors import InputError
from profundus.validate.hiding import hidden
from profundus.validate.repeatability import own_pattern, trial_to_trial
from profundus.validate.scores import score

BIC = MUSCLES.index("BIClong")
LEVEL = 0.3


def cyclic(name, role, *, seed, noise=0.1, load_kg=2.0, samples=2000, slope=0.2):
    """A muscle that is a function of angle and velocity, times the noise of its envelope."""
    given = trial(name, role=role, samples=samples, load_kg=load_kg, seed=seed)
    clean = LEVEL + slope * np.sin(given.angle[:, 0]) + 0.05 * given.velocity[:, 0]
    emg = given.emg.copy()
    emg[:, BIC] = clean + np.random.default_rng(seed).normal(0, noise, len(clean))
    return replace(given, emg=emg)


def pooled(rec):
    return next(row for row in score(rec, hidden=["BIClong"]).rows if row.trial == "all")


def test_a_muscle_that_repeats_itself_is_foretold():
    trials = [cyclic("a", "fit", seed=1, noise=0.0), cyclic("b", "test", seed=2, noise=0.0)]
    rec = own_pattern(trials, "BIClong")
    assert rec.method == "own_pattern"
    row = pooled(rec)
    assert row.r > 0.999
    assert row.rmse < 0.005
    assert row.hidden


def test_noise_is_averaged_over_the_nearest_stretches():
    # 100 stretches of a second, the 10 nearest of them: the error is that of the envelope and of the mean of ten others
    trials = [cyclic(f"fit_{i}", "fit", seed=i) for i in range(5)] + [cyclic("t", "test", seed=9)]
    assert pooled(own_pattern(trials, "BIClong")).rmse == pytest.approx(0.1 * np.sqrt(1 + 1 / 10), rel=0.03)


def test_load_tells_states_apart_where_all_trials_know_it():
    def of_load(name, role, load_kg, seed):
        return cyclic(name, role, seed=seed, noise=0.0, load_kg=load_kg, slope=0.1 * load_kg)

    trials = [of_load("a", "fit", 0.0, 1), of_load("b", "fit", 4.0, 2), of_load("c", "test", 4.0, 3)]
    assert pooled(own_pattern(trials, "BIClong")).rmse < 0.005
    vague = [replace(one, load_kg=np.nan) for one in trials]
    assert pooled(own_pattern(vague, "BIClong")).rmse > 0.02


def test_only_the_muscle_is_known_and_only_in_test_trials():
    trials = [cyclic("a", "fit", seed=1), cyclic("b", "test", seed=2, samples=700)]
    (part,) = own_pattern(trials, "BIClong").trials
    assert part.trial.name == "b"
    assert np.isnan(np.delete(part.excitation, BIC, axis=1)).all()
    np.testing.assert_array_equal(part.trial.emg, hidden(trials, "BIClong")[1].emg)
    np.testing.assert_array_equal(part.lower, part.upper)


def test_neither_the_truth_nor_the_envelope_of_the_test_trial_is_read():
    fit, test = cyclic("a", "fit", seed=1), cyclic("b", "test", seed=2)
    blind = [
        replace(fit, truth=np.full_like(fit.truth, np.nan)),
        replace(test, emg=np.where(test.emg_valid, 0.5, np.nan)),
    ]
    blind[1].emg[:, 0] = 0.4  # else all would be one electrode
    seen = own_pattern([fit, test], "BIClong").trials[0].excitation
    np.testing.assert_array_equal(own_pattern(blind, "BIClong").trials[0].excitation, seen)


def test_stretches_without_a_valid_envelope_are_passed_over():
    fit, test = cyclic("a", "fit", seed=1, noise=0.0), cyclic("b", "test", seed=2, noise=0.0)
    valid, emg = fit.emg_valid.copy(), fit.emg.copy()
    valid[300:500, BIC], emg[300:500, BIC] = False, 7.0
    assert pooled(own_pattern([replace(fit, emg=emg, emg_valid=valid), test], "BIClong")).rmse < 0.005


def test_a_pattern_that_cannot_be_had_is_refused():
    fit, test = cyclic("a", "fit", seed=1), cyclic("b", "test", seed=2)
    with pytest.raises(InputError, match="no test trial"):
        own_pattern([fit], "BIClong")
    with pytest.raises(InputError, match="no pattern of its own"):
        own_pattern([test], "BIClong")
    still = {key: np.zeros_like(fit.angle) for key in ("angle", "velocity", "acceleration")}
    with pytest.raises(InputError, match="no pattern of its own"):
        own_pattern([replace(fit, **still), test], "BIClong")
    with pytest.raises(InputError, match="BRA is not measured"):
        own_pattern([fit, test], "BRA")
    with pytest.raises(InputError, match="one person"):
        own_pattern([], "BIClong")


def test_repetitions_correlate_as_their_signal_and_noise_say():
    # of two sums of a signal with variance s2 and independent noises with variance n2, r = s2 / (s2 + n2)
    trials = [cyclic(f"r{i}", "fit", seed=i, samples=20000) for i in range(3)]
    clean = cyclic("c", "fit", seed=0, noise=0.0, samples=20000).emg[:, BIC]
    found = trial_to_trial(trials, "BIClong")
    assert found.pairs == 3
    assert found.r == pytest.approx(np.var(clean) / (np.var(clean) + 0.01), abs=0.01)


def test_a_slower_repetition_is_put_on_the_same_time_base():
    one = cyclic("a", "fit", seed=1, noise=0.0)
    slow = replace(one, name="slow", time=1.15 * one.time)
    found = trial_to_trial([one, slow], "BIClong")
    assert (found.r, found.nrmse, found.pairs) == (pytest.approx(1.0), pytest.approx(0.0, abs=1e-9), 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"load_kg": 4.0},
        {"load_kg": np.nan},
        {"motion": "steps"},
        {"time": 1.3 * cyclic("a", "fit", seed=1).time},
        {"angle": -cyclic("a", "fit", seed=1).angle},
    ],
    ids=["load", "unknown load", "motion", "length", "course"],
)
def test_other_movements_are_no_repetitions(changes):
    one = cyclic("a", "fit", seed=1)
    found = trial_to_trial([one, replace(one, name="other", **changes)], "BIClong")
    assert found.pairs == 0
    assert np.isnan([found.r, found.nrmse]).all()


def test_trials_at_rest_and_single_trials_are_no_repetitions():
    one = cyclic("a", "fit", seed=1)
    rest = replace(one, angle=0.01 * one.angle)
    assert trial_to_trial([rest, rest], "BIClong").pairs == 0
    assert trial_to_trial([one], "BIClong").pairs == trial_to_trial([], "BIClong").pairs == 0


def test_repetitions_without_a_valid_envelope_tell_nothing():
    one = cyclic("a", "fit", seed=1)
    mute = replace(one, emg_valid=np.zeros_like(one.emg_valid))
    assert trial_to_trial([one, mute], "BIClong").pairs == 0
    with pytest.raises(InputError, match="no muscle 'SOL'"):
        trial_to_trial([one], "SOL")
