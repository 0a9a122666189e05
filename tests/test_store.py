"""Files appear whole or not at all."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from profundus.errors import InputError, ResourceError
from profundus.io import store
from profundus.io.store import digest, is_unfinished, sole_writer, sweep, whole_folder, write_through, write_whole

WRITER = """
import sys
from pathlib import Path
from profundus.io.store import whole_folder, write_whole
folder, size = Path(sys.argv[1]), 200_000
print("ready", flush=True)
for n in range(10**9):
    write_whole(folder / "result.csv", f"{n % 10}" * size)
    with whole_folder(folder / "subject") as subject:
        write_whole(subject / "one.csv", f"{n % 10}" * 1000)
        write_whole(subject / "two.csv", f"{n % 10}" * 1000)
"""


def test_a_file_holds_what_was_written_and_nothing_else_is_left(tmp_path):
    write_whole(tmp_path / "deep" / "result.csv", "µ\n")
    assert (tmp_path / "deep" / "result.csv").read_bytes() == "µ\n".encode()
    write_whole(tmp_path / "deep" / "result.csv", b"new")
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["result.csv"]


def test_digest_is_sha_256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert digest(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_writer_that_fails_leaves_the_old_file_as_it_was(tmp_path):
    target = tmp_path / "run.nc"
    target.write_text("old")

    def fails(path: Path) -> None:
        assert path.suffix == ".nc"
        path.write_text("half")
        raise RuntimeError("library gave up")

    with pytest.raises(RuntimeError, match="gave up"):
        write_through(target, fails)
    assert [p.name for p in tmp_path.iterdir()] == ["run.nc"]
    assert target.read_text() == "old"


def test_a_full_disk_is_said_with_the_place(tmp_path, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "_write", full)
    with pytest.raises(
        ResourceError, match=r"result\.csv: cannot be written \(No space left.*Free some space"
    ) as caught:
        write_whole(tmp_path / "result.csv", "x")
    assert caught.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_a_really_full_disk_is_said_too():
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(ResourceError, match="cannot be written"):
        write_through(Path("/dev/full/result.csv"), lambda path: path.write_text("x"))


def test_a_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ResourceError, match="taken"):
        write_whole(tmp_path / "taken" / "result.csv", "x")


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "sub-01"
    with whole_folder(target) as folder:
        (folder / "parameters.csv").write_text("first")
        assert not target.exists()
        assert is_unfinished(folder)
    with pytest.raises(FileNotFoundError), whole_folder(target) as folder:
        (folder / "not there" / "parameters.csv").write_text("second")
    assert (target / "parameters.csv").read_text() == "first"
    with whole_folder(target) as folder:
        (folder / "other.csv").write_text("third")
    assert [p.name for p in tmp_path.rglob("*")] == ["sub-01", "other.csv"]


def test_sweep_removes_what_the_dead_left_and_nothing_else(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mine, dead = store._unfinished(tmp_path / "a.csv"), f"-{gone.pid}-"
    mine.write_text("being written")
    left = tmp_path / mine.name.replace(f"-{os.getpid()}-", dead)
    left.write_text("half")
    (tmp_path / (left.name + "-folder")).mkdir()
    (tmp_path / "a.csv").write_text("whole")
    assert len(sweep(tmp_path)) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["a.csv", mine.name])
    assert sweep(tmp_path / "nowhere") == ()


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_what_a_killed_process_leaves_is_whole(tmp_path):
    chance = random.Random(1)
    for _ in range(30):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.08))
            process.send_signal(signal.SIGKILL)
        result = tmp_path / "result.csv"
        if result.exists():
            text = result.read_text()
            assert len(text) == 200_000
            assert len(set(text)) == 1
        if (tmp_path / "subject").exists():
            one, two = ((tmp_path / "subject" / name).read_text() for name in ("one.csv", "two.csv"))
            assert one == two
            assert len(one) == 1000
        sweep(tmp_path)
        assert {p.name for p in tmp_path.iterdir()} <= {"result.csv", "subject"}
    assert (tmp_path / "result.csv").exists()


HOLDER = """
import sys, time
from pathlib import Path
from profundus.io.store import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_folder_has_one_writer_until_he_ends_or_is_killed(tmp_path):
    folder = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(InputError, match=f"another command is writing here: process {holder.pid} of"):
            sole_writer(folder).__enter__()
        assert len(list(folder.iterdir())) == 1
        holder.send_signal(signal.SIGKILL)
    with sole_writer(folder):
        assert len(list(folder.iterdir())) == 1
    assert list(folder.iterdir()) == []


def test_a_claim_of_another_machine_stays_until_somebody_removes_it(tmp_path):
    claim = tmp_path / ".profundus-elsewhere-7-0-writing"
    claim.touch()
    with pytest.raises(
        InputError, match=r"process 7 of elsewhere, since \d{4}-.*remove \.profundus-elsewhere-7-0-writing"
    ):
        sole_writer(tmp_path).__enter__()
    claim.unlink()
    with sole_writer(tmp_path):
        pass


def test_a_claim_of_a_dead_process_that_had_our_number_is_taken_over(tmp_path):
    with sole_writer(tmp_path):
        (name,) = (path.name for path in tmp_path.iterdir())
    (tmp_path / name).touch()
    with sole_writer(tmp_path), pytest.raises(InputError, match="another command"):
        sole_writer(tmp_path).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_made_for_nothing_is_not_left(tmp_path):
    with pytest.raises(ZeroDivisionError), sole_writer(tmp_path / "a" / "run"):
        raise ZeroDivisionError
    assert not (tmp_path / "a" / "run").exists()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is not a folder"):
        sole_writer(tmp_path / "file").__enter__()
