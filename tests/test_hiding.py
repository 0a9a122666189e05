"""A hidden muscle leaves the inputs, becomes the only truth, and its band grows by the noise of its envelope."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from answers import MUSCLES, answer, reconstruction, trial
from profundus.errors import InputError
from profundus.records import Reconstruction
from profundus.validate.hiding import hidden, noise_of_envelope, with_envelope_noise
from profundus.validate.scores import score

BIC = MUSCLES.index("BIClong")


def test_a_hidden_muscle_has_no_electrode_and_its_envelope_is_the_truth():
    given = trial()
    (seen,) = hidden([given], "BIClong")
    assert not seen.measured[BIC]
    assert np.isnan(seen.emg[:, BIC]).all()
    np.testing.assert_array_equal(seen.truth[:, BIC], given.emg[:, BIC])
    assert seen.processing["hidden"] == ["BIClong"]
    assert given.measured[BIC]


def test_all_other_inputs_stay_and_all_other_truths_go():
    given = trial()
    (seen,) = hidden([given], "BIClong")
    others = [i for i in range(len(MUSCLES)) if i != BIC]
    for key in ("emg", "emg_valid"):
        np.testing.assert_array_equal(getattr(seen, key)[:, others], getattr(given, key)[:, others])
    for key in ("time", "angle", "velocity", "acceleration", "moment", "moment_valid"):
        np.testing.assert_array_equal(getattr(seen, key), getattr(given, key))
    assert np.isnan(seen.truth[:, others]).all()
    card = score(Reconstruction("nmm", "sub-01", (answer(given),)), hidden=["BIClong"])
    assert {row.name for row in card.rows if row.quantity == "emg"} == set(MUSCLES)
    card = score(Reconstruction("nmm", "sub-01", (replace(answer(given), trial=seen),)), hidden=["BIClong"])
    assert {(row.name, row.hidden) for row in card.rows if row.quantity == "emg"} == {("BIClong", True)}


def test_what_was_not_valid_is_no_truth():
    given = trial()
    valid = given.emg_valid.copy()
    valid[100:120, BIC] = False
    (seen,) = hidden([replace(given, emg_valid=valid)], "BIClong")
    assert np.flatnonzero(np.isnan(seen.truth[:, BIC])).tolist() == list(range(100, 120))


def test_a_trial_in_which_the_electrode_was_off_has_no_truth():
    off = trial("off")
    valid = off.emg_valid.copy()
    valid[:, BIC] = False
    seen = hidden([trial(), replace(off, emg_valid=valid)], "BIClong")
    assert np.isfinite(seen[0].truth[:, BIC]).all()
    assert np.isnan(seen[1].truth).all()


def test_muscles_on_one_electrode_are_hidden_together():
    shared = [trial(), trial("curl_2", seed=2)]
    for one in shared:
        one.emg[:, MUSCLES.index("BICshort")] = one.emg[:, BIC]
    seen = hidden(shared, "BIClong")
    for one in seen:
        assert [m for m, there in zip(MUSCLES, one.measured, strict=True) if there] == ["TRIlong", "TRIlat"]
        assert np.isnan(one.truth[:, MUSCLES.index("BICshort")]).all()
        assert "BICshort on the same electrode" in str(one.problems[-1])
    assert hidden([trial()], "BIClong")[0].problems == ()


def only(given, *names):
    valid = given.emg_valid & np.isin(MUSCLES, names)
    return replace(given, emg_valid=valid, emg=np.where(valid, given.emg, np.nan))


def test_what_cannot_be_hidden_is_refused():
    with pytest.raises(InputError, match=r"BRA is not measured.*BIClong"):
        hidden([trial()], "BRA")
    with pytest.raises(InputError, match="SOL is not measured"):
        hidden([trial()], "SOL")
    with pytest.raises(InputError, match="only electrode"):
        hidden([only(trial(), "BIClong")], "BIClong")
    both = only(trial(), "BIClong", "BICshort")
    both.emg[:, MUSCLES.index("BICshort")] = both.emg[:, BIC]
    with pytest.raises(InputError, match="only electrode"):
        hidden([both], "BIClong")
    for trials in ([], [trial(), trial(subject="sub-02")]):
        with pytest.raises(InputError, match="one person"):
            hidden(trials, "BIClong")


def test_the_noise_of_an_envelope_has_a_constant_and_a_growing_part():
    np.testing.assert_allclose(noise_of_envelope(np.array([0.0, 0.4]), emg_sd=0.03, emg_relative_sd=0.1), [0.03, 0.05])


def test_a_widened_band_covers_nine_tenths_of_a_noisy_envelope():
    chance = np.random.default_rng(0)
    given = trial(samples=20000)
    mean = np.full(given.emg.shape, 0.5)
    edge = stats.norm.ppf(0.95)
    truth = 0.5 + chance.normal(0, 0.03, len(given.time))  # what the band of the method is about
    envelope = truth * (1 + chance.normal(0, 0.08, len(truth)))
    band = replace(answer(given), excitation=mean, lower=mean - edge * 0.03, upper=mean + edge * 0.03)
    (wide,) = with_envelope_noise(
        Reconstruction("nmm", "sub-01", (band,)), "BIClong", emg_sd=0.0, emg_relative_sd=0.08
    ).trials
    assert np.mean((truth >= band.lower[:, BIC]) & (truth <= band.upper[:, BIC])) == pytest.approx(0.9, abs=0.01)
    assert np.mean((envelope >= wide.lower[:, BIC]) & (envelope <= wide.upper[:, BIC])) == pytest.approx(0.9, abs=0.01)
    np.testing.assert_allclose(wide.upper[:, BIC] - 0.5, edge * 0.05)
    np.testing.assert_array_equal(wide.excitation, mean)
    np.testing.assert_array_equal(np.delete(wide.upper, BIC, axis=1), np.delete(band.upper, BIC, axis=1))


def test_no_band_stays_no_band_and_no_envelope_is_below_zero():
    rec = reconstruction()
    bare = tuple(replace(part, lower=part.excitation, upper=part.excitation) for part in rec.trials)
    same = with_envelope_noise(replace(rec, trials=bare), "BIClong", emg_sd=0.01, emg_relative_sd=0.1)
    for part in same.trials:
        np.testing.assert_array_equal(part.lower, part.upper)
    loud = with_envelope_noise(rec, "BIClong", emg_sd=1.0, emg_relative_sd=0.0)
    assert all(part.lower[:, BIC].min() == 0.0 for part in loud.trials)


def test_what_is_not_known_stays_unknown():
    rec = reconstruction()
    first = rec.trials[0]
    holes = [getattr(first, key).copy() for key in ("excitation", "lower", "upper")]
    for values in holes:
        values[10:20, BIC] = np.nan
    part = replace(first, excitation=holes[0], lower=holes[1], upper=holes[2])
    (wide,) = with_envelope_noise(replace(rec, trials=(part,)), "BIClong", emg_sd=0.01, emg_relative_sd=0.1).trials
    assert np.flatnonzero(np.isnan(wide.upper[:, BIC])).tolist() == list(range(10, 20))


def test_noise_that_cannot_be_is_refused_with_everything_that_is_wrong():
    with pytest.raises(InputError) as caught:
        with_envelope_noise(reconstruction(), "SOL", emg_sd=-0.01, emg_relative_sd=np.nan)
    assert len(caught.value.problems) == 5  # three trials without the muscle, two kinds of noise
