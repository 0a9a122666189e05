"""Virtual people of a limb with several joints: they do what was recorded, and what is measured of them follows from what is true."""

from dataclasses import replace

import numpy as np
import pytest

from profundus.errors import InputError
from profundus.io.anatomy import read_anatomy
from profundus.model.clocks import BRISK, true_windows
from profundus.model.clues import same_group
from profundus.model.limb_clues import limb_clues_of
from profundus.model.limb_windows import LimbWindows, limb_windows_of
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.records import LIMB_FAMILIES, GivenMotion
from profundus.simulate.limb_control import HABITS, Asked, controlled
from profundus.simulate.limbs import simulate_limbs

COORDINATES = ("r_shoulder_elev", "r_elbow_flex")
ANATOMY = read_anatomy("arm26")
MODEL = MusculoskeletalModel(ANATOMY, coordinates=COORDINATES)


def reaching(*, seconds=12.0, rate_hz=80.0, known=(True, True)):
    """Return a motion of shoulder and elbow, with the moments of a pendulum of two segments, roughly."""
    time = np.arange(0.0, seconds, 1.0 / rate_hz)
    angle = np.stack([0.4 + 0.3 * np.sin(2.0 * time), 1.2 + 0.5 * np.sin(3.1 * time + 1.0)], axis=1)
    moment = np.stack([6.0 * np.sin(angle[:, 0]), 3.0 * np.sin(angle.sum(axis=1))], axis=1)
    return GivenMotion("reaching", angle, np.where(known, moment, np.nan))


def people(count=2, *, motions=None, first=0, families=("effort", "common_drive")):
    made = simulate_limbs(
        ANATOMY, MODEL.geometry, motions or [reaching()], COORDINATES, families=families, seed=4, count=count,
        first=first, stretches=2,
    )  # fmt: skip
    return list(made)


@pytest.fixture(scope="module")
def two():
    return people()


def test_a_person_is_the_same_whoever_is_made_before_him(two):
    again = people(1, first=1)[0]
    for one, other in zip(two[1].trials, again.trials, strict=True):
        np.testing.assert_array_equal(one.emg, other.emg)
        np.testing.assert_array_equal(one.moment, other.moment)


def test_measured_moments_are_near_those_that_were_asked_for(two):
    asked = np.quantile(np.abs(reaching().moment), 0.95, axis=0)
    for person in two:
        made = np.concatenate([trial.moment for trial in person.trials])
        found = np.quantile(np.abs(made), 0.95, axis=0)
        assert (found > 0.3 * asked).all()  # passive forces come on top, and muscles are this person's own
        assert (found < 8.0 * asked).all()


def test_excitations_are_fractions_and_differ_between_people(two):
    for person in two:
        truth = np.concatenate([trial.truth for trial in person.trials])
        assert truth.min() > 0.0
        assert truth.max() <= 1.0
    assert not np.allclose(two[0].trials[0].truth, two[1].trials[0].truth, atol=0.01)


def test_a_joint_whose_moment_nobody_knows_only_moves():
    person = people(1, motions=[reaching(known=(False, True))])[0]
    for trial in person.trials:
        assert not trial.moment_valid[:, 0].any()
        assert trial.moment_valid[:, 1].all()


def test_motions_shorter_than_a_stretch_are_refused():
    with pytest.raises(InputError, match="the longest motion to teach with lasts 2"):
        people(1, motions=[reaching(seconds=2.0)])


def test_every_family_of_a_recipe_has_its_habits():
    assert tuple(HABITS) == LIMB_FAMILIES


def test_common_drive_makes_synergists_alike():
    chance = np.random.default_rng(1)
    samples, step = 400, 0.0125
    capacity = chance.normal(size=(samples, 2, 6)) + np.array([8.0, 8.0, 8.0, -8.0, -8.0, -8.0])
    time = np.arange(samples) * step
    moment = np.stack([4.0 * np.sin(5.0 * time), 3.0 * np.cos(3.0 * time)], axis=1)
    asked = Asked(
        capacity, moment, np.stack([np.sin(time), np.cos(time)], axis=1), np.ones(6), ("a",) * 3 + ("b",) * 3, 200
    )

    def alike(family):
        found = [controlled(asked, family, np.random.default_rng(n), step=step) for n in range(8)]
        return np.mean([np.corrcoef(np.log(one[:, 0]), np.log(one[:, 1]))[0, 1] for one in found])

    assert alike("common_drive") > alike("effort") + 0.1


def test_windows_show_least_effort_that_makes_the_moments(two):
    windows = limb_windows_of(two[0].trials, MODEL)
    assert windows.effort.shape == (2, BRISK.samples, 2, 6)
    assert (windows.effort[windows.valid] > 0).all()
    assert windows.motion.shape[-1] == 6
    assert true_windows(two[0].trials, BRISK).shape == windows.fast.shape


def test_clues_do_not_change_with_the_gain_of_an_electrode(two):
    windows = limb_windows_of(two[0].trials, MODEL, scale_sd=1.0)
    seen = np.broadcast_to(np.array([True, True, False, True, True, False]), (2, 6))
    louder = windows._replace(fast=windows.fast + np.log(3.0), slow=windows.slow + np.log(3.0))
    one, other = (limb_clues_of(w, seen, same_group(ANATOMY.groups)) for w in (windows, louder))
    np.testing.assert_allclose(one.each, other.each, atol=2e-4)
    np.testing.assert_allclose(np.asarray(other.reference - one.reference), np.log(3.0), atol=1e-4)


def test_silent_windows_hide_moments_and_what_follows_from_them(two):
    windows: LimbWindows = limb_windows_of(two[0].trials, MODEL)
    silent = windows.silent()
    assert not silent.moment.any()
    assert not silent.effort.any()
    np.testing.assert_array_equal(silent.fast, windows.fast)


def test_trials_without_any_moment_show_no_effort(two):
    unknown = [replace(t, moment_valid=np.zeros_like(t.moment_valid)) for t in two[0].trials]
    windows = limb_windows_of(unknown, MODEL)
    assert not windows.effort.any()
    assert not windows.moment.any()
