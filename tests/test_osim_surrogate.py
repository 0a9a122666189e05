"""Curves over several coordinates follow a path that is known in closed form, moment arms included."""

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.polynomial import chebyshev

from profundus.errors import FileFormatError
from profundus.io.anatomy import arm_sign
from profundus.io.anatomy_file import read_anatomy_file, write_anatomy_file
from profundus.io.weights import write_arrays
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.numerics.chebyshev import ChebyshevProducts, polynomials
from profundus.records import Anatomy, CoordinateRange, PathFit, PathProducts, PathSpline
from profundus.skeleton.surrogate import CUBIC, Samples, fitted

LOW, HIGH = np.array([-0.5, -1.5]), np.array([1.2, 0.2])


def straight(q):
    """Return the length of a muscle from pelvis to shank in a straight line: hip at the origin, thigh of 0.4 m, and the line's slopes."""
    hip, both = q[:, 0], q[:, 0] + q[:, 1]
    end = np.stack([0.4 * np.sin(hip) + 0.05 * np.sin(both), -0.4 * np.cos(hip) - 0.05 * np.cos(both)], axis=1)
    by_hip = np.stack([0.4 * np.cos(hip) + 0.05 * np.cos(both), 0.4 * np.sin(hip) + 0.05 * np.sin(both)], axis=1)
    by_knee = np.stack([0.05 * np.cos(both), 0.05 * np.sin(both)], axis=1)
    line = end - np.array([-0.06, 0.03])
    length = np.linalg.norm(line, axis=1)
    slopes = np.stack([(line * by).sum(axis=1) / length for by in (by_hip, by_knee)], axis=1)
    return length[:, None], -slopes[:, :, None]


def samples(count, seed):
    posture = np.random.default_rng(seed).uniform(LOW, HIGH, (count, 2))
    return Samples(posture, *straight(posture), np.ones((2, 1), dtype=bool))


@pytest.fixture(scope="module")
def paths():
    return fitted(samples(1500, 1), samples(100, 2), LOW, HIGH, np.zeros(2))


@pytest.fixture(scope="module")
def anatomy(paths):
    products = [PathProducts(("hip", "knee"), LOW, HIGH, p.degrees, p.coefficients) for p in paths.products]
    ones = np.ones(1)
    return Anatomy(
        "leg",
        ("biarticular",),
        tuple(map(CoordinateRange, ("hip", "knee"), LOW, HIGH)),
        ("all",),
        ones, ones, ones, ones, paths.base,
        tuple(map(PathSpline, ("hip", "knee"), (CUBIC, CUBIC), paths.knots, paths.coefficients)),
        products=tuple(products),
        path_fits=(PathFit("biarticular", "hip", *[1.0] * 7),),
    )  # fmt: skip


def test_a_line_across_two_joints_is_followed_to_a_hundredth_of_a_millimeter(paths):
    there = samples(300, 3)
    np.testing.assert_allclose(paths.length(there.posture), there.length, atol=1e-5)
    np.testing.assert_allclose(paths.moment_arm(there.posture), there.moment_arm, atol=1e-4)


def test_a_path_that_depends_on_one_coordinate_is_not_moved_by_the_other():
    one = samples(600, 1)
    length, arm = 0.3 + 0.04 * np.cos(one.posture[:, :1]), np.zeros((600, 2, 1))
    arm[:, 0] = 0.04 * np.sin(one.posture[:, :1])
    known = Samples(one.posture, length, arm, np.array([[True], [False]]))
    found = fitted(known, known, LOW, HIGH, np.zeros(2))
    assert not found.products
    assert not found.moment_arm(one.posture)[:, 1].any()
    np.testing.assert_allclose(found.length(one.posture), length, atol=1e-6)


def test_lengths_alone_are_enough_where_the_moment_arms_are_unknown(paths):
    known = samples(1500, 1)
    unknown = Samples(known.posture, known.length, np.full_like(known.moment_arm, np.nan), known.crosses)
    found = fitted(unknown, unknown, LOW, HIGH, np.zeros(2))
    there = samples(200, 4)
    np.testing.assert_allclose(found.length(there.posture), there.length, atol=1e-4)


def test_the_model_answers_what_the_surrogate_does(paths, anatomy):
    model, q = MusculoskeletalModel(anatomy), samples(60, 5).posture
    np.testing.assert_allclose(model.path_length(q), paths.length(q), atol=1e-12)
    np.testing.assert_allclose(model.moment_arms(q), paths.moment_arm(q), atol=1e-12)


def test_a_moment_arm_is_minus_the_derivative_of_length_also_beyond_the_range(anatomy):
    model = MusculoskeletalModel(anatomy)
    q = np.random.default_rng(6).uniform(LOW - 1.0, HIGH + 1.0, (60, 2))
    for column, step in enumerate(1e-5 * np.eye(2)):
        slope = (model.path_length(q + step) - model.path_length(q - step)) / 2e-5
        np.testing.assert_allclose(model.moment_arms(q)[:, column], -slope, atol=1e-8)


def test_beyond_its_range_a_coordinate_has_a_constant_moment_arm(anatomy):
    beyond = np.stack([HIGH[0] + np.linspace(0.0, 2.0, 60), np.full(60, -0.5)], axis=1)
    arms = MusculoskeletalModel(anatomy).moment_arms(beyond)[:, 0, 0]
    np.testing.assert_allclose(arms, arms[0], atol=1e-12)


def test_the_speed_of_a_path_is_that_of_its_length(anatomy):
    model, q, qd = MusculoskeletalModel(anatomy), samples(60, 7).posture, samples(60, 8).posture
    change = (model.path_length(q + 1e-6 * qd) - model.path_length(q - 1e-6 * qd)) / 2e-6
    np.testing.assert_allclose(model.path_velocity(q, qd), change, atol=1e-8)


@pytest.mark.parametrize(
    ("moving", "held"), [(("knee",), {"hip": 0.7}), (("hip",), {"knee": -1.1}), (("knee", "hip"), {})]
)
def test_a_held_coordinate_leaves_the_length_at_its_angle(anatomy, moving, held):
    whole, part = MusculoskeletalModel(anatomy), MusculoskeletalModel(anatomy, coordinates=moving, fixed=held)
    q = np.tile([held.get("hip", 0.3), held.get("knee", -0.4)], (60, 1))
    columns = [("hip", "knee").index(name) for name in moving]
    q[:, columns] += np.linspace(-0.3, 0.2, 60)[:, None]
    np.testing.assert_allclose(part.path_length(q[:, columns]), whole.path_length(q), atol=1e-12)
    np.testing.assert_allclose(part.moment_arms(q[:, columns]), whole.moment_arms(q)[:, columns], atol=1e-12)


def test_the_sign_of_a_moment_arm_counts_what_coordinates_do_together(anatomy):
    middle = (LOW + HIGH)[None] / 2
    arms = straight(middle)[1][0, :, 0]
    assert arm_sign(anatomy, ["hip", "knee"]) == {
        name: {"biarticular": int(np.sign(arm))} for name, arm in zip(("hip", "knee"), arms, strict=True)
    }


def test_chebyshev_polynomials_and_slopes_are_those_of_numpy():
    x = np.linspace(-1, 1, 21)
    product = ChebyshevProducts(-jnp.ones(2), jnp.ones(2), jnp.eye(3), (1, 0), ((1, 4), (5, 1), (2, 2)))
    value, slopes = product.value_and_slopes(jnp.stack([x, x[::-1]], axis=1))

    def one(n, at, order=0):
        return chebyshev.chebval(at, chebyshev.chebder(np.eye(n + 1)[n], order))

    for term, (a, b) in enumerate(product.degrees):
        np.testing.assert_allclose(value[:, term], one(a, x[::-1]) * one(b, x), atol=1e-12)
        np.testing.assert_allclose(slopes[:, 0, term], one(a, x[::-1], 1) * one(b, x), atol=1e-12)
        np.testing.assert_allclose(slopes[:, 1, term], one(a, x[::-1]) * one(b, x, 1), atol=1e-12)
    values, slopes = polynomials(np.array([1.5]), 3)
    np.testing.assert_allclose(values[0], [1, 1.5, 3, 5.5])  # 1 + n^2 / 2: straight on from the end
    np.testing.assert_allclose(slopes[0], [0, 1, 4, 9])


def test_an_anatomy_comes_back_from_its_file_to_the_last_bit(anatomy, tmp_path):
    write_anatomy_file(anatomy, tmp_path / "a.safetensors")
    back = read_anatomy_file(tmp_path / "a.safetensors")
    q = samples(60, 9).posture
    np.testing.assert_array_equal(
        MusculoskeletalModel(back).path_length(q), MusculoskeletalModel(anatomy).path_length(q)
    )
    assert (back.muscles, back.coordinates, back.path_fits) == (anatomy.muscles, anatomy.coordinates, anatomy.path_fits)


def test_a_file_with_something_else_in_it_is_no_anatomy(tmp_path):
    write_arrays(tmp_path / "a.safetensors", {"x": np.ones(2)}, {})
    with pytest.raises(FileFormatError, match="holds no anatomy"):
        read_anatomy_file(tmp_path / "a.safetensors")
