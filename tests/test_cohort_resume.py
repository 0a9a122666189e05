"""Going on with a cohort: nothing is lost, nothing is mixed, and nobody is kept whose data nobody knows."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cohort_people import PEOPLE, crew_without, fits_nobody, write_study
from profundus.errors import InputError
from profundus.io.run_directory import RunDirectory
from profundus.io.store import sole_writer
from profundus.io.study_file import read_study
from profundus.io.study_people import read_outline
from profundus.protocols import cohort_progress
from profundus.protocols.asking import Asked, How, asked_about
from profundus.protocols.cohort import crew_of, fit_cohort
from profundus.protocols.cohort_jobs import CohortFailure, Finished
from profundus.protocols.cohort_work import inputs_file, write_inputs
from profundus.protocols.fitting import fit_study
from profundus.protocols.people import chosen_people
from profundus.protocols.streamed_person import streamed_person
from same_runs import differences


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return the file of a study of two people."""
    return write_study(tmp_path_factory.mktemp("two"))


def cohort(study, out, *failing, **options):
    return fit_cohort(read_outline(study), out, crew=crew_without(*failing), **options)


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return when each file was written, and what is in it."""
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def half(study, tmp_path):
    """Return the run of a cohort in which sub-02 is missing."""
    cohort(study, tmp_path / "half", "sub-02")
    return tmp_path / "half"


def test_what_is_to_be_kept_and_replaced_at_once_is_left_alone(study, half, monkeypatch):
    fits_nobody(monkeypatch)
    before, both = contents(half), {"resume": True, "overwrite": True}
    with pytest.raises(InputError, match=r"kept \(--resume\) and to be replaced \(--overwrite\)"):
        cohort(study, half, **both)
    with pytest.raises(InputError, match="to be replaced"):
        fit_study(read_study(study), half, **both)
    with pytest.raises(InputError, match="to be replaced"):
        asked_about(read_study(study), half, None, None, asked=Asked(("copy",)), how=How(**both))
    assert contents(half) == before


def interrupted_fit(study, out, monkeypatch):
    """Leave the run of a `fit` that was stopped over sub-02."""
    fits_nobody(monkeypatch, stops_at="sub-02")
    with pytest.raises(KeyboardInterrupt):
        fit_study(read_study(study), out)


def test_a_cohort_does_not_go_on_with_a_fit_of_another_seed(study, tmp_path, monkeypatch):
    interrupted_fit(study, tmp_path / "run", monkeypatch)
    before = contents(tmp_path / "run")
    with pytest.raises(InputError, match=r"made with other data or settings: .*seed"):
        cohort(study, tmp_path / "run", resume=True, seed=1)
    assert contents(tmp_path / "run") == before


def test_a_cohort_goes_on_with_a_fit_to_what_the_fit_would_leave(study, tmp_path, monkeypatch):
    interrupted_fit(study, tmp_path / "run", monkeypatch)
    first = cohort(study, tmp_path / "run", "sub-02", resume=True)
    assert (first.kept, len(first.failures), first.run.finished) == (1, 1, False)
    second = cohort(study, tmp_path / "run", resume=True)
    assert (second.done, second.kept, second.doubtful) == (1, 1, ())
    fits_nobody(monkeypatch)
    fit_study(read_study(study), tmp_path / "whole")
    assert differences(tmp_path / "run", tmp_path / "whole") == []


def test_a_cohort_adds_those_whom_a_finished_fit_left_out(study, tmp_path, monkeypatch):
    fits_nobody(monkeypatch)
    fit_study(read_study(study), tmp_path / "run", subjects=["sub-01"])
    first = cohort(study, tmp_path / "run", "sub-02", resume=True)
    assert (first.kept, first.doubtful, first.run.finished) == (1, (), False)
    second = cohort(study, tmp_path / "run", resume=True)
    assert (second.done, second.kept, second.run.finished) == (1, 1, True)


def test_results_of_which_nobody_knows_whence_are_removed_and_told(study, half):
    inputs_file(RunDirectory(half), "sub-01").unlink()
    result = cohort(study, half, "sub-01", resume=True)
    assert (result.doubtful, result.done, result.kept) == (("sub-01",), 1, 0)
    assert result.run.subjects == ("sub-02",)
    assert not result.run.finished
    assert cohort(study, half, resume=True).run.finished


def test_a_training_does_not_go_on_from_what_other_data_had_taught(study, tmp_path):
    run, person = RunDirectory(tmp_path), read_outline(study).sheet("sub-01").read()
    write_inputs(run, "sub-01", person, "as it was")
    run.checkpoints("sub-01").save(3, {"w": np.ones(2)}, {})
    write_inputs(run, "sub-01", person, "as it was")
    assert run.checkpoints("sub-01").latest() is not None
    write_inputs(run, "sub-01", person, "corrected")
    assert run.checkpoints("sub-01").latest() is None


def test_a_finished_run_stays_as_it_is_where_nobody_has_a_turn(study, tmp_path, monkeypatch):
    fits_nobody(monkeypatch)
    assert cohort(study, tmp_path / "run").run.finished
    before = contents(tmp_path / "run")
    told = []
    again = cohort(study, tmp_path / "run", resume=True, before_finish=pytest.fail, on_progress=told.append)
    assert (again.done, again.kept, told[-1].remaining) == (0, 2, 0)
    fitted = fit_study(read_study(study), tmp_path / "run", resume=True, before_finish=pytest.fail)
    assert [person.id for person in fitted.subjects] == list(PEOPLE)
    assert contents(tmp_path / "run") == before


def test_two_commands_do_not_write_into_one_folder(study, tmp_path, monkeypatch):
    fits_nobody(monkeypatch)
    out = tmp_path / "run"
    with sole_writer(out):
        for command in (
            lambda: cohort(study, out),
            lambda: fit_study(read_study(study), out),
            lambda: asked_about(
                read_study(study), out, SimpleNamespace(prior=None), None, asked=Asked(("copy",)), how=How()
            ),
        ):
            with pytest.raises(InputError, match="another command is writing here"):
                command()
    cohort(study, out)
    assert not [path for path in out.rglob("*") if path.name.startswith(".profundus")]


def test_a_fit_says_that_a_cohort_goes_on_as_a_cohort(study, half, monkeypatch):
    fits_nobody(monkeypatch)
    with pytest.raises(InputError, match=r"begun by `profundus cohort`.*Go on with `profundus cohort ... --resume`"):
        fit_study(read_study(study), half, resume=True)
    cohort(study, half, resume=True)
    assert fit_study(read_study(study), half, resume=True).run.finished


def test_who_is_whole_can_be_streamed_while_another_is_missing(study, half, tmp_path, monkeypatch):
    monkeypatch.setattr("profundus.protocols.streamed_person.person_of", lambda run, name: name)
    assert streamed_person(half, "sub-01") == streamed_person(half) == "sub-01"
    with pytest.raises(InputError, match=r"'sub-02' could not be fitted.*failures/sub-02.json"):
        streamed_person(half, "sub-02")
    with pytest.raises(InputError, match=r"no subject 'sub-03' \(the run is not finished\)"):
        streamed_person(half, "sub-03")
    cohort(study, tmp_path / "nobody", *PEOPLE)
    with pytest.raises(InputError, match=r"`profundus cohort ... --resume`"):
        streamed_person(tmp_path / "nobody")


def test_failures_of_people_who_left_the_study_are_forgotten(study, half):
    assert "sub-02" in RunDirectory(half).manifest["failures"]
    alone = study.with_name("alone.toml")
    alone.write_text(study.read_text().partition('\n[[subject]]\nid = "sub-02"')[0], encoding="utf-8")
    result = cohort(alone, half, resume=True)
    assert (result.kept, result.run.finished, result.run.failures()) == (1, True, {})
    assert not (half / "failures").exists()
    assert "failures" not in result.run.manifest


def test_what_is_kept_of_a_missing_file_does_not_tell_where_the_study_lies(tmp_path, monkeypatch):
    study = write_study(tmp_path / "lab")
    study.write_text(study.read_text().replace("[study]", '[study]\ndata_root = "."', 1), encoding="utf-8")
    (study.parent / "sub-02_light" / "emg.sto").unlink()
    monkeypatch.chdir(study.parent)
    cohort(Path("study.toml"), Path("run"))
    (problem,) = RunDirectory(Path("run")).failures()["sub-02"]["problems"]
    assert problem["what"] == "there is no file 'sub-02_light/emg.sto' in the folder of the study file"
    assert str(tmp_path) not in str(problem)
    (study.parent / "data").mkdir()
    moved = study.read_text().replace('data_root = "."', 'data_root = "data"')
    study.write_text(moved, encoding="utf-8")
    cohort(Path("study.toml"), Path("moved"))
    for failure in RunDirectory(Path("moved")).failures().values():
        assert all(problem["what"].endswith(" in its folder data") for problem in failure["problems"])


def test_one_name_is_one_person_and_strangers_hear_who_there_is(study, tmp_path):
    assert cohort(study, tmp_path / "run", subjects="sub-02").run.subjects == ("sub-02",)
    for ask in (
        lambda names: cohort(study, tmp_path / "other", subjects=names),
        lambda names: chosen_people(read_study(study), names),
    ):
        with pytest.raises(InputError, match="'zz'") as caught:
            ask(["zz", "sub-1", "sub-01"])
        assert [problem.remedy for problem in caught.value.problems] == [
            "There is 'sub-01', 'sub-02'",
            "Did you mean 'sub-01'?",
        ]
        with pytest.raises(InputError, match="no subject is named"):
            ask([])


@pytest.mark.parametrize("number", ["2", 1.5, True, 0])
def test_workers_and_threads_are_whole_numbers(number):
    with pytest.raises(InputError, match="a whole number, 1 or more") as caught:
        crew_of(number, threads=number)
    assert [problem.what for problem in caught.value.problems] == [f"workers is {number!r}", f"threads is {number!r}"]


def test_the_rate_is_that_of_fits_since_the_first_was_handed_out(monkeypatch):
    now, told = [100.0], []
    monkeypatch.setattr(cohort_progress, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    watch = cohort_progress.Watch(told.append, kept=5, subjects=30)
    watch.began()
    for number in range(10):
        watch.heard(Finished(f"bad {number}", CohortFailure(f"bad {number}", "input", ())))
    for second in (110.0, 120.0):
        now[0] = second
        watch.heard(Finished(f"at {second}"))
    assert all(math.isnan(one.per_second) and math.isnan(one.seconds_left) for one in told)
    now[0] = 130.0
    watch.heard(Finished("third", CohortFailure("third", "convergence", ())))
    assert (told[-1].per_second, told[-1].remaining, told[-1].seconds_left) == pytest.approx((0.1, 12, 120.0))
