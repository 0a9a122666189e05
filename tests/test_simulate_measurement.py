"""What a virtual laboratory measures: noise as large, as slow and as related to load as it is meant to be."""

import numpy as np
import pytest
from scipy.signal import welch

from profundus.records import PopulationSettings
from profundus.simulate import measurement
from profundus.simulate.chance import stream

SETTINGS = PopulationSettings(emg_noise_sd=(0.1, 0.1))
RATE, EMG_RATE = 100.0, 2000.0
QUIET = {"baseline": np.full(2, 1e-4), "hum": np.full(2, 1e-4)}


def electrodes(settings=SETTINGS, count=2):
    return measurement.drawn_electrodes(count, settings, stream(0, 0, "electrodes"))


def fast(excitation, used, seed=0):
    return measurement.drawn_envelopes(excitation, used, stream(seed, 0, "fast"), rate_hz=RATE)


def full(excitation, used, seed=0):
    raw = measurement.drawn_raw_emg(excitation, used, stream(seed, 0, "raw"), rate_hz=RATE, emg_rate_hz=EMG_RATE)
    return measurement.envelopes_of(raw, used, rate_hz=RATE, emg_rate_hz=EMG_RATE)


@pytest.mark.parametrize("envelopes", [fast, full])
def test_envelopes_of_a_held_excitation_have_the_noise_that_was_asked_for(envelopes):
    used = electrodes()._replace(**QUIET)
    found = envelopes(np.full((6, 3000, 2), 0.3), used)[:, 50:-50] * used.mvc
    assert found.mean() == pytest.approx(0.3, rel=0.01)
    np.testing.assert_allclose(found.std(axis=(0, 1)) / 0.3, used.noise_sd, rtol=0.07)


def test_drawn_envelopes_have_the_spectrum_of_those_of_raw_emg():
    used = electrodes()._replace(**QUIET)
    held = np.full((8, 3000, 2), 0.3)
    frequency, quick = welch(fast(held, used) * used.mvc, RATE, nperseg=500, axis=1)
    _, slow = welch(full(held, used) * used.mvc, RATE, nperseg=500, axis=1)
    quick, slow = quick.mean(axis=(0, 2)), slow.mean(axis=(0, 2))
    for low, high in ((0.5, 2.0), (2.0, 4.0), (4.0, 7.0), (7.0, 10.0)):
        band = (frequency >= low) & (frequency < high)
        assert quick[band].sum() == pytest.approx(slow[band].sum(), rel=0.15)


def test_the_noise_of_an_envelope_grows_with_it():
    used = electrodes()._replace(**QUIET)
    for envelopes in (fast, full):
        weak, strong = (envelopes(np.full((3, 2000, 2), level), used)[:, 50:-50].std() for level in (0.1, 0.4))
        assert strong / weak == pytest.approx(4.0, rel=0.15)


def test_a_resting_muscle_shows_baseline_and_hum_alike_in_both():
    used = electrodes()
    quick, slow = (envelopes(np.zeros((2, 1500, 2)), used)[:, 50:-50].mean(axis=(0, 1)) for envelopes in (fast, full))
    assert (quick > 0.002).all()
    np.testing.assert_allclose(quick, slow, rtol=0.2)


@pytest.mark.parametrize("envelopes", [fast, full])
def test_crosstalk_lets_an_electrode_hear_its_neighbor(envelopes):
    loud = np.tile([0.5, 0.0], (2, 1500, 1))
    deaf, open_eared = (
        electrodes(PopulationSettings(emg_noise_sd=(0.1, 0.1), crosstalk=share))._replace(**QUIET)
        for share in (0.0, 0.2)
    )
    assert envelopes(loud, deaf)[..., 1].mean() < 0.01
    heard = envelopes(loud, open_eared)[:, 50:-50, 1].mean() * open_eared.mvc[1]
    assert heard == pytest.approx(0.2 * 0.5, rel=0.03)


def test_envelopes_are_divided_by_what_the_maximal_contraction_reached():
    reached = [electrodes(count=6).mvc, electrodes(PopulationSettings(mvc_error=0.2), count=6).mvc]
    assert ((reached[0] >= 0.9) & (reached[0] <= 1.0)).all()
    assert np.ptp(reached[1]) > np.ptp(reached[0])
    assert ((reached[1] >= 0.72) & (reached[1] <= 1.2)).all()


def test_the_error_of_the_moment_is_that_of_the_load():
    load = np.array([[0.0], [2.0], [4.0]]).repeat(60, axis=0)
    error = measurement.moment_error((180, 800), load, SETTINGS, stream(0, 0, "moment"), step=0.01)
    for n, expected in enumerate((0.1, 0.46, 0.82)):
        assert error[60 * n : 60 * (n + 1)].std() == pytest.approx(expected, rel=0.1)


def test_angles_are_wrong_by_what_passes_the_low_pass():
    still = np.zeros((50, 1000))
    noisy = measurement.measured_angle(still, np.deg2rad(0.2), stream(0, 0, "angle"), rate_hz=RATE)
    expected = 0.2 * np.sqrt(measurement.ENVELOPE_BAND_HZ / (0.5 * RATE))
    assert np.rad2deg(noisy.std()) == pytest.approx(expected, rel=0.05)


def test_rates_are_those_of_recorded_trials():
    from profundus.signal.derivatives import derivative

    angle = np.cumsum(stream(0, 0, "walk").normal(size=(1, 300)), axis=1)
    velocity, acceleration = measurement.rates(angle, rate_hz=RATE)
    np.testing.assert_allclose(velocity.T, derivative(angle.T, rate_hz=RATE, order=1), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(acceleration.T, derivative(angle.T, rate_hz=RATE, order=2), rtol=1e-9, atol=1e-7)
