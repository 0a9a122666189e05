"""What a laboratory makes of a virtual person: noisy envelopes or raw EMG, noisy angles, moments with their errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, savgol_filter, sosfiltfilt, sosfreqz

from profundus.records import PopulationSettings
from profundus.simulate.chance import between, slow_noise

Floats = NDArray[np.float64]
LOW_PASS_HZ = 6.0
BAND_HZ = (20.0, 450.0)
SIDE = float(np.sqrt(np.pi / 2.0))  # of a Gaussian: standard deviation over mean absolute value
ENVELOPE_BAND_HZ = (
    LOW_PASS_HZ * 3.0 * np.pi / (8.0 * np.sqrt(2.0))
)  # noise passes butter(2), forward and backward, as through a box
BASELINE, HUM = (0.003, 0.012), (0.002, 0.008)  # of the signal at full excitation, root mean square in the band
GAIN = (2e-4, 8e-4)  # V root mean square at full excitation
MAINS_HZ = 50.0
DIFFERENTIATED_S = 0.11


class Electrodes(NamedTuple):
    """One person's electrodes: each (muscle,) but ``mixing`` (channel, muscle), what share of whose raw signal a channel picks up."""

    mixing: Floats
    noise_sd: Floats
    gain: Floats
    baseline: Floats
    hum: Floats
    mvc: Floats


def drawn_electrodes(count: int, settings: PopulationSettings, chance: np.random.Generator) -> Electrodes:
    """Return a person's electrodes. ``mvc`` is what his maximal contractions are taken for over his true maximum."""
    person_sd = between(chance, settings.emg_noise_sd)
    mixing = np.eye(count) + settings.crosstalk * (np.eye(count, k=1) + np.eye(count, k=-1))
    noise_sd = np.clip(person_sd * np.exp(0.05 * chance.normal(size=count)), *settings.emg_noise_sd)
    gain, baseline, hum, reached = (
        chance.uniform(*ends, count) for ends in (GAIN, BASELINE, HUM, settings.mvc_reached)
    )
    return Electrodes(
        mixing, noise_sd, gain, baseline, hum, reached * (1.0 + settings.mvc_error * chance.uniform(-1.0, 1.0, count))
    )


def smooth(values: Floats, *, rate_hz: float, padding: str = "odd") -> Floats:
    """Return (trial, time, ...) through the laboratory's low-pass: 2 poles at 6 Hz, forward and backward."""
    sections = butter(2, LOW_PASS_HZ, fs=rate_hz, output="sos")
    return np.asarray(sosfiltfilt(sections, values, axis=1, padtype=padding, padlen=round(rate_hz / LOW_PASS_HZ)))


def drawn_envelopes(
    excitation: Floats, electrodes: Electrodes, chance: np.random.Generator, *, rate_hz: float
) -> Floats:
    """Return envelopes (trial, time, muscle), fractions of the MVC, with the noise that rectified raw EMG would have left in them.

    That noise is multiplicative and, before the low-pass, white: it is drawn at the rate of the envelope and passes the same low-pass.
    """
    power = excitation**2 @ (electrodes.mixing**2).T + electrodes.baseline**2 + electrodes.hum**2
    white = electrodes.noise_sd * np.sqrt(0.5 * rate_hz / ENVELOPE_BAND_HZ)
    rectified = np.sqrt(power) * (1.0 + white * chance.normal(size=excitation.shape))
    return np.maximum(smooth(rectified, rate_hz=rate_hz, padding="even"), 0.0) / electrodes.mvc


def drawn_raw_emg(
    excitation: Floats, electrodes: Electrodes, chance: np.random.Generator, *, rate_hz: float, emg_rate_hz: float
) -> Floats:
    """Return raw EMG (trial, sample, muscle) [V]: noise of 20 to at most 450 Hz that the excitation scales, baseline noise, mains hum.

    The width of the band is what gives the envelope its noise: the narrower, the more of it.
    """
    factor = round(emg_rate_hz / rate_hz)
    trials, length, count = excitation.shape
    fine = np.arange((length - 1) * factor + 1) / factor
    whole = np.minimum(fine.astype(int), length - 2)
    share = (fine - whole)[:, None]
    scale = (1.0 - share) * excitation[:, whole] + share * excitation[:, whole + 1]
    raw = np.empty(scale.shape)
    for muscle in range(count):
        low, high = carrier_hz(electrodes.noise_sd[muscle])
        raw[..., muscle] = slow_noise(chance, scale.shape[:2], step=1.0 / emg_rate_hz, low_hz=low, high_hz=high)
    phase = chance.uniform(0.0, 2.0 * np.pi, (trials, 1, count))
    hum = np.sqrt(2.0) * electrodes.hum * np.sin(2.0 * np.pi * MAINS_HZ * fine[:, None] / rate_hz + phase)
    whole_band = np.sqrt(
        0.5 * emg_rate_hz / (BAND_HZ[1] - BAND_HZ[0])
    )  # of white noise, only what lies in the band is baseline
    noise = electrodes.baseline * whole_band * chance.normal(size=raw.shape)
    return np.asarray(electrodes.gain * ((scale * raw) @ electrodes.mixing.T + noise + hum))


def carrier_hz(noise_sd: float) -> tuple[float, float]:
    """Return the band [Hz] of flat Gaussian noise whose rectified and low-passed envelope has a coefficient of variation, at most 450 Hz.

    The autocovariance of |x| is (r^2 + r^4 / 12 + r^6 / 40 + ...) / pi of x's power (r its autocorrelation), its mean the root of 2 / pi:
    the terms beyond the square add 5.5 %.
    """
    return BAND_HZ[0], min(BAND_HZ[0] + 1.055 * 0.5 * ENVELOPE_BAND_HZ / max(noise_sd, 1e-3) ** 2, BAND_HZ[1])


def envelopes_of(raw: Floats, electrodes: Electrodes, *, rate_hz: float, emg_rate_hz: float) -> Floats:
    """Return the envelopes (trial, time, muscle) of raw EMG as the laboratory makes them: band-pass, rectify, low-pass, over the MVC."""
    sections = butter(2, BAND_HZ, btype="bandpass", fs=emg_rate_hz, output="sos")
    passed = np.abs(sosfiltfilt(sections, raw, axis=1))
    envelopes = smooth(passed, rate_hz=emg_rate_hz, padding="even")[:, :: round(emg_rate_hz / rate_hz)]
    share = np.array([_passing(sections, carrier_hz(sd), emg_rate_hz) for sd in electrodes.noise_sd])
    return np.asarray(np.maximum(envelopes, 0.0) * SIDE / (electrodes.gain * share * electrodes.mvc))


def _passing(sections: Floats, band_hz: tuple[float, float], rate_hz: float) -> float:
    """Return the share of the amplitude of flat noise that a filter lets pass, forward and backward: of maximal contractions, too."""
    _, response = sosfreqz(sections, worN=np.linspace(*band_hz, 200), fs=rate_hz)
    return float(np.sqrt(np.mean(np.abs(response) ** 4)))


def measured_angle(angle: Floats, noise: float, chance: np.random.Generator, *, rate_hz: float) -> Floats:
    """Return angles (trial, time) [rad] with white noise of a standard deviation, low-passed like the laboratory's markers."""
    return smooth(angle + noise * chance.normal(size=angle.shape), rate_hz=rate_hz)


def rates(angle: Floats, *, rate_hz: float) -> tuple[Floats, Floats]:
    """Return velocity and acceleration (trial, time) [rad/s, rad/s2] from cubics over 0.11 s, as for recorded trials."""
    rows = max(5, 2 * round((DIFFERENTIATED_S * rate_hz - 1.0) / 2.0) + 1)
    velocity, acceleration = (
        np.asarray(savgol_filter(angle, rows, 3, deriv=order, delta=1.0 / rate_hz, axis=1)) for order in (1, 2)
    )
    return velocity, acceleration


def moment_error(
    shape: tuple[int, int], load_kg: Floats, settings: PopulationSettings, chance: np.random.Generator, *, step: float
) -> Floats:
    """Return errors (trial, time) [N.m] of inverse dynamics: half of the power slow (below 0.5 Hz), half fast (1 to 6 Hz).

    ``load_kg`` is (trial, 1).
    """
    size = settings.moment_noise + settings.moment_noise_per_kg * load_kg
    slow = slow_noise(chance, shape, step=step, low_hz=0.0, high_hz=0.5)
    fast = slow_noise(chance, shape, step=step, low_hz=1.0, high_hz=6.0)
    return np.asarray(size * (slow + fast) / np.sqrt(2.0))
