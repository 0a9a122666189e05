"""The public Python surface: a change of a name or a signature is a decision, made here first."""

import importlib
import inspect
import subprocess
import sys

import pytest

import profundus

SIGNATURES = {
    "load_model": "(name: 'str | Path' = 'arm26', *, coordinates: 'Sequence[str] | None' = None, "
    "fixed: 'Mapping[str, float] | None' = None, muscles: 'Sequence[str]' = ()) -> 'MusculoskeletalModel'",
    "load_study": "(path: 'str | Path', *, data_root: 'str | Path | None' = None) -> 'Study'",
    "fit": "(study: 'Study | str | Path', *, out: 'str | Path | None' = None, seed: 'int' = 0, resume: 'bool' = False, "
    "overwrite: 'bool' = False, subjects: 'Sequence[str] | None' = None, "
    "on_progress: 'Callable[[FitProgress], None] | None' = None) -> 'Run'",
    "cohort": "(study: 'str | Path', *, out: 'str | Path', workers: 'int | None' = None, scheduler: 'str | None' = None, "
    "threads: 'int | None' = None, data_root: 'str | Path | None' = None, seed: 'int' = 0, resume: 'bool' = False, "
    "overwrite: 'bool' = False, subjects: 'Sequence[str] | None' = None, "
    "on_progress: 'Callable[[CohortProgress], None] | None' = None) -> 'tuple[Run, dict[str, tuple[Problem, ...]]]'",
    "reconstruct": "(run: 'Run | str | Path', trial: 'Trial | str | Path', *, subject: 'str | None' = None, "
    "data_root: 'str | Path | None' = None) -> 'xr.Dataset'",
    "compare": "(study: 'Study | str | Path', *, out: 'str | Path', methods: 'Sequence[str] | None' = None, "
    "hide: 'Sequence[str]' = (), split: 'str' = 'roles', seed: 'int' = 0, people: 'int' = 100, "
    "subjects: 'Sequence[str] | None' = None, resume: 'bool' = False, overwrite: 'bool' = False, "
    "on_progress: 'Callable[[FitProgress], None] | None' = None) -> 'Comparison'",
    "advise": "(study: 'Study | str | Path', *, subject: 'str | None' = None, out: 'str | Path | None' = None, "
    "seed: 'int' = 0) -> 'pd.DataFrame'",
    "pretrain": "(recipe: 'Recipe | str | Path | None' = None, *, out: 'str | Path', workers: 'int | None' = None, "
    "resume: 'bool' = False, overwrite: 'bool' = False, "
    "on_progress: 'Callable[[PretrainProgress], None] | None' = None) -> 'Path'",
    "read_table": "(path: 'str | Path', *, duplicates: 'Duplicates' = 'error') -> 'Table'",
    "write_table": "(table: 'Table', path: 'str | Path') -> 'None'",
}


def test_the_package_offers_these_names_and_no_others():
    assert set(profundus.__all__) == {"Comparison", "Run", "__version__", *SIGNATURES}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_are_those_that_people_wrote_scripts_against(name):
    assert str(inspect.signature(getattr(profundus, name))) == SIGNATURES[name]
    assert getattr(profundus, name).__doc__


def test_rooms_of_the_same_name_do_not_hide_functions():
    importlib.import_module("profundus.fit.subject")
    importlib.import_module("profundus.reconstruct")
    assert callable(profundus.fit)
    assert callable(profundus.reconstruct)


def test_a_run_offers_what_the_documentation_shows():
    public = {name for name in vars(profundus.Run) if not name.startswith("_")}
    assert public == {"subjects", "scores", "parameters", "dataset", "reconstruct", "stream", "report"}
    assert list(profundus.Run.__dataclass_fields__) == ["path"]


def test_a_comparison_offers_what_the_documentation_shows():
    public = {name for name in vars(profundus.Comparison) if not name.startswith("_")}
    assert public == {"scores", "paired", "dataset"}
    assert list(profundus.Comparison.__dataclass_fields__) == ["path"]


def test_the_model_has_the_methods_of_the_documentation_and_its_muscles_in_file_order():
    model = profundus.load_model("arm26", coordinates=("r_elbow_flex",), fixed={"r_shoulder_elev": 0.0})
    assert model.muscles == ("TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA")
    assert model.coordinates == profundus.load_model().coordinates == ("r_elbow_flex",)
    for method in ("path_length", "moment_arms", "tendon_forces", "joint_moment"):
        assert callable(getattr(model, method))


def test_a_model_that_there_is_not_is_refused_by_name():
    with pytest.raises(ValueError, match="there is no model 'arm27'"):
        profundus.load_model("arm27")


def test_the_public_names_are_offered_before_they_are_imported():
    assert set(profundus.__all__) <= set(dir(profundus))


def test_a_name_that_there_is_not_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'fitt'"):
        profundus.fitt  # noqa: B018


def test_tables_are_read_and_written_without_jax_and_scipy(tmp_path):
    script = (
        "import sys, numpy as np, profundus as pf\n"
        "from profundus.records import Table\n"
        f"path = {str(tmp_path / 'out.sto')!r}\n"
        "pf.write_table(Table(('BRA',), np.arange(3.0), np.ones((3, 1))), path)\n"
        "assert pf.read_table(path).labels == ('BRA',)\n"
        "print([m for m in ('jax', 'scipy', 'xarray', 'typer') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
