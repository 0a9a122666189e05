"""`simulate`: a study of virtual people, written as a laboratory would, that every other command takes."""

import json
import tomllib

import numpy as np
import pytest

from cli_study import called
from profundus.io.tables import read_table

pytestmark = pytest.mark.slow  # simulates people
FEW = ("--load", 2, "--quiet")


def facts_of(folder):
    files = sorted(folder.glob("*/truth_parameters.toml"))
    return [tomllib.loads(file.read_text(encoding="utf-8")) for file in files]


@pytest.fixture
def lab(tmp_path, capsys):
    """Return (folder, what the command printed) of one person with one load."""
    code, facts = called(capsys, "simulate", "--out", tmp_path / "lab", "--people", 1, *FEW)
    assert code == 0
    return tmp_path / "lab", facts


def test_a_study_is_written_that_check_finds_no_fault_with(lab, capsys):
    folder, facts = lab
    assert set(facts) == {"study", "people", "trials", "seed", "seconds"}
    assert (facts["study"], facts["people"], facts["trials"]) == (str(folder / "study.toml"), 1, 6)
    code, found = called(capsys, "check", folder / "study.toml")
    assert code == 0
    assert not [problem for problem in found["problems"] if problem["severity"] == "error"]


def test_electrodes_are_on_surface_muscles_and_the_truth_is_of_all(lab):
    trial = next((lab[0] / "V00000").glob("*/emg.sto")).parent
    assert read_table(trial / "emg.sto").labels == ("TRIlong", "TRIlat", "BIClong", "BICshort")
    assert {"BRA", "TRImed"} <= set(read_table(trial / "truth_emg.sto").labels)


def test_the_same_seed_makes_the_same_people_and_another_seed_others(lab, tmp_path, capsys):
    for name, seed in (("same", 0), ("other", 1)):
        assert called(capsys, "simulate", "--out", tmp_path / name, "--people", 1, "--seed", seed, *FEW)[0] == 0
    emg = {
        folder: [file.read_bytes() for file in sorted((tmp_path / folder).rglob("emg.sto"))]
        for folder in ("lab", "same", "other")
    }
    assert emg["lab"] == emg["same"]
    assert not set(emg["lab"]) & set(emg["other"])


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        (("--family", "synergies"), {"synergies"}),
        (("--without", "effort", "--without", "mixture"), {"angle_sharing", "synergies", "load_switch"}),
    ],
)
def test_strategies_can_be_chosen_and_left_out(tmp_path, capsys, options, allowed):
    assert called(capsys, "simulate", "--out", tmp_path / "lab", "--people", 5, *FEW, *options)[0] == 0
    assert {person["control"]["family"] for person in facts_of(tmp_path / "lab")} <= allowed


def test_a_strategy_that_there_is_not_is_answered_with_those_there_are(tmp_path, capsys):
    for option in ("--without", "--family"):
        code, facts = called(capsys, "simulate", "--out", tmp_path / "lab", option, "magic")
        assert code == 2
        assert "angle_sharing" in json.dumps(facts)
    assert not (tmp_path / "lab").exists()


def test_results_that_are_there_are_replaced_only_when_asked(lab, capsys):
    folder, _ = lab
    assert called(capsys, "simulate", "--out", folder, "--people", 1, *FEW)[0] == 2
    assert called(capsys, "simulate", "--out", folder, "--people", 1, "--load", 1, "--quiet", "--overwrite")[0] == 0
    study = tomllib.loads((folder / "study.toml").read_text(encoding="utf-8"))
    assert {trial["load_kg"] for trial in study["subject"][0]["trial"]} == {1.0}


def test_a_study_s_motions_are_repeated(lab, tmp_path, capsys):
    folder, _ = lab
    given = ("simulate", "--out", tmp_path / "again", "--people", 1, "--seed", 5, "--like", folder / "study.toml")
    assert called(capsys, *given, "--quiet")[0] == 0
    before, after = (sorted(place.rglob("kinematics.mot")) for place in (folder, tmp_path / "again"))
    assert [file.parent.name for file in before] == [file.parent.name for file in after]
    for one, other in zip(before, after, strict=True):
        assert np.abs(read_table(one).values - read_table(other).values).max() < 2.0  # deg: noise of the measurement


def test_electrodes_can_be_named_and_raw_emg_written(tmp_path, capsys):
    given = ("simulate", "--out", tmp_path / "lab", "--people", 1, *FEW, "--raw", "--measured", "TRIlong")
    assert called(capsys, *given, "--measured", "BIClong")[0] == 0
    study = tomllib.loads((tmp_path / "lab" / "study.toml").read_text(encoding="utf-8"))
    assert study["study"]["measured"] == ["TRIlong", "BIClong"]
    assert study["emg"]["kind"] == "raw"
    assert called(capsys, "check", tmp_path / "lab" / "study.toml")[0] == 0
