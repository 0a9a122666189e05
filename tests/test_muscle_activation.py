"""Delay, shape and activation dynamics, held against closed forms, an adaptive solver and OpenSim."""

from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from scipy.integrate import solve_ivp
from scipy.signal import butter, sosfiltfilt

from profundus.muscle.activation import activation, delayed, shaped
from profundus.numerics.relaxation import exponential_midpoint, runge_kutta

STEP = 0.01
REFERENCE = Path(__file__).parent / "reference"
MUSCLES = ("TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA")


@pytest.fixture(scope="module")
def envelopes():
    noise = np.abs(np.random.default_rng(0).standard_normal((120, 3)))
    low_pass = butter(2, 6.0, fs=1.0 / STEP, output="sos")
    return np.clip(sosfiltfilt(low_pass, noise, axis=0) * [0.2, 0.6, 1.2], 0.0, 1.0)


@pytest.fixture(scope="module")
def jumps():
    values = np.zeros((90, 2))
    values[20:60, 0] = 1.0
    values[60:, 0] = 0.3
    values[::10, 1] = 1.0
    return values


def exactly_solved(excitation, *, time_constant, smoothing):
    """Return activation by an adaptive solver, restarted at every bend of the excitation."""
    states = [excitation[0]]
    for before, after in pairwise(excitation):

        def slope(time, a, before=before, after=after):
            u = before + (after - before) * time / STEP
            f = 0.5 * np.tanh(smoothing * (u - a))
            ease = 0.5 + 1.5 * a
            return ((f + 0.5) / (time_constant * ease) + (0.5 - f) * ease / (4 * time_constant)) * (u - a)

        states.append(solve_ivp(slope, (0.0, STEP), states[-1], method="DOP853", rtol=1e-10, atol=1e-12).y[:, -1])
    return np.array(states)


def dynamics(excitation, *, time_constant=0.015, smoothing=10.0, **options):
    return activation(
        jnp.asarray(excitation),
        step=STEP,
        time_constant=time_constant,
        deactivation_time_constant=4 * time_constant,
        smoothing=smoothing,
        **options,
    )


@pytest.mark.parametrize("smoothing", [0.1, 10.0])
@pytest.mark.parametrize("time_constant", [0.0075, 0.035])
def test_activation_meets_an_adaptive_solver(envelopes, jumps, smoothing, time_constant):
    constants = {"time_constant": time_constant, "smoothing": smoothing}
    for excitation, training in ((envelopes, 4e-4), (jumps, 0.01)):
        exact = exactly_solved(excitation, **constants)
        np.testing.assert_allclose(dynamics(excitation, **constants), exact, atol=4e-4)
        coarse = dynamics(excitation, **constants, stepper=exponential_midpoint, substeps=2)
        np.testing.assert_allclose(coarse, exact, atol=training)


def test_activation_follows_opensim():
    table = pd.read_csv(REFERENCE / "arm26_forward_dgf.csv", comment="#")
    excitation = table[[f"exc_{m}" for m in MUSCLES]].to_numpy()
    found = dynamics(excitation, time_constant=0.010, smoothing=0.1)
    np.testing.assert_allclose(found, table[[f"act_{m}" for m in MUSCLES]], atol=1e-5)


def test_a_steep_switch_is_thelens_dynamics(reference):
    table = pd.read_csv(reference / "oracle" / "arm26_opensim_forward_prescribed_Thelen.csv")
    found = dynamics(table[[f"exc_{m}" for m in MUSCLES]].to_numpy(), time_constant=0.010, smoothing=1000.0)
    np.testing.assert_allclose(found, table[[f"act_{m}" for m in MUSCLES]], atol=5e-4)


@pytest.mark.parametrize("stepper", [runge_kutta, exponential_midpoint])
def test_a_constant_excitation_is_already_reached(stepper):
    steady = np.full((20, 1), 0.37)
    np.testing.assert_allclose(dynamics(steady, stepper=stepper), steady, rtol=1e-12)


def test_activation_stays_within_the_range_of_excitation(jumps):
    found = dynamics(jumps, time_constant=0.0075, stepper=exponential_midpoint, substeps=1)
    assert np.all(found >= 0.0)
    assert np.all(found <= 1.0)


def test_activation_rises_faster_than_it_falls():
    up, down = np.ones((30, 1)), np.zeros((30, 1))
    up[0], down[0] = 0.0, 1.0
    assert np.all(dynamics(up)[1:20] > 1.0 - dynamics(down)[1:20])


@pytest.mark.parametrize(("smoothing", "mode"), [(0.1, jax.jacfwd), (10.0, jax.jacrev)])
def test_gradients_of_activation_meet_finite_differences(envelopes, smoothing, mode):
    @jax.jit
    def total(constants):
        late = delayed(jnp.asarray(envelopes), constants[:3], step=STEP)
        found = activation(
            shaped(late, constants[3]),
            step=STEP,
            time_constant=constants[4],
            deactivation_time_constant=constants[5],
            smoothing=smoothing,
        )
        return jnp.sum(found**2)

    at = jnp.array([0.031, 0.056, 0.123, -0.7, 0.012, 0.05])
    exact, shift = mode(total)(at), 1e-6
    for i in range(len(at)):
        numeric = (total(at.at[i].add(shift)) - total(at.at[i].add(-shift))) / (2 * shift)
        np.testing.assert_allclose(exact[i], numeric, rtol=1e-5)


def test_a_delay_of_whole_samples_shifts_the_signal(envelopes):
    found = delayed(jnp.asarray(envelopes), jnp.array([0.0, 0.05, 0.1]), step=STEP)
    np.testing.assert_allclose(found[:, 0], envelopes[:, 0])
    np.testing.assert_allclose(found[5:, 1], envelopes[:-5, 1])
    np.testing.assert_allclose(found[:10, 2], envelopes[0, 2])


def test_a_delayed_ramp_is_late_by_its_delay():
    time = np.arange(60) * STEP
    found = delayed(jnp.asarray(time[:, None]), jnp.array([0.0373]), step=STEP)
    np.testing.assert_allclose(found[10:, 0], time[10:] - 0.0373, atol=1e-12)


def test_a_delay_has_a_gradient_at_zero():
    ramp = jnp.arange(9.0)[:, None] * STEP
    slope = jax.jacfwd(lambda delay: delayed(ramp, delay, step=STEP)[5, 0])(jnp.zeros(1))
    np.testing.assert_allclose(slope, -1.0)


def test_shape_is_straight_without_a_shape_factor():
    e = jnp.linspace(0.0, 1.0, 11)
    np.testing.assert_allclose(shaped(e, jnp.asarray(0.0)), e, atol=1e-15)
    for factor in (-1e-9, -0.999e-3, -1.001e-3, -0.5, -2.999):
        closed = np.expm1(factor * np.asarray(e)) / np.expm1(factor)
        np.testing.assert_allclose(shaped(e, jnp.asarray(factor)), closed, atol=2e-8)


def test_the_shape_has_a_gradient_at_zero():
    slope = jax.grad(lambda factor: shaped(jnp.asarray(0.3), factor))
    for factor in (0.0, -1e-12, -1e-3, -3.0):
        assert np.isfinite(slope(jnp.asarray(factor)))
    np.testing.assert_allclose(slope(jnp.asarray(0.0)), 0.5 * 0.3 * (0.3 - 1.0))
