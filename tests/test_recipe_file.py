"""Recipes: what may be taught and whom by, with every mistake told at once."""

import tomllib
from dataclasses import fields, replace

import pytest

from profundus.errors import InputError
from profundus.io.recipe_file import differing, read_recipe, recipe_text, refuse_recipe
from profundus.io.shipped import shipped_prior, shipped_recipe
from profundus.records import LearningSettings, Recipe, TeachersSettings


@pytest.fixture
def written(tmp_path):
    """Return what writes a recipe and returns its path."""

    def write(text):
        path = tmp_path / "recipe.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems_of(path):
    with pytest.raises(InputError) as caught:
        read_recipe(path)
    return caught.value.problems


def test_the_built_in_recipe_says_every_key_and_is_the_default():
    said = tomllib.loads(shipped_recipe("arm26").read_text(encoding="utf-8"))
    assert set(said) == {field.name for field in fields(Recipe)}
    assert set(said["teachers"]) == {field.name for field in fields(TeachersSettings)}
    assert set(said["learning"]) == {field.name for field in fields(LearningSettings)}
    assert read_recipe() == Recipe()


def test_a_recipe_says_what_differs_and_no_more(written):
    recipe = read_recipe(written('electrodes = ["BIClong"]\n[learning]\nsteps = 50\n'))
    assert recipe == Recipe(electrodes=("BIClong",), learning=LearningSettings(steps=50))


def test_a_recipe_that_is_written_is_read_again(written):
    odd = Recipe(
        seed=7,
        teachers=TeachersSettings(kinds=(("curls",), ("steps",)), kinds_share=(1.0, 2.0), loads_kg=(0.5, 1.0, 9.0)),
    )
    assert read_recipe(written(recipe_text(odd))) == odd


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[teachers]\npeople = 3", "teachers.people is 3. Expected 40 to 1e+07"),
        ("[teachers]\npeople = true", "teachers.people is True"),
        ("[teachers]\npeople = 50.5", "teachers.people is 50.5"),
        ('[learning]\nlearning_rate = "fast"', "learning.learning_rate is 'fast'"),
        ("[learning]\nwidth = 90", "4 heads cannot share"),
        ("[teachers]\npeople = 60", "less than two blocks of 50"),
        ("[teachers]\nstep = 3", "unknown key 'teachers.step'"),
        ("[teachers]\nsteps = 3", "It belongs under [learning]"),
        ("[theachers]\npeople = 50", "Did you mean 'teachers'"),
        ('anatomy = "arm62"', "anatomy is 'arm62'. Expected a model that is shipped. Did you mean 'arm26'"),
        ('electrodes = ["TRIlon"]', "no muscle 'TRIlon'. Did you mean 'TRIlong'"),
        ("electrodes = []", "on one muscle or more"),
        ('electrodes = ["BRA", "BRA"]', "each once"),
        ('electrodes = ["TRIlong", "TRIlat", "TRImed", "BIClong", "BICshort", "BRA"]', "but not on all"),
        ('[teachers]\nfamilies = ["efort"]', "no control strategy is called 'efort'. Did you mean 'effort'"),
        ("[teachers]\nfamilies = []", "one or more, each once"),
        ('[teachers]\nkinds = [["jumps"]]\nkinds_share = [1]', "no motion is called 'jumps'"),
        (
            '[teachers]\nkinds = [["curls"], ["curls", "steps"]]\nkinds_share = [1, 1]',
            "of as many trials as the others",
        ),
        ("[teachers]\nkinds_share = [1.0]", "each of the 5 kinds"),
        ("[teachers]\nkinds_share = [1, 1, 1, 1, -0.5]", "a share of 0 or more"),
        ("[teachers]\nloads_kg = [1.0]", "laboratories with other loads have 3"),
        ("[teachers]\nloads_kg = [1.0, 2.0, -3.0]", "loads of 0 to 100 kg"),
        ("[teachers]\nother_loads_most = 0.5", "1 kg or more"),
        ("[teachers]\nrate_hz = 70.0", "a divisor of 2000 Hz"),
        ("seed = -1", "seed is -1"),
    ],
)
def test_a_mistake_is_refused_by_name(written, text, what):
    (problem,) = problems_of(written(text))
    assert what in str(problem)


def test_all_mistakes_are_told_at_once_with_their_lines(written):
    text = 'electrodes = ["BRO"]\nsed = 1\n[teachers]\npeople = 1\nrate_hz = 70.0\n[learning]\nsteps = "all"\n'
    problems = problems_of(written(text))
    assert {problem.line for problem in problems} == {1, 2, 4, 5, 7}
    assert all(problem.file.endswith("recipe.toml") for problem in problems)


def test_a_file_that_is_no_toml_is_told_with_its_line(written):
    (problem,) = problems_of(written("seed = \n"))
    assert problem.line == 1


def test_a_recipe_from_python_is_held_to_the_same_rules():
    refuse_recipe(Recipe())
    with pytest.raises(InputError, match=r"teachers\.people is 3"):
        refuse_recipe(Recipe(teachers=TeachersSettings(people=3)))
    with pytest.raises(InputError, match="4 heads cannot share"):
        refuse_recipe(Recipe(learning=LearningSettings(width=90)))


def test_two_recipes_tell_in_which_keys_they_differ():
    other = replace(Recipe(seed=2), teachers=TeachersSettings(people=50), learning=LearningSettings(steps=10))
    assert differing(Recipe(), other) == ("seed", "teachers.people", "learning.steps")
    assert differing(Recipe(), Recipe()) == ()


def test_a_prior_that_is_not_shipped_is_none():
    assert shipped_prior("arm27") is None
