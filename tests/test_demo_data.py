"""The shipped demo study: whole, small, and what its README says."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from profundus.io.anatomy import read_anatomy
from profundus.io.study_file import read_study
from profundus.records import Study
from profundus.signal import assemble_trials

DEMO = Path(str(files("profundus") / "data" / "demo"))
MUSCLES = read_anatomy("arm26").muscles


@pytest.fixture(scope="module")
def demo() -> Study:
    return read_study(DEMO / "study.toml")


@pytest.fixture(scope="module")
def trials(demo):
    return assemble_trials(demo, demo.subjects[0], MUSCLES)


def test_demo_is_read_without_a_problem(demo, trials):
    assert demo.problems == ()
    assert [problem for trial in trials for problem in trial.problems] == []


def test_demo_weighs_less_than_a_megabyte():
    assert sum(path.stat().st_size for path in DEMO.rglob("*")) < 1e6


def test_each_load_has_three_trials_to_fit_and_two_to_test(demo):
    counted = {}
    for recording in demo.subjects[0].recordings:
        key = (recording.load_kg, recording.role)
        counted[key] = counted.get(key, 0) + 1
    assert counted == {(load, role): n for load in (0.0, 2.0, 4.0) for role, n in (("fit", 3), ("test", 2))}


def test_every_trial_knows_motion_moment_envelopes_and_truth(trials):
    deep = [MUSCLES.index(name) for name in ("BRA", "TRImed")]
    for trial in trials:
        assert trial.time[-1] - trial.time[0] == pytest.approx(8.0)
        assert np.isfinite(trial.angle).all()
        assert trial.moment_valid.all()
        assert np.isfinite(trial.truth).all()
        assert np.isnan(trial.emg[:, deep]).all()
        assert np.isfinite(np.delete(trial.emg, deep, axis=1)).all()


def test_motion_stays_where_the_paths_of_arm26_are_valid(trials):
    for trial in trials:
        assert np.rad2deg(trial.angle).min() > 0.0
        assert np.rad2deg(trial.angle).max() < 130.0


def test_demo_is_its_source_but_for_less_than_the_noise(reference, trials):
    source = read_study(reference / "data" / "virtual_elbow" / "study.toml")
    subject = next(s for s in source.subjects if s.id == "S100")
    whole = {trial.name: trial for trial in assemble_trials(source, subject, MUSCLES)}
    for trial in trials:
        there = whole[trial.name]
        assert there.role == trial.role
        np.testing.assert_allclose(trial.angle, there.angle, atol=np.deg2rad(0.001))
        np.testing.assert_allclose(trial.moment, there.moment, atol=0.001)
        electrode = there.measured
        noise = np.sqrt(np.mean((there.emg - there.truth)[:, electrode] ** 2, axis=0))
        lost = np.sqrt(np.mean((trial.emg - there.emg)[:, electrode] ** 2, axis=0))
        assert np.all(lost < 0.02 * noise)
        np.testing.assert_allclose(trial.truth, there.truth, atol=0.002)
