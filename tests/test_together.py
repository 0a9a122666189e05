"""Several people in one program, as on an accelerator, come out as each would alone."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from curls import arm, curl, objectives, small_fit, two_curls
from profundus.fit.subject import SubjectFit
from profundus.fit.taught import fit_taught_people, met
from profundus.fit.together import alike, by_default
from profundus.fit.training import CHUNK, advance_together
from profundus.io.anatomy import read_anatomy
from profundus.io.shipped import shipped_prior
from profundus.io.weights import read_arrays
from profundus.model.prior_file import prior_from_arrays
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
