"""A person whom a learned prior met: electrodes that are dead, and what decided the answer for muscles without any."""

from dataclasses import replace

import numpy as np
import pytest

from curls import arm, curl
from profundus.fit.compiled import keep_compiled
from profundus.fit.decided import decided
from profundus.fit.priors import gain_prior
from profundus.fit.taught import fit_taught_people, met
from profundus.io.anatomy import read_anatomy
from profundus.io.shipped import shipped_prior
from profundus.io.weights import read_arrays
from profundus.model.prior_file import prior_from_arrays
from profundus.records import FitSettings

pytestmark = pytest.mark.skipif(shipped_prior("arm26") is None, reason="no learned prior is shipped")
MED, BICEPS, BRA = 2, 3, 5


def without(trial, muscle):
    seen = trial.emg_valid.copy()
    seen[:, muscle] = False
    return replace(trial, emg=np.where(seen, trial.emg, np.nan), emg_valid=seen)


TRIALS = [without(curl("curl"), BICEPS), without(curl("press", press=True, seed=1), BICEPS)]


@pytest.fixture(scope="module")
def person():
    """Return a person without maximal contractions, the electrode of whose biceps is dead in all trials."""
    keep_compiled()
    path = shipped_prior("arm26")
    prior = prior_from_arrays(*read_arrays(path), file=str(path))
    anatomy = read_anatomy("arm26")
    known = met(TRIALS, prior, anatomy, arm(), FitSettings(), normalization="session_max")
    return fit_taught_people([known], anatomy, arm())[0]


def test_a_dead_electrode_without_maximal_contractions_keeps_the_usual_gain(person):
    usual = float(np.exp(gain_prior("session_max").mean))
    np.testing.assert_array_equal(person.gain[[MED, BICEPS, BRA]], usual)
    others = [i for i in range(6) if i not in (MED, BICEPS, BRA)]
    assert person.personalized
    assert np.all(person.gain[others] != usual)


def test_a_calibration_narrows_what_is_known_of_its_muscle_alone(person):
    left = np.full(6, np.nan)
    left[BRA] = 0.01
    before, after = ({row.muscle: row for row in decided(one)} for one in (person, replace(person, level_sd=left)))
    assert before["TRImed"] == after["TRImed"]
    bra, was = after["BRA"], before["BRA"]
    assert (was.calibrated, bra.calibrated) == (False, True)
    assert bra.level_all_sd == 0.01
    assert bra.all_sd**2 == pytest.approx(was.all_sd**2 - was.level_all_sd**2 + 0.01**2, rel=0.02)
    assert replace(bra, all_sd=was.all_sd, level_all_sd=was.level_all_sd, calibrated=False) == was
