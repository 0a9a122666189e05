"""`fit` as it is by default: a learned prior answers for the deep muscles, and new trials are answered alike."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from cli_study import called, new_trial, tiny_study
from curls import curl
from profundus.api import Run
from profundus.io.recipe_file import read_recipe
from profundus.io.run_directory import read_run
from profundus.io.shipped import shipped_prior
from profundus.io.weights import read_arrays
from profundus.model.prior_file import prior_from_arrays
from profundus.pages.run import page_of

DEEP = ["BRA", "TRImed"]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Return (study file, run folder, what was printed) of one fit."""
    folder = tmp_path_factory.mktemp("taught")
    study, run = tiny_study(folder, ablation="none"), folder / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("NO_COLOR", raising=False)
        from profundus.cli.main import main

        code = main(["fit", str(study), "--out", str(run), "--json", "--quiet"])
    assert code == 0
    return study, run


def test_a_prior_comes_with_the_elbow():
    path = shipped_prior("arm26")
    assert path is not None
    assert path.stat().st_size < 5_000_000
    assert path.with_suffix(".md").is_file()


def test_the_prior_was_taught_by_the_recipe_that_comes_with_it():
    path, recipe = shipped_prior("arm26"), read_recipe()
    prior = prior_from_arrays(*read_arrays(path), file=str(path))
    assert (prior.learning, prior.electrodes) == (recipe.learning, recipe.electrodes)
    assert prior.strangeness


def test_bands_surround_the_answer_and_hold_most_of_the_truth(fitted):
    data = Run(fitted[1]).dataset()
    lower, middle, upper = (data[name].sel(muscle=DEEP).values for name in ("lower", "excitation", "upper"))
    known = np.isfinite(middle)
    assert np.all(lower[known] < middle[known])
    assert np.all(middle[known] < upper[known])
    truth = data["truth"].sel(muscle=DEEP).values
    assert np.mean((truth >= lower)[known] & (truth <= upper)[known]) > 0.6


def test_draws_spread_as_the_band_does(fitted):
    data = Run(fitted[1]).dataset().sel(muscle="BRA")
    band = np.log(data["excitation"] / data["lower"]) / 1.645
    drawn = np.log(data["excitation_draws"]).std("draw")
    assert float((drawn / band).mean()) == pytest.approx(1.0, abs=0.25)


def test_the_parameters_explain_the_moment_of_a_test_trial(fitted):
    data = Run(fitted[1]).dataset()
    one = data.sel(trial="sub-01_middle").dropna("time", subset=["moment_model"])
    model, measured = one["moment_model"].values[30:-30, 0], one["moment_measured"].values[30:-30, 0]
    assert np.corrcoef(model, measured)[0, 1] > 0.9


def test_levels_of_deep_muscles_stand_beside_the_32_parameters(fitted):
    rows = read_run(fitted[1]).parameters("sub-01")
    assert len([row for row in rows if row.parameter not in ("emg_gain", "excitation_level")]) == 32
    levels = {row.muscle: row for row in rows if row.parameter == "excitation_level"}
    assert set(levels) == set(DEEP)
    assert all(0 < row.posterior_sd <= row.prior_sd for row in levels.values())


def test_a_persons_facts_tell_what_decided_the_answer_and_what_cannot_be_told_apart(fitted):
    facts = json.loads((fitted[1] / "subjects" / "sub-01" / "subject.json").read_text())
    assert {row["muscle"] for row in facts["decided"]} == set(DEEP)
    assert all(row["all_sd"] < row["motion_sd"] for row in facts["decided"])
    assert any("BRA" in pair["first"] + pair["second"] for pair in facts["trade_offs"])


def test_a_new_trial_is_answered_as_the_same_trial_in_memory(fitted, tmp_path, capsys):
    code, _ = called(capsys, "reconstruct", fitted[1], new_trial(tmp_path), "--out", tmp_path / "new")
    assert code == 0
    from_files = Run(tmp_path / "new").dataset().isel(trial=0)
    from_memory = Run(fitted[1]).reconstruct(curl("again", load_kg=2.0, seconds=2.0, role="test", seed=99))
    deep = from_memory["excitation"].sel(muscle=DEEP).values
    np.testing.assert_allclose(deep, from_files["excitation"].sel(muscle=DEEP).values, rtol=0.05)


def test_an_electrode_that_is_dead_in_a_new_trial_is_answered_for_and_said(fitted):
    trial = curl("dead", load_kg=2.0, seconds=2.0, role="test", seed=99)
    seen = trial.emg_valid.copy()
    seen[:, trial.muscles.index("BIClong")] = False
    dead = replace(trial, emg=np.where(seen, trial.emg, np.nan), emg_valid=seen)
    answer = Run(fitted[1]).reconstruct(dead)["excitation"].sel(muscle="BIClong").values
    assert np.isfinite(answer).all()


def test_a_long_gap_in_an_envelope_is_answered_with_the_doubt_of_the_prior(fitted):
    trial = curl("gap", load_kg=2.0, seconds=2.0, role="test", seed=99)
    column = trial.muscles.index("BIClong")
    seen = trial.emg_valid.copy()
    seen[60:140, column] = False
    gap = replace(trial, emg=np.where(seen, trial.emg, np.nan), emg_valid=seen)
    whole, broken = (Run(fitted[1]).reconstruct(one).sel(muscle="BIClong") for one in (trial, gap))
    width = [np.log(data["upper"] / data["lower"]).values.ravel() for data in (whole, broken)]
    assert width[1][100] > 1.5 * width[0][100]
    np.testing.assert_allclose(width[1][:40], width[0][:40])


def test_the_page_of_a_taught_person_is_made(fitted):
    assert "Brachialis (BRA)" in page_of(read_run(fitted[1]))


SCRIPT = """
import json, sys
from pathlib import Path
import numpy as np
import profundus as pf
run = pf.fit(pf.load_study(sys.argv[1]), seed=5)
np.save(sys.argv[2], run.dataset()["excitation"].values)
folder = run.path
facts = {"subjects": run.subjects, "page": run.report().is_file(), "before": folder.is_dir()}
del run
print(json.dumps({**facts, "after": folder.exists(), "callable": callable(pf.fit)}))
"""


def test_python_gives_the_same_bits_as_the_command_with_another_seed_and_leaves_no_folder(fitted, tmp_path):
    given = [sys.executable, "-c", SCRIPT, str(fitted[0]), str(tmp_path / "excitation.npy")]
    done = subprocess.run(given, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts == {"subjects": ["sub-01"], "page": True, "before": True, "after": False, "callable": True}
    by_command = Run(fitted[1]).dataset("sub-01")["excitation"]
    np.testing.assert_array_equal(np.load(tmp_path / "excitation.npy"), by_command)
