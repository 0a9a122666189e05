"""Static optimization shares a moment as OpenSim's own tool does."""

from dataclasses import replace

import numpy as np
import pytest

from curls import curl
from profundus.errors import InputError
from profundus.io.anatomy import read_anatomy
from profundus.io.tables import read_table
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.records import Trial
from profundus.rivals.plant import Plant
from profundus.rivals.static_optimization import StaticOptimizationSettings, static_optimization

MUSCLES = ("TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA")
ELBOW = ("r_elbow_flex",)
BOTH = ("r_shoulder_elev", "r_elbow_flex")


def plant(*coordinates: str) -> Plant:
    anatomy = read_anatomy("arm26")
    model = MusculoskeletalModel(anatomy, coordinates=coordinates or ELBOW)
    return Plant(anatomy, model.geometry, model.generic_parameters)


def motion(coordinates, time, angle, velocity, moment) -> Trial:
    none = np.full((len(time), 6), np.nan)
    known = np.isfinite(moment)
    return Trial(
        "opensim", "run", "test", MUSCLES, coordinates, time, angle, velocity, 0.0 * angle,
        none, np.isfinite(none), moment, known, none,
    )  # fmt: skip


def columns(table) -> np.ndarray:
    return np.column_stack([table[muscle] for muscle in MUSCLES])


def least_squares(row, sum_of_row, *, lowest) -> np.ndarray:
    """Return the a of least |a|^2 with row a = sum, a >= lowest, found by bisection of the multiplier (Karush-Kuhn-Tucker)."""
    low, high = -10.0, 10.0
    for _ in range(100):
        multiplier = 0.5 * (low + high)
        activation = np.clip(multiplier * row, lowest, 1.0)
        low, high = (multiplier, high) if row @ activation < sum_of_row else (low, multiplier)
    return activation


def test_it_shares_the_elbow_moment_as_opensim_does(reference):
    # OpenSim 4.6, exponent 2, reserve 1 N.m; its forces at an activation of one are those of a tendon that does not stretch
    folder = reference / "oracle"
    run = np.genfromtxt(folder / "arm26_opensim_inverse_dynamics_5s.csv", delimiter=",", names=True)
    known = columns(read_table(folder / "arm26_opensim_5s_StaticOptimization_activation.sto"))
    forces = columns(read_table(folder / "arm26_opensim_5s_StaticOptimization_force.sto"))
    state = (run[name][:, None] for name in ("elbow_rad", "elbow_rad_s", "tau_elbow_solver_Nm"))
    (part,) = static_optimization([motion(ELBOW, run["time_s"], *state)], plant()).trials
    assert np.abs(part.activation - known).max() < 0.002
    assert np.sqrt(np.mean((part.activation - known) ** 2, axis=0)).max() < 0.001
    assert np.abs(part.tendon_force - forces).max() < 1.5


def test_it_shares_the_moments_of_shoulder_and_elbow_as_opensim_does(reference):
    # the tool's own test: it filters angles at 6 Hz, has no reserves, and lets activations fall to zero; moments are those of its forces
    folder = reference / "data" / "arm26_reference" / "opensim-core" / "StaticOptimization"
    table = read_table(folder / "arm26_InverseKinematics.mot")
    results = "std_Thelen2003Muscle_arm26_StaticOptimization_{}.sto"
    known, forces = (columns(read_table(folder / results.format(kind))) for kind in ("activation", "force"))
    angle = np.radians(np.column_stack([table[name] for name in BOTH]))
    velocity = np.gradient(angle, table.time, axis=0)
    arms = plant(*BOTH)
    moved = arms.moved(motion(BOTH, table.time, angle, velocity, angle))
    moment = moved.moment(forces)
    settings = StaticOptimizationSettings(lowest_activation=0.0, reserve_moment=0.01)
    (part,) = static_optimization([motion(BOTH, table.time, angle, velocity, moment)], arms, settings).trials
    assert np.abs(part.activation - known)[10:-10].max() < 0.005
    active = known > 0.01
    ratio = forces[active] / (known * moved.capacity)[active]
    np.testing.assert_allclose(np.quantile(ratio, (0.1, 0.5, 0.9)), 1.0, atol=0.002)
    np.testing.assert_allclose(part.moment, moment, atol=0.01)


def test_activations_are_those_of_least_effort():
    trial, arms = curl(), plant()
    moved = arms.moved(trial)
    (part,) = static_optimization([trial], arms, StaticOptimizationSettings(reserve_moment=0.01)).trials
    for row in range(0, len(trial.time), 40):
        pull = moved.moment_arm[row, 0] * moved.capacity[row]
        expected = least_squares(pull, trial.moment[row, 0], lowest=0.01)
        np.testing.assert_allclose(part.activation[row], expected, atol=1e-3)


def test_what_muscles_cannot_do_the_reserve_does():
    trial = curl()
    strong = replace(trial, moment=np.full_like(trial.moment, 300.0))
    (part,) = static_optimization([strong], plant()).trials
    assert part.activation[:, 3:].min() > 0.99
    assert part.moment.max() < 150.0


def test_no_electrode_and_no_truth_is_read():
    trial = curl()
    bare = replace(
        trial,
        emg=np.full_like(trial.emg, np.nan),
        emg_valid=np.zeros_like(trial.emg_valid),
        truth=np.full_like(trial.truth, np.nan),
    )
    one, other = (static_optimization([t], plant()).trials[0].excitation for t in (trial, bare))
    np.testing.assert_array_equal(one, other)


def test_passive_forces_carry_their_share_where_they_are_included():
    trial, arms = curl(), plant()
    stretch = arms.moved(trial).passive_force
    included = static_optimization([trial], arms, StaticOptimizationSettings(passive_force="included")).trials[0]
    ignored = static_optimization([trial], arms).trials[0]
    np.testing.assert_allclose(included.moment, ignored.moment, atol=0.05)
    np.testing.assert_allclose(
        included.tendon_force - included.activation * arms.moved(trial).capacity, stretch, atol=1e-6
    )


@pytest.mark.parametrize("muscle", ["thelen", "degroote"])
def test_stretch_alone_pulls_only_where_fibers_are_stretched(muscle):
    moved = replace(plant(), muscle=muscle).moved(curl())
    norm_fiber_length = moved.muscles(moved.capacity * 0.0).fiber_length / read_anatomy("arm26").optimal_fiber_length
    force = moved.passive_force / read_anatomy("arm26").max_isometric_force
    short = norm_fiber_length < 1.0
    stretched = np.expm1(4.0 / 0.6 * (norm_fiber_length - 1.0)) / np.expm1(4.0)  # Thelen (2003), equation 3
    assert short.any()
    if muscle == "thelen":
        assert np.all(force[short] == 0.0)
        cos_pennation = np.cos(read_anatomy("arm26").pennation_at_optimal)
        assert np.all(force <= np.maximum(stretched, 0.0) + 1e-12)
        np.testing.assert_allclose(force[:, cos_pennation == 1.0], np.maximum(stretched, 0.0)[:, cos_pennation == 1.0])
    else:
        assert force[short].max() < 0.02  # De Groote's fibers pull a little at any length


@pytest.mark.parametrize(("rate_hz", "samples"), [(100.0, 6), (50.0, 3)])
def test_muscles_wake_one_electromechanical_delay_later_on_any_clock(rate_hz, samples):
    trial = curl()
    moved = plant().moved(replace(trial, time=(np.arange(len(trial.time)) + 7.3) / rate_hz))
    asked = np.zeros_like(trial.emg)
    asked[10:] = 1.0
    assert np.flatnonzero(moved.activation(asked)[:, 0])[0] == 10 + samples  # 60 ms


def test_without_a_moment_nothing_is_known():
    trial = curl()
    valid = trial.moment_valid.copy()
    valid[100:150] = False
    holes = replace(trial, moment_valid=valid)
    mute = replace(trial, name="mute", moment=np.full_like(trial.moment, np.nan))
    holed, empty = static_optimization([holes, mute], plant()).trials
    gap = np.isnan(holed.excitation).all(axis=1)
    assert np.flatnonzero(gap).tolist() == list(
        range(94, 150)
    )  # the moment of a time tells of excitations 60 ms earlier
    assert np.flatnonzero(np.isnan(holed.moment)).tolist() == list(range(100, 150))
    assert np.isnan(empty.excitation).all()
    whole = static_optimization([trial], plant()).trials[0]
    np.testing.assert_allclose(holed.activation[:100], whole.activation[:100], atol=1e-6)


def test_what_cannot_be_answered_is_refused_with_all_reasons():
    trial = curl()
    with pytest.raises(InputError, match="one person"):
        static_optimization([], plant())
    turned = replace(trial, muscles=MUSCLES[::-1], subject="sub-02")
    with pytest.raises(InputError) as caught:
        static_optimization([trial, turned], plant(), StaticOptimizationSettings(reserve_moment=-1.0))
    assert len(caught.value.problems) == 3
