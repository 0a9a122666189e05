"""Virtual people as files: a laboratory's study that reads back as the arrays it was written from."""

import tomllib
from dataclasses import replace

import numpy as np
import pytest

from profundus.cli.simulating import simulated
from profundus.errors import InputError
from profundus.io.anatomy import read_anatomy
from profundus.io.study_file import check_study, read_study
from profundus.io.virtual_lab import toml_text, write_virtual_lab
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.protocols.simulating import simulate_study
from profundus.records import PopulationSettings
from profundus.signal import assemble_trials, emg_scale
from profundus.simulate import seen_with, simulate_people

ELECTRODES = ("TRIlong", "TRIlat", "BIClong", "BICshort")
SETTINGS = PopulationSettings(trials={"curls": 1, "steps": 1, "wander": 1}, loads_kg=(2.0,), seconds=3.0)


def people(settings=SETTINGS, count=2):
    anatomy = read_anatomy("arm26")
    return list(simulate_people(anatomy, MusculoskeletalModel(anatomy).geometry, settings, seed=1, count=count))


def read(study_file):
    study = read_study(study_file)
    return study, [
        assemble_trials(study, person, study.measured + study.deep, scale=emg_scale(study, person))
        for person in study.subjects
    ]


def test_what_is_written_reads_back_as_the_same_arrays(tmp_path):
    made = people()
    lab = write_virtual_lab(iter(made), tmp_path / "lab", model="arm26", measured=ELECTRODES)
    assert (lab.people, lab.trials) == (2, 6)
    study, found = read(lab.study_file)
    assert study.deep == ("TRImed", "BRA")
    order = [made[0].trials[0].muscles.index(muscle) for muscle in (*study.measured, *study.deep)]
    for person, trials in zip(made, found, strict=True):
        for before, after in zip(seen_with(person.trials, ELECTRODES), trials, strict=True):
            assert (after.name, after.role, after.load_kg) == (before.name, before.role, before.load_kg)
            assert after.motion == before.motion
            for name in ("time", "angle", "velocity", "moment"):
                np.testing.assert_allclose(getattr(after, name), getattr(before, name), atol=1e-9)
            for name in ("emg", "truth"):
                np.testing.assert_allclose(getattr(after, name), getattr(before, name)[:, order], atol=1e-9)


def test_the_truth_of_the_parameters_reads_back(tmp_path):
    made = people(count=1)
    write_virtual_lab(made, tmp_path / "lab", model="arm26", measured=ELECTRODES)
    text = (tmp_path / "lab" / "V00000" / "truth_parameters.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text) == made[0].facts


def test_raw_emg_and_maximal_contractions_give_the_same_envelopes_when_processed(tmp_path):
    (made,) = people(replace(SETTINGS, emg="raw"), count=1)
    lab = write_virtual_lab([made], tmp_path / "lab", model="arm26", measured=ELECTRODES)
    study, (trials,) = read(lab.study_file)
    assert study.emg.kind == "raw"
    for before, after in zip(made.trials, trials, strict=True):
        inner = slice(30, -30)
        theirs = before.emg[inner][:, [0, 1, 3, 4]]
        ratio = after.emg[inner, :4].mean(axis=0) / theirs.mean(axis=0)
        np.testing.assert_allclose(ratio, 1.0, atol=0.12)  # a maximum found in noise
        for muscle in range(4):
            assert np.corrcoef(after.emg[inner, muscle], theirs[:, muscle])[0, 1] > 0.99


def test_a_lab_appears_whole_or_not_at_all(tmp_path):
    made = people()

    def interrupted():
        yield made[0]
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        write_virtual_lab(interrupted(), tmp_path / "lab", model="arm26", measured=ELECTRODES)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="no people"):
        write_virtual_lab([], tmp_path / "lab", model="arm26", measured=ELECTRODES)
    with pytest.raises(InputError, match="no muscle 'DEL'"):
        write_virtual_lab(made, tmp_path / "lab", model="arm26", measured=["DEL"])
    with pytest.raises(InputError, match="are called"):
        write_virtual_lab([made[0], made[0]], tmp_path / "lab", model="arm26", measured=ELECTRODES)
    write_virtual_lab(made, tmp_path / "lab", model="arm26", measured=ELECTRODES)
    with pytest.raises(InputError, match="is there"):
        write_virtual_lab(made, tmp_path / "lab", model="arm26", measured=ELECTRODES)


def test_a_study_s_motions_are_repeated_by_virtual_people(tmp_path):
    first = simulate_study(tmp_path / "first", SETTINGS, people=1, seed=3)
    second = simulate_study(tmp_path / "second", SETTINGS, people=2, seed=4, like=read_study(first.study_file))
    (_, (given,)), (study, found) = read(first.study_file), read(second.study_file)
    assert study.measured == ELECTRODES
    for trials in found:
        for before, after in zip(given, trials, strict=True):
            assert (before.name, before.load_kg) == (after.name, after.load_kg)
            assert np.rad2deg(np.abs(before.angle - after.angle).max()) < 1.5


def test_the_command_says_what_it_wrote_and_check_finds_no_fault(tmp_path):
    outcome = simulated(tmp_path / "lab", people=1, seed=2, loads_kg=(1.0,), without=("mixture",), quiet=True)
    study, problems = check_study(outcome.facts["study"])
    assert study is not None
    assert not [problem for problem in problems if problem.severity == "error"]
    assert outcome.facts["trials"] == 6
    with pytest.raises(InputError, match="no family"):
        simulated(tmp_path / "other", without=("magic",))
    with pytest.raises(InputError, match="one or more"):
        simulated(tmp_path / "other", people=0)


def test_plain_values_become_toml():
    values = {"a": 1, "b": 'x "y"', "c": [0.5, 2.0], "d": {"e": True, "f": {"g": [[1.0], [2.0]]}}, "h": 1e-9}
    assert tomllib.loads(toml_text(values)) == values
