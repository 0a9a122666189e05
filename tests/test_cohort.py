"""`cohort`: the same run as `fit` leaves, whoever did the work and whatever happened on the way."""

import json
import os
import shutil
import signal
import threading
import time

import pytest

from cli_study import called, tiny_study
from profundus.api import Run
from profundus.cli.main import main
from profundus.errors import InputError
from profundus.io.run_directory import RunDirectory
from profundus.io.study_people import read_outline
from profundus.pages import run as pages
from profundus.protocols.cohort import crew_of, fit_cohort
from profundus.protocols.cohort_cluster import DaskCluster
from profundus.protocols.cohort_jobs import attempted
from profundus.protocols.cohort_work import inputs_file
from same_runs import differences

pytestmark = pytest.mark.slow  # they share one study and its fit
PEOPLE = ("sub-01", "sub-02")


def here(jobs, work):
    """A crew of this process alone."""
    for job in jobs:
        yield attempted(work, job)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Return (study file, run folder) of a study that was fitted one after the other."""
    folder = tmp_path_factory.mktemp("people")
    study = tiny_study(folder, ablation="none", subjects=PEOPLE)
    assert main(["fit", str(study), "--out", str(folder / "run"), "--json", "--quiet"]) == 0
    return study, folder / "run"


@pytest.fixture(scope="module")
def mended(fitted, tmp_path_factory):
    """Return a cohort in which one person's file was missing at first: what was told, and the folder before and after."""
    study, _ = fitted
    folder = tmp_path_factory.mktemp("mended")
    file = study.parent / "sub-02_light" / "moments.sto"
    hidden = file.rename(file.with_name("lost.sto"))
    told = []
    try:
        first = fit_cohort(read_outline(study), folder / "run", crew=crew_of(2), on_progress=told.append)
    finally:
        hidden.rename(file)
    shutil.copytree(folder / "run", folder / "before")
    second = fit_cohort(read_outline(study), folder / "run", crew=here, resume=True, before_finish=pages.write_page)
    return first, told, folder / "before", second, folder / "run"


def test_one_whose_file_is_missing_does_not_stop_the_others(mended):
    first, told, before, *_ = mended
    assert (first.done, first.kept, [failure.subject for failure in first.failures]) == (1, 0, ["sub-02"])
    run = RunDirectory(before)
    assert run.subjects == ("sub-01",)
    assert not run.finished
    assert "moments.sto" in run.failures()["sub-02"]["problems"][0]["what"]
    assert run.manifest["failures"]["sub-02"]["reason"] == "input"
    assert [(now.done + now.failed, now.remaining) for now in told] == [(0, 2), (1, 1), (2, 0)]


def test_a_cohort_with_a_failure_can_be_read_as_any_run(mended):
    page = pages.page_of(RunDirectory(mended[2]))
    assert "moments.sto" in page
    assert set(Run(mended[2]).scores["subject"]) == {"sub-01"}


def test_resuming_tries_who_failed_and_leaves_what_a_serial_fit_leaves(fitted, mended):
    *_, second, run = mended
    assert (second.done, second.kept, second.failures) == (1, 1, ())
    assert RunDirectory(run).finished
    assert differences(run, fitted[1]) == []


def test_a_finished_cohort_stays_as_it_is_when_resumed(fitted, mended, capsys):
    run = mended[-1]
    code, facts = called(capsys, "cohort", fitted[0], "--out", run, "--resume", "--workers", 1)
    assert (code, facts["done"], facts["kept"]) == (0, 0, 2)
    assert differences(run, fitted[1]) == []


def test_people_whose_recordings_changed_are_named_before_anything_is_done(fitted, mended, tmp_path):
    shutil.copytree(mended[2], tmp_path / "run")
    lab = shutil.copytree(fitted[0].parent, tmp_path / "lab", ignore=shutil.ignore_patterns("run"))
    changed = lab / "sub-01_heavy" / "emg.sto"
    changed.write_text(changed.read_text().replace("\t0.", "\t0.0", 1))
    with pytest.raises(InputError, match=r"sub-01 was fitted with other data.*sub-01_heavy/emg\.sto") as caught:
        fit_cohort(read_outline(lab / "study.toml"), tmp_path / "run", crew=here, resume=True)
    assert len(caught.value.problems) == 1


def test_the_command_says_with_code_5_that_some_failed(fitted, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("profundus.cli.cohort.crew_of", lambda *_, **__: here)
    lab = shutil.copytree(fitted[0].parent, tmp_path / "lab", ignore=shutil.ignore_patterns("run"))
    for trial in lab.glob("sub-0*_light"):
        (trial / "emg.sto").write_text("nothing")
    out = tmp_path / "out"
    code, facts = called(capsys, "cohort", lab / "study.toml", "--out", out, "--workers", 1, "--quiet")
    assert code == 5
    assert [failure["subject"] for failure in facts["failures"]] == list(PEOPLE)
    assert {path.stem for path in (out / "failures").iterdir()} == set(PEOPLE)
    assert facts["page"] is None


def test_an_error_of_the_study_file_is_told_before_anything_begins(fitted, tmp_path):
    text = fitted[0].read_text().replace('"BRA", ', '"BRAA", ')
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(InputError, match="BRAA"):
        read_outline(tmp_path / "study.toml", data_root=fitted[0].parent)


def test_many_people_have_a_small_page_and_each_his_own_on_demand(fitted, monkeypatch, capsys):
    monkeypatch.setattr(pages, "MOST_PEOPLE", 1)
    page = pages.page_of(RunDirectory(fitted[1]))
    assert len(page) < 100_000
    assert "2 people fitted" in page
    assert "Brachialis (BRA)" in page
    code, facts = called(capsys, "report", fitted[1], "--subject", "sub-02")
    own = fitted[1] / "subjects" / "sub-02" / "report.html"
    assert (code, facts["page"]) == (0, str(own))
    assert '"subjects":["sub-02"]' in own.read_text(encoding="utf-8")
    own.unlink()


def test_a_sheet_reads_a_person_as_the_whole_study_does(fitted):
    from profundus.io.study_file import read_study

    whole = read_study(fitted[0])
    outline = read_outline(fitted[0])
    assert outline.people == PEOPLE
    for person in whole.subjects:
        alone = outline.sheet(person.id).read()
        assert alone.subjects[0].id == person.id
        assert set(alone.digests) <= set(whole.digests)
        recordings = zip(alone.subjects[0].recordings, person.recordings, strict=True)
        assert all((a.emg.values == b.emg.values).all() and a.role == b.role for a, b in recordings)
    assert json.loads(json.dumps(whole.digests)) == {
        name: value for person in PEOPLE for name, value in outline.sheet(person).read().digests.items()
    }


@pytest.mark.filterwarnings("ignore")  # distributed's own
def test_a_dask_worker_that_is_killed_in_mid_fit_costs_only_time(fitted, tmp_path):
    distributed = pytest.importorskip("distributed")
    local = {"host": "127.0.0.1", "dashboard_address": None, "processes": True, "threads_per_worker": 1}
    with distributed.LocalCluster(n_workers=2, **local) as cluster, distributed.Client(cluster) as client:
        killed = []

        def kill_one() -> None:
            begun = inputs_file(RunDirectory(tmp_path / "run"), "sub-01")
            while not begun.is_file():
                time.sleep(0.01)
            at_work = [worker for worker, keys in client.processing().items() if any("sub-01" in key for key in keys)]
            pid = client.run(os.getpid, workers=at_work)[at_work[0]]
            os.kill(pid, signal.SIGKILL)
            killed.append((RunDirectory(tmp_path / "run").subjects, pid))

        killer = threading.Thread(target=kill_one)
        killer.start()
        crew = DaskCluster(cluster.scheduler_address)
        result = fit_cohort(read_outline(fitted[0]), tmp_path / "run", crew=crew, before_finish=pages.write_page)
        killer.join()
    assert "sub-01" not in killed[0][0]
    assert result.failures == ()
    assert result.done == 2
    assert differences(tmp_path / "run", fitted[1]) == []


def test_a_scheduler_that_nobody_is_at_is_named(fitted, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("profundus.protocols.cohort_cluster.CONNECT_S", 0.2)
    with pytest.raises(InputError, match="no Dask scheduler answers at nowhere"):
        fit_cohort(read_outline(fitted[0]), tmp_path / "run", crew=DaskCluster("nowhere://x"))
