"""People whose control strategy nobody showed: what a population teaches is asked about strangers."""

from dataclasses import replace

import numpy as np
import pytest

from profundus.errors import InputError
from profundus.io.anatomy import read_anatomy
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.protocols.strategies import Laboratory, disturbed, leave_one_strategy_out
from profundus.records import PopulationSettings

pytestmark = pytest.mark.slow  # simulates some thirty people
FAMILIES = ("effort", "angle_sharing")
SETTINGS = PopulationSettings(
    families=dict.fromkeys(FAMILIES, 1.0), trials={"curls": 1}, loads_kg=(2.0,), seconds=3.0, muscle="thelen"
)


@pytest.fixture(scope="module")
def lab():
    anatomy = read_anatomy("arm26")
    measured, deep = ("TRIlong", "TRIlat", "BIClong", "BICshort"), ("BRA", "TRImed")
    return Laboratory(anatomy, MusculoskeletalModel(anatomy), measured, deep, SETTINGS)


def test_every_family_is_asked_about_with_and_without_it_among_the_teachers(lab):
    told = []
    rows = leave_one_strategy_out(lab, teachers=6, tested=2, on_family=told.append)
    assert tuple(told) == FAMILIES
    expected = {(family, by, muscle) for family in FAMILIES for by in ("all", "others") for muscle in ("BRA", "TRImed")}
    assert {(row.family, row.taught, row.held.name) for row in rows} == expected
    assert len(rows) == len(expected)
    for row in rows:
        assert (row.held.people, row.held.against) == (2, "copy")
        assert row.held.ratio > 0.0
        assert 0.0 <= row.covered_least <= row.covered <= 1.0


def test_people_of_a_family_have_only_this_strategy(lab):
    one = replace(lab, settings=replace(SETTINGS, families={"effort": 1.0}))
    assert {person.facts["control"]["family"] for person in one.people(3)} == {"effort"}


def test_what_taught_and_what_is_asked_about_are_different_people(lab):
    teachers, tested = lab.people(2, first=2), lab.people(2)
    assert not {person.id for person in teachers} & {person.id for person in tested}


def test_scores_do_not_depend_on_what_the_truth_of_measured_muscles_is(lab):
    person = lab.people(1)[0]
    taught = {"all": lab.learned(lab.people(3, first=1))}
    lies = tuple(replace(t, truth=np.where(np.isin(t.muscles, lab.targets), t.truth, 0.5)) for t in person.trials)
    assert str(list(lab.rows(person, taught))) == str(list(lab.rows(replace(person, trials=lies), taught)))


def test_a_measurement_without_a_fault_is_no_worse(lab):
    faults = {"nothing": SETTINGS, "MVC error": replace(SETTINGS, mvc_error=0.4)}
    rows = disturbed(lab, faults, teachers=4, tested=2)
    assert {(row.fault, row.method) for row in rows} == {
        (fault, method) for fault in faults for method in ("copy", "population_regression")
    }
    assert all(row.held.ratio == 1.0 for row in rows if row.fault == "nothing")
    assert all(row.held.ratio != 1.0 for row in rows if row.fault == "MVC error")


def test_one_family_cannot_be_left_out(lab):
    alone = replace(lab, settings=replace(SETTINGS, families={"effort": 1.0}))
    with pytest.raises(InputError) as caught:
        leave_one_strategy_out(alone, teachers=1, tested=0)
    assert len(caught.value.problems) == 3
