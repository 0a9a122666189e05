"""Synergies are those of scikit-learn, and deep muscles that truly follow the measured ones' commands are found again."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import non_negative_factorization

from curls import arm, curl
from profundus.errors import InputError
from profundus.io.anatomy import read_anatomy
from profundus.rivals.mse_nmf import MseSettings, mse_nmf, muscle_synergies
from profundus.rivals.plant import Plant

MEASURED, DEEP = [0, 1, 3, 4], [2, 5]
INNER = slice(40, -10)
SYNERGIES = np.array([[0.9, 0.7, 0.5, 0.04, 0.02, 0.1], [0.02, 0.05, 0.1, 0.8, 1.0, 0.7]])  # (synergy, muscle)


def plant() -> Plant:
    return Plant(read_anatomy("arm26"), arm().geometry, arm().generic_parameters)


def obedient(name, *, role="fit", **options):
    """Return a noise-free trial in which two commands move all muscles by ``SYNERGIES``; they rest in turn, so that each is seen alone."""
    given = curl(name, role=role, **options)
    pace = 2.0 * np.pi * np.outer(given.time, [0.7, 0.55]) + len(name)
    truth = 0.4 * np.clip(np.sin(pace), 0.0, None) ** 2 @ SYNERGIES
    moment = plant().moved(given).answer(truth).moment
    emg = np.where(given.emg_valid, truth, np.nan)
    return replace(given, truth=truth, emg=emg, moment=moment, moment_valid=np.ones(moment.shape, bool))


def people():
    return obedient("bend"), obedient("stretch", press=True), obedient("other", role="test", seed=4)


def test_deep_muscles_that_obey_the_measured_ones_commands_are_found_again():
    rec = mse_nmf(people(), plant(), MseSettings(synergies=2))
    for part in rec.trials:
        np.testing.assert_allclose(part.excitation[INNER], part.trial.truth[INNER], atol=0.01)
        np.testing.assert_allclose(part.moment[INNER], part.trial.moment[INNER], atol=0.1)
        np.testing.assert_array_equal(part.excitation[:, MEASURED], part.trial.emg[:, MEASURED])


def test_the_synergies_leave_no_more_than_scikit_learns():
    envelopes = np.random.default_rng(0).lognormal(-2.0, 0.5, (500, 5))
    scaled = envelopes / envelopes.max(axis=0)
    found = muscle_synergies(envelopes, MseSettings(synergies=2))
    left = np.sum((scaled - found.commands(envelopes) @ (found.weights / envelopes.max(axis=0))) ** 2)
    commands, weights, _ = non_negative_factorization(
        scaled, n_components=2, init="nndsvda", random_state=0, max_iter=2000
    )
    assert left == pytest.approx(np.sum((scaled - commands @ weights) ** 2), rel=1e-2)
    assert found.vaf == pytest.approx(1.0 - left / np.sum(scaled**2), abs=1e-2)


def test_as_many_synergies_are_taken_as_every_envelope_needs():
    commands = np.random.default_rng(1).uniform(0.0, 1.0, (400, 2)) ** 3
    two = commands @ np.array([[1.0, 0.8, 0.0, 0.1], [0.0, 0.1, 1.0, 0.7]])
    assert len(muscle_synergies(two, MseSettings(vaf=0.99)).weights) == 2
    one = commands[:, :1] @ np.array([[1.0, 0.8, 0.5, 0.1]])
    assert len(muscle_synergies(one, MseSettings()).weights) == 1
    assert len(muscle_synergies(one, MseSettings(), at_least=2).weights) == 2
    assert len(muscle_synergies(commands @ np.ones((2, 1)), MseSettings()).weights) == 1


def test_a_gap_in_an_envelope_is_a_gap_in_the_answer():
    first, second, other = people()
    valid = other.emg_valid.copy()
    valid[150:170, 3] = False
    holes = replace(other, emg_valid=valid, emg=np.where(valid, other.emg, np.nan))
    whole, part = (mse_nmf([first, second, t], plant()).trials[2] for t in (other, holes))
    assert np.flatnonzero(np.isnan(part.excitation[:, 5])).tolist() == list(range(150, 170))
    assert np.isnan(part.moment[150:190]).all()
    np.testing.assert_allclose(part.moment[220:], whole.moment[220:], atol=1e-3)
    np.testing.assert_array_equal(part.excitation[:150], whole.excitation[:150])


def test_test_trials_and_truth_teach_nothing():
    first, second, other = people()
    blind = [replace(t, truth=np.full_like(t.truth, np.nan)) for t in (first, second, other)]
    blind[2] = replace(blind[2], moment=-blind[2].moment)
    (*_, honest), (*_, deceived) = (mse_nmf(given, plant()).trials for given in (people(), blind))
    np.testing.assert_array_equal(honest.excitation, deceived.excitation)


def test_what_cannot_be_extrapolated_is_refused():
    first, second, other = people()
    with pytest.raises(InputError, match="role 'fit'"):
        mse_nmf([other], plant())
    with pytest.raises(InputError, match="one person"):
        mse_nmf([first, replace(second, subject="sub-02")], plant())
    with pytest.raises(InputError, match="1 to 4"):
        mse_nmf([first], plant(), MseSettings(synergies=5))
    with pytest.raises(InputError, match="no muscle has an electrode"):
        mse_nmf([replace(first, emg_valid=np.zeros_like(first.emg_valid))], plant())
    with pytest.raises(InputError, match=r"all envelopes \(TRIlong, TRIlat, BIClong, BICshort\)"):
        mse_nmf([replace(first, moment_valid=np.zeros_like(first.moment_valid))], plant())
