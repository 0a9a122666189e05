"""Where each member of the ensemble expects the deep muscles: draws from the prior of their log ratio to their group."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from profundus.records import LossSettings

Floats = NDArray[np.float64]
PATTERN_WAVES = 24
COMMON_GAIN = 0.8  # how hard the largest effort of a session was is common to all muscles
DRIVE_WAVES = 16
DRIVE_BAND_HZ = (0.05, 1.0)


class Anchor(NamedTuple):
    """One member's draw.

    ``level`` and ``gain`` [prior sd] (muscle,); waves over (angle, velocity, load) and their weights (wave, muscle), with ``pattern_mean``
    (muscle,) their mean over the trials to fit; seed, sign and size of the muscles' own drive.
    """

    level: Floats
    gain: Floats
    pattern_wave: Floats
    pattern_phase: Floats
    pattern_weight: Floats
    pattern_mean: Floats
    drive_seed: int
    drive_sign: float
    drive_sd: float


def draw_anchors(seed: int, loss: LossSettings, *, members: int, muscles: int, states: Floats) -> tuple[Anchor, ...]:
    """Return one draw a member, in pairs of opposite sign, so that their mean is the prior's mean and their spread the prior's spread.

    An odd member out sits at the center. Levels and gains are stratified normal scores, dealt to the muscles in an order of their own;
    patterns have mean zero and the declared sd over ``states`` (sample, state), the samples to fit: so few draws leave nothing to luck.
    Anchored ensembles: Pearce et al. (2020), with the anchors in function space.
    """
    rng = np.random.default_rng(seed)
    pairs = members // 2
    widen = float(np.sqrt(members / (2 * pairs)))
    score = ndtri(0.5 + (np.arange(pairs) + 0.5) / (2 * pairs))
    score = score / np.sqrt(np.mean(score**2))

    def stratified() -> Floats:
        return np.asarray(rng.permutation(score) * rng.choice((-1.0, 1.0), pairs))

    level = np.stack([stratified() for _ in range(muscles)], axis=1) * (loss.group_amplitude_sd or 0.0)
    own = np.stack([stratified() for _ in range(muscles)], axis=1)
    gain = COMMON_GAIN * stratified()[:, None] + np.sqrt(1 - COMMON_GAIN**2) * own
    gain = gain / np.sqrt(np.mean(gain**2, axis=0))
    anchors: list[Anchor] = []
    for pair in range(pairs):
        wave, phase, weight, mean = _pattern(rng, states, muscles, sd=loss.group_pattern_sd)
        drive_seed = int(rng.integers(2**31))
        anchors += [
            Anchor(
                size * level[pair],
                size * gain[pair],
                wave,
                phase,
                size * weight,
                size * mean,
                drive_seed,
                float(np.sign(size)),
                widen * loss.group_drive_sd,
            )
            for size in (widen, -widen)
        ]
    return (*anchors, _center(anchors[0])) if members % 2 else tuple(anchors)


def _pattern(
    rng: np.random.Generator, states: Floats, muscles: int, *, sd: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return random waves over the states, and weights with which they have the given sd over the samples, around the mean returned."""
    wave = rng.normal(size=(states.shape[1], PATTERN_WAVES))
    phase = rng.uniform(0, 2 * np.pi, PATTERN_WAVES)
    weight = rng.normal(size=(PATTERN_WAVES, muscles))
    values = np.cos(states @ wave + phase) @ weight
    expected = np.sqrt(PATTERN_WAVES / 2)  # over states that spread as they should; a limb held still spreads none
    spread = values.std(axis=0)
    weight = weight * sd / np.where(spread > 0.05 * expected, spread, expected)
    return wave, phase, weight, np.asarray((np.cos(states @ wave + phase) @ weight).mean(axis=0))


def _center(like: Anchor) -> Anchor:
    """Return the draw at the prior's center, in the shapes of another."""
    parts = {name: np.zeros_like(getattr(like, name)) for name in Anchor._fields[:6]}
    return like._replace(**parts, drive_seed=0, drive_sign=0.0, drive_sd=0.0)


def motion_seed(angle: Floats) -> int:
    """Return a number that belongs to a motion (time, coordinate) [rad], whatever the trial is called."""
    return zlib.crc32(np.round(np.asarray(angle, dtype="<f8"), 6).tobytes())


def anchored_ratio(anchor: Anchor, state: Floats, motions: Sequence[int], *, step: float) -> Floats:
    """Return the member's expected log ratio (trial, time, muscle).

    ``state`` (trial, time, state) is angle, velocity and load in standard deviations. The muscle's own drive is a sum of slow waves
    whose phases follow from ``motions``, a number a trial (`motion_seed`), so that the same recording always meets the same draw.
    """
    muscles = len(anchor.level)
    pattern = np.cos(state @ anchor.pattern_wave + anchor.pattern_phase) @ anchor.pattern_weight - anchor.pattern_mean
    time = np.arange(state.shape[1], dtype=float) * step
    drive = np.stack([_drive(anchor, motion, time, muscles) for motion in motions])
    return np.asarray(anchor.level + pattern + drive)


def _drive(anchor: Anchor, motion: int, time: Floats, muscles: int) -> Floats:
    rng = np.random.default_rng([anchor.drive_seed, motion])
    frequency = rng.uniform(*DRIVE_BAND_HZ, size=(DRIVE_WAVES, muscles))
    phase = rng.uniform(0, 2 * np.pi, size=(DRIVE_WAVES, muscles))
    waves = np.cos(2 * np.pi * frequency[None] * time[:, None, None] + phase[None])
    return np.asarray(anchor.drive_sign * anchor.drive_sd * np.sqrt(2 / DRIVE_WAVES) * waves.sum(axis=1))
