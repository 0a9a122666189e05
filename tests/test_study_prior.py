"""A prior for a study's own model: its people's motions teach, its electrodes and normalization are taken over."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jax
import numpy as np
import pytest

from profundus.errors import InputError
from profundus.io.recipe_file import read_recipe
from profundus.io.study_file import read_study
from profundus.io.weights import read_arrays
from profundus.model.prior_file import prior_from_arrays
from profundus.protocols.ground import grounded
from profundus.protocols.learned import prior_for, taught_person
from profundus.protocols.models import model_of
from profundus.protocols.pretraining import pretrain
from profundus.protocols.recordings import recorded
from profundus.records import LIMB_FAMILIES, LearningSettings, Recipe, TeachersSettings

DEMO = Path(str(files("profundus") / "data" / "demo" / "study.toml"))
TEACHERS = TeachersSettings(people=40, block=20, rate_hz=80.0)
LEARNING = LearningSettings(
    width=8, trial_layers=1, person_layers=1, answer_layers=1, heads=2, steps=20, people_a_step=4, trials_a_person=2
)
RECIPE = Recipe(study=str(DEMO), teachers=TEACHERS, learning=LEARNING)


def test_a_study_decides_electrodes_families_and_scale():
    recipe, ground = grounded(RECIPE)
    assert recipe.electrodes == ("TRIlong", "TRIlat", "BIClong", "BICshort")
    assert recipe.teachers.families == LIMB_FAMILIES
    assert recipe.learning.no_mvc == LEARNING.no_mvc  # this study has an MVC
    assert ground.coordinates == ("r_elbow_flex",)
    assert len(ground.digest) == 64


def test_only_trials_to_fit_teach():
    _, ground = grounded(RECIPE)
    study = read_study(DEMO)
    fit = {trial.name for trial in study.subjects[0].recordings if trial.role == "fit"}
    assert {motion.name.split()[-1] for motion in ground.motions} == fit
    assert all(np.isfinite(motion.moment).all() for motion in ground.motions)


def test_without_a_study_the_shipped_model_is_stood_on():
    recipe, ground = grounded(Recipe())
    assert recipe == Recipe()
    assert ground.anatomy.name == "arm26"
    assert ground.motions == ()
    assert ground.digest == ""


def test_a_recipe_finds_its_study_beside_it(tmp_path):
    (tmp_path / "recipe.toml").write_text('study = "mine.toml"\n')
    assert read_recipe(tmp_path / "recipe.toml").study == str(tmp_path / "mine.toml")


def test_a_study_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError):
        pretrain(replace(RECIPE, study=str(tmp_path / "none.toml")), tmp_path / "prior", workers=1)


@pytest.mark.slow
def test_a_taught_study_is_answered_by_its_own_prior(tmp_path):
    with jax.enable_x64(False):  # as a command does; in 64 bits a training compiles each of its programs twice
        result = pretrain(RECIPE, tmp_path / "prior", workers=1)
    prior = prior_from_arrays(*read_arrays(result.prior), file="prior")
    assert prior.view == "limb"
    study = read_study(DEMO)
    study = replace(study, fit=replace(study.fit, prior=str(result.prior)))
    anatomy, model = model_of(study)
    trials = recorded(study, study.subjects[0], anatomy).trials
    person = taught_person(trials, study, anatomy, model, prior_for(study, anatomy))
    assert person.prior.view == "limb"
    assert person.personalized
