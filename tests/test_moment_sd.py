"""Each moment is believed as well as it is known: one standard deviation a coordinate, for the fit and for its rivals."""

from dataclasses import replace

import numpy as np
import pytest

from curls import SMALL, arm, curl, objectives, small_fit
from profundus.fit.coarse import coarse_trials
from profundus.fit.subject import SubjectFit
from profundus.io.anatomy import read_anatomy
from profundus.model.inputs import make_batch
from profundus.records import EmgSettings, LossSettings, Study
from profundus.rivals.physics_only import physics_only
from profundus.rivals.plant import Plant
from profundus.rivals.trials import moment_scales
from profundus.signal.moments import with_moment_sd

LOSS = LossSettings()


def study(**changes):
    named = {
        "name": "s",
        "model": "arm26",
        "coordinates": arm().coordinates,
        "measured": ("BIClong",),
        "deep": ("BRA",),
    }
    return Study(**named, emg=EmgSettings("envelope", "none"), subjects=(), **changes)


def with_moment(trial, moment):
    return replace(trial, moment=np.broadcast_to(moment, trial.moment.shape))


def said(trial, sd):
    return replace(trial, moment_sd=np.array([sd]))


def test_trials_of_the_shipped_elbow_stay_as_they_are():
    trials = (curl(), curl(press=True))
    assert with_moment_sd(study(), trials) == trials


def test_what_the_study_says_comes_first():
    (trial,) = with_moment_sd(study(moment_sd={"r_elbow_flex": 3.0}, model_file="a.osim"), (curl(),))
    np.testing.assert_array_equal(trial.moment_sd, [3.0])
    assert trial.processing["moments"]["sd"] == {"r_elbow_flex": 3.0}
    assert trial.processing["moments"]["sd_from"] == {"r_elbow_flex": "as the study says"}


def test_moment_of_a_users_model_is_doubted_by_a_twentieth_of_its_size():
    large, tested = with_moment(curl(), -40.0), replace(with_moment(curl(), 400.0), role="test")
    for trial in with_moment_sd(study(model_file="a.osim"), (large, tested)):
        np.testing.assert_allclose(trial.moment_sd, [LOSS.moment_sd + 0.05 * 40.0])
        assert "40 N.m" in trial.processing["moments"]["sd_from"]["r_elbow_flex"]


def test_excluded_moments_do_not_count_as_size():
    trial = curl()
    late = trial.time > 2.0
    strange = replace(trial, moment=np.where(late, 900.0, 10.0)[:, None], moment_valid=~late[:, None])
    (found,) = with_moment_sd(study(model_file="a.osim"), (strange,))
    np.testing.assert_allclose(found.moment_sd, [LOSS.moment_sd + 0.5])


def test_settings_and_trials_mean_the_same_to_the_search_for_parameters():
    known = said(curl(), 2.0)
    by_trial, _ = coarse_trials([(known, known.truth)], arm(), LOSS)
    by_settings, _ = coarse_trials([(curl(), known.truth)], arm(), replace(LOSS, moment_sd=2.0))
    np.testing.assert_array_equal(by_trial.weight, by_settings.weight)


@pytest.mark.parametrize("paper", [False, True])
def test_the_fit_weighs_by_the_trial_and_the_papers_form_all_alike(paper):
    fit = small_fit().work
    objective = replace(fit.objective, settings=replace(fit.settings, paper=paper))
    trials = [said(trial, 2.0) for trial in fit.trials]
    length = fit.batch.emg.shape[1]
    batch = make_batch(trials, arm(), fit.settings.network, fit.scaling, length=length)
    constant = fit.settings.loss.moment_sd if paper else 2.0
    expected = np.hypot(constant, fit.settings.loss.moment_relative_sd * np.asarray(batch.moment))
    np.testing.assert_allclose(objective.moment_weight(batch)[0], expected, rtol=1e-6)


def test_networks_are_trained_on_trials_that_say_how_well_moments_are_known():
    work = SubjectFit([said(curl(seconds=3.0), 2.0)], objectives(replace(SMALL, steps=2)), seed=0)
    assert np.all(np.isfinite(work.train(work.start()).history))


def test_rivals_allow_a_moment_as_much_more_as_it_is_known_worse():
    trial = curl()
    two = ("r_elbow_flex", "r_shoulder_elev")
    both = {key: np.repeat(getattr(trial, key), 2, axis=1) for key in ("angle", "velocity", "acceleration", "moment")}
    known = replace(
        trial, coordinates=two, moment_valid=np.ones((len(trial.time), 2), bool), moment_sd=np.array([3.0, 6.0]), **both
    )
    np.testing.assert_array_equal(moment_scales([known]), [1.0, 2.0])
    np.testing.assert_array_equal(moment_scales([replace(known, moment_sd=None)]), [1.0, 1.0])
    moving = replace(known, moment_valid=np.tile([False, True], (len(trial.time), 1)))
    np.testing.assert_array_equal(moment_scales([moving]), [1.0, 1.0])  # what only moves sets no scale


def test_physics_alone_follows_a_moment_less_the_less_it_is_known():
    trial = curl(seconds=2.0)
    plant = Plant(read_anatomy("arm26"), arm().geometry, arm().generic_parameters)
    errors = []
    for sd in (0.3, 10.0):
        (part,) = physics_only([said(trial, sd)], plant).trials
        errors.append(float(np.nanmean((part.moment - trial.moment) ** 2)))
    assert errors[0] < errors[1]
