"""Physics without a network finds what one muscle does, and no more."""

from dataclasses import replace

import numpy as np
import pytest

from curls import arm, curl, true_parameters
from profundus.io.anatomy import read_anatomy
from profundus.rivals.physics_only import PhysicsOnlySettings, physics_only, smooth_activation
from profundus.rivals.plant import Plant
from profundus.rivals.programs import measured_activation

BRA, TRIMED = 5, 2
INNER = slice(30, -30)


def plant(parameters=None) -> Plant:
    return Plant(read_anatomy("arm26"), arm().geometry, parameters or arm().generic_parameters)


def electrodes_but(trial, *deep):
    valid = np.ones_like(trial.emg_valid)
    valid[:, list(deep)] = False
    return replace(trial, emg=np.where(valid, trial.truth, np.nan), emg_valid=valid)


def test_one_deep_muscle_is_found_again():
    trial = electrodes_but(curl(parameters=true_parameters(), seconds=3.0), BRA)
    (part,) = physics_only([trial], plant(true_parameters())).trials
    np.testing.assert_allclose(part.excitation[INNER, BRA], trial.truth[INNER, BRA], atol=0.02)
    np.testing.assert_allclose(part.moment, trial.moment, atol=0.5)


def test_measured_muscles_follow_their_envelopes():
    trial = curl(seconds=3.0)
    (part,) = physics_only([trial], plant()).trials
    known = np.isfinite(part.excitation) & trial.emg_valid
    assert known[:290].sum() == 4 * 290
    np.testing.assert_array_equal(part.excitation[known], trial.emg[known])


def test_the_answer_balances_moment_effort_and_smoothness():
    # a minimum: no small, smooth change of the deep activations makes the goal smaller
    trial = curl(seconds=3.0)
    moved = plant().moved(trial)
    activation = smooth_activation(moved, PhysicsOnlySettings()).activation
    deep = [TRIMED, BRA]

    def goal(activation):
        error = moved.moment(moved.muscles(activation).tendon_force) - trial.moment
        free = activation[:, deep]
        misfit = np.sum((error / np.hypot(0.3, 0.05 * trial.moment)) ** 2)
        return misfit + np.sum(free**2) + np.sum((np.diff(free, axis=0) / trial.step) ** 2)

    least = goal(activation)
    for column in deep:
        for wave in (np.ones(len(trial.time)), np.sin(9.0 * trial.time), np.cos(4.0 * trial.time)):
            for size in (0.003, -0.003):
                other = activation.copy()
                other[:, column] = np.clip(other[:, column] + size * wave, 0.01, 1.0)
                assert goal(other) > least - 1e-3


def test_less_change_is_allowed_the_smoother_the_answer():
    trial = curl(seconds=3.0)
    moved = plant().moved(trial)

    def change(rate):
        return np.abs(
            np.diff(smooth_activation(moved, PhysicsOnlySettings(smoothness_sd=rate)).activation[:, BRA])
        ).mean()

    assert change(0.1) < 0.8 * change(1.0) < 0.8 * change(10.0)


def test_where_all_muscles_have_electrodes_there_is_nothing_to_find():
    trial = electrodes_but(curl(seconds=3.0))
    moved = plant().moved(trial)
    np.testing.assert_array_equal(
        smooth_activation(moved, PhysicsOnlySettings()).activation, measured_activation(moved)[0]
    )


def test_smoothness_reaches_over_a_gap_but_the_gap_stays_unknown():
    trial = curl(seconds=3.0)
    valid = trial.moment_valid.copy()
    valid[100:120] = False
    (part,) = physics_only([replace(trial, moment_valid=valid)], plant()).trials
    assert np.isnan(part.excitation[100:120]).all()
    assert np.isnan(part.moment[100:120]).all()
    assert np.isfinite(part.excitation[130:]).all()


@pytest.mark.parametrize("seen", [True, False])
def test_the_truth_is_never_read_and_a_moment_is_needed(seen):
    trial = replace(curl(seconds=3.0), moment_valid=np.full((300, 1), seen))
    blind = replace(trial, truth=np.full_like(trial.truth, np.nan))
    one, other = (physics_only([t], plant()).trials[0].excitation for t in (trial, blind))
    np.testing.assert_array_equal(one, other)
    assert np.isfinite(one).all() == seen
