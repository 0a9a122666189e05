"""Small made-up trials and answers that several tests share."""

from dataclasses import replace

import numpy as np

from profundus.records import Reconstruction, Trial, TrialReconstruction

MUSCLES = ("TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA")
DEEP = ("TRImed", "BRA")
STEP = 0.01


def trial(name="curl_1", *, samples=400, role="test", load_kg=2.0, start=0.0, seed=0, subject="sub-01") -> Trial:
    chance = np.random.default_rng(seed)
    time = start + STEP * np.arange(samples)
    angle = (1.1 + 0.8 * np.sin(2 * np.pi * 0.4 * (time - start)))[:, None]
    truth = 0.2 + 0.15 * np.sin(
        2 * np.pi * np.outer(time - start, [0.5, 0.5, 0.6, 0.7, 0.7, 0.8]) + chance.uniform(0, 6, 6)
    )
    emg_valid = np.tile(~np.isin(MUSCLES, DEEP), (samples, 1))
    emg = np.where(emg_valid, truth * chance.lognormal(0.0, 0.1, truth.shape), np.nan)
    velocity = np.gradient(angle, STEP, axis=0)
    moment = 5.0 * np.sin(angle) + 1.0
    return Trial(
        subject,
        name,
        role,
        MUSCLES,
        ("r_elbow_flex",),
        time,
        angle,
        velocity,
        np.gradient(velocity, STEP, axis=0),
        emg,
        emg_valid,
        moment,
        np.ones(moment.shape, bool),
        truth,
        load_kg,
    )


def answer(given: Trial, *, seed=1, draws=5) -> TrialReconstruction:
    chance = np.random.default_rng(seed)
    many = np.clip(given.truth + chance.normal(0.0, 0.03, (draws, *given.truth.shape)), 0.0, 1.0)
    mean = many.mean(axis=0)
    return TrialReconstruction(
        given,
        mean,
        mean - 0.05,
        mean + 0.05,
        many.astype(np.float32),
        given.moment + 0.1,
        0.9 * mean,
        500.0 * mean,
        0.1 + 0.0 * mean,
    )


def reconstruction(*, method="nmm") -> Reconstruction:
    """Return an answer of three trials of different lengths; the last is known by its excitations alone."""
    trials = (
        trial("curl_1", role="fit"),
        trial("curl_2", samples=523, start=1.37, seed=2),
        trial("curl_3", samples=300, load_kg=np.nan, seed=3),
    )
    full = [answer(one, seed=i) for i, one in enumerate(trials)]
    bare = replace(full[2], draws=None, moment=None, activation=None, tendon_force=None, fiber_length=None)
    return Reconstruction(method, "sub-01", (full[0], full[1], bare))
