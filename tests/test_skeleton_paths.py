"""Path lengths and moment arms, held against OpenSim at angles that no spline was fitted to."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from profundus.errors import InputError
from profundus.io.anatomy import read_anatomy, shipped_models
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.postures import recorded_moment_arms
from profundus.numerics.splines import UniformSpline, curves_at

REFERENCE = Path(__file__).parent / "reference"
BOTH = ("r_shoulder_elev", "r_elbow_flex")
TENTH_OF_A_MILLIMETER = 1e-4


@pytest.fixture(scope="module")
def arm():
    return MusculoskeletalModel(read_anatomy("arm26"), coordinates=BOTH)


def columns(table, prefix, muscles):
    return table[[f"{prefix}{muscle}" for muscle in muscles]].to_numpy()


@pytest.mark.parametrize("coordinate", BOTH)
def test_paths_meet_opensim_at_angles_not_fitted(arm, coordinate):
    table = pd.read_csv(REFERENCE / "arm26_paths.csv", comment="#")
    table = table[table.coordinate == coordinate]
    index = BOTH.index(coordinate)
    angle = np.zeros((len(table), 2))
    angle[:, index] = np.deg2rad(table.angle_deg)
    np.testing.assert_allclose(
        arm.path_length(angle), columns(table, "length_", arm.muscles), atol=TENTH_OF_A_MILLIMETER
    )
    # OpenSim's own moment arm of BIClong at the shoulder is not the derivative of its length; length counts
    tolerance = np.where([coordinate == BOTH[0] and m == "BIClong" for m in arm.muscles], 5e-4, TENTH_OF_A_MILLIMETER)
    error = np.abs(arm.moment_arms(angle)[:, index] - columns(table, "moment_arm_", arm.muscles))
    assert np.all(error < tolerance)


def test_paths_meet_opensim_in_postures_of_both_joints(arm):
    table = pd.read_csv(REFERENCE / "arm26_postures.csv", comment="#")
    check_postures(arm, table, suffix="")


def test_paths_meet_opensim_in_all_reference_postures(arm, reference):
    table = pd.read_csv(reference / "oracle" / "arm26_opensim_geometry.csv")
    check_postures(arm, table, suffix="_m")


def check_postures(arm, table, *, suffix):
    angle = np.deg2rad(table[["shoulder_deg", "elbow_deg"]].to_numpy())
    length = table[[f"lmt_{m}{suffix}" for m in arm.muscles]]
    moment_arm = table[[f"ma_{m}{suffix}" for m in arm.muscles]]
    np.testing.assert_allclose(arm.path_length(angle), length, atol=TENTH_OF_A_MILLIMETER)
    np.testing.assert_allclose(arm.moment_arms(angle)[:, 1], moment_arm, atol=TENTH_OF_A_MILLIMETER)


def test_moment_arms_are_minus_the_derivative_of_length(arm):
    angle = jnp.deg2rad(jnp.array([[12.34, 5.67], [-33.3, 71.1], [0.0, 129.9], [60.0, 44.8]]))
    slopes = jax.vmap(jax.jacfwd(lambda q: arm.path_length(q[None])[0]))(angle)
    np.testing.assert_allclose(arm.moment_arms(angle), -np.swapaxes(slopes, 1, 2), atol=1e-12)


def test_length_is_the_integral_of_the_moment_arm(arm):
    elbow = np.deg2rad(np.linspace(0.0, 130.0, 20001))
    angle = np.column_stack([np.zeros_like(elbow), elbow])
    length, moment_arm = np.asarray(arm.path_length(angle)), np.asarray(arm.moment_arms(angle))[:, 1]
    np.testing.assert_allclose(length[-1] - length[0], -np.trapezoid(moment_arm, elbow, axis=0), atol=1e-8)


def test_moment_arms_stay_constant_outside_the_range(arm):
    inside, outside = np.deg2rad([[0.0, 130.0]]), np.deg2rad([[0.0, 140.0]])
    moment_arm = arm.moment_arms(inside)
    np.testing.assert_allclose(arm.moment_arms(outside), moment_arm)
    lengthened = arm.path_length(outside) - arm.path_length(inside)
    np.testing.assert_allclose(lengthened, -moment_arm[:, 1] * np.deg2rad(10.0), atol=1e-12)


def test_path_velocity_is_the_rate_of_length():
    arm = MusculoskeletalModel(read_anatomy("arm26"))
    time, shift = np.linspace(0.0, 1.0, 11)[:, None], 1e-5

    def angle(time):
        return 1.0 + 0.7 * np.sin(3.0 * time)

    rate = (np.asarray(arm.path_length(angle(time + shift))) - arm.path_length(angle(time - shift))) / (2 * shift)
    np.testing.assert_allclose(arm.path_velocity(angle(time), 2.1 * np.cos(3.0 * time)), rate, atol=1e-7)


def test_a_fixed_shoulder_is_the_shoulder_at_that_angle(arm):
    elbow = np.deg2rad(np.array([[10.0], [77.0]]))
    raised = MusculoskeletalModel(read_anatomy("arm26"), fixed={"r_shoulder_elev": np.deg2rad(60.0)})
    both = np.column_stack([np.full(2, np.deg2rad(60.0)), elbow])
    np.testing.assert_allclose(raised.path_length(elbow), arm.path_length(both), rtol=1e-12)


def test_a_spline_reproduces_a_polynomial():
    knots = np.concatenate([[0.0] * 4, np.linspace(0.0, 2.0, 9), [2.0] * 4])
    greville = np.array([knots[i + 1 : i + 5].mean() for i in range(12)])
    spline = UniformSpline.from_bspline(knots, greville[:, None], 4)  # a B-spline with these coefficients is x itself
    x = jnp.array([0.0, 0.3, 1.0, 1.77, 2.0])
    value, slope = spline.value_and_slope(x)
    np.testing.assert_allclose(value[:, 0], x, atol=1e-12)
    np.testing.assert_allclose(slope, 1.0)


def test_a_spline_with_uneven_breaks_is_refused():
    with pytest.raises(ValueError, match="uniform"):
        UniformSpline.from_bspline(np.array([0.0, 0.0, 1.0, 3.0, 3.0]), np.ones((3, 1)), 1)


def test_shipped_parameters_are_those_of_the_opensim_model(reference):
    table = pd.read_csv(reference / "oracle" / "arm26_muscle_parameters.csv")
    anatomy = read_anatomy("arm26")
    assert anatomy.muscles == tuple(table.name)
    np.testing.assert_allclose(anatomy.max_isometric_force, table.Fmax)
    np.testing.assert_allclose(anatomy.optimal_fiber_length, table.lopt)
    np.testing.assert_allclose(anatomy.tendon_slack_length, table.lts)
    np.testing.assert_allclose(anatomy.pennation_at_optimal, table.penn0)
    assert "Holzbaur" in anatomy.credit


def test_a_model_that_is_not_shipped_is_refused_by_name():
    assert "arm26" in shipped_models()
    with pytest.raises(InputError, match="arm26"):
        read_anatomy("leg")
    with pytest.raises(InputError, match=r"or an \.osim file"):
        read_anatomy("my.osim")


def test_wrong_coordinates_are_all_named_at_once():
    with pytest.raises(InputError) as refused:
        MusculoskeletalModel(read_anatomy("arm26"), coordinates=("knee",), fixed={"hip": 0.0, "r_elbow_flex": 4.0})
    said = str(refused.value)
    assert "knee" in said
    assert "hip" in said
    assert "0 to 130 deg" in said
    assert len(refused.value.problems) == 3


@pytest.mark.parametrize("beyond", [-0.3, 0.2, 0.55, 1.3])
def test_a_held_coordinate_adds_what_it_adds_where_it_moves(beyond):
    path = read_anatomy("arm26").paths[0]
    angle = path.knots[0] + beyond * (path.knots[-1] - path.knots[0])
    spline = UniformSpline.from_bspline(path.knots, path.coefficients, path.degree)
    moving = spline.value_and_slope(jnp.asarray(angle))[0]
    np.testing.assert_allclose(curves_at(path.knots, path.coefficients, path.degree, angle), moving, atol=1e-12)


def test_recorded_postures_have_the_moment_arms_of_the_model(arm):
    angle = np.random.default_rng(0).uniform(0.1, 2.0, (300, 2))
    np.testing.assert_allclose(recorded_moment_arms(arm, angle), arm.moment_arms(angle), atol=1e-12)
