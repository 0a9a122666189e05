"""Clocks: uniform or refused, resampled without inventing anything; derivatives of known motion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profundus.errors import InputError
from profundus.records import Table
from profundus.signal.clocks import anti_alias, grid, resampled, sampled, uniform
from profundus.signal.derivatives import derivative, effective_hz


def table(time, values=None):
    time = np.asarray(time, dtype=float)
    return Table(("a",), time, np.sin(time)[:, None] if values is None else np.asarray(values, dtype=float))


def test_uniform_clock_is_left_alone():
    given_table = table(np.arange(100) / 50)
    same, rate, problems = uniform(given_table, what="x")
    assert same is given_table
    assert rate == pytest.approx(50.0)
    assert problems == ()


def test_rows_that_were_dropped_become_gaps_and_are_reported():
    time = np.delete(np.arange(200) / 100, slice(50, 60))
    filled, rate, problems = uniform(table(time), what="curl")
    assert rate == pytest.approx(100.0)
    assert len(filled.time) == 200
    assert np.flatnonzero(np.isnan(filled["a"])).tolist() == list(range(50, 60))
    assert problems[0].severity == "warning"
    assert "curl: 10 rows are missing" in problems[0].what


def test_jitter_of_the_stamps_is_noted_and_the_mean_clock_taken():
    time = np.arange(500) / 100 + np.random.default_rng(1).uniform(-0.001, 0.001, 500)
    taken, rate, problems = uniform(table(time), what="x")
    assert rate == pytest.approx(100.0, rel=1e-4)
    assert np.ptp(np.diff(taken.time)) < 1e-9
    assert problems[0].severity == "note"


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ([0, 0.01, 0.01, 0.02, 0.03], "does not increase at 0.01 s"),
        ([0, 0.02, 0.01, 0.03, 0.04], "does not increase"),
        ([0, 0.01], "2 rows"),
        (np.cumsum(np.linspace(0.005, 0.02, 300)), "stray from a uniform clock"),
    ],
)
def test_time_that_is_no_clock_is_refused(time, said):
    with pytest.raises(InputError, match=said):
        uniform(table(time), what="x")


@given(st.floats(-5, 5), st.floats(0.1, 10), st.sampled_from([50.0, 100.0, 128.0, 1000.0]))
def test_grid_holds_all_multiples_of_the_step_inside_and_none_outside(start, length, rate):
    time = grid(start, start + length, rate)
    np.testing.assert_allclose(time * rate, np.rint(time * rate), atol=1e-6)
    assert time[0] >= start - 1e-5 / rate
    assert time[-1] <= start + length + 1e-5 / rate
    assert time[0] - start < 1 / rate
    assert start + length - time[-1] < 1 / rate


def test_nothing_is_extrapolated_and_gaps_stay_gaps():
    time = np.arange(101) / 100
    values = np.column_stack([np.sin(time), np.cos(time)])
    values[40:45, 1] = np.nan
    at = np.linspace(-0.1, 1.1, 500)
    out = sampled(time, values, at, how="cubic")
    outside = (at < 0) | (at > 1)
    assert np.isnan(out[outside]).all()
    np.testing.assert_allclose(out[~outside, 0], np.sin(at[~outside]), atol=1e-8)
    hole = (at > 0.39) & (at < 0.45)
    np.testing.assert_array_equal(np.isnan(out[:, 1]), outside | hole)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=4, max_size=30))
def test_envelopes_never_overshoot_between_samples(values):
    time = np.arange(len(values), dtype=float)
    out = sampled(time, np.array(values)[:, None], np.linspace(0, len(values) - 1, 200), how="pchip")
    assert out.min() >= min(values) - 1e-12
    assert out.max() <= max(values) + 1e-12


def test_going_down_in_rate_keeps_the_motion_and_loses_what_would_fold():
    time = np.arange(8000) / 1000
    slow, fast = np.sin(2 * np.pi * 2 * time), np.sin(2 * np.pi * 97 * time)  # 97 Hz would fold to 3 Hz
    at = grid(1.0, 7.0, 100.0)
    guard = anti_alias(1000.0, 100.0, already_hz=None, what="x")
    kept = resampled(table(time, slow[:, None]), at, guard=guard, how="cubic")[:, 0]
    lost = resampled(table(time, fast[:, None]), at, guard=guard, how="cubic")[:, 0]
    np.testing.assert_allclose(kept, np.sin(2 * np.pi * 2 * at), atol=1e-4)
    assert np.abs(lost).max() < 0.002
    assert anti_alias(1000.0, 100.0, already_hz=6.0, what="x") is None
    assert anti_alias(100.0, 100.0, already_hz=None, what="x") is None


@pytest.mark.parametrize("rate", [60.0, 100.0, 200.0])
def test_derivatives_of_a_curl_are_those_of_its_sine(rate):
    time = np.arange(round(6 * rate)) / rate
    w = 2 * np.pi * 0.5
    angle = np.column_stack([1 + np.sin(w * time), np.cos(w * time)])
    np.testing.assert_allclose(derivative(angle, rate_hz=rate, order=1)[:, 0], w * np.cos(w * time), atol=0.003 * w)
    inside = slice(10, -10)  # at the ends a second derivative of a cubic fit is first-order only
    second = derivative(angle, rate_hz=rate, order=2)[inside, 0]
    np.testing.assert_allclose(second, -(w**2) * np.sin(w * time[inside]), atol=0.02 * w**2)


def test_derivatives_of_a_cubic_are_exact_up_to_the_ends():
    time = np.arange(50) / 100
    angle = (1 - 2 * time + 3 * time**2 - time**3)[:, None]
    np.testing.assert_allclose(derivative(angle, rate_hz=100.0, order=1)[:, 0], -2 + 6 * time - 3 * time**2, atol=1e-9)
    np.testing.assert_allclose(derivative(angle, rate_hz=100.0, order=2)[:, 0], 6 - 6 * time, atol=1e-8)


def test_velocity_of_a_sine_at_the_effective_frequency_is_down_3_db():
    hz = effective_hz(100.0, 1000)
    assert 10 < hz < 13
    velocity = derivative(np.sin(2 * np.pi * hz * np.arange(1000) / 100)[:, None], rate_hz=100.0, order=1)
    assert np.abs(velocity[50:-50]).max() == pytest.approx(2 * np.pi * hz * np.sqrt(0.5), rel=1e-3)
