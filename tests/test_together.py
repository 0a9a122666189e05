"""Several people in one program, as on an accelerator, come out as each would alone."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from cli_study import tiny_study
from curls import arm, curl, objectives, small_fit, two_curls
from profundus.errors import InputError
from profundus.fit.subject import SubjectFit
from profundus.fit.taught import fit_taught_people, met
from profundus.fit.together import alike, by_default
from profundus.fit.training import CHUNK, advance_together
from profundus.io.anatomy import read_anatomy
from profundus.io.run_directory import RunDirectory
from profundus.io.shipped import shipped_prior
from profundus.io.study_file import read_study
from profundus.io.weights import read_arrays
from profundus.model.prior_file import prior_from_arrays
from profundus.protocols.fitting import fit_study
from profundus.records import FitSettings


def test_equal_keys_are_grouped_in_their_order():
    assert alike(["a", "b", "a", "c", "b"]) == [[0, 2], [1, 4], [3]]


def test_on_a_processor_people_are_computed_one_by_one():
    assert by_default() is (jax.default_backend() != "cpu")


@pytest.fixture(scope="module")
def known():
    """Return three people as the shipped prior knows them: two with moments, one without."""
    path = shipped_prior("arm26")
    if path is None:
        pytest.skip("no learned prior is shipped")
    prior, anatomy = prior_from_arrays(*read_arrays(path), file=str(path)), read_anatomy("arm26")
    trials = [[curl("curl", seed=seed), curl("press", press=True, seed=seed + 5)] for seed in range(2)]
    trials.append([replace(one, moment_valid=np.zeros_like(one.moment_valid)) for one in trials[0]])
    return [met(own, prior, anatomy, arm(), FitSettings(), normalization="mvc") for own in trials]


def test_the_parameters_of_people_found_together_are_those_of_each_alone(known):
    anatomy = read_anatomy("arm26")
    alone = [fit_taught_people([one], anatomy, arm())[0] for one in known]
    together = fit_taught_people(known, anatomy, arm(), together=True)
    assert [one.personalized for one in together] == [True, True, False]
    for one, other in zip(together[:2], alone, strict=False):
        assert (one.outcome, one.converged) == (other.outcome, other.converged)
        for mine, his in zip(one.rows, other.rows, strict=True):
            assert mine.fitted == pytest.approx(his.fitted, abs=2e-3 * his.prior_sd), mine
            assert mine.posterior_sd == pytest.approx(his.posterior_sd, rel=2e-3), mine


def test_networks_trained_together_take_the_steps_of_each_alone():
    first = small_fit().work
    works = [first, SubjectFit(two_curls(), objectives(), seed=3)]
    works[1].trainer.objective = first.objective
    states = [work.start() for work in works]
    together = advance_together([work.trainer for work in works], states)
    for work, state, own in zip(works, states, together, strict=True):
        alone = work.trainer.advance(state)
        assert own.step == alone.step == CHUNK
        np.testing.assert_allclose(own.history[:3], alone.history[:3], rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(own.history[-1].sum(), alone.history[-1].sum(), rtol=0.02)
    assert not np.allclose(together[0].history, together[1].history)


def test_a_study_fitted_together_is_the_same_run_and_one_failure_costs_nobody_else(tmp_path):
    toml = tiny_study(tmp_path, ablation="none", subjects=("sub-01", "sub-02", "sub-03"))
    study = read_study(toml)
    alone = fit_study(study, tmp_path / "alone", subjects=["sub-01", "sub-02"], together=False).run
    second = study.subjects[1]
    nothing_to_fit = replace(second, recordings=tuple(replace(one, role="test") for one in second.recordings))
    people = (study.subjects[0], nothing_to_fit, study.subjects[2])
    with pytest.raises(InputError):
        fit_study(replace(study, subjects=people), tmp_path / "broken", together=True)
    assert RunDirectory(tmp_path / "broken").subjects == ("sub-01", "sub-03")
    together = fit_study(study, tmp_path / "together", subjects=["sub-01", "sub-02"], together=True).run
    for subject in alone.subjects:
        pairs = zip(alone.reconstruction(subject).trials, together.reconstruction(subject).trials, strict=True)
        for mine, his in pairs:
            np.testing.assert_allclose(mine.excitation, his.excitation, atol=1e-4)
            np.testing.assert_allclose(mine.moment, his.moment, atol=0.02)


def test_networks_of_a_study_are_trained_together_and_each_gets_his_own(tmp_path):
    study = read_study(tiny_study(tmp_path, steps=CHUNK, subjects=("sub-01", "sub-02")))
    heard = []
    run = fit_study(study, tmp_path / "run", together=True, on_progress=heard.append).run
    assert run.subjects == ("sub-01", "sub-02")
    assert [(now.subject, now.step) for now in heard if now.stage == "train"] == [("sub-01", CHUNK), ("sub-02", CHUNK)]
    answers = [run.reconstruction(subject).trials[0].excitation for subject in run.subjects]
    assert np.isfinite(answers).all()
    assert not np.allclose(*answers, atol=0.01)
