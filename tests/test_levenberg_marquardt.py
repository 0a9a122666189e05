"""Least squares finds the published answers, from the published starts, and says how its search ended."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from profundus.numerics.levenberg_marquardt import Outcome, Solution, forward, levenberg_marquardt

# NIST StRD, Misra1a: dental research, monomolecular adsorption; y = b1 (1 - exp(-b2 x)), "lower level of difficulty"
PRESSURE = np.array([77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0])
VOLUME = np.array([10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78])
# NIST StRD, MGH10 (Meyer 1970): y = b1 exp(b2 / (x + b3)), "higher level of difficulty"
TEMPERATURE = np.arange(50.0, 126.0, 5.0)
RESISTANCE = np.array(
    [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872], float
)


def misra1a(b):
    return b[0] * (1 - jnp.exp(-b[1] * PRESSURE)) - VOLUME


def mgh10(b):
    return b[0] * jnp.exp(b[1] / (TEMPERATURE + b[2])) - RESISTANCE


def rosenbrock(x):
    return jnp.stack([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])


def found(residual, start, **options) -> Solution:
    return jax.jit(lambda at: levenberg_marquardt(forward(residual), at, **options))(jnp.asarray(start, float))


@pytest.mark.parametrize("start", [(500.0, 0.0001), (250.0, 0.0005)])
def test_the_certified_answer_of_misra1a_is_found(start):
    solution = found(misra1a, start)
    assert solution.converged
    np.testing.assert_allclose(solution.value, [2.3894212918e02, 5.5015643181e-04], rtol=1e-6)
    assert float(solution.residual @ solution.residual) == pytest.approx(1.2455138894e-01, rel=1e-9)


def test_the_certified_answer_of_mgh10_is_found():
    solution = found(mgh10, (0.02, 4000.0, 250.0), steps=200, tolerance=1e-12)
    assert solution.converged
    np.testing.assert_allclose(solution.value, [5.6096364710e-03, 6.1813463463e03, 3.4522363462e02], rtol=1e-6)
    assert float(solution.residual @ solution.residual) == pytest.approx(8.7945855171e01, rel=1e-9)


def test_a_start_from_which_the_valley_is_too_long_claims_nothing():
    solution = found(mgh10, (2.0, 400000.0, 25000.0), steps=200)  # NIST's far start
    assert not solution.converged


def test_the_covariance_gives_the_certified_standard_deviations():
    solution = found(misra1a, (250.0, 0.0005))
    variance = 1.2455138894e-01 / 12
    sd = np.sqrt(variance * np.diag(solution.covariance))
    np.testing.assert_allclose(sd, [2.7070075241, 7.2668688436e-06], rtol=1e-5)


def test_the_bottom_of_the_banana_valley_is_found():
    solution = found(rosenbrock, (-1.2, 1.0))
    assert solution.converged
    np.testing.assert_allclose(solution.value, [1.0, 1.0], atol=1e-7)


def test_a_straight_line_takes_the_normal_equations():
    design = np.random.default_rng(0).normal(size=(40, 3))
    target = np.random.default_rng(1).normal(size=40)
    solution = found(lambda x: design @ x - target, (0.0, 0.0, 0.0))
    expected, *_ = np.linalg.lstsq(design, target)
    np.testing.assert_allclose(solution.value, expected, rtol=1e-6)
    np.testing.assert_allclose(solution.information, design.T @ design, rtol=1e-12)


def test_a_parameter_that_nothing_feels_stays_where_it_was():
    solution = found(lambda x: jnp.stack([x[0] - 3.0, 2.0 * x[0] - 5.0]), (0.0, 7.0))
    assert solution.converged
    np.testing.assert_allclose(solution.value, [2.6, 7.0], rtol=1e-6)


def test_values_of_any_unit_are_found_alike():
    scale = jnp.asarray([1e6, 1e-6])
    solution = found(lambda x: rosenbrock(x * scale), (-1.2e-6, 1e6))
    np.testing.assert_allclose(solution.value * scale, [1.0, 1.0], atol=1e-7)


def test_single_precision_is_enough_for_single_precision():
    start = jnp.asarray([250.0, 0.0005], jnp.float32)
    pressure, volume = jnp.asarray(PRESSURE, jnp.float32), jnp.asarray(VOLUME, jnp.float32)
    solution = jax.jit(
        lambda at: levenberg_marquardt(forward(lambda b: b[0] * -jnp.expm1(-b[1] * pressure) - volume), at)
    )(start)  # fmt: skip
    assert solution.value.dtype == jnp.float32
    assert solution.converged
    np.testing.assert_allclose(solution.value, [238.94, 5.5016e-4], rtol=2e-3)


def test_a_search_without_enough_steps_says_so():
    solution = found(rosenbrock, (-1.2, 1.0), steps=3)
    assert not solution.converged
    assert (Outcome(int(solution.outcome)), int(solution.steps)) == (Outcome.OUT_OF_STEPS, 3)
    assert "more steps" in Outcome(int(solution.outcome)).words


def test_a_start_without_a_finite_residual_is_told_and_left_alone():
    solution = found(lambda x: jnp.sqrt(x - 1.0), (0.0,))
    assert Outcome(int(solution.outcome)) is Outcome.NOT_FINITE
    np.testing.assert_array_equal(solution.value, [0.0])


def test_a_step_into_the_undefined_is_taken_back():
    solution = found(lambda x: jnp.stack([10.0 * jnp.log(x[0]) + 30.0]), (5.0,))
    assert solution.converged
    np.testing.assert_allclose(solution.value, [np.exp(-3.0)], rtol=1e-6)


def test_a_slope_that_lies_ends_the_search_without_a_claim():
    @jax.custom_jvp
    def lying(x):
        return jnp.abs(x) + 1.0

    lying.defjvp(lambda primals, tangents: (lying(*primals), tangents[0]))
    solution = found(lying, (0.0,))
    assert Outcome(int(solution.outcome)) is Outcome.NO_WAY_DOWN
    np.testing.assert_array_equal(solution.value, [0.0])


def test_many_searches_run_side_by_side():
    starts = jnp.asarray([(500.0, 0.0001), (250.0, 0.0005)])
    together = jax.jit(jax.vmap(lambda at: levenberg_marquardt(forward(misra1a), at)))(starts)
    np.testing.assert_allclose(together.value, np.tile([2.3894212918e02, 5.5015643181e-04], (2, 1)), rtol=1e-6)
