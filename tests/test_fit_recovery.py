"""A simulated person of known strength and known deep excitations is found again."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from curls import HEADS, SMALL, STRENGTH, arm, curl, objectives, true_parameters
from profundus.fit.subject import SubjectFit
from profundus.reconstruct import reconstruct

INNER = slice(30, -30)
SETTINGS = replace(SMALL, steps=120)
MEASURED, DEEP = [0, 1, 3, 4], [2, 5]


@pytest.fixture(scope="module")
def found():
    """Return fit and answers of a person with weak extensors and strong flexors, fitted to curls and presses of several loads."""
    person = {"parameters": true_parameters()}
    trials = [curl(f"curl {load}", load_kg=load, seed=load, **person) for load in (0, 2, 4)]
    trials += [curl(f"press {load}", load_kg=load, seed=load, press=True, **person) for load in (2, 4)]
    hidden = [curl(f"hidden {press}", load_kg=3, seed=9, press=press, role="test", **person) for press in (False, True)]
    work = SubjectFit([*trials, *hidden], objectives(SETTINGS), seed=0)
    fitted = work.fitted(work.train(work.start()), subject="sub-01")
    return SimpleNamespace(fitted=fitted, parts=reconstruct(fitted, arm(), hidden).trials)


def test_the_moment_of_a_hidden_trial_is_explained(found):
    for part in found.parts:
        error = (part.moment - part.trial.moment)[INNER]
        assert 1 - np.var(error) / np.var(part.trial.moment[INNER]) > 0.95
        assert np.abs(np.mean(error)) < 1.0


def test_measured_excitations_are_found_within_their_noise(found):
    for part in found.parts:
        error = np.log(part.excitation[INNER] / part.trial.truth[INNER])[:, MEASURED]
        assert np.all(np.sqrt(np.mean(error**2, axis=0)) < 0.12)  # noise 0.06, and the gain's prior 0.08


def test_the_time_course_of_deep_muscles_is_found(found):
    for part in found.parts:
        for muscle in DEEP:
            r = np.corrcoef(part.excitation[INNER, muscle], part.trial.truth[INNER, muscle])[0, 1]
            assert r > 0.9


def test_the_amplitude_of_deep_muscles_is_inside_its_prior(found):
    for part in found.parts:
        group = np.array([[0, 1], [3, 4]])
        told = HEADS[DEEP] / HEADS[group].mean(axis=1)
        answered = [
            part.excitation[INNER, muscle].mean() / part.excitation[INNER][:, heads].mean()
            for muscle, heads in zip(DEEP, group, strict=True)
        ]
        assert np.all(np.abs(np.log(answered / told)) < 2 * 0.3)


def test_the_band_covers_the_truth(found):
    inside = [(p.lower <= p.trial.truth) & (p.trial.truth <= p.upper) for p in found.parts]
    assert np.mean([one[INNER] for one in inside]) > 0.85


def test_strong_flexors_and_weak_extensors_are_told_apart(found):
    ratio = np.array([row.fitted / row.generic for row in found.fitted.rows if row.parameter == "max_isometric_force"])
    assert np.all(ratio[:3] < 1.0)
    assert np.all(ratio[3:] > 1.0)
    for share, true in ((ratio[:3], STRENGTH[:3]), (ratio[3:], STRENGTH[3:])):
        assert np.log(share).mean() == pytest.approx(np.log(true).mean(), abs=0.12)


def test_the_fit_says_that_the_moment_told_strengths(found):
    rows = [row for row in found.fitted.rows if row.parameter == "max_isometric_force"]
    assert any(row.moved_by_data for row in rows)
    assert not any(row.at_bound for row in found.fitted.rows)
