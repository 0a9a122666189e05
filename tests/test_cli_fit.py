"""`fit` and what can be done with a run, on a tiny study with known excitations."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import profundus as pf
from cli_study import called, new_trial, tiny_study
from cli_study import profundus as command
from curls import curl
from profundus.api import Run
from profundus.cli.main import main
from profundus.errors import FileFormatError, InputError
from profundus.io.run_directory import read_run, start_run
from profundus.io.tables import read_table
from profundus.pages.run import page_of

pytestmark = pytest.mark.slow  # they share one fit
MUSCLES = ("TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Return (study file, run folder, what the command printed, what it said) of one fit by the command."""
    folder = tmp_path_factory.mktemp("tiny")
    study, run = tiny_study(folder, steps=80), folder / "run"
    done = command("fit", study, "--out", run, "--seed", 3, "--json")
    assert done.returncode == 0, done.stderr
    return study, run, done.stdout, done.stderr


def test_fit_prints_one_object_of_the_contract_and_nothing_else(fitted):
    _, run, printed, _ = fitted
    facts = json.loads(printed)
    assert {"run", "subjects", "warnings", "seconds"} <= set(facts)
    assert facts["run"] == str(run)
    (person,) = facts["subjects"]
    assert set(person) == {"id", "converged", "seconds", "moment_r2", "flags"}
    assert (person["id"], set(person["moment_r2"])) == ("sub-01", {"r_elbow_flex"})
    assert {problem["severity"] for problem in facts["warnings"]} <= {"warning", "note"}


def test_progress_is_told_in_lines_on_stderr_where_there_is_no_terminal(fitted):
    said = fitted[3]
    assert "sub-01: reading recordings" in said
    assert "sub-01: training" in said
    assert "\x1b" not in said


def test_fit_leaves_the_files_of_the_contract_and_a_page_that_names_the_study(fitted):
    run = fitted[1]
    for name in ("run.json", "scores.csv", "report.html", "study.toml"):
        assert (run / name).is_file()
    folder = run / "subjects" / "sub-01"
    assert read_table(folder / "sub-01_middle" / "excitations.sto").labels == MUSCLES
    assert "tiny" in (run / "report.html").read_text(encoding="utf-8")


def test_the_page_is_made_again_from_the_folder_alone(fitted, capsys):
    run = fitted[1]
    first = (run / "report.html").read_bytes()
    (run / "report.html").unlink()
    code, facts = called(capsys, "report", run)
    assert (code, facts["page"]) == (0, str(run / "report.html"))
    assert (run / "report.html").read_bytes() == first


def test_the_page_shows_processing_scores_copy_training_and_credit(fitted):
    page = page_of(read_run(fitted[1]))
    for part in ("EMG was delivered as envelopes", "copy of the nearest muscle", "Brachialis (BRA)", "Arm26"):
        assert part in page


def test_a_damaged_manifest_is_named_and_no_page_is_written(fitted, tmp_path):
    manifest = json.loads((fitted[1] / "run.json").read_text())
    del manifest["settings"]
    (tmp_path / "run.json").write_text(json.dumps(manifest))
    with pytest.raises(FileFormatError, match=r"run\.json.*settings"):
        page_of(read_run(tmp_path))


def test_a_finished_run_is_not_fitted_over_by_accident(fitted, capsys):
    study, run, *_ = fitted
    before = (run / "run.json").read_bytes()
    code, facts = called(capsys, "fit", study, "--out", run)
    assert (code, (run / "run.json").read_bytes()) == (2, before)
    assert "finished run" in facts["problems"][0]["what"]


def test_a_stranger_among_the_subjects_is_refused_before_anything_is_written(fitted, capsys, tmp_path):
    code, facts = called(capsys, "fit", fitted[0], "--out", tmp_path / "out", "--subject", "sub-99")
    assert code == 2
    assert "sub-99" in facts["problems"][0]["what"]
    assert not (tmp_path / "out").exists()


def test_reconstruct_answers_a_new_trial_without_fitting(fitted, capsys, tmp_path):
    code, facts = called(capsys, "reconstruct", fitted[1], new_trial(tmp_path), "--out", tmp_path / "out")
    assert code == 0, facts
    assert facts["trials"] == ["again"]
    table = read_table(tmp_path / "out" / "subjects" / "sub-01" / "again" / "excitations.sto")
    assert table.labels == MUSCLES
    assert np.all((table.values >= 0) & (table.values <= 1))
    assert (tmp_path / "out" / "report.html").is_file()


def test_export_writes_what_opensim_reads(fitted, capsys, tmp_path):
    code, facts = called(capsys, "export", fitted[1], "--to", "opensim", "--out", tmp_path / "osim")
    assert code == 0
    controls = read_table(tmp_path / "osim" / "sub-01" / "sub-01_middle_controls.sto")
    assert controls.labels == MUSCLES
    states = read_table(tmp_path / "osim" / "sub-01" / "sub-01_middle_states.sto")
    assert "/jointset/r_elbow/r_elbow_flex/value" in states.labels
    assert "/jointset/r_shoulder/r_shoulder_elev/value" in states.labels
    names = [Path(file).name for file in facts["files"]["sub-01"]]
    assert len(names) == 7
    assert "sub-01_muscles.csv" in names


def test_exports_and_reconstructions_of_strangers_are_refused(fitted, capsys, tmp_path):
    for given in (("export", fitted[1], "--to", "opensim"), ("reconstruct", fitted[1], new_trial(tmp_path))):
        code, facts = called(capsys, *given, "--out", tmp_path / "o", "--subject", "sub-99")
        assert code == 2
        assert "sub-99" in facts["problems"][0]["what"]
        assert not (tmp_path / "o").exists()


def test_a_run_without_a_fitted_person_has_nothing_to_export(capsys, tmp_path):
    start_run(tmp_path / "run", {})
    code, facts = called(capsys, "export", tmp_path / "run", "--to", "opensim", "--out", tmp_path / "o")
    assert code == 2
    assert "no person's fit is finished" in facts["problems"][0]["what"]
    assert not (tmp_path / "o").exists()


def test_people_read_scores_cautions_and_where_the_page_is(fitted, capsys, tmp_path):
    code = main(
        ["reconstruct", str(fitted[1]), str(new_trial(tmp_path)), "--out", str(tmp_path / "out"), "--subject", "sub-01"]
    )
    said = capsys.readouterr().out
    assert code == 0
    assert "Scores" in said
    assert "BRA" in said
    assert str(tmp_path / "out" / "report.html") in said


def test_a_run_gives_its_tables_as_data_frames(fitted):
    run = pf.Run(fitted[1])
    assert list(run.scores.columns)[:4] == ["method", "subject", "trial", "load_kg"]
    strengths = run.parameters().query("parameter == 'max_isometric_force'")
    assert strengths["muscle"].tolist() == list(MUSCLES)
    assert np.all(strengths["lower"] < strengths["fitted"])
    with pytest.raises(InputError, match="sub-99"):
        run.parameters("sub-99")


def test_a_trial_in_memory_and_its_files_have_the_same_answer(fitted, tmp_path):
    run = Run(fitted[1])
    from_files = pf.reconstruct(run, new_trial(tmp_path))
    assert from_files["excitation"].dims == ("time", "muscle")
    assert from_files["draws"].dims == ("draw", "time", "muscle")
    assert from_files["moment"].dims == ("time", "coordinate")
    assert np.all(from_files["lower"] <= from_files["excitation"])
    assert np.all(from_files["excitation"] <= from_files["upper"])
    assert tuple(from_files["muscle"].values) == MUSCLES
    from_memory = run.reconstruct(curl("again", load_kg=2.0, seconds=2.0, role="test", seed=99))
    assert from_memory["excitation"].shape == from_files["excitation"].shape
    # the files' angles are differentiated, the simulated ones carry their exact velocity
    np.testing.assert_allclose(from_memory["excitation"], from_files["excitation"], atol=0.05)


def test_a_run_that_is_not_there_is_bad_input(tmp_path):
    with pytest.raises(InputError, match="no run in this folder"):
        Run(tmp_path)


def stopped(study: Path, run: Path) -> tuple[int, str]:
    """Start a fit, press Ctrl-C as soon as it trains; return its exit code and what it said after that."""
    heeding = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "  # jobs in the background ignore it
    )
    code = heeding + "import sys; from profundus.cli.main import main; sys.exit(main())"
    given = [sys.executable, "-c", code, "fit", str(study), "--out", str(run), "--seed", "3"]
    with subprocess.Popen(given, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if "training" in line:
                process.send_signal(signal.SIGINT)
                break
        said += process.communicate(timeout=120)[1]
    return process.returncode, said


@pytest.mark.skipif(os.name != "posix", reason="signals are sent to a process")
def test_an_interrupted_fit_goes_on_with_resume_to_the_same_numbers(fitted, tmp_path):
    study, whole, run = fitted[0], fitted[1], tmp_path / "run"
    code, said = stopped(study, run)
    assert code == 130, said
    assert "--resume goes on" in said
    assert "Traceback" not in said
    assert not json.loads((run / "run.json").read_text())["finished"]
    done = command("fit", study, "--out", run, "--seed", 3, "--resume", "--json", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((run / "run.json").read_text())["finished"]
    again, before = Run(run).dataset(), Run(whole).dataset()
    for name in ("excitation", "lower", "upper", "moment_model"):
        np.testing.assert_array_equal(again[name], before[name], err_msg=name)
