"""Workers of a cohort: a failure, a death or an interrupt costs one person, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from cohort_works import Deed, Unstartable, Writes
from profundus.errors import InputError, Problem, ResourceError
from profundus.protocols.cohort_jobs import Job, failure_from
from profundus.protocols.cohort_processes import TRIES, Processes, thread_settings

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
KINDS = {
    "a": "fine",
    "b": "bad",
    "c": "killed",
    "d": "killed once",
    "e": "bug",
    "f": "memory",
    "g": "fine",
    "h": "fine",
}


def jobs(kinds):
    return iter([Job(person, Deed(person, kind)) for person, kind in kinds.items()])


def gone(pid: int, *, within: float = 10.0) -> bool:
    """Return whether a process has ended (one that only waits to be reaped has)."""
    limit = time.monotonic() + within
    while time.monotonic() < limit:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    """Return {person: end} of one cohort of two workers, and its folder."""
    folder = tmp_path_factory.mktemp("works")
    ends = list(Processes(2)(jobs(KINDS), Writes(folder)))
    return {end.subject: end for end in ends}, folder, len(ends)


def test_everybody_has_one_end_and_those_who_can_be_are_done(ended):
    ends, folder, count = ended
    assert (set(ends), count) == (set(KINDS), len(KINDS))
    assert {path.stem for path in folder.glob("*.done")} == {"a", "d", "f", "g", "h"}
    assert {person for person, end in ends.items() if end.failure is None} == {"a", "d", "f", "g", "h"}


def test_bad_input_is_told_with_all_its_problems_and_not_tried_again(ended):
    failure = ended[0]["b"].failure
    assert (failure.reason, failure.tries) == ("input", 1)
    assert [problem.what for problem in failure.problems] == ["no EMG", "no moments"]


def test_an_exception_that_nobody_expected_comes_with_its_traceback(ended):
    failure = ended[0]["e"].failure
    assert failure.reason == "bug"
    assert "ZeroDivisionError: over nothing" in failure.problems[0].what
    assert "cohort_works.py" in failure.traceback


def test_a_person_over_whom_workers_keep_dying_is_given_up(ended):
    failure = ended[0]["c"].failure
    assert (failure.reason, failure.tries) == ("died", TRIES)
    assert "SIGKILL" in failure.problems[0].what


def test_workers_live_long_and_others_take_over_where_one_died(ended):
    pids = {int(path.read_text()) for path in ended[1].glob("*.done")}
    assert len(pids) < 5
    assert all(gone(pid) for pid in pids)


def test_whoever_stops_listening_leaves_no_process_behind(tmp_path):
    with closing(Processes(2)(jobs({"a": "slow", "b": "fine"}), Writes(tmp_path))) as ends:
        assert next(ends).subject == "b"
        limit = time.monotonic() + 20
        while not (tmp_path / "a.tried").is_file() and time.monotonic() < limit:
            time.sleep(0.02)
    assert gone(int((tmp_path / "a.tried").read_text()), within=5.0)


PARENT = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from cohort_works import Deed, Writes
from profundus.protocols.cohort_processes import Processes
from profundus.protocols.cohort_jobs import Job
if __name__ == "__main__":
    list(Processes(1)(iter([Job("a", Deed("a", "slow"))]), Writes(Path(sys.argv[2]))))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_when_their_parent_does(tmp_path, how):
    (tmp_path / "parent.py").write_text(PARENT)
    command = [sys.executable, str(tmp_path / "parent.py"), str(Path(__file__).parent), str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as parent:
        limit = time.monotonic() + 60
        while not (tmp_path / "a.tried").is_file() and time.monotonic() < limit:
            time.sleep(0.05)
        worker = int((tmp_path / "a.tried").read_text())
        parent.send_signal(how)
    assert gone(worker)


def test_workers_that_cannot_start_are_told_instead_of_tried_forever(tmp_path):
    with pytest.raises(ResourceError, match=r"end before they begin to work.*with exit code 7"):
        list(Processes(1)(jobs({"a": "fine"}), Unstartable(tmp_path)))


def test_threads_are_left_alone_unless_asked_for():
    assert thread_settings(None, {}) == {}
    alone = thread_settings(1, {"XLA_FLAGS": "--xla_dump_to=x"})
    assert alone["NPROC"] == alone["OMP_NUM_THREADS"] == "1"
    assert alone["XLA_FLAGS"].split() == ["--xla_cpu_multi_thread_eigen=false", "--xla_dump_to=x"]
    assert "XLA_FLAGS" not in thread_settings(2, {})


def test_disk_and_convergence_are_told_apart_from_faults():
    assert failure_from(ResourceError("disk full"), "a").reason == "resource"
    assert failure_from(InputError(Problem("error", "x")), "a").traceback == ""
