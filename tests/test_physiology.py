"""Known levels of muscles at work, and the same of a reconstruction."""

from dataclasses import replace

import numpy as np
import pytest

from answers import MUSCLES, answer, trial
from profundus.errors import InputError
from profundus.records import Reconstruction
from profundus.validate.physiology import PHYSIOLOGY, level_near

BRA = MUSCLES.index("BRA")


def moved(load_kg=2.0, *, name="curl", samples=400):
    """An answer whose brachialis is the angle over pi while it rises and zero while it falls."""
    given = trial(name, load_kg=load_kg, samples=samples)
    excitation = np.full(given.emg.shape, 0.1)
    excitation[:, BRA] = np.where(given.velocity[:, 0] > 0, given.angle[:, 0] / np.pi, 0.0)
    return replace(answer(given), excitation=excitation, lower=excitation, upper=excitation)


def rec(*parts):
    return Reconstruction("nmm", "sub-01", parts)


def test_flexors_that_share_a_load_rise_with_its_moment():
    # held still at 90 degrees the levels are proportional to the moment of forearm and load, 2.7 N.m + 3.2 N.m/kg
    held = [(known.load_kg, known.low) for known in PHYSIOLOGY if known.muscle == "BRA"]
    assert [load for load, _ in held] == [0.0, 2.0, 4.0]
    capacity = np.array([(2.7 + 3.2 * load) / level for load, level in held])
    assert np.ptp(capacity) < 0.06 * np.mean(capacity)


def test_every_known_level_is_a_fraction_with_a_source():
    for known in PHYSIOLOGY:
        assert known.muscle in MUSCLES
        assert 0.0 < known.low <= known.high < 0.3
        assert known.source


def test_a_level_is_the_mean_near_an_angle_load_by_load():
    light, heavy = moved(0.0), moved(4.0, name="heavy")
    heavy = replace(heavy, excitation=2 * heavy.excitation)
    found = level_near(rec(heavy, light), "BRA", angle=1.2, width=0.1, way="rising")
    assert list(found) == [0.0, 4.0]
    assert found[0.0] == pytest.approx(1.2 / np.pi, abs=0.003)
    assert found[4.0] == pytest.approx(2.4 / np.pi, abs=0.006)


def test_the_way_of_the_angle_tells_flexing_from_extending():
    part = rec(moved())
    assert level_near(part, "BRA", angle=1.2, width=0.1, way="falling") == {2.0: 0.0}
    both = level_near(part, "BRA", angle=1.2, width=0.1)[2.0]
    assert 0.0 < both < 1.2 / np.pi


def test_width_is_all_of_the_range_not_half():
    given = moved()
    inside = np.abs(given.trial.angle[:, 0] - 1.0) <= 0.2
    found = level_near(rec(given), "BRA", angle=1.0, width=0.4)[2.0]
    assert found == pytest.approx(given.excitation[inside, BRA].mean())


def test_an_angle_of_nan_takes_the_whole_movement():
    given = moved()
    assert level_near(rec(given), "BRA", angle=np.nan)[2.0] == pytest.approx(given.excitation[:, BRA].mean())


def test_unknown_loads_unknown_samples_and_angles_that_never_came_are_left_out():
    assert level_near(rec(moved(np.nan)), "BRA") == {}
    assert level_near(rec(moved()), "BRA", angle=3.0) == {}
    assert level_near(rec(), "BRA") == {}
    given = moved()
    assert level_near(rec(replace(given, excitation=np.full_like(given.excitation, np.nan))), "BRA") == {}


def test_what_there_is_not_is_refused_at_once():
    with pytest.raises(InputError) as caught:
        level_near(rec(moved(), moved(name="b")), "SOL", coordinate="ankle", width=0.0)
    assert len(caught.value.problems) == 5
