"""What is known of a muscle is for the judge alone: no method's answer may depend on it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cli_study import tiny_study
from profundus.io.study_file import read_study
from profundus.io.tables import read_table, write_table
from profundus.protocols.asking import Asked
from profundus.protocols.comparing import bench_of
from profundus.protocols.fitting import fit_study
from profundus.protocols.methods import ANSWERS, HINDSIGHT, METHODS, Case, answer
from profundus.signal import assemble_trials

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    study = read_study(tiny_study(tmp_path_factory.mktemp("study"), steps=3))
    return bench_of(study, Asked(METHODS, people=10))


@pytest.fixture(scope="module")
def trials(bench):
    return tuple(assemble_trials(bench.study, bench.study.subjects[0], bench.anatomy.muscles))


def with_other_truth(trials):
    rng = np.random.default_rng(1)
    return tuple(replace(trial, truth=rng.uniform(size=trial.truth.shape)) for trial in trials)


@pytest.mark.parametrize("method", [name for name in METHODS if name not in HINDSIGHT])
def test_no_answer_depends_on_the_truth(bench, trials, method):
    honest, deceived = answer(method, Case(bench, trials)), answer(method, Case(bench, with_other_truth(trials)))
    for part, other in zip(honest.trials, deceived.trials, strict=True):
        for key in ("excitation", "lower", "upper"):
            assert np.array_equal(getattr(part, key), getattr(other, key), equal_nan=True), key


def test_a_method_never_sees_the_truth(bench, trials):
    assert all(np.isnan(trial.truth).all() for trial in Case(bench, trials).trials)
    assert set(ANSWERS) == set(METHODS)


def test_hindsight_is_the_one_that_looks(bench, trials):
    mirrored = []
    for trial in trials:
        other = trial.truth.copy()
        other[:, trial.muscles.index("BRA")] = trial.emg[:, trial.muscles.index("TRIlong")]
        mirrored.append(replace(trial, truth=other))
    honest, deceived = (answer("copy_best", Case(bench, those)) for those in (trials, tuple(mirrored)))
    assert not np.array_equal(honest.trials[0].excitation, deceived.trials[0].excitation, equal_nan=True)


def test_a_fit_to_files_with_another_truth_gives_the_same_bits(tmp_path):
    path = tiny_study(tmp_path, steps=3)
    fit_study(read_study(path), tmp_path / "honest")
    for file in sorted(tmp_path.glob("*/truth.sto")):
        table = read_table(file)
        write_table(replace(table, values=1.0 - table.values), file)
    fit_study(read_study(path), tmp_path / "deceived")
    written = [answers(tmp_path / name) for name in ("honest", "deceived")]
    assert written[0] == written[1]
    assert written[0]


def answers(run: Path) -> dict[str, bytes]:
    """Return all that a run answers, file by file."""
    folder = run / "subjects"
    files = [*folder.rglob("excitations*.sto"), *folder.rglob("moments.sto"), *folder.rglob("parameters.csv")]
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(files)}
