"""Populations of virtual people: as strong, as active and as varied as people are."""

from dataclasses import replace
from functools import cache

import numpy as np

from profundus.io.anatomy import read_anatomy
from profundus.io.tables import read_table
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.records import PopulationSettings
from profundus.records.virtual import FAMILIES
from profundus.simulate import simulate_people

SHORT = PopulationSettings(trials={"curls": 1, "steps": 1}, loads_kg=(0.0, 4.0), seconds=4.0, muscle="thelen")
ARM = read_anatomy("arm26")


@cache
def model():
    return MusculoskeletalModel(ARM)


def people(settings, *, count, seed=0):
    return list(simulate_people(ARM, model().geometry, settings, seed=seed, count=count))


def test_nobody_is_at_his_limit_for_more_than_a_moment():
    for person in people(replace(SHORT, strength_sd=0.6), count=6):
        assert max(np.mean(trial.truth >= 1.0, axis=0).max() for trial in person.trials) < 0.06
        assert min(trial.truth.min() for trial in person.trials) >= 0.01 - 1e-12


def test_families_that_are_left_out_do_not_occur():
    settings = replace(SHORT, families={name: 1.0 for name in FAMILIES if name != "effort"})
    families = [person.facts["control"]["family"] for person in people(settings, count=12)]
    assert set(families) <= set(FAMILIES) - {"effort"}
    assert len(set(families)) >= 3


def test_levels_are_those_that_physiology_knows():
    # brachialis roughly 4 and 23 % for 0 and 4 kg at 90 deg, triceps 3.7 to 12 % while flexing; half to double for a median
    found = people(replace(SHORT, trials={"curls": 1}), count=20, seed=3)
    for load, brachialis in ((0.0, 0.04), (4.0, 0.23)):
        trials = [trial for person in found for trial in person.trials if trial.load_kg == load]
        assert 0.5 < np.median([trial.truth[:, 5].mean() for trial in trials]) / brachialis < 2.0
        assert 0.015 < np.median([trial.truth[:, :3].mean() for trial in trials]) < 0.12


def test_virtual_people_are_as_varied_as_those_of_another_simulator(reference):
    # OpenSim's elastic Thelen muscles under other control strategies: log ratios of mean levels, per load
    muscles = ARM.muscles
    theirs = []
    for folder in sorted((reference / "data" / "virtual_elbow").glob("S1*")):
        tables = [read_table(path / "truth_emg.sto") for path in sorted(folder.glob("load2_0[1-4]*"))]
        theirs.append(np.mean([[table[muscle].mean() for muscle in muscles] for table in tables], axis=0))
    settings = replace(SHORT, loads_kg=(2.0,), trials={"curls": 2}, muscle="mixed")
    ours = [np.mean([t.truth.mean(axis=0) for t in person.trials], axis=0) for person in people(settings, count=24)]
    for one, other in ((5, 3), (5, 4), (2, 1), (2, 0)):
        them, us = (np.log(np.array(levels)[:, one] / np.array(levels)[:, other]) for levels in (theirs, ours))
        assert np.std(us) > 0.8 * np.std(them)
        assert abs(np.mean(us) - np.mean(them)) < 1.5 * np.std(us)
