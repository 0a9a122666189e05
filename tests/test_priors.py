"""Where the 32 parameters are expected, how widely, and the fence around them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from profundus.fit.priors import COMMON_STRENGTH_SD, OWN_STRENGTH_SD, gain_prior, parameter_prior
from profundus.io.anatomy import read_anatomy

ANATOMY = read_anatomy("arm26")
PRIOR = parameter_prior(ANATOMY)
STRENGTHS = slice(0, 6)
PENNATIONS = slice(18, 24)


def test_arm26_has_32_parameters():
    assert len(PRIOR.names) == len(PRIOR.values(jnp.zeros(32))) == 32
    assert [name for _, name, _ in PRIOR.names[::6]] == [
        "max_isometric_force", "optimal_fiber_length", "tendon_slack_length", "pennation_at_optimal",
        "electromechanical_delay", "shape_factor",
    ]  # fmt: skip
    assert PRIOR.names[31] == ("", "time_constant", "s")


def test_the_center_stands_at_zero():
    np.testing.assert_allclose(PRIOR.values(jnp.zeros(32)), PRIOR.center, rtol=1e-12)


def test_the_center_is_the_generic_anatomy_but_for_muscles_without_pennation():
    moved = ~np.isclose(PRIOR.center, PRIOR.generic)
    assert [PRIOR.names[i][:2] for i in np.flatnonzero(moved)] == [
        (muscle, "pennation_at_optimal") for muscle in ("BIClong", "BICshort", "BRA")
    ]
    np.testing.assert_array_equal(PRIOR.generic[STRENGTHS], ANATOMY.max_isometric_force)


def test_near_the_center_a_unit_is_a_prior_standard_deviation():
    slope = jax.jacfwd(PRIOR.values)(jnp.zeros(32))
    np.testing.assert_allclose(np.sqrt(np.sum(np.square(slope), axis=1)), PRIOR.sd, rtol=1e-9)


def test_the_declared_spreads_are_those_of_the_literature():
    sd = dict(zip((name[:2] for name in PRIOR.names), PRIOR.sd, strict=True))
    assert sd["BRA", "pennation_at_optimal"] == pytest.approx(0.02)
    assert sd["TRIlong", "pennation_at_optimal"] == pytest.approx(0.05)
    assert sd["BRA", "max_isometric_force"] == pytest.approx(987.26 * np.hypot(0.33, 0.25))


@settings(max_examples=60, deadline=None)
@given(some.lists(some.floats(-50, 50), min_size=32, max_size=32))
def test_the_fence_is_never_crossed(units):
    value = np.asarray(PRIOR.values(jnp.asarray(units)))
    assert np.all(value >= PRIOR.low - 1e-12 * np.abs(PRIOR.low))
    assert np.all(value <= PRIOR.high * (1 + 1e-12) + 1e-12)


@pytest.mark.parametrize("unit", [-50.0, 50.0])
def test_at_the_fence_gradients_are_finite_in_32_bit(unit):
    there = jnp.full(32, unit, jnp.float32)
    value, slope = PRIOR.values(there), jax.jacfwd(PRIOR.values)(there)
    assert np.all(np.isfinite(value))
    assert np.all(np.isfinite(slope))
    rounding = 1e-6 * (PRIOR.high - PRIOR.low)
    assert np.all((value >= PRIOR.low - rounding) & (value <= PRIOR.high + rounding))


def test_people_are_strong_in_all_muscles_at_once():
    covariance = (PRIOR.mixing @ PRIOR.mixing.T)[STRENGTHS, STRENGTHS] / np.outer(*[ANATOMY.max_isometric_force] * 2)
    common = COMMON_STRENGTH_SD**2
    np.testing.assert_allclose(covariance, common + OWN_STRENGTH_SD**2 * np.eye(6), rtol=1e-9)
    others = PRIOR.mixing[6:, 6:]
    np.testing.assert_array_equal(others, np.diag(np.diag(others)))
    assert not PRIOR.mixing[6:, :6].any()


def test_strength_is_drawn_as_declared():
    drawn = np.random.default_rng(0).normal(size=(4000, 32)) * 0.2  # near the center, where the fence is straight
    force = np.asarray(jax.vmap(PRIOR.values)(jnp.asarray(drawn)))[:, STRENGTHS]
    correlation = np.corrcoef(force.T)[np.triu_indices(6, 1)]
    assert correlation == pytest.approx(0.33**2 / (0.33**2 + 0.25**2), abs=0.06)


def test_a_muscle_without_pennation_can_get_some():
    at_zero = PENNATIONS.start + 5
    assert PRIOR.generic[at_zero] == 0.0
    assert PRIOR.center[at_zero] == pytest.approx(0.01)
    slope = jax.jacfwd(PRIOR.values)(jnp.zeros(32))[at_zero, at_zero]
    assert slope == pytest.approx(0.02)


def test_parameters_stand_where_their_names_say():
    parameters = PRIOR.parameters(jnp.asarray(np.linspace(-1, 1, 32)))
    listed = np.concatenate(
        [getattr(parameters.muscles, name) for _, name, _ in PRIOR.names[:30:6]]
        + [np.atleast_1d(getattr(parameters.activation, name)) for _, name, _ in PRIOR.names[30:]]
    )
    np.testing.assert_array_equal(listed, PRIOR.values(jnp.asarray(np.linspace(-1, 1, 32))))


def test_the_fences_are_inside_what_the_physics_admits():
    assert np.all((PRIOR.low < PRIOR.center) & (PRIOR.center < PRIOR.high))
    assert PRIOR.high[-2] < 0  # the shape factor stays below 0, where the curve is straight


def test_a_known_delay_replaces_the_generic_one():
    known = parameter_prior(ANATOMY, delay_prior=(0.05, 0.01))
    np.testing.assert_allclose(known.values(jnp.zeros(32))[24:30], 0.05)
    np.testing.assert_allclose(known.sd[24:30], 0.01)


def test_a_normalization_says_how_far_an_envelope_is_from_excitation():
    maximal, session, raw = (gain_prior(normalization) for normalization in ("mvc", "session_max", "none"))
    assert maximal.mean == 0.0
    assert np.exp(session.mean) == pytest.approx(2.0)
    assert maximal.sd < session.sd < raw.sd
    assert [prior.learned for prior in (maximal, session, raw)] == [False, True, True]
