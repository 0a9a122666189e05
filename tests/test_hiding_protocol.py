"""`validate`: a measured muscle is taken away, asked for, and held against its own electrode, that no method has seen."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cli_study import called, tiny_study
from profundus.io.comparison_directory import ComparisonDirectory
from profundus.io.run_directory import read_run
from profundus.io.study_file import read_study
from profundus.io.tables import read_table, write_table
from profundus.protocols.asking import Asked
from profundus.protocols.comparing import bench_of
from profundus.protocols.hiding import CEILING, validate_study
from profundus.protocols.methods import ANSWERS, HINDSIGHT, METHODS, Case, answer
from profundus.records import Flag
from profundus.signal import assemble_trials, emg_scale
from profundus.validate.hiding import hidden, noise_of_envelope
from profundus.validate.repeatability import own_pattern

pytestmark = pytest.mark.slow  # they share one study
MUSCLE, TWIN = "BIClong", "BICshort"
TRAINED_ALIKE = ("nmm_paper", "network_only")  # settings of nmm, which is asked
ASKED = ("copy", "copy_group", "mse_nmf", "static_optimization", "population_regression")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return tiny_study(tmp_path_factory.mktemp("tiny"), steps=3)


@pytest.fixture(scope="module")
def validated(study, tmp_path_factory):
    """Return the result of hiding one muscle."""
    out = tmp_path_factory.mktemp("out") / "hidden"
    return validate_study(read_study(study), out, [MUSCLE], Asked(ASKED, people=10))


@pytest.fixture(scope="module")
def bench(study):
    return bench_of(read_study(study), Asked(METHODS, people=10))


@pytest.fixture(scope="module")
def trials(bench):
    one = bench.study.subjects[0]
    return tuple(assemble_trials(bench.study, one, bench.anatomy.muscles, scale=emg_scale(bench.study, one)))


def of(rec, muscle):
    return {part.trial.name: part.excitation[:, part.trial.muscles.index(muscle)] for part in rec.trials}


def test_nothing_is_scored_but_the_hidden_muscle_and_its_rows_say_so(validated):
    rows = validated.scores.rows
    assert {(row.name, row.quantity, row.hidden) for row in rows} == {(MUSCLE, "emg", True)}
    assert {row.method for row in rows} == {*ASKED, CEILING}
    assert {row.trial for row in rows if row.role == "test"} == {"sub-01_middle", "all", "load"}


def test_the_floor_is_the_copy_and_the_ceiling_the_muscle_s_own_pattern(validated, trials):
    answers = {rec.method: rec for rec in ComparisonDirectory(read_run(validated.directory.path)).answers("sub-01")}
    floor, ceiling = of(answers["copy"], MUSCLE), of(answers[CEILING], MUSCLE)
    expected = of(own_pattern(trials, MUSCLE), MUSCLE)
    for trial in trials:
        np.testing.assert_allclose(floor[trial.name], trial.emg[:, trial.muscles.index(TWIN)], atol=1e-6)
        if trial.role == "test":
            np.testing.assert_allclose(ceiling[trial.name], expected[trial.name], atol=1e-6)


def test_it_is_held_against_its_own_envelope_and_others_have_no_truth(validated, trials):
    recorded = ComparisonDirectory(read_run(validated.directory.path)).recorded("sub-01")
    for before, after in zip(trials, recorded, strict=True):
        at = before.muscles.index(MUSCLE)
        np.testing.assert_allclose(after.truth[:, at], before.emg[:, at], atol=1e-6)
        assert np.isnan(np.delete(after.truth, at, axis=1)).all()


def test_bands_grow_by_the_noise_of_the_envelope_they_are_held_against(validated, bench, trials):
    (kept,) = [
        rec
        for rec in ComparisonDirectory(read_run(validated.directory.path)).answers("sub-01")
        if rec.method == "population_regression"
    ]
    plain = answer("population_regression", Case(bench, hidden(trials, MUSCLE)))
    loss = bench.study.fit.loss
    for wide, narrow in zip(kept.trials, plain.trials, strict=True):
        at = narrow.trial.muscles.index(MUSCLE)
        mean, upper = narrow.excitation[:, at], narrow.upper[:, at]
        noise = 1.645 * noise_of_envelope(mean, emg_sd=loss.emg_sd, emg_relative_sd=loss.emg_relative_sd)
        np.testing.assert_allclose(wide.upper[:, at], mean + np.hypot(upper - mean, noise), atol=1e-4)


def test_each_muscle_is_hidden_in_turn(study, tmp_path, capsys):
    given = ("validate", study, "--out", tmp_path / "out", "--hide", "each", "--methods", "copy,copy_group", "--quiet")
    code, facts = called(capsys, *given)
    assert code == 0
    muscles = {"TRIlong", "TRIlat", "BIClong", "BICshort"}
    table = pd.read_csv(tmp_path / "out" / "scores.csv")
    assert set(table.name) == muscles
    assert table.hidden.all()
    assert {(row["name"], row["hidden"]) for row in facts["paired"]} == {(muscle, True) for muscle in muscles}
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize("muscle", ["BRA", "DEL"])
def test_a_muscle_without_an_electrode_cannot_be_hidden(study, tmp_path, capsys, muscle):
    code, facts = called(capsys, "validate", study, "--out", tmp_path / "out", "--hide", muscle)
    assert code == 2
    said = json.dumps(facts)
    assert f"'{muscle}' is not measured" in said
    assert all(name in said for name in ("TRIlong", "TRIlat", "BIClong", "BICshort", "each"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", [name for name in METHODS if name not in {*HINDSIGHT, *TRAINED_ALIKE}])
def test_no_answer_depends_on_what_the_hidden_electrode_saw(bench, trials, method):
    chance = np.random.default_rng(1)
    at = trials[0].muscles.index(MUSCLE)
    others = []
    for trial in trials:
        emg = trial.emg.copy()
        emg[:, at] = chance.uniform(0.0, 1.0, len(emg))
        others.append(replace(trial, emg=emg))
    honest, deceived = (answer(method, Case(bench, hidden(those, MUSCLE))) for those in (trials, others))
    for part, other in zip(honest.trials, deceived.trials, strict=True):
        for key in ("excitation", "lower", "upper"):
            assert np.array_equal(getattr(part, key), getattr(other, key), equal_nan=True), key


def test_answers_from_files_with_another_envelope_are_the_same_bits(study, validated, tmp_path):
    path = tiny_study(tmp_path / "other", steps=3)
    for file in sorted((tmp_path / "other").glob("*/emg.sto")):
        table = read_table(file)
        values = table.values.copy()
        values[:, table.labels.index(MUSCLE)] = 0.5 * (1.0 - values[:, table.labels.index(MUSCLE)])
        write_table(replace(table, values=values), file)
    other = validate_study(read_study(path), tmp_path / "out", [MUSCLE], Asked(ASKED, people=10))
    found = {rec.method: of(rec, MUSCLE) for rec in other.directory.answers("sub-01")}
    for rec in validated.directory.answers("sub-01"):
        for trial, excitation in of(rec, MUSCLE).items():
            same = np.array_equal(excitation, found[rec.method][trial], equal_nan=True)
            assert same == (rec.method != CEILING or np.isnan(excitation).all()), (rec.method, trial)


def test_other_people_teach_a_hidden_muscle_though_nobody_knows_the_deep_ones(tmp_path):
    read = read_study(tiny_study(tmp_path, steps=3, subjects=("sub-01", "sub-02", "sub-03")))
    people = tuple(
        replace(one, recordings=tuple(replace(recording, truth=None) for recording in one.recordings))
        for one in read.subjects
    )
    asked = Asked(("copy", "population_regression"), split="subject:sub-03")
    result = validate_study(replace(read, subjects=people), tmp_path / "out", [MUSCLE], asked)
    assert not result.failures
    rows = [row for row in result.scores.rows if (row.method, row.trial) == ("population_regression", "all")]
    assert {(row.name, row.subject) for row in rows} == {(MUSCLE, "sub-03")}


def test_a_flag_on_a_whole_answer_tells_which_muscle_was_hidden(study, tmp_path, monkeypatch):
    honest = ANSWERS["copy_group"]
    restless = Flag("not_converged", "sub-01", why="still moved")
    monkeypatch.setitem(ANSWERS, "copy_group", lambda case: replace(honest(case), flags=(restless,)))
    result = validate_study(read_study(study), tmp_path / "out", [MUSCLE, TWIN], Asked(("copy", "copy_group")))
    told = [flag.why for method, flag in result.flags if (method, flag.name) == ("copy_group", "not_converged")]
    assert told == [f"{name} hidden: still moved" for name in (MUSCLE, TWIN)]
