"""What pins the level of a deep muscle: wires, maximal contractions, ratios, and what they leave of the doubt."""

from dataclasses import replace

import numpy as np
import pytest

from cli_study import tiny_study
from curls import arm, curl
from profundus.fit.calibration import Answered, calibrated, conditioned, contradictions, mean_noise
from profundus.io.anatomy import read_anatomy
from profundus.io.shipped import shipped_prior
from profundus.io.study_file import check_study, read_study
from profundus.io.tables import read_table, write_table
from profundus.model.deep_posterior import DeepPosterior
from profundus.records import Calibration, LossSettings, Table
from profundus.signal import assemble_trials

BRA, MED = 5, 2
WIRE = Calibration("BRA", "trial", trial="wire")
COURSE_SD, LEVEL_SD = 0.2, 0.3


def answered(*trials, course_sd=COURSE_SD, memory=0.5, off=0.0) -> Answered:
    """Return trials whose answer is the truth, but for the level of all muscles, which is ``off`` (a log)."""
    answers = tuple(
        DeepPosterior(t, np.log(t.truth) - off, np.full(t.truth.shape, course_sd), np.full(6, LEVEL_SD)) for t in trials
    )
    measured = np.any([trial.measured for trial in trials], axis=0)
    return Answered(trials, answers, measured, 0.08, np.full(6, memory), LossSettings())


def wired(name="wire", *, factor=1.0, muscles=(BRA,), seconds=4.0):
    trial = curl(name, seconds=seconds, seed=3)
    wire = np.full_like(trial.truth, np.nan)
    wire[:, muscles] = factor * trial.truth[:, muscles]
    return replace(trial, wire=wire)


def rows_of(person, *calibrations, correlation=None):
    found = calibrated(calibrations, person, np.eye(6) if correlation is None else correlation, subject="sub-01")
    return {row.muscle: row for row in found}


def test_one_observation_weighs_against_the_prior_by_their_precisions():
    levels = conditioned(np.array([0.3, 0.4]), np.eye(2), [(0, 0.5, 0.1)])
    precision = 1 / 0.3**2 + 1 / 0.1**2
    np.testing.assert_allclose(levels.shift, [0.5 / 0.1**2 / precision, 0.0])
    np.testing.assert_allclose(levels.sd, [precision**-0.5, 0.4])


def test_observations_of_one_muscle_add_their_precisions():
    levels = conditioned(np.array([0.3]), np.eye(1), [(0, 0.2, 0.1), (0, 0.4, 0.2)])
    precision = np.array([1 / 0.3**2, 1 / 0.1**2, 1 / 0.2**2])
    np.testing.assert_allclose(levels.shift, precision @ [0.0, 0.2, 0.4] / precision.sum())
    np.testing.assert_allclose(levels.sd, precision.sum() ** -0.5)


def test_a_muscle_learns_from_one_whose_level_goes_with_its_own():
    rho, one, other, noise = 0.6, 0.3, 0.4, 0.1
    levels = conditioned(np.array([one, other]), np.array([[1.0, rho], [rho, 1.0]]), [(0, 0.5, noise)])
    slope = rho * one * other / (one**2 + noise**2)
    np.testing.assert_allclose(levels.shift[1], slope * 0.5)
    np.testing.assert_allclose(levels.sd[1] ** 2, other**2 - slope * rho * one * other)


def test_nothing_heard_leaves_the_prior():
    levels = conditioned(np.array([0.3, 0.4]), np.eye(2), [])
    assert levels.shift.tolist() == [0.0, 0.0]
    assert levels.sd.tolist() == [0.3, 0.4]


@pytest.mark.parametrize("memory", [1e-6, 0.05, 0.5, 1e6])
def test_the_noise_of_a_mean_is_that_of_its_covariance(memory):
    chance, step = np.random.default_rng(0), 0.01
    weight, sd = chance.uniform(size=200) / 100, chance.uniform(0.1, 0.3, 200)
    lag = step * np.abs(np.subtract.outer(np.arange(200), np.arange(200)))
    covariance = np.outer(sd, sd) * np.exp(-lag / memory)
    assert mean_noise(weight, sd, memory, step=step) == pytest.approx(np.sqrt(weight @ covariance @ weight))


def test_a_wire_that_holds_half_as_much_again_moves_the_answer_to_it():
    row = rows_of(answered(wired(factor=1.5)), WIRE)["BRA"]
    (heard,) = row.observations
    assert heard.level == pytest.approx(np.log(1.5))
    assert row.shift == pytest.approx(np.log(1.5) / (1 + (heard.sd / LEVEL_SD) ** 2))
    assert row.sd == pytest.approx((LEVEL_SD**-2 + heard.sd**-2) ** -0.5)
    assert row.sd < 0.5 * LEVEL_SD


def test_the_doubt_of_a_wire_is_that_of_course_envelope_and_maximum():
    person = answered(wired(), memory=0.4)
    (heard,) = rows_of(person, WIRE)["BRA"].observations
    truth, loss, step = person.trials[0].truth[:, BRA], LossSettings(), 0.01
    weight = truth**2 / np.sum(truth**2)
    lag = step * np.abs(np.subtract.outer(np.arange(len(truth)), np.arange(len(truth))))
    course = COURSE_SD**2 * weight @ np.exp(-lag / 0.4) @ weight
    noise_sd = weight * np.hypot(loss.emg_relative_sd, loss.emg_sd / truth)
    envelope = noise_sd @ np.exp(-lag / (0.5 * loss.emg_correlation_s)) @ noise_sd
    assert heard.sd == pytest.approx(np.sqrt(course + envelope + 0.08**2))


def test_a_longer_wire_trial_leaves_less_doubt():
    short, long = (rows_of(answered(wired(seconds=seconds)), WIRE)["BRA"].sd for seconds in (2.0, 8.0))
    assert long < short


def test_a_dominant_muscle_is_nearly_at_its_maximum_where_the_moment_is_largest():
    trial = curl("mvc", seed=4)
    peak = slice(200, 250)
    truth, moment = trial.truth.copy(), np.ones_like(trial.moment)
    truth[:, BRA], truth[peak, BRA], moment[peak] = 0.9, 0.6, 30.0
    row = rows_of(answered(replace(trial, truth=truth, moment=moment)), Calibration("BRA", "dominant", trial="mvc"))
    (heard,) = row["BRA"].observations
    assert heard.level == pytest.approx(np.log(0.95 / 0.6))
    lag = 0.01 * np.abs(np.subtract.outer(np.arange(50), np.arange(50)))
    course = COURSE_SD * np.sqrt(np.mean(np.exp(-lag / 0.5)))
    assert heard.sd == pytest.approx(np.sqrt((0.08 / 0.95) ** 2 + course**2 + (0.5 * np.log(0.95 / 0.9)) ** 2))


def test_a_maximum_far_above_usual_work_tells_little():
    usual, most = curl("usual", seed=1), curl("mvc", seed=4)
    person = replace(answered(usual, most), aside=("mvc",))
    row = rows_of(person, Calibration("BRA", "dominant", trial="mvc"))["BRA"]
    highest = np.quantile(usual.truth[:, BRA], 0.95)
    assert row.observations[0].sd > 0.5 * np.log(0.95 / highest)
    assert row.sd > 0.8 * row.prior_sd


def test_a_ratio_is_that_of_mean_excitations_over_the_trials_to_fit():
    person = answered(curl("one", seed=1), curl("two", seed=2), off=0.4)
    (heard,) = rows_of(person, Calibration("BRA", "ratio", ratio=0.9, sd=0.18, to="BIClong"))["BRA"].observations
    biceps = np.mean([trial.emg[:, 3].mean() for trial in person.trials])
    answer = np.mean([np.exp(one.middle[:, BRA]).mean() for one in person.answers])
    assert heard.level == pytest.approx(np.log(0.9 * biceps / answer))
    assert np.hypot(0.2, 0.08) < heard.sd < np.hypot(0.25, 0.08)


def test_a_wire_in_one_muscle_leaves_another_alone_unless_their_levels_go_together():
    person = answered(wired(factor=1.5, muscles=(BRA, MED)))
    both = (WIRE, replace(WIRE, muscle="TRImed"))
    apart, alone = rows_of(person, *both), rows_of(person, WIRE)
    assert apart["BRA"] == alone["BRA"]
    together = np.eye(6)
    together[BRA, MED] = together[MED, BRA] = 0.7
    assert rows_of(person, *both, correlation=together)["BRA"].sd < alone["BRA"].sd


def test_statements_that_contradict_each_other_are_told():
    trials = (wired("wire"), wired("other", factor=3.0))
    row = rows_of(answered(*trials), WIRE, replace(WIRE, trial="other"))["BRA"]
    said = contradictions(row)
    assert any("wire in other says x 3.00, wire in wire x 1.00" in one for one in said)
    assert any("the learned prior" in one for one in said)
    assert contradictions(rows_of(answered(trials[0]), WIRE)["BRA"]) == ()


def test_what_cannot_be_heard_is_left_out_with_its_reason():
    person = answered(wired())
    found = rows_of(person, replace(WIRE, trial="gone"), Calibration("TRImed", "trial", trial="wire"))
    assert "gone is not among the trials to fit" in found["BRA"].left_out[0]
    assert "no envelope of TRImed" in found["TRImed"].left_out[0]
    assert all(row.sd == row.prior_sd and row.shift == 0.0 for row in found.values())
    assert rows_of(person, replace(WIRE, subject="sub-02")) == {}


def calibrate(folder, *tables):
    path = tiny_study(folder, ablation="none")
    path.write_text(path.read_text() + "".join(f"\n[[calibration]]\n{table}\n" for table in tables), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("table", "what"),
    [
        ('muscle = "BIClong"\nkind = "trial"\ntrial = "sub-01_light"', "no deep muscle BIClong"),
        ('muscle = "BRA"\nkind = "trial"\ntrial = "sub-01_ligth"', "trial sub-01_ligth, which there is not"),
        ('muscle = "BRA"\nkind = "trial"', "needs 'trial'"),
        ('muscle = "BRA"\nkind = "trial"\ntrial = "sub-01_middle"', "there to test on"),
        ('muscle = "BRA"\nkind = "ratio"\nratio = 0.9\nto = "BIClong"', "needs 'sd'"),
        ('muscle = "BRA"\nkind = "ratio"\nratio = -0.9\nsd = 0.1\nto = "BIClong"', "ratio is -0.9"),
        ('muscle = "BRA"\nkind = "ratio"\nratio = 0.9\nsd = 0.1\nto = "TRImed"', "no measured muscle TRImed"),
        ('muscle = "BRA"\nkind = "dominant"\ntrial = "sub-01_light"\nsd = 0.1', "has no 'sd'"),
        ('muscle = "BRA"\nkind = "dominant"\ntrial = "sub-01_light"\nsubject = "sub-02"', "sub-02, whom there is not"),
    ],
)
def test_a_calibration_that_leads_nowhere_is_refused(tmp_path, table, what):
    study, problems = check_study(calibrate(tmp_path, table))
    assert study is None
    assert any(what in one.what and one.line for one in problems if one.severity == "error"), problems


def test_a_wire_trial_must_hold_the_envelope(tmp_path):
    path = calibrate(tmp_path, 'muscle = "BRA"\nkind = "trial"\ntrial = "sub-01_light"')
    assert not [one for one in check_study(path)[1] if "calibrat" in one.what]
    file = tmp_path / "sub-01_light" / "truth.sto"
    table = read_table(file)
    write_table(table.select({"TRImed": "TRImed"}), file)
    (lacking,) = [one for one in check_study(path)[1] if one.severity == "error"]
    assert "sub-01_light calibrates BRA, but holds no envelope of it" in lacking.what
    assert "truth" in lacking.remedy
    emg = read_table(tmp_path / "sub-01_light" / "emg.sto")
    more = Table((*emg.labels, "BRA"), emg.time, np.column_stack([emg.values, table["BRA"]]), in_degrees=False)
    write_table(more, tmp_path / "sub-01_light" / "emg.sto")
    (trial, *others) = assemble_trials(study := read_study(path), study.subjects[0], arm().muscles)
    np.testing.assert_allclose(trial.wire[:, BRA], table["BRA"], atol=1e-6)
    assert np.isnan(trial.wire[:, :BRA]).all()
    assert all(other.wire is None for other in others)


@pytest.mark.skipif(shipped_prior("arm26") is None, reason="no learned prior is shipped")
def test_a_fit_believes_the_wire_and_keeps_what_it_heard(tmp_path):
    from profundus.fit.taught_saving import taught_from_arrays, taught_to_arrays
    from profundus.protocols.learned import answered as answer
    from profundus.protocols.learned import prior_for, taught_person
    from profundus.records import EmgScale

    path = calibrate(tmp_path, 'muscle = "BRA"\nkind = "trial"\ntrial = "sub-01_light"')
    study, anatomy = read_study(path), read_anatomy("arm26")
    trials = assemble_trials(study, study.subjects[0], anatomy.muscles)
    fits = {}
    for name, own in (("without", replace(study, calibrations=())), ("with", study)):
        fits[name] = taught_person(trials, own, anatomy, arm(), prior_for(study, anatomy))
    found = {name: answer(fit, arm(), trials).trials[0] for name, fit in fits.items()}
    (row,) = fits["with"].calibrations
    moved = np.log(found["with"].excitation / found["without"].excitation)
    np.testing.assert_allclose(moved[:, BRA], row.shift, atol=1e-6)
    np.testing.assert_allclose(moved[:, MED], 0.0, atol=1e-6)
    assert row.sd < 0.6 * row.prior_sd
    saved, _ = taught_from_arrays(*taught_to_arrays(fits["with"], EmgScale("sub-01", "mvc", {}, {})), file="x")
    assert saved.calibrations == fits["with"].calibrations
