"""Zero-lag filters: known gains, no delay, nothing leaks through a gap."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profundus.errors import InputError
from profundus.signal.filters import band_pass, filtered, low_pass, notch, stretches

RATE = 2000.0


def sine(hz, seconds=20.0, rate=RATE):
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def amplitude_and_delay(hz, values, rate=RATE):
    """Return amplitude and delay [s] of a sine in the middle half of a signal, by projection."""
    middle = slice(len(values) // 4, 3 * len(values) // 4)
    phase = 2 * np.pi * hz * np.arange(len(values))[middle] / rate
    basis = np.column_stack([np.sin(phase), np.cos(phase)])
    s, c = np.linalg.lstsq(basis, values[middle], rcond=None)[0]
    return np.hypot(s, c), -np.arctan2(c, s) / (2 * np.pi * hz)


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("cutoff", [2.0, 6.0, 30.0])
def test_effective_cut_off_is_the_closed_form_of_two_passes(order, cutoff):
    # |H|^2 of one bilinear Butterworth pass is 1 / (1 + (w / wc)^(2 order)) with w = tan(pi f / rate);
    # two passes are down 3 dB where that is the root of 1/2
    warped = np.tan(np.pi * cutoff / RATE) * (np.sqrt(2) - 1) ** (1 / (2 * order))
    expected = np.arctan(warped) * RATE / np.pi
    assert low_pass(cutoff, rate_hz=RATE, what="x", order=order).effective_hz == pytest.approx((expected,), rel=1e-6)


def test_second_order_at_6_hz_is_down_3_db_at_4_81_hz():
    assert low_pass(6.0, rate_hz=RATE, what="x").effective_hz[0] == pytest.approx(4.81, abs=0.005)


@pytest.mark.parametrize("hz", [2.0, 4.8135, 6.0])
def test_sine_keeps_its_time_and_loses_what_the_gain_says(hz):
    smooth = low_pass(6.0, rate_hz=RATE, what="x")
    amplitude, delay = amplitude_and_delay(hz, smooth(sine(hz)))
    warp = np.tan(np.pi * hz / RATE) / np.tan(np.pi * 6.0 / RATE)
    assert amplitude == pytest.approx(1 / (1 + warp**4), rel=1e-4)
    assert delay == pytest.approx(0.0, abs=1e-6)
    assert smooth.gain(hz) == pytest.approx(amplitude, rel=1e-4)


def test_band_pass_is_down_3_db_at_both_effective_edges_and_takes_the_mean_away():
    through = band_pass((20.0, 450.0), rate_hz=RATE, what="x")
    low, high = through.effective_hz
    assert 20 < low < 40
    assert 300 < high < 450
    for hz in (low, high):
        assert amplitude_and_delay(hz, through(sine(hz)))[0] == pytest.approx(np.sqrt(0.5), rel=1e-3)
    assert np.abs(through(np.full(4000, 3.0))).max() < 1e-9


def test_notch_takes_the_hum_and_leaves_its_neighborhood():
    stop = notch(50.0, rate_hz=RATE, what="x")
    assert amplitude_and_delay(50.0, stop(sine(50.0)))[0] < 1e-3
    assert amplitude_and_delay(45.0, stop(sine(45.0)))[0] == pytest.approx(1.0, abs=0.03)
    low, high = stop.effective_hz
    assert low < 50 < high
    assert stop.gain(low) == pytest.approx(np.sqrt(0.5), rel=1e-6)
    assert stop.gain(high) == pytest.approx(np.sqrt(0.5), rel=1e-6)


def test_envelope_that_does_not_change_is_left_alone_up_to_its_ends():
    smooth = low_pass(6.0, rate_hz=RATE, what="x", extension="even")
    np.testing.assert_allclose(smooth(np.full((3000, 2), 0.4)), 0.4, rtol=1e-9)


@pytest.mark.parametrize("rate", [500.0, 800.0, 900.0])
def test_band_pass_above_nyquist_is_refused_with_the_rate(rate):
    with pytest.raises(InputError, match=f"{rate / 2:g} Hz") as refusal:
        band_pass((20.0, 450.0), rate_hz=rate, what="curl: EMG")
    assert "450 Hz" in str(refusal.value)
    assert "curl: EMG" in str(refusal.value)


def test_band_pass_with_swapped_edges_is_refused():
    with pytest.raises(InputError, match="from 450 to 20 Hz"):
        band_pass((450.0, 20.0), rate_hz=RATE, what="x")


@given(st.lists(st.booleans(), max_size=40))
def test_stretches_are_the_runs_of_what_is_present(present):
    found = list(stretches(np.array(present, dtype=bool)))
    inside = {row for part in found for row in range(part.start, part.stop)}
    assert inside == {row for row, there in enumerate(present) if there}
    assert all(a.stop < b.start for a, b in pairwise(found))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(300, 600), st.integers(1, 50))
def test_what_lies_beyond_a_gap_does_not_leak_through_it(seed, start, length):
    values = np.random.default_rng(seed).standard_normal((1000, 1))
    values[start : start + length] = np.nan
    other = values.copy()
    other[start + length :] += 100.0
    smooth = low_pass(6.0, rate_hz=100.0, what="x")
    one, two = filtered(values, smooth), filtered(other, smooth)
    np.testing.assert_array_equal(one[:start], two[:start])
    np.testing.assert_array_equal(np.isfinite(one), np.isfinite(values))
    np.testing.assert_allclose(one[:start, 0], smooth(values[:start, 0]))


def test_stretch_that_is_too_short_is_given_up():
    values = np.ones((100, 1))
    values[5] = np.nan
    assert np.isnan(filtered(values, lambda v: v, shortest=10)[:6]).all()
    assert np.isfinite(filtered(values, lambda v: v, shortest=10)[6:]).all()
