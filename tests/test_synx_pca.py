"""SynX finds deep muscles that truly are sums of the principal components, and its derivatives are exact."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.decomposition import PCA

from curls import arm, curl
from profundus.errors import InputError
from profundus.io.anatomy import read_anatomy
from profundus.rivals.plant import Plant
from profundus.rivals.synergies import DrivenTrial
from profundus.rivals.synx_pca import SynxSettings, principal_components, synx_pca

MEASURED, DEEP = [0, 1, 3, 4], [2, 5]
INNER = slice(40, -10)
MIXING = np.array([[0.5, 0.05], [0.3, -0.04], [-0.05, 0.3], [0.1, 0.5]])  # deep excitation per measured one
MOMENT_ALONE = SynxSettings(components=3, moment_allowance=0.01, unmeasured_allowance=10.0, residual_allowance=0.01)


def plant() -> Plant:
    return Plant(read_anatomy("arm26"), arm().geometry, arm().generic_parameters)


def summed(name, *, role="fit", **options):
    """Return a noise-free trial whose measured envelopes have three components and whose deep excitations are sums of them."""
    given = curl(name, role=role, **options)
    waves = np.sin(2.0 * np.pi * np.outer(given.time, [0.7, 0.55, 1.1]) + len(name))
    spread = np.array([[1.0, 0.6, 0.2, 0.1], [0.1, 0.2, 1.0, 0.9], [0.2, -0.5, -0.3, 0.6]])
    truth = np.zeros_like(given.truth)
    truth[:, MEASURED] = 0.25 + 0.1 * waves @ spread
    truth[:, DEEP] = 0.05 + truth[:, MEASURED] @ MIXING
    moment = plant().moved(given).answer(truth).moment
    emg = np.where(given.emg_valid, truth, np.nan)
    return replace(given, truth=truth, emg=emg, moment=moment, moment_valid=np.ones(moment.shape, bool))


def people():
    return summed("bend"), summed("stretch", press=True), summed("other", role="test", seed=4)


def test_deep_muscles_that_are_sums_of_the_components_are_found_again():
    rec = synx_pca(people(), plant(), MOMENT_ALONE)
    for part in rec.trials:
        np.testing.assert_allclose(part.excitation[INNER], part.trial.truth[INNER], atol=0.02)
        np.testing.assert_allclose(part.moment[INNER], part.trial.moment[INNER], atol=0.1)


def test_the_commands_are_the_scores_of_scikit_learns_components():
    envelopes = np.random.default_rng(0).lognormal(-2.0, 0.5, (500, 4))
    other = PCA(n_components=2).fit(envelopes / envelopes.max(axis=0))
    commands = principal_components(envelopes, SynxSettings(components=2)).commands(envelopes)
    np.testing.assert_allclose(commands[:, :2], other.transform(envelopes / envelopes.max(axis=0)), atol=1e-10)
    np.testing.assert_array_equal(commands[:, 2], 1.0)


def test_the_slopes_are_those_of_finite_differences():
    moved = plant().moved(summed("bend"))
    chance = np.random.default_rng(2)
    base = np.where(np.isfinite(moved.trial.emg), moved.trial.emg, 0.0)
    driven = DrivenTrial(moved, base, chance.uniform(0.0, 0.2, (len(base), 2)), np.ones(len(base), bool))
    weights = chance.uniform(0.2, 0.6, (2, 6))
    response = driven.response(weights)
    for command, muscle in ((0, 2), (1, 5), (1, 0)):
        ahead, behind = weights.copy(), weights.copy()
        ahead[command, muscle] += 1e-5
        behind[command, muscle] -= 1e-5
        difference = (driven.response(ahead).moment - driven.response(behind).moment) / 2e-5
        np.testing.assert_allclose(response.moment_slope[:, :, command, muscle], difference, atol=1e-4)


def test_a_large_allowance_of_activation_buys_deep_muscles():
    given = people()
    thrifty, lavish = (
        np.mean(synx_pca(given, plant(), SynxSettings(unmeasured_allowance=allowed)).trials[2].excitation[:, DEEP])
        for allowed in (0.01, 10.0)
    )
    assert thrifty < 0.6 * lavish


def test_excitations_stay_between_nothing_and_all():
    for part in synx_pca(people(), plant(), SynxSettings(moment_allowance=0.05)).trials:
        assert part.excitation.min() >= 0.0
        assert part.excitation.max() <= 1.0


def test_test_trials_and_truth_teach_nothing():
    blind = [replace(t, truth=np.full_like(t.truth, np.nan)) for t in people()]
    blind[2] = replace(blind[2], moment=-blind[2].moment)
    (*_, honest), (*_, deceived) = (synx_pca(given, plant()).trials for given in (people(), blind))
    np.testing.assert_array_equal(honest.excitation, deceived.excitation)


def test_a_gap_in_an_envelope_is_a_gap_in_the_answer():
    first, second, other = people()
    valid = other.emg_valid.copy()
    valid[150:170, 3] = False
    part = synx_pca([first, second, replace(other, emg_valid=valid)], plant()).trials[2]
    assert np.flatnonzero(np.isnan(part.excitation[:, 5])).tolist() == list(range(150, 170))


def test_settings_out_of_range_are_refused():
    with pytest.raises(InputError, match="1 to 4"):
        synx_pca(people(), plant(), SynxSettings(components=5))
    with pytest.raises(InputError, match=r"moment_allowance is 0\. Expected 0\.01 to 100 N\.m"):
        synx_pca(people(), plant(), SynxSettings(moment_allowance=0.0))
