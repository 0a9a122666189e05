"""What a run leaves behind: the files of the contract, whole or not at all."""

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from answers import MUSCLES, answer, reconstruction, trial
from profundus.errors import FileFormatError, InputError, MissingFileError, UnsafeInputError
from profundus.io.rows_file import read_rows
from profundus.io.run_directory import RunDirectory, read_run, start_run
from profundus.io.score_file import read_scores, write_scores
from profundus.io.tables import read_table
from profundus.records import ParameterRow, Reconstruction, Scorecard, ScoreRow
from profundus.validate.scores import score

ROWS = (
    ParameterRow("BRA", "max_isometric_force", "N", 987.26, 1100.5, 493.63, 2468.15, 120.0, 300.0),
    ParameterRow("", "shape_factor", "-", -0.5, -2.99, -3.0, 0.0, 0.29, 0.3),
)
CONTRACT = (
    "method,subject,trial,load_kg,role,quantity,name,r,rmse,nrmse,amplitude_ratio,rmse_scaled,lag_ms,vaf,"
    "coverage90,band_width,interval_score90,hidden,n"
)


def written(path, **options):
    run = start_run(path, {"seed": 0, "settings": {"b": np.float64(10.0), "unknown": np.nan}}, **options)
    run.write_subject(reconstruction(), ROWS, ({"w": np.arange(3.0, dtype=np.float32)}, {"layers": 2}))
    run.write_scores(score(reconstruction()))
    return run


def test_a_run_leaves_the_files_of_the_contract(tmp_path):
    (tmp_path / "study.toml").write_text("[study]\n")
    run = written(tmp_path / "run", study_file=tmp_path / "study.toml")
    run.finish({"seconds": 1.5})
    files = {p.relative_to(run.path).as_posix() for p in run.path.rglob("*") if p.is_file()}
    tables = {f"curl_{i}/{name}.sto" for i in (1, 2, 3) for name in ("excitations", "excitations_band", "moments")}
    person = {"parameters.csv", "reconstruction.nc", "fitted.safetensors", "quality.csv", *tables}
    assert files == {"run.json", "scores.csv", "study.toml"} | {f"subjects/sub-01/{name}" for name in person}
    manifest = json.loads((run.path / "run.json").read_text())
    assert manifest["settings"] == {"b": 10.0, "unknown": None}
    assert (manifest["finished"], manifest["seconds"], manifest["seed"]) == (True, 1.5, 0)


def test_tables_hold_what_the_answer_says(tmp_path):
    run = written(tmp_path / "run")
    folder = run.path / "subjects" / "sub-01" / "curl_2"
    part = reconstruction().trials[1]
    excitations = read_table(folder / "excitations.sto")
    assert excitations.labels == MUSCLES
    np.testing.assert_array_equal(excitations.values, part.excitation)
    np.testing.assert_array_equal(excitations.time, part.trial.time)
    band = read_table(folder / "excitations_band.sto")
    np.testing.assert_array_equal(band["BRA_lower"], part.lower[:, 5])
    np.testing.assert_array_equal(band["TRIlong_upper"], part.upper[:, 0])
    moments = read_table(folder / "moments.sto")
    np.testing.assert_array_equal(moments["r_elbow_flex_measured"], part.trial.moment[:, 0])
    np.testing.assert_array_equal(moments["r_elbow_flex_model"], part.moment[:, 0])


def test_parameters_have_the_columns_of_the_contract(tmp_path):
    run = written(tmp_path / "run")
    with (run.path / "subjects" / "sub-01" / "parameters.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == [
        *("muscle", "parameter", "unit", "generic", "fitted", "lower", "upper"),
        *("posterior_sd", "moved_by_data", "at_bound", "prior_sd"),
    ]
    assert [(line["moved_by_data"], line["at_bound"]) for line in lines] == [("true", "false"), ("false", "true")]
    assert run.parameters("sub-01") == ROWS


def test_a_run_is_read_back(tmp_path):
    written(tmp_path / "run").finish()
    run = read_run(tmp_path / "run")
    assert (run.finished, run.subjects) == (True, ("sub-01",))
    rec = run.reconstruction("sub-01")
    np.testing.assert_allclose(rec.trials[0].excitation, reconstruction().trials[0].excitation, rtol=1e-6)
    arrays, facts = run.network("sub-01")
    assert (arrays["w"].tolist(), facts) == ([0.0, 1.0, 2.0], {"layers": 2})
    assert len(run.scores().rows) == len(score(reconstruction()).rows)


def test_the_only_person_needs_no_name_and_others_are_told_apart(tmp_path):
    run = written(tmp_path / "run")
    assert (run.named(), run.named("sub-01")) == ("sub-01", "sub-01")
    with pytest.raises(InputError, match=r"there is no subject 'sub-02'.*one of sub-01"):
        run.named("sub-02")
    run.write_subject(replace(reconstruction(), subject="sub-02"))
    with pytest.raises(InputError, match=r"no subject was named.*one of sub-01, sub-02"):
        run.named()
    with pytest.raises(InputError, match="no person's fit is finished"):
        start_run(tmp_path / "empty", {}).named("sub-01")


def test_scores_have_the_columns_of_the_contract_and_come_back(tmp_path):
    row = ScoreRow("nmm", "sub-01", "all", np.nan, "test", "emg", "BRA", r=0.1 + 0.2, rmse=1e-7, hidden=True, n=12)
    write_scores(Scorecard((row,)), tmp_path / "scores.csv")
    header, line = (tmp_path / "scores.csv").read_text().splitlines()
    assert header == CONTRACT + ",r2"
    assert line == "nmm,sub-01,all,,test,emg,BRA,0.30000000000000004,0.0000001,,,,,,,,,true,12,"
    (back,) = read_scores(tmp_path / "scores.csv").rows
    assert str(back) == str(row)


def test_every_unreadable_cell_is_said_with_its_line(tmp_path):
    write_scores(Scorecard(score(reconstruction()).rows[:3]), tmp_path / "scores.csv")
    lines = (tmp_path / "scores.csv").read_text().splitlines()
    lines[1] = lines[1].replace("false", "maybe")
    lines[3] = lines[3].replace(",2.0,", ",two,").replace("curl_3,", "curl_3,x")
    (tmp_path / "scores.csv").write_text("\n".join(lines))
    with pytest.raises(FileFormatError) as caught:
        read_scores(tmp_path / "scores.csv")
    assert [(problem.line, problem.what) for problem in caught.value.problems] == [
        (2, "hidden is 'maybe'"),
        (4, "load_kg is 'x'"),
    ]
    (tmp_path / "scores.csv").write_text("method,subject\n")
    with pytest.raises(FileFormatError, match="there is no column 'trial'"):
        read_rows(tmp_path / "scores.csv", ScoreRow)


@pytest.mark.parametrize("name", ["../sub", "a/b", "a\\b", "..", "", ".hidden", "x\0", "parameters.csv", "end."])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path, name):
    run = start_run(tmp_path / "run", {})
    for rec in (
        Reconstruction("nmm", "sub-01", (answer(trial(name)),)),
        Reconstruction("nmm", name, (answer(trial()),)),
    ):
        if rec.subject == "parameters.csv":
            continue
        with pytest.raises(UnsafeInputError):
            run.write_subject(rec)
    assert run.subjects == ()
    assert {p.name for p in tmp_path.iterdir()} == {"run"}


def test_trials_that_differ_in_case_alone_are_refused(tmp_path):
    run = start_run(tmp_path / "run", {})
    with pytest.raises(UnsafeInputError, match="share the folder 'curl'"):
        run.write_subject(Reconstruction("nmm", "sub-01", (answer(trial("curl")), answer(trial("Curl")))))


def test_a_folder_that_is_no_run_is_left_alone(tmp_path):
    (tmp_path / "thesis.docx").write_text("precious")
    for options in ({}, {"overwrite": True}, {"resume": True}):
        with pytest.raises(InputError, match="not a run"):
            start_run(tmp_path, {}, **options)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(InputError, match="not a run"):
        start_run(tmp_path, {}, overwrite=True)
    assert (tmp_path / "thesis.docx").read_text() == "precious"
    with pytest.raises(MissingFileError, match="no run"):
        read_run(tmp_path / "nowhere")


def test_a_finished_run_is_overwritten_only_when_told_to(tmp_path):
    written(tmp_path / "run").finish()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="a finished run"):
        start_run(tmp_path / "run", {})
    run = start_run(tmp_path / "run", {"seed": 1}, overwrite=True)
    assert run.subjects == ()
    assert sorted(p.name for p in run.path.iterdir()) == ["notes.txt", "run.json"]
    assert "settings" not in run.manifest


def test_a_finished_run_that_is_resumed_keeps_its_people(tmp_path):
    people = written(tmp_path / "run").subjects
    RunDirectory(tmp_path / "run").finish()
    assert start_run(tmp_path / "run", {}, resume=True).subjects == people


def test_an_unfinished_run_goes_on_where_it_was(tmp_path):
    run = written(tmp_path / "run")
    run.checkpoints("sub-02").save(3, {"w": np.ones(2)}, {"step": 3})
    with pytest.raises(InputError, match=r"overwritten .* or resumed"):
        start_run(tmp_path / "run", {})
    again = start_run(tmp_path / "run", {}, resume=True)
    assert again.subjects == ("sub-01",)
    assert again.checkpoints("sub-02").latest()[1] == {"step": 3}
    again.finish()
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_person_that_cannot_be_written_leaves_nothing(tmp_path):
    run = start_run(tmp_path / "run", {})
    endless = replace(answer(trial()), excitation=np.full((400, 6), np.inf))
    with pytest.raises(InputError):
        run.write_subject(Reconstruction("nmm", "sub-01", (answer(trial("first")), endless)))
    assert run.subjects == ()
    assert list((run.path / "subjects").iterdir()) == []


KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from answers import reconstruction
from profundus.io.run_directory import start_run
run = start_run(Path(sys.argv[2]), {}, resume=True)
print("ready", flush=True)
while True:
    run.write_subject(reconstruction())
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_run_holds_whole_persons_only(tmp_path):
    for patience in (0.02, 0.15, 0.4):
        command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(tmp_path / "run")]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        run = start_run(tmp_path / "run", {}, resume=True)
        for subject in run.subjects:
            assert len(run.reconstruction(subject).trials) == 3
            assert len(list((run.path / "subjects" / subject).rglob("*.sto"))) == 9
        assert {p.name for p in (run.path / "subjects").glob("*")} <= {"sub-01"}
