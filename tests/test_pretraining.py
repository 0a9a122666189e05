"""A prior from nothing: people, learning, judging; stopped anywhere, taken up again to the same numbers."""

import json
import shutil
from dataclasses import replace

import jax
import numpy as np
import pytest

from cli_study import called
from profundus.errors import ConvergenceError, FileFormatError, InputError
from profundus.io.recipe_file import read_recipe, recipe_text
from profundus.io.weights import read_arrays, write_arrays
from profundus.model.prior import new_network
from profundus.model.prior_file import prior_from_arrays, prior_to_arrays
from profundus.network.person import Scale
from profundus.pretrain.teachers import blocks_of
from profundus.protocols import pretraining
from profundus.protocols.pretraining import PretrainProgress, pretrain
from profundus.protocols.teachers import block_facts, block_file
from profundus.records import LearningSettings, Recipe, TeachersSettings

pytestmark = pytest.mark.slow  # makes people
MUSCLES = ("TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA")
TEACHERS = TeachersSettings(
    people=40, block=20, kinds=(("curls",),), kinds_share=(1.0,), loads_kg=(2.0,), other_loads_share=0.0
)
LEARNING = LearningSettings(
    width=8, trial_layers=1, person_layers=1, answer_layers=1, heads=2, steps=40, people_a_step=4, trials_a_person=1
)
RECIPE = Recipe(teachers=TEACHERS, learning=LEARNING)


class Stopped(Exception):  # noqa: N818  nothing went wrong
    """Somebody pulled the plug."""


@pytest.fixture(scope="module", autouse=True)
def in_32_bit():
    """Learn as a command does: where 64 bits are let in, a training compiles each of its programs twice."""
    with jax.enable_x64(False):
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a folder in which all went through, what was told, and the result."""
    folder, told = tmp_path_factory.mktemp("prior"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretraining, "CHECKPOINT_EVERY_S", np.inf)  # a slow machine would keep some on the way
        return folder, told, pretrain(RECIPE, folder, workers=1, on_progress=told.append)


def with_people_of(whole, folder):
    """Return a folder that has the people and nothing else."""
    for block in range(2):
        source = block_file(whole[0], block)
        target = block_file(folder, block)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    return folder


def arrays_in(folder):
    return read_arrays(folder / pretraining.PRIOR)[0]


def test_a_prior_lies_beside_its_card_recipe_people_and_checkpoint(whole):
    folder, _, result = whole
    names = {path.name for path in folder.iterdir()}
    assert names == {"prior.safetensors", "card.json", "card.md", "recipe.toml", "people", "checkpoints"}
    assert result.prior == folder / "prior.safetensors"
    assert read_recipe(folder / "recipe.toml") == RECIPE
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["checkpoint_40.safetensors"]


def test_progress_tells_people_steps_and_the_end(whole):
    told = whole[1]
    assert list(dict.fromkeys(now.stage for now in told)) == ["people", "learn", "judge", "done"]
    assert [now.people for now in told if now.stage == "people"] == [0, 20, 40]
    learned = [now for now in told if now.stage == "learn"]
    assert [now.step for now in learned] == [0, 20, 40]
    assert all(now.people == 20 for now in learned)
    assert [np.isfinite(now.loss) for now in learned] == [False, True, True]


def test_work_that_was_stopped_ends_with_the_same_bits(whole, tmp_path, monkeypatch):
    folder = with_people_of(whole, tmp_path)
    monkeypatch.setattr(pretraining, "CHECKPOINT_EVERY_S", 0.0)

    def stop(now: PretrainProgress) -> None:
        if now.step == 20:
            raise Stopped

    with pytest.raises(Stopped):
        pretrain(RECIPE, folder, workers=1, on_progress=stop)
    assert not (folder / "prior.safetensors").exists()
    told = []
    pretrain(RECIPE, folder, workers=1, resume=True, on_progress=told.append)
    assert [now.step for now in told if now.stage == "learn"] == [20, 40]
    uninterrupted, resumed = arrays_in(whole[0]), arrays_in(folder)
    assert set(uninterrupted) == set(resumed)
    for name, array in uninterrupted.items():
        np.testing.assert_array_equal(array, resumed[name], err_msg=name)


def test_a_finished_prior_is_left_alone_unless_learning_anew_is_asked_for(whole):
    folder, _, result = whole
    with pytest.raises(InputError, match="a finished prior in this folder"):
        pretrain(RECIPE, folder)
    before = (folder / "prior.safetensors").read_bytes()
    assert pretrain(RECIPE, folder, resume=True).card == result.card
    assert (folder / "prior.safetensors").read_bytes() == before


def test_another_recipe_is_refused_by_the_keys_that_differ(whole):
    other = replace(RECIPE, seed=2, learning=replace(LEARNING, steps=60))
    with pytest.raises(InputError, match=r"another recipe: seed, learning\.steps differ"):
        pretrain(other, whole[0], resume=True)


def test_work_for_a_study_that_changed_is_not_gone_on_with(whole, tmp_path):
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    (tmp_path / "card.json").write_text(json.dumps({**card, "ground": "motions of before"}), encoding="utf-8")
    with pytest.raises(InputError, match="model, coordinates or trials to fit are not what they were"):
        pretrain(RECIPE, tmp_path, resume=True)


def test_a_checkpoint_of_a_study_that_changed_is_not_gone_on_with(whole, tmp_path):
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "card.json").unlink()
    checkpoint = tmp_path / "checkpoints" / "checkpoint_40.safetensors"
    arrays, facts = read_arrays(checkpoint)
    write_arrays(checkpoint, arrays, {**facts, "ground": "motions of before"})
    with pytest.raises(InputError, match="model, coordinates or trials to fit are not what they were"):
        pretrain(RECIPE, tmp_path, resume=True)


def test_training_of_another_version_is_not_gone_on_with(whole, tmp_path, monkeypatch):
    folder = with_people_of(whole, tmp_path)
    monkeypatch.setattr(pretraining, "__version__", "0.0.1")
    monkeypatch.setattr(pretraining, "CHECKPOINT_EVERY_S", 0.0)

    def stop(now: PretrainProgress) -> None:
        if now.step == 20:
            raise Stopped

    with pytest.raises(Stopped):
        pretrain(RECIPE, folder, workers=1, on_progress=stop)
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"begun by version 0\.0\.1"):
        pretrain(RECIPE, folder, workers=1, resume=True)


def test_a_folder_of_something_else_is_not_touched(tmp_path):
    (tmp_path / "thesis.tex").write_text("dear", encoding="utf-8")
    with pytest.raises(InputError, match="not a prior's"):
        pretrain(RECIPE, tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_damaged_block_and_one_of_another_recipe_are_made_again(whole, tmp_path, monkeypatch):
    folder = with_people_of(whole, tmp_path)
    damaged = block_file(folder, 0)
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(bytes(content))
    arrays, _ = read_arrays(block_file(folder, 1))
    write_arrays(block_file(folder, 1), arrays, block_facts(replace(RECIPE, seed=9), 1))
    asked = []

    def noted(_recipe, _ground, _out, block, _digest):
        asked.append(block)
        raise Stopped

    monkeypatch.setattr("profundus.protocols.teachers._make", noted)
    monkeypatch.setattr("profundus.protocols.teachers.ProcessPoolExecutor", Inline)
    with pytest.raises(Stopped):
        pretrain(RECIPE, folder, workers=1)
    assert asked == [0, 1]


class Inline:
    """A pool whose work is done at once, in this process."""

    def __init__(self, *_, **__) -> None:
        self.failed = []

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        return

    def submit(self, work, *arguments):
        from concurrent.futures import Future

        job = Future()
        try:
            job.set_result(work(*arguments))
        except Stopped as error:
            job.set_exception(error)
        return job

    def shutdown(self, **_) -> None:
        return


def test_a_loss_that_is_lost_is_told(whole, tmp_path):
    folder = with_people_of(whole, tmp_path)
    arrays, facts = read_arrays(block_file(folder, 0))
    write_arrays(block_file(folder, 0), {**arrays, "truth": np.full_like(arrays["truth"], np.nan)}, facts)
    with pytest.raises(ConvergenceError, match="learning_rate"):
        pretrain(RECIPE, folder, workers=1)


def test_the_card_says_who_taught_what_it_scored_and_what_it_cannot_know(whole):
    folder, _, result = whole
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert card == result.card
    assert (card["population"]["taught"], card["population"]["held_out"]) == (20, 20)
    assert {"date", "version", "libraries", "license", "limits", "seconds", "recipe", "calibration"} <= set(card)
    assert set(card["seconds"]) == {"people", "learning", "judging"}
    deep = {row["muscle"] for row in card["scores"] if row["electrodes"] == "usual"}
    assert deep == {"TRImed", "BRA"}
    asked = {(row["electrodes"], row["muscle"]) for row in card["scores"]}
    assert {(f"without {muscle}", muscle) for muscle in RECIPE.electrodes} <= asked
    assert all(row["people"] == 10 for row in card["scores"])
    assert [sum(row["level"]) for row in card["ranks"]] == [10] * 6
    assert {row["load_kg"] for row in card["loads"]} == {2.0}
    text = (folder / "card.md").read_text(encoding="utf-8")
    assert all(line in text for line in (*card["limits"], "20 virtual people", "| usual | BRA |"))


def test_the_command_says_where_prior_and_card_are(whole, tmp_path, capsys):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(recipe_text(RECIPE), encoding="utf-8")
    code, facts = called(capsys, "pretrain", recipe, "--out", whole[0], "--resume", "--quiet")
    assert code == 0
    assert facts["prior"] == str(whole[0] / "prior.safetensors")
    assert facts["scores"] == whole[2].card["scores"]
    assert called(capsys, "pretrain", recipe, "--out", whole[0])[0] == 2
    recipe.write_text("[teachers]\npeople = 1\n", encoding="utf-8")
    assert called(capsys, "pretrain", recipe, "--out", tmp_path / "new")[0] == 2
    assert not (tmp_path / "new").exists()


def test_a_prior_is_read_as_it_was_written_and_refused_where_it_does_not_fit(whole):
    arrays, facts = read_arrays(whole[0] / "prior.safetensors")
    prior = prior_from_arrays(arrays, facts, file="prior")
    again, same = prior_to_arrays(prior)
    assert same == facts
    assert prior.muscles == MUSCLES
    assert prior.coordinates == ("r_elbow_flex",)
    assert {name: array.dtype for name, array in again.items()} == {n: a.dtype for n, a in arrays.items()}
    assert all(np.array_equal(again[name], array) for name, array in arrays.items())
    odd = {**prior_to_arrays(replace(prior, strangeness={"mean": np.ones(3)}))[0]}
    np.testing.assert_array_equal(prior_from_arrays(odd, facts, file="prior").strangeness["mean"], np.ones(3))
    for wrong, said in (
        (({**arrays, "level_factor": np.ones(5)}, facts), r"level_factor has the shape \(5,\)"),
        (({**arrays, "scale/mean": np.ones(5)}, facts), "scale/mean"),
        (({n: a for n, a in arrays.items() if n != "network/0003"}, facts), "network/0003"),
        ((arrays, {**facts, "kind": "cake"}), "not a learned prior"),
        ((arrays, {**facts, "seen": {**facts["seen"], "rate_hz": 20.0}}), r"seen otherwise \(rate_hz\)"),
        ((arrays, {**facts, "seen": {**facts["seen"], "marks": 1}}), r"seen otherwise \(marks\)"),
    ):
        with pytest.raises(FileFormatError, match=said):
            prior_from_arrays(*wrong, file="prior")


def test_the_built_in_network_is_below_five_megabytes():
    clues, person = 120, 60  # more than there are
    scale = Scale(np.zeros(clues), np.ones(clues), np.zeros(person), np.ones(person))
    shapes = jax.eval_shape(lambda: new_network(LearningSettings(), scale, muscles=6, seed=0))
    assert 4 * sum(leaf.size for leaf in jax.tree.leaves(shapes)) < 5e6


def test_people_fill_whole_blocks():
    assert blocks_of(TeachersSettings(people=101, block=50)) == 3
