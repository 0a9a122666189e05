"""With excitations known, the moments tell a person's parameters; what they do not tell stays where the prior has it."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from curls import STEP, STRENGTH, arm, curl, true_parameters
from profundus.errors import InputError
from profundus.fit.coarse import PIECE_SAMPLES, CoarseTrials, coarse_trials
from profundus.fit.moment_search import Gains, Physics, SamePrior, Search, searched
from profundus.fit.personalization import personalize
from profundus.fit.priors import gain_prior, parameter_prior
from profundus.io.anatomy import read_anatomy
from profundus.model.musculoskeletal import Geometry
from profundus.records import FitSettings, LossSettings

PRIOR = parameter_prior(read_anatomy("arm26"))
MVC, OPEN = gain_prior("mvc"), gain_prior("session_max")
COPIES = {"TRImed": "TRIlat", "BRA": "BICshort"}
NOISE = LossSettings(moment_sd=0.1, moment_relative_sd=0.0, moment_correlation_s=STEP)  # that of the simulated moment
SETTINGS = FitSettings(loss=NOISE)


@cache
def session():
    """Return curls and presses of a person with weak extensors and strong flexors."""
    person = {"parameters": true_parameters()}
    trials = [curl(f"curl {load}", load_kg=load, seed=load, **person) for load in (0, 2, 4)]
    return (*trials, *(curl(f"press {load}", load_kg=load, seed=load, press=True, **person) for load in (2, 4)))


def of(trials, *, excitations=None, settings=SETTINGS, gain=MVC, copies=None):
    given = [trial.truth for trial in trials] if excitations is None else excitations
    return personalize(trials, given, PRIOR, arm(), settings, gain=gain, copies=copies)


@cache
def found():
    return of(session())


def fitted(person, parameter):
    return np.array([row.fitted for row in person.rows if row.parameter == parameter])


def test_strengths_are_found_within_their_uncertainty():
    rows = [row for row in found().rows if row.parameter == "max_isometric_force"]
    z = [(row.fitted - row.generic * true) / row.posterior_sd for row, true in zip(rows, STRENGTH, strict=True)]
    assert np.abs(z).max() < 3
    ratio = fitted(found(), "max_isometric_force") / np.array([row.generic for row in rows])
    for group in (slice(0, 3), slice(3, 6)):
        assert np.log(ratio[group]).mean() == pytest.approx(np.log(STRENGTH[group]).mean(), abs=0.05)


def test_delays_are_found():
    np.testing.assert_allclose(fitted(found(), "electromechanical_delay"), 0.06, atol=0.015)


def test_the_moment_is_explained_up_to_its_noise():
    moment = np.concatenate([trial.moment for trial in session()])
    assert found().moment_r2 == pytest.approx(1 - 0.1**2 / np.var(moment), abs=0.001)
    assert found().generic_moment_r2 < found().moment_r2 - 0.02
    assert found().converged
    assert "hardly" in found().outcome


def test_what_the_moment_tells_is_narrower_than_the_prior():
    strengths = [row for row in found().rows if row.parameter == "max_isometric_force"]
    assert sum(row.moved_by_data for row in strengths) >= 4
    assert all(row.posterior_sd <= 1.001 * row.prior_sd for row in found().rows)


def test_the_parameters_are_those_of_the_rows():
    muscles = found().parameters.muscles
    np.testing.assert_allclose(muscles.max_isometric_force, fitted(found(), "max_isometric_force"))
    np.testing.assert_allclose(found().parameters.activation.time_constant, fitted(found(), "time_constant")[0])


def test_a_moment_that_nobody_trusts_leaves_the_prior():
    doubted = replace(SETTINGS, loss=LossSettings(moment_sd=100.0, moment_correlation_s=10.0))
    person = of(session(), settings=doubted)
    np.testing.assert_allclose([row.fitted for row in person.rows], PRIOR.center, rtol=0.02)
    np.testing.assert_allclose([row.posterior_sd for row in person.rows], PRIOR.sd, rtol=0.05)


def test_the_slopes_are_those_of_the_whole_chain():
    rows, step = coarse_trials([(t, t.truth) for t in session()[:2]], arm(), NOISE)
    electrode = np.eye(6)[:, [0, 3]]
    gains = Gains(np.full(6, 0.1), 0.5 * electrode, ("TRIlong", "BIClong"))

    def residual(unknown):
        gain = jnp.exp(0.1 + 0.5 * electrode @ unknown[32:])

        def one(row):
            geometry = Geometry(row.path_length, row.path_velocity, row.moment_arm)
            person = PRIOR.parameters(unknown[:32])
            muscles = arm().respond(row.excitation / gain, geometry, person, step=step, muscle="thelen", substeps=1)
            return (muscles.joint_moment - row.moment) * row.weight

        return jnp.concatenate([jax.vmap(one)(rows).ravel(), unknown])

    physics = Physics(SamePrior(PRIOR), "thelen", "rigid", 10.0, step)
    start = searched(physics, arm(), gains, rows, Search(jnp.asarray(0), jnp.zeros(34))).solution
    jacobian = jax.jit(jax.jacfwd(residual))(jnp.zeros(34))
    np.testing.assert_allclose(start.residual, residual(jnp.zeros(34)), atol=1e-8)
    np.testing.assert_allclose(start.information, jacobian.T @ jacobian, rtol=1e-6, atol=1e-6)


def test_open_gains_are_found_with_the_strengths():
    """Envelopes three times as large as excitations: gains rise with them, deep muscles that copy one follow, the moment is explained."""
    envelopes = [np.where(trial.measured, 3 * trial.truth, np.nan) for trial in session()]
    muscles = list(arm().muscles)
    for given in envelopes:
        for name, other in COPIES.items():
            given[:, muscles.index(name)] = given[:, muscles.index(other)]
    person = of(session(), excitations=envelopes, gain=OPEN, copies=COPIES)
    assert person.moment_r2 > 0.98
    assert np.all(person.gain > 1.5)
    for name, other in COPIES.items():
        assert person.gain[muscles.index(name)] == person.gain[muscles.index(other)]
    assert [row.muscle for row in person.rows if row.parameter == "emg_gain"] == [m for m in muscles if m not in COPIES]


def test_a_maximal_contraction_leaves_the_gain_alone():
    np.testing.assert_array_equal(found().gain, 1.0)
    assert not any(row.parameter == "emg_gain" for row in found().rows)


def test_neither_truth_nor_trials_of_the_test_are_seen():
    given = [trial.truth for trial in session()]
    garbage = [replace(trial, truth=np.full_like(trial.truth, -7.0)) for trial in session()]
    hidden = curl("hidden", role="test", seed=9)
    again = of([*garbage, hidden], excitations=[*given, 9 * hidden.truth])
    np.testing.assert_array_equal([r.fitted for r in again.rows], [r.fitted for r in found().rows])


def weights(trial, given) -> np.ndarray:
    rows, step = coarse_trials([(trial, given)], arm(), NOISE)
    assert step == pytest.approx(0.02)
    return np.asarray(rows.weight)[0, : len(trial.time) // 2, 0]


def test_a_gap_and_what_activation_remembers_of_it_do_not_count():
    trial = session()[0]
    given = trial.truth.copy()
    given[100:120, 3] = np.nan
    counts = weights(trial, given) > 0
    expected = np.ones(200, bool)
    expected[:13] = False  # 0.25 s
    expected[50:73] = False  # the gap and 0.25 s
    np.testing.assert_array_equal(counts, expected)


def test_a_moment_that_is_not_valid_does_not_count():
    trial = session()[0]
    valid = trial.moment_valid.copy()
    valid[301] = False
    moment = np.where(valid, trial.moment, np.nan)
    counts = weights(replace(trial, moment=moment, moment_valid=valid), trial.truth) > 0
    assert not counts[150]
    assert counts[[149, 151]].all()


def test_an_error_of_one_sd_counts_by_how_long_errors_last():
    trial = session()[0]
    rows, step = coarse_trials([(trial, trial.truth)], arm(), LossSettings(moment_sd=0.5, moment_relative_sd=0.0))
    np.testing.assert_allclose(np.unique(rows.weight), [0.0, np.sqrt(step / 0.2) / 0.5])


def test_people_share_shapes_and_priors_and_so_a_compilation():
    long = [curl(f"long {i}", seconds=4.5, seed=i) for i in range(4)]
    one, _ = coarse_trials([(t, t.truth) for t in session()[:3]], arm(), NOISE)
    other, _ = coarse_trials([(t, t.truth) for t in long], arm(), NOISE)
    assert [a.shape for a in CoarseTrials(*one)] == [a.shape for a in other]
    same, late = (parameter_prior(read_anatomy("arm26"), delay_prior=(mean, 0.02)) for mean in (0.06, 0.07))
    assert (SamePrior(PRIOR), hash(SamePrior(PRIOR))) == (SamePrior(same), hash(SamePrior(same)))
    assert SamePrior(PRIOR) != SamePrior(late)


def test_every_trial_that_does_not_fit_in_is_named_at_once():
    first, slow, other = session()[:3]
    slow, other = replace(slow, time=2 * slow.time, name="slow"), replace(other, subject="sub-02", name="other")
    with pytest.raises(InputError) as caught:
        of([first, slow, other], excitations=[first.truth - 1.0, slow.truth, other.truth[:, :4]])
    said = [problem.what for problem in caught.value.problems]
    assert said[0].startswith("curl 0: negative excitation of TRIlong")
    assert [what.split(":")[0].split(" is ")[0] for what in said[1:]] == ["slow", "other", "other"]


def test_a_long_trial_is_cut_into_pieces_and_each_sample_counts_once():
    long = curl("long", seconds=25.0)
    rows, step = coarse_trials([(long, long.truth)], arm(), NOISE)
    weight, moment = (np.asarray(field)[..., 0] for field in (rows.weight, rows.moment))
    assert weight.shape[1] == PIECE_SAMPLES
    assert np.count_nonzero(np.count_nonzero(weight, axis=1)) == 3
    expected = (
        long.moment[: round(25.0 / STEP), 0].reshape(-1, round(step / STEP)).mean(axis=1)[13:]
    )  # 0.25 s is forgotten
    np.testing.assert_allclose(moment[weight > 0], expected, rtol=1e-6)
    for piece in weight[1:3]:
        assert not piece[:13].any()
        assert piece[13] > 0


def test_without_anything_to_explain_there_is_no_person():
    trial = session()[0]
    with pytest.raises(InputError, match="no trial to personalize with"):
        of([replace(trial, role="test")])
    with pytest.raises(InputError, match="at no time"):
        of([trial], excitations=[np.where(np.arange(6) == 5, np.nan, trial.truth)])


def test_a_copy_of_a_muscle_without_an_electrode_is_refused():
    with pytest.raises(InputError, match="TRImed cannot copy BRA"):
        of(session()[:1], copies={"TRImed": "BRA"}, gain=OPEN)
