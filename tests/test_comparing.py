"""`compare`: every method on the same trials, one folder, one table; what fails is noted and the others go on."""

import io
import json
from contextlib import redirect_stdout
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from cli_study import called, tiny_study
from profundus.cli.comparing import _flag_lines
from profundus.cli.main import main
from profundus.errors import ConvergenceError, InputError
from profundus.io.comparison_directory import ComparisonDirectory
from profundus.io.run_directory import read_run
from profundus.io.study_file import read_study
from profundus.protocols.asking import Asked, How
from profundus.protocols.comparing import bench_of, compare_study
from profundus.protocols.hiding import hidden_muscles
from profundus.protocols.methods import ANSWERS, METHODS, Case, answer, chosen
from profundus.protocols.people import chosen_people
from profundus.records import Flag, ScoreRow
from profundus.signal import assemble_trials

pytestmark = pytest.mark.slow  # they share one comparison
ASKED = ("copy", "copy_group", "copy_best", "mse_nmf", "static_optimization", "physics_only")
NAMED = ",".join(ASKED)
DEEP = ("BRA", "TRImed")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return tiny_study(tmp_path_factory.mktemp("tiny"), steps=3)


@pytest.fixture(scope="module")
def compared(study, tmp_path_factory):
    """Return (folder, what the command printed) of one comparison by the command."""
    out, printed = tmp_path_factory.mktemp("out") / "compared", io.StringIO()
    with redirect_stdout(printed):
        code = main(["compare", str(study), "--out", str(out), "--methods", NAMED, "--quiet", "--json"])
    assert code == 0
    return out, json.loads(printed.getvalue())


def forbid(monkeypatch, error, *names):
    """Let methods raise an error when they are asked."""

    def refuse(case):
        raise error

    for name in names:
        monkeypatch.setitem(ANSWERS, name, refuse)


def contents(folder):
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted((folder / "subjects").rglob("*.nc"))}


def test_a_comparison_leaves_every_answer_a_page_and_figures(compared):
    out, _ = compared
    for name in ("run.json", "scores.csv", "report.html", "study.toml"):
        assert (out / name).is_file(), name
    written = {file.stem for file in (out / "subjects" / "sub-01").iterdir()}
    assert written == {*ASKED, "recorded"}
    assert {file.suffix for file in (out / "figures").iterdir()} == {".pdf", ".svg"}
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["finished"]


def test_every_method_is_scored_for_every_deep_muscle_trial_and_load(compared):
    table = pd.read_csv(compared[0] / "scores.csv")
    assert tuple(table.columns) == tuple(field.name for field in fields(ScoreRow))
    expected = {
        *(("sub-01_light", 1.0, "fit"), ("sub-01_heavy", 3.0, "fit"), ("sub-01_middle", 2.0, "test")),
        *(("all", -1.0, "fit"), ("all", -1.0, "test")),
        *(("load", 1.0, "fit"), ("load", 3.0, "fit"), ("load", 2.0, "test")),
    }
    for method in ASKED:
        for muscle in DEEP:
            rows = table[(table.method == method) & (table.name == muscle)].fillna({"load_kg": -1.0})
            assert set(zip(rows.trial, rows.load_kg, rows.role, strict=True)) == expected
            assert len(rows) == len(expected)
            assert not rows.hidden.any()
            assert (rows.rmse > 0).all()


def test_the_object_that_is_printed_holds_every_method_against_the_copy(compared):
    out, facts = compared
    assert set(facts) == {"out", "page", "paired", "flags", "failures", "warnings", "seconds"}
    assert (facts["out"], facts["page"]) == (str(out), str(out / "report.html"))
    pooled = {(row["name"], row["method"]): row for row in facts["paired"] if row["load_kg"] is None}
    assert set(pooled) == {(muscle, method) for muscle in DEEP for method in ASKED}
    assert all(pooled[muscle, "copy"]["ratio"] == 1.0 for muscle in DEEP)
    table = pd.read_csv(out / "scores.csv")
    rows = table[(table.trial == "all") & (table.role == "test") & (table.name == "BRA")].set_index("method")
    ratio = rows.rmse["mse_nmf"] / rows.rmse["copy"]
    np.testing.assert_allclose(pooled["BRA", "mse_nmf"]["ratio"], ratio, rtol=1e-4)


def test_people_are_counted_once_however_often_a_flag_is_raised_for_them():
    knee, ankle = (Flag("moment_poor", "sub-01", why=name) for name in ("knee", "ankle"))
    assert _flag_lines([("nmm", knee), ("nmm", ankle)]) == ["nmm: moment poor in 1 person"]
    other = Flag("moment_poor", "sub-02")
    assert _flag_lines([("nmm", knee), ("nmm", other)]) == ["nmm: moment poor in 2 people"]


def test_answers_read_back_with_the_truth_that_they_are_held_against(compared):
    folder = ComparisonDirectory(read_run(compared[0]))
    by_method = {rec.method: rec for rec in folder.answers("sub-01")}
    assert tuple(by_method) == chosen(ASKED)
    for part in by_method["copy"].trials:
        names = part.trial.muscles
        assert np.isfinite(part.trial.truth).all()
        neighbor = part.trial.emg[:, names.index("BICshort")]  # same group, moment arm and tendon most like it
        np.testing.assert_allclose(part.excitation[:, names.index("BRA")], neighbor, atol=1e-6)


def test_resuming_asks_nobody_again_and_leaves_the_same_bytes(compared, study, capsys, monkeypatch):
    out, _ = compared
    scores, answers = (out / "scores.csv").read_bytes(), contents(out)
    forbid(monkeypatch, AssertionError("asked again"), *METHODS)
    code, _ = called(capsys, "compare", study, "--out", out, "--methods", NAMED, "--quiet", "--resume")
    assert code == 0
    assert (out / "scores.csv").read_bytes() == scores
    assert contents(out) == answers


def test_what_was_interrupted_goes_on_to_the_same_bytes(study, tmp_path, monkeypatch):
    asked, out = Asked(("copy", "copy_group", "physics_only")), tmp_path / "out"
    whole = compare_study(read_study(study), tmp_path / "whole", asked)
    with monkeypatch.context() as patch:
        forbid(patch, KeyboardInterrupt(), "physics_only")
        with pytest.raises(KeyboardInterrupt):
            compare_study(read_study(study), out, asked)
    assert set(contents(out)) < set(contents(tmp_path / "whole"))
    compare_study(read_study(study), out, asked, How(resume=True))
    assert contents(out) == contents(tmp_path / "whole")
    assert (out / "scores.csv").read_bytes() == (whole.directory.path / "scores.csv").read_bytes()


def test_a_comparison_goes_on_with_more_methods(study, tmp_path, capsys):
    given = ("compare", study, "--out", tmp_path / "out", "--quiet", "--methods")
    compare_study(read_study(study), tmp_path / "out", Asked(("copy", "copy_group")))
    assert called(capsys, *given, "copy_best", "--resume")[0] == 0
    assert set(pd.read_csv(tmp_path / "out" / "scores.csv").method) == {"copy", "copy_group", "copy_best"}
    manifest = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert manifest["methods"] == ["copy", "copy_group", "copy_best"]


def test_a_comparison_goes_on_with_another_person_and_keeps_the_first_ones_scores(tmp_path):
    study = read_study(tiny_study(tmp_path, steps=3, subjects=("sub-01", "sub-02")))
    asked, whole, out = Asked(("copy", "copy_group")), tmp_path / "whole", tmp_path / "out"
    compare_study(study, whole, asked)
    compare_study(study, out, asked, How(subjects=["sub-01"]))
    result = compare_study(study, out, asked, How(subjects=["sub-02"], resume=True))
    assert {row.subject for row in result.scores.rows} == {"sub-01", "sub-02"}
    assert (out / "scores.csv").read_bytes() == (whole / "scores.csv").read_bytes()


def test_another_seed_or_split_is_another_comparison(compared, study, capsys):
    out, _ = compared
    for other in (("--seed", 1), ("--split", "load:2"), ("--people", 20)):
        code, facts = called(capsys, "compare", study, "--out", out, "--methods", NAMED, "--resume", *other)
        assert code == 2
        assert "other data, settings or seed" in json.dumps(facts)
        assert f"{other[0].strip('-')} was " in json.dumps(facts)
        assert f' and is {other[1]}"' in json.dumps(facts)


def test_another_cut_off_is_another_comparison_and_is_named(compared, study, capsys):
    text = study.read_text(encoding="utf-8").replace("[emg]", "[emg]\nlow_pass_hz = 5.0")
    other = study.with_name("other.toml")
    other.write_text(text, encoding="utf-8")
    code, facts = called(capsys, "compare", other, "--out", compared[0], "--methods", NAMED, "--resume")
    assert code == 2
    assert "emg (low_pass_hz)" in json.dumps(facts)


def test_earlier_results_are_replaced_only_when_asked(study, tmp_path, capsys):
    read, out = read_study(study), tmp_path / "out"
    compare_study(read, out, Asked(("copy", "copy_group")))
    (out / "figures").mkdir()
    (out / "figures" / "heatmaps_DEL.svg").touch()
    assert called(capsys, "compare", study, "--out", out, "--methods", "copy")[0] == 2
    compare_study(read, out, Asked(("copy",)), How(overwrite=True))
    assert {file.stem for file in (out / "subjects" / "sub-01").iterdir()} == {"copy", "recorded"}
    assert not (out / "figures").exists()


def test_generic_muscles_of_rivals_have_the_delay_and_the_gain_that_the_fit_starts_from(study):
    read = read_study(study)
    emg = replace(read.emg, delay_prior_ms=(30.0, 10.0), normalization="session_max")
    bench = bench_of(replace(read, emg=emg), Asked(("copy",)))
    trials = assemble_trials(bench.study, bench.study.subjects[0], bench.anatomy.muscles)
    plant = Case(bench, trials).plant
    np.testing.assert_allclose(plant.parameters.muscles.electromechanical_delay, 0.03)
    measured = trials[0].measured
    half = plant.moved(trials[0]).measured_excitation()[:, measured]
    np.testing.assert_allclose(half, 0.5 * trials[0].emg[:, measured])


def test_physics_without_a_network_believes_the_moment_as_much_as_the_fit_does(study):
    read, found = read_study(study), []
    for moment_sd in (0.3, 10.0):
        fit = replace(read.fit, loss=replace(read.fit.loss, moment_sd=moment_sd))
        bench = bench_of(replace(read, fit=fit), Asked(("copy",)))
        trials = assemble_trials(bench.study, bench.study.subjects[0], bench.anatomy.muscles)
        found.append(answer("physics_only", Case(bench, trials[:1])).trials[0])
    deep = [trials[0].muscles.index(name) for name in DEEP]
    assert np.all(np.nanmean(found[1].excitation[:, deep], axis=0) < np.nanmean(found[0].excitation[:, deep], axis=0))


@pytest.mark.parametrize(
    ("split", "judged"),
    [
        ("roles", {"sub-01_middle"}),
        ("load:2", {"sub-01_middle"}),
        ("load:3", {"sub-01_heavy"}),
        ("trial:1/3", {"sub-01_light"}),
        ("trial:sub-01_light,sub-01_heavy", {"sub-01_light", "sub-01_heavy"}),
    ],
)
def test_a_split_says_which_trials_are_judged(study, split, judged):
    bench = bench_of(read_study(study), Asked(("copy",), split=split))
    recordings = bench.study.subjects[0].recordings
    assert {recording.name for recording in recordings if recording.role == "test"} == judged
    assert {recording.role for recording in recordings} == {"fit", "test"}


def test_where_people_are_parted_the_others_teach_and_only_strangers_are_asked_about(tmp_path):
    study = read_study(tiny_study(tmp_path, steps=3, subjects=("sub-01", "sub-02", "sub-03")))
    asked = Asked(("copy", "population_regression"), split="subject:sub-02")
    result = compare_study(study, tmp_path / "out", asked)
    assert {row.subject for row in result.scores.rows} == {"sub-02"}
    learned = bench_of(study, asked).population(study.measured, study.deep)
    assert learned.people == 2


def test_only_who_was_named_is_asked_about(tmp_path, capsys):
    study = tiny_study(tmp_path, steps=3, subjects=("sub-01", "sub-02"))
    given = ("compare", study, "--quiet", "--methods", "copy")
    assert called(capsys, *given, "--out", tmp_path / "out", "--subject", "sub-02")[0] == 0
    assert set(pd.read_csv(tmp_path / "out" / "scores.csv").subject) == {"sub-02"}
    code, facts = called(capsys, *given, "--out", tmp_path / "other", "--subject", "sub-09")
    assert code == 2
    assert "sub-02" in json.dumps(facts)


def test_a_method_that_fails_is_noted_and_the_others_go_on(study, tmp_path, capsys, monkeypatch):
    forbid(monkeypatch, ConvergenceError("the muscles did not come to rest"), "copy_group")
    given = ("compare", study, "--out", tmp_path / "out", "--quiet", "--methods", "copy,copy_group,copy_best")
    code, facts = called(capsys, *given)
    assert code == 0
    assert facts["failures"] == [
        {"method": "copy_group", "subject": "sub-01", "why": "the muscles did not come to rest"}
    ]
    assert set(pd.read_csv(tmp_path / "out" / "scores.csv").method) == {"copy", "copy_best"}
    assert "the muscles did not come to rest" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_where_every_method_fails_there_is_no_result(study, tmp_path, capsys, monkeypatch):
    forbid(monkeypatch, ConvergenceError("no way"), "copy", "copy_group")
    code, facts = called(capsys, "compare", study, "--out", tmp_path / "out", "--methods", "copy_group", "--quiet")
    assert code == 4
    assert "no way" in json.dumps(facts)
    assert not (tmp_path / "out" / "scores.csv").exists()


def test_a_method_whose_moment_is_missing_is_named_and_not_held_against_the_copy(tmp_path, capsys):
    study = tiny_study(tmp_path, steps=3)
    text = study.read_text(encoding="utf-8")
    tests = [block for block in text.split("[[subject.trial]]") if 'role = "test"' in block]
    for block in tests:
        text = text.replace(
            block, "\n".join(line for line in block.split("\n") if not line.strip().startswith("moments"))
        )
    study.write_text(text, encoding="utf-8")
    methods = "copy,copy_group,static_optimization"
    assert main(["compare", str(study), "--out", str(tmp_path / "out"), "--methods", methods, "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "1 method is not held against the copy" in said
    assert "static_optimization: in 1 of 1 people" in said


@pytest.mark.parametrize("methods", ["", " , "])
def test_no_method_at_all_is_refused(methods, study, tmp_path, capsys):
    code, facts = called(capsys, "compare", study, "--out", tmp_path / "out", "--methods", methods)
    assert code == 2
    assert "no method is named" in json.dumps(facts)


def test_one_name_alone_is_one_method_one_muscle_and_one_person(study):
    read = read_study(study)
    assert chosen("copy_group") == ("copy", "copy_group")
    assert hidden_muscles(read, "TRIlat") == ("TRIlat",)
    assert hidden_muscles(read, "each") == read.measured
    assert chosen_people(read, "sub-01") == read.subjects


def test_a_method_that_there_is_not_is_answered_with_those_there_are(study, tmp_path, capsys):
    given = ("compare", study, "--out", tmp_path / "out", "--methods", "copy,magic,crystal")
    code, facts = called(capsys, *given)
    assert code == 2
    said = json.dumps(facts)
    assert "magic" in said
    assert "crystal" in said
    assert all(name in said for name in METHODS)
    assert not (tmp_path / "out").exists()


def test_the_yardstick_neither_wins_nor_has_an_interval(study, tmp_path, capsys):
    assert main(["compare", str(study), "--out", str(tmp_path / "out"), "--methods", "copy", "--quiet"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.strip().startswith("copy")]
    assert [line[:4] for line in lines] == [["copy", "1.00", "-", "-"]] * 2


@pytest.mark.parametrize("options", [(), ("--resume",), ("--overwrite",)])
def test_a_comparison_s_folder_is_no_place_for_a_fit(options, compared, study, capsys):
    before = contents(compared[0])
    code, facts = called(capsys, "fit", study, "--out", compared[0], *options)
    assert code == 2
    assert "results of a comparison, not of a fit" in json.dumps(facts)
    assert contents(compared[0]) == before


def test_a_comparison_has_nothing_to_export_and_nobody_to_reconstruct(compared, study, tmp_path, capsys):
    for given in (("export", compared[0], "--to", "opensim"), ("reconstruct", compared[0], study)):
        code, facts = called(capsys, *given, "--out", tmp_path / "o")
        assert code == 2
        assert "results of a comparison, not of a fit" in json.dumps(facts)


def test_who_finds_a_finished_comparison_is_told_that_it_can_go_on(compared, study, capsys):
    code, facts = called(capsys, "compare", study, "--out", compared[0], "--methods", NAMED)
    assert code == 2
    assert "--resume" in json.dumps(facts)


def test_a_fit_s_folder_is_no_place_for_a_comparison(study, tmp_path):
    out = tmp_path / "out"
    compare_study(read_study(study), out, Asked(("copy",)))
    manifest = json.loads((out / "run.json").read_text(encoding="utf-8"))
    (out / "run.json").write_text(json.dumps({**manifest, "kind": "fit"}), encoding="utf-8")
    for how in (How(overwrite=True), How(resume=True), How()):
        with pytest.raises(InputError, match="results of a fit"):
            compare_study(read_study(study), out, Asked(("copy",)), how)
