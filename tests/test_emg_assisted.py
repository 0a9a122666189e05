"""EMG-assisted optimization keeps to the envelopes as far as the moment lets it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from curls import arm, curl, true_parameters
from profundus.io.anatomy import read_anatomy
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.rivals.emg_assisted import EmgAssistedSettings, assisted_activation, emg_assisted
from profundus.rivals.physics_only import physics_only
from profundus.rivals.plant import Plant
from profundus.rivals.programs import LOWEST_ACTIVATION, measured_activation

BRA, TRIMED = 5, 2
ROUGH = {"seed": 3, "seconds": 3.0}


def plant(parameters=None) -> Plant:
    return Plant(read_anatomy("arm26"), arm().geometry, parameters or arm().generic_parameters)


def exact(trial, *deep):
    """Return a trial with noise-free electrodes on all muscles but the ``deep`` ones."""
    valid = np.ones_like(trial.emg_valid)
    valid[:, list(deep)] = False
    return replace(trial, emg=np.where(valid, trial.truth, np.nan), emg_valid=valid)


def test_one_deep_muscle_is_found_again():
    trial = exact(curl(parameters=true_parameters(), **ROUGH), BRA)
    quiet = replace(trial, moment=plant(true_parameters()).moved(trial).answer(trial.truth).moment)
    settings = EmgAssistedSettings(effort_weight=1e-4)
    (part,) = emg_assisted([quiet], plant(true_parameters()), settings).trials
    inner = slice(30, -30)
    np.testing.assert_allclose(part.excitation[inner], trial.truth[inner], atol=0.01)
    np.testing.assert_allclose(part.moment, quiet.moment, atol=0.01)


@pytest.mark.parametrize("row", [40, 137, 260])
def test_the_compromise_is_the_best_there_is(row):
    # the goal itself, with the muscles' whole nonlinear forces, by another optimizer that starts from the answer and elsewhere
    trial = curl(**ROUGH)
    moved = plant().moved(trial)
    settings = EmgAssistedSettings()
    found = assisted_activation(moved, settings)
    measured, known = measured_activation(moved)
    whole = found.activation.copy()

    def goal(activation):
        whole[row] = activation
        error = moved.moment(moved.muscles(whole).tendon_force)[row] - trial.moment[row]
        strayed = np.abs(activation - measured[row])[known[row]].sum()
        return float(error @ error + 2.0 * activation @ activation + 10.0 * strayed)

    bounds = [(LOWEST_ACTIVATION, 1.0)] * 6
    ours = goal(found.activation[row])
    for start in (found.activation[row], np.where(known[row], measured[row], 0.2)):
        other = minimize(goal, start, method="Powell", bounds=bounds, options={"maxfev": 400, "ftol": 1e-6})
        assert ours <= other.fun + 1e-3


def test_tracking_moves_electrodes_less_the_more_it_costs():
    trial, arms = curl(**ROUGH), plant()
    moved = arms.moved(trial)
    measured, known = measured_activation(moved)

    def strayed(weight):
        activation = assisted_activation(moved, EmgAssistedSettings(tracking_weight=weight)).activation
        return np.abs(activation - measured)[known].mean()

    loose, firm, fixed = (strayed(weight) for weight in (0.0, 0.3, 1e3))
    assert fixed < 1e-6 < firm < loose


def test_a_gap_of_an_envelope_is_filled_by_the_moment():
    trial = exact(curl(**ROUGH), BRA)
    valid = trial.emg_valid.copy()
    valid[100:130, 3] = False
    (part,) = emg_assisted([replace(trial, emg_valid=valid)], plant()).trials
    assert np.isfinite(part.excitation).all()
    assert part.moment[100:130] == pytest.approx(trial.moment[100:130], abs=1.0)


def test_moments_of_two_joints_are_met_together():
    flat = curl(**ROUGH)
    anatomy = read_anatomy("arm26")
    model = MusculoskeletalModel(anatomy, coordinates=("r_shoulder_elev", "r_elbow_flex"))
    arms = Plant(anatomy, model.geometry, model.generic_parameters)
    still = [np.hstack([0.0 * x, x]) for x in (flat.angle, flat.velocity, flat.acceleration)]
    both = np.ones((len(flat.time), 2), dtype=bool)
    trial = replace(
        flat, coordinates=model.coordinates, angle=still[0], velocity=still[1], acceleration=still[2], moment=0.0 * still[0],
        moment_valid=both,
    )  # fmt: skip
    made = replace(exact(trial, BRA, TRIMED), moment=arms.moved(trial).answer(trial.truth).moment)
    for method in (emg_assisted, physics_only):
        (part,) = method([made], arms).trials
        np.testing.assert_allclose(part.moment, made.moment, atol=0.5)
        assert np.isfinite(part.excitation).all()


def test_the_truth_is_never_read():
    trial = curl(**ROUGH)
    blind = replace(trial, truth=np.full_like(trial.truth, np.nan))
    one, other = (emg_assisted([t], plant()).trials[0].excitation for t in (trial, blind))
    np.testing.assert_array_equal(one, other)


def test_without_a_moment_nothing_is_known():
    trial = curl(**ROUGH)
    (part,) = emg_assisted([replace(trial, moment_valid=np.zeros_like(trial.moment_valid))], plant()).trials
    assert np.isnan(part.excitation).all()
    assert np.isnan(part.moment).all()
