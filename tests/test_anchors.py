"""Where the members of an ensemble expect the deep muscles: together they are the prior."""

import numpy as np
import pytest

from profundus.model.anchors import COMMON_GAIN, anchored_ratio, draw_anchors
from profundus.records import LossSettings

LOSS = LossSettings()
MOTIONS = (1, 2)
STEP = 0.01
SEEN = np.random.default_rng(9).normal(size=(400, 3))  # the samples to fit, in standard deviations


def state(seed=0):
    return np.random.default_rng(seed).normal(size=(2, 150, 3))


def ratios(seed=0, *, members=6, loss=LOSS, motions=MOTIONS, at=None):
    """Return the expected log ratios (member, trial, time, muscle)."""
    anchors = draw_anchors(seed, loss, members=members, muscles=6, states=SEEN)
    at = state() if at is None else at
    return np.stack([anchored_ratio(anchor, at, motions, step=STEP) for anchor in anchors])


@pytest.mark.parametrize("members", [5, 6, 9])
def test_the_members_agree_on_the_mean(members):
    drawn = ratios(members=members)
    assert len(drawn) == members
    np.testing.assert_allclose(drawn.mean(axis=0), 0.0, atol=1e-12)
    assert drawn.std() > 0.1


@pytest.mark.parametrize("members", [5, 8])
def test_the_level_has_exactly_the_declared_spread(members):
    for anchors in (draw_anchors(s, LOSS, members=members, muscles=6, states=SEEN) for s in range(5)):
        level = np.stack([anchor.level for anchor in anchors])
        np.testing.assert_allclose(level.std(axis=0), LOSS.group_amplitude_sd, rtol=1e-9)


@pytest.mark.parametrize("members", [5, 6])
def test_the_pattern_has_exactly_the_declared_spread_over_the_samples_to_fit(members):
    for seed in range(5):
        anchors = draw_anchors(seed, LOSS, members=members, muscles=6, states=SEEN)
        only = [a._replace(level=np.zeros(6), drive_sd=0.0) for a in anchors]
        pattern = np.stack([anchored_ratio(a, SEEN[None], (5,), step=STEP)[0] for a in only])
        np.testing.assert_allclose(pattern.mean(axis=1), 0.0, atol=1e-12)
        np.testing.assert_allclose(pattern.std(axis=(0, 1)), LOSS.group_pattern_sd, rtol=1e-9)


@pytest.mark.parametrize("members", [5, 6])
def test_the_own_drive_has_the_declared_spread(members):
    still = np.zeros((1, 60, 3))
    people = [draw_anchors(s, LOSS, members=members, muscles=6, states=SEEN) for s in range(150)]
    none = {"level": np.zeros(6), "pattern_mean": np.zeros(6)}
    drive = [
        [anchored_ratio(a._replace(pattern_weight=0 * a.pattern_weight, **none), still, (5,), step=0.3) for a in one]
        for one in people
    ]
    assert np.std(drive) == pytest.approx(LOSS.group_drive_sd, rel=0.06)


def test_the_muscles_are_drawn_independently():
    levels = np.concatenate(
        [np.stack([a.level for a in draw_anchors(s, LOSS, members=6, muscles=6, states=SEEN)]) for s in range(200)]
    )
    apart = np.corrcoef(levels.T)[np.triu_indices(6, 1)]
    assert np.abs(apart).max() < 0.12


def test_gains_spread_as_the_prior_and_are_common_in_part():
    gains = np.stack(
        [[a.gain for a in draw_anchors(s, LOSS, members=6, muscles=6, states=SEEN)] for s in range(300)]
    ).reshape(-1, 6)
    np.testing.assert_allclose(gains.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(gains.std(axis=0), 1.0, atol=0.1)
    assert np.corrcoef(gains.T)[np.triu_indices(6, 1)] == pytest.approx(COMMON_GAIN**2, abs=0.1)


def test_a_trial_always_meets_the_same_draw():
    np.testing.assert_array_equal(ratios(), ratios())
    alone = ratios(motions=MOTIONS[1:], at=state()[1:])
    np.testing.assert_array_equal(alone[:, 0], ratios()[:, 1])


def test_another_name_meets_another_draw():
    still = np.zeros((2, 150, 3))
    other = ratios(at=still)
    same = ratios(motions=(7, 7), at=still)
    assert np.abs(other[:, 0] - other[:, 1]).max() > 0.05
    np.testing.assert_array_equal(same[:, 0], same[:, 1])


def test_another_seed_is_another_draw():
    assert np.abs(ratios(0) - ratios(1)).max() > 0.1


def test_a_longer_recording_begins_as_the_shorter_one():
    whole = ratios()
    begun = ratios(at=state()[:, :70])
    np.testing.assert_allclose(begun, whole[:, :, :70], atol=1e-12)


def test_the_own_drive_is_slow():
    drawn = ratios(at=np.zeros((2, 400, 3)))
    rate = np.diff(drawn, axis=2) / STEP
    fastest = 2 * np.pi * 1.0  # rad/s, of its fastest wave
    assert np.abs(rate).max() < fastest * LOSS.group_drive_sd * np.sqrt(2 * 16)
    assert rate.std() < fastest * LOSS.group_drive_sd


def test_without_a_prior_of_the_level_all_members_expect_the_group_itself():
    level = [
        anchor.level
        for anchor in draw_anchors(0, LossSettings(group_amplitude_sd=None), members=5, muscles=6, states=SEEN)
    ]
    np.testing.assert_array_equal(level, np.zeros((5, 6)))


def test_a_person_who_held_still_meets_no_wild_draw_in_motion():
    still = np.zeros((400, 3))
    for anchor in draw_anchors(0, LOSS, members=6, muscles=6, states=still):
        assert np.abs(anchored_ratio(anchor, state(), MOTIONS, step=STEP)).max() < 5.0
