"""Liberties of virtual people: who takes them still does the work, and the rest of him is who he was."""

from dataclasses import replace

import numpy as np
import pytest

from profundus.io.anatomy import read_anatomy
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.pretrain.teachers import laboratory
from profundus.records import PopulationSettings, Recipe, TeachersSettings
from profundus.simulate import simulate_people
from profundus.simulate.demand import Demand, Shares
from profundus.simulate.liberties import LIBERTIES, liberated

STEP, LEVEL, PEOPLE = 0.02, 0.04, range(40)
SIGN = np.array([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0])
TIME = np.arange(0.0, 8.0, STEP)
WORKS = {1.0: "positive", -1.0: "negative"}
ALONE = pytest.mark.parametrize("name", LIBERTIES)


def demand(trials=3):
    """Curls at half a hertz, one trial heavier than the other."""
    phase = np.pi * TIME[None, :, None] * np.ones((trials, 1, 1))
    heavy = np.linspace(0.05, 0.5, trials)[:, None, None]
    return Demand(
        flexion=0.5 - 0.4 * np.cos(phase),
        speed=np.abs(2.0 * np.sin(phase)),
        effort=heavy * (0.6 - 0.8 * np.cos(phase)),
        leverage=np.full((trials, len(TIME), 6), 10.0),
        load_kg=np.linspace(0.0, 4.0, trials)[:, None, None],
        sign=SIGN,
        single=np.array([False, True, True, False, False, True]),
    )


def usual():
    """Equal shares above an even tone."""
    shape = (3, len(TIME), 6)
    return Shares(
        np.full(shape, 0.03), *(np.broadcast_to(np.where(sign == SIGN, 0.8, 0.0), shape) for sign in (1.0, -1.0))
    )


def taken(name, person=0):
    return LIBERTIES[name](np.random.default_rng(person), demand(), level=LEVEL, step=STEP)


def test_the_side_that_works_keeps_its_size_and_the_other_stays_out_of_it():
    for person in PEOPLE:
        shares, own, names = liberated(np.random.default_rng(person), demand(), usual(), level=LEVEL, step=STEP)
        for sign, side in WORKS.items():
            working, before = getattr(shares, side), getattr(usual(), side)
            assert not working[..., sign != SIGN].any()
            np.testing.assert_allclose(np.sum(working**4, axis=-1), np.sum(before**4, axis=-1), rtol=1e-9)
        assert (shares.base > 0).all()
        assert 0 < own <= 1
        assert set(names) <= set(LIBERTIES)
        assert names


def test_every_liberty_is_taken_by_some_and_nobody_takes_them_all():
    lists = [liberated(np.random.default_rng(i), demand(), usual(), level=LEVEL, step=STEP)[2] for i in range(300)]
    assert {name for names in lists for name in names} == set(LIBERTIES)
    assert 1.8 < np.mean([len(names) for names in lists]) < 2.5


def test_the_stiff_hold_both_sides_active():
    held = np.array([np.mean(taken("stiff", person).held, axis=(0, 1)) for person in PEOPLE])
    assert (held > 0.1 * LEVEL).all()
    assert LEVEL < np.median(held) < 5 * LEVEL


def test_who_brakes_answers_a_slowing_with_a_delay_and_some_any_change():
    asked, kinds = demand(), []
    slowing = np.gradient(asked.speed[0, :, 0], STEP) < 0
    for person in PEOPLE:
        held = np.asarray(taken("braking", person).held)[0]
        at_once = held[np.roll(slowing, 2)].mean()  # 40 ms, the middle of delays
        kinds.append(held[np.roll(~slowing, 2)].mean() / at_once)
    assert 0.5 < np.mean(np.array(kinds) < 0.4) < 0.9


def test_muscles_that_join_late_leave_small_moments_to_the_others():
    effort = np.abs(demand().effort[..., 0])
    for person in PEOPLE:
        part = np.asarray(taken("thresholds", person).shares)
        small, large = (part[chosen].mean(axis=0) for chosen in (effort < 0.02, effort > 0.5))
        assert (small < large + 1e-9).all()
        assert part.max() <= 1.0
    early = np.concatenate([np.asarray(taken("thresholds", i).shares).min(axis=(0, 1)) > 0.99 for i in PEOPLE])
    assert 0.35 < early.mean() < 0.65


def test_own_shares_bend_with_the_motion_and_drift_does_not():
    bent = np.asarray(taken("own_shares").shares)
    period = round(2.0 / STEP)
    np.testing.assert_allclose(bent[:, 10:100], bent[:, 10 + period : 100 + period], rtol=0.02)
    assert np.log(bent[0]).std(axis=0).min() > 0.01
    drifted = np.log(np.asarray(taken("drift").shares))
    np.testing.assert_allclose(np.diff(drifted, 2, axis=1), 0.0, atol=1e-12)
    assert np.abs(drifted.mean(axis=1) - drifted.mean(axis=(0, 1))).max() > 0.02


def test_one_drive_moves_all_muscles_alike_and_leaves_them_little_of_their_own():
    found = taken("one_drive")
    assert np.shape(found.base)[-1] == 1
    assert 0.1 <= found.own <= 0.7


@ALONE
def test_the_same_chance_gives_the_same_liberty(name):
    for one, other in zip(taken(name), taken(name), strict=True):
        np.testing.assert_array_equal(one, other)


def test_free_people_have_the_bodies_and_motions_they_would_have_had_and_still_meet_the_moment():
    arm = read_anatomy("arm26")
    rule = PopulationSettings(trials={"curls": 1, "steps": 1}, loads_kg=(0.0, 4.0), seconds=4.0, moment_noise=0.0)
    geometry = MusculoskeletalModel(arm).geometry

    def made(settings):
        return list(simulate_people(arm, geometry, settings, seed=3, count=3))

    ruled, free = made(rule), made(replace(rule, free_share=1.0))
    for one, other in zip(ruled, free, strict=True):
        assert "liberties" not in one.facts["control"]
        assert other.facts["control"]["liberties"]
        assert one.facts["control"]["family"] == other.facts["control"]["family"]
        if (one.facts["eased"], one.facts["redrawn"]) == (other.facts["eased"], other.facts["redrawn"]):
            np.testing.assert_array_equal(one.trials[0].angle, other.trials[0].angle)
            np.testing.assert_array_equal(one.facts["max_isometric_force"], other.facts["max_isometric_force"])
            gap = one.trials[1].moment - other.trials[1].moment
            assert np.sqrt(np.mean(gap**2)) < 0.3
        assert np.abs(one.trials[0].truth / other.trials[0].truth - 1.0).max() > 0.05


def test_the_recipe_says_in_how_many_blocks_people_are_free():
    share = [laboratory(Recipe(teachers=TeachersSettings(free_share=0.4)), block).free_share for block in range(400)]
    assert set(share) == {0.0, 1.0}
    assert np.mean(share) == pytest.approx(0.4, abs=0.08)
    none, some = (laboratory(Recipe(teachers=TeachersSettings(free_share=s)), 7) for s in (0.0, 1.0))
    assert replace(some, free_share=0.0) == none
