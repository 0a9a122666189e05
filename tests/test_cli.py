"""The command line: exit codes, one JSON object on stdout, and words that a biomechanist understands."""

import errno
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from cli_study import called, profundus, tiny_study
from profundus.cli import checking
from profundus.cli import sysinfo as sysinfo_room
from profundus.cli.failures import failure
from profundus.cli.main import main
from profundus.cli.outcome import grouped_by_severity, printable
from profundus.errors import ConvergenceError, Problem, ResourceError
from profundus.io.tables import read_table, write_table

COMMANDS = ("demo", "check", "fit", "reconstruct", "report", "export", "sysinfo")


def test_help_and_version_load_no_heavy_library():
    script = (
        "import sys; from profundus.cli.main import main; code = main(['--help']); main(['fit', '--help']); main(['--version'])\n"
        "heavy = ('jax', 'scipy', 'numpy', 'pandas', 'xarray', 'plotly', 'equinox')\n"
        "print(code, [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
    assert "profundus 0." in done.stdout


def test_help_names_every_command_and_every_command_has_json(capsys):
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out
    for name in COMMANDS:
        assert f"  {name} " in listed
        assert main([name, "--help"]) == 0
        assert "--json" in capsys.readouterr().out


def test_check_loads_no_jax(tmp_path):
    study = tiny_study(tmp_path)
    script = (
        "import sys; from profundus.cli.main import main; code = main(sys.argv[1:])\n"
        "print([name for name in ('jax', 'equinox', 'plotly', 'xarray') if name in sys.modules], file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "check", str(study), "--json"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (0, "[]")
    facts = json.loads(done.stdout)
    assert facts["ready"]
    assert facts["subjects"][0]["loads_kg"] == [1.0, 2.0, 3.0]
    assert facts["groups"]["elbow_flexors"] == {"measured": ["BIClong", "BICshort"], "deep": ["BRA"], "electrodes": 2}


def test_check_tells_people_what_the_study_has_and_what_it_leaves_open(tmp_path, capsys):
    study = tiny_study(tmp_path, subjects=("sub-01", "sub-02"))
    assert main(["check", str(study)]) == 0
    said = capsys.readouterr().out
    for part in ("sub-01", "sub-02", "BRA", "elbow_flexors", "3 trials in all", "Ready to be fitted"):
        assert part in said
    assert "\x1b" not in said


def test_check_lists_all_problems_with_file_and_line(tmp_path, capsys):
    study = tiny_study(tmp_path)
    text = (
        study.read_text().replace('deep = ["BRA", "TRImed"]', 'deep = ["BRA"]').replace("load_kg = 1.0", "load = 1.0")
    )
    study.write_text(text)
    (tmp_path / "sub-01_heavy" / "emg.sto").unlink()
    code, facts = called(capsys, "check", study)
    assert (code, facts["ready"]) == (2, False)
    errors = [problem for problem in facts["problems"] if problem["severity"] == "error"]
    assert set(errors[0]) == {"severity", "file", "line", "what", "expected", "remedy"}
    said = " ".join(problem["what"] for problem in errors)
    assert "TRImed" in said
    assert "sub-01_light].load'" in said
    assert "heavy" in said
    assert any(problem["line"] for problem in errors)
    assert main(["check", str(study)]) == 2
    assert f"{study}:" in capsys.readouterr().out


def test_check_tells_what_assembling_finds_of_every_subject(tmp_path, capsys):
    study = tiny_study(tmp_path, subjects=("sub-01", "sub-02"))
    study.write_text(study.read_text().replace('normalization = "mvc"', 'normalization = "session_max"'))
    for folder in ("sub-01_light", "sub-01_heavy", "sub-01_middle"):
        path = tmp_path / folder / "emg.sto"
        head, rows = path.read_text().split("endheader\n")
        lines = rows.splitlines()
        silent = ["\t".join([line.split("\t")[0], "0", *line.split("\t")[2:]]) for line in lines[1:]]
        path.write_text("\n".join([head + "endheader", lines[0], *silent, ""]))
    code, facts = called(capsys, "check", study)
    assert code == 2
    assert any("TRIlong" in problem["what"] for problem in facts["problems"] if problem["severity"] == "error")
    assert [subject["id"] for subject in facts["subjects"]] == ["sub-02"]


def on_disk(folder, file, change):
    """Change a table of each recording of the tiny study: ``change`` takes its values (row, column) to others."""
    for path in folder.glob(f"*/{file}"):
        table = read_table(path)
        write_table(replace(table, values=change(table.values)), path)


@pytest.mark.parametrize(
    ("file", "change"),
    [("moments.sto", np.negative), ("emg.sto", lambda emg: emg[:, [2, 3, 0, 1]])],
    ids=["moments negated", "flexors and extensors swapped"],
)
def test_check_doubts_a_moment_that_goes_against_its_muscles(file, change, tmp_path, capsys):
    study = tiny_study(tmp_path)
    assert "moment sign" not in str(called(capsys, "check", study))
    on_disk(tmp_path, file, change)
    code, facts = called(capsys, "check", study)
    (said,) = [problem for problem in facts["problems"] if "moment sign" in problem["what"]]
    assert (code, said["severity"]) == (0, "warning")
    assert "sign of the moment may be wrong, or flexor and extensor electrodes are swapped" in said["what"]


def every_other_missing(values):
    return np.where(np.arange(len(values))[:, None] % 2, values, np.nan)


@pytest.mark.parametrize(
    ("file", "said"), [("moments.sto", "no trial to fit to has a moment left"), ("emg.sto", "BICshort has no EMG left")]
)
def test_check_refuses_what_the_fit_would_refuse(file, said, tmp_path, capsys):
    study = tiny_study(tmp_path)
    on_disk(tmp_path, file, every_other_missing)
    code, facts = called(capsys, "check", study)
    assert code == 2
    found = [p for p in facts["problems"] if p["severity"] == "error" and said in p["what"]]
    assert found[0]["file"].endswith(file)


@pytest.mark.parametrize(
    "content", ["", "\x00\x01", "[study\n", "study = 1\n", "[study]\nname = '\x1b[2J'\n", "a = " + "[" * 3000]
)
def test_hostile_study_files_are_bad_input_and_never_our_bug(content, tmp_path, capsys):
    path = tmp_path / "study.toml"
    path.write_text(content)
    for command in (["check", path], ["fit", path, "--out", tmp_path / "run"]):
        code, facts = called(capsys, *command)
        assert (code, facts["problems"] != []) == (2, True)
        main([*map(str, command)])
        assert "\x1b" not in "".join(capsys.readouterr())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "given",
    [
        ["fitt"],
        ["fit", "study.toml"],
        ["fit", "study.toml", "--out", "x", "--seed", "-1"],
        ["fit", "study.toml", "--out", "x", "--epochs", "3"],
        ["export", "run", "--to", "matlab"],
        ["report", "not-a-run"],
        ["check", "no-such-study.toml"],
        ["reconstruct", "not-a-run", "new.toml", "--out", "x"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_bad_input_and_one_json_object(given, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, facts = called(capsys, *given)
    assert code == 2
    assert facts["problems"][0]["severity"] == "error"
    assert main(given) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_no_command_at_all_shows_the_help_on_stderr(capsys):
    assert main([]) == 2
    printed, said = capsys.readouterr()
    assert printed == ""
    assert "Usage: profundus" in said


def raising(error):
    def checked(*_, **__):
        raise error

    return checked


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ResourceError("out: cannot be written (No space left on device). Free some space."), 3),
        (MemoryError(), 3),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes"), 3),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "run/scores.csv"), 3),
        (ConvergenceError("sub-01: the loss is no longer finite"), 4),
        (ZeroDivisionError("division by zero"), 1),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_exit_codes_say_whose_fault_it_is(error, code, monkeypatch, capsys):
    monkeypatch.setattr(checking, "checked", raising(error))
    found, facts = called(capsys, "check", "study.toml")
    assert (found, facts["exit_code"]) == (code, code)
    assert isinstance(facts["problems"], list)


def test_our_bug_is_said_to_be_ours_and_debug_shows_where(monkeypatch, capsys):
    monkeypatch.setattr(checking, "checked", raising(ZeroDivisionError("division by zero")))
    assert main(["check", "study.toml"]) == 1
    said = capsys.readouterr().err
    assert "fault of profundus, not of your data" in said
    assert "ZeroDivisionError: division by zero" in said
    assert "Traceback" not in said
    assert main(["check", "study.toml", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="signals are sent to a process")
def test_a_polite_request_to_end_is_an_interruption(monkeypatch, capsys):
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(checking, "checked", lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM))
    code, facts = called(capsys, "check", "study.toml")
    assert (code, facts["problems"]) == (130, [])
    assert signal.getsignal(signal.SIGTERM) is before


def test_an_interrupted_fit_tells_how_to_go_on():
    assert "--resume" in failure(KeyboardInterrupt(), ["fit", "study.toml"]).advice
    assert "--resume" not in failure(KeyboardInterrupt(), ["check", "study.toml"]).advice


def test_what_a_library_prints_does_not_reach_stdout(monkeypatch, capsys):
    honest = checking.checked

    def chatty(*given, **options):
        print("hello from a library")
        return honest(*given, **options)

    monkeypatch.setattr(checking, "checked", chatty)
    code, facts = called(capsys, "check", "no-such-study.toml")
    assert (code, facts["ready"]) == (2, False)


def test_a_reader_that_goes_away_is_no_failure(tmp_path):
    study = tiny_study(tmp_path)
    script = "import sys; from profundus.cli.main import main; sys.exit(main(sys.argv[1:]))"
    with subprocess.Popen(
        [sys.executable, "-c", script, "check", str(study)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        said = process.stderr.read() if process.stderr else ""
    assert (process.returncode, said) == (0, "")


def test_hundreds_of_notes_bury_no_error():
    problems = [
        *(Problem("note", f"note {i}") for i in range(300)),
        *(Problem("error", f"error {i}") for i in range(60)),
    ]
    lines = grouped_by_severity(problems)
    assert [line for line in lines if "error" in line][-1] == "  error 59."
    assert lines[-1] == "  and 260 more; --json lists them all"


def test_names_cannot_steer_the_terminal():
    assert printable("BRA\x1b[31m\u202e\nnext") == "BRA\\x1b[31m\\u202e\nnext"


def test_a_terminal_without_unicode_is_no_obstacle(tmp_path):
    done = profundus("check", tiny_study(tmp_path), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr


def test_sysinfo_tells_what_a_report_needs(capsys):
    code, facts = called(capsys, "sysinfo")
    assert code == 0
    assert facts["models"] == ["arm26"]
    assert {"jax", "numpy", "opensim"} <= set(facts["libraries"])
    assert any("cpu" in device.lower() for device in facts["accelerators"])
    assert facts["cores"] >= 1


def test_sysinfo_outlives_a_jax_that_does_not_start(monkeypatch, capsys):
    monkeypatch.setattr(sysinfo_room, "PROBE", "import sys; sys.exit('driver is broken')")
    code, facts = called(capsys, "sysinfo")
    assert code == 0
    assert "driver is broken" in facts["accelerators"][0]
