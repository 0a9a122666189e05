"""The network without physics learns the measured envelopes and nothing else, and claims nothing else."""

from dataclasses import replace
from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cli_study import called, new_trial, tiny_study
from curls import DEEP, SMALL, Worked, arm, curl, objectives, two_curls
from profundus.fit import identifiability
from profundus.fit.subject import SubjectFit
from profundus.io.run_directory import read_run
from profundus.reconstruct import reconstruct

ALONE = replace(SMALL, ablation="network_only")
PLAIN = replace(ALONE, paper=True)
MEASURED = [0, 1, 3, 4]
NEW = curl("new", load_kg=2.0, role="test", seed=7)


@cache
def worked(settings):
    work = SubjectFit(two_curls(), objectives(settings), seed=0)
    state = work.train(work.start())
    return Worked(work, state, work.fitted(state, subject="sub-01"))


@eqx.filter_jit
def all_terms(objective, *given):
    return objective.terms(*given)


def terms(settings):
    case = worked(settings)
    member, center = (jax.tree.map(lambda leaf: leaf[0], tree) for tree in (case.state.members, case.work.centers))
    return all_terms(case.work.objective, member, case.work.batch, center, jnp.asarray(7.0, jnp.float32))


def test_the_moment_is_no_loss():
    assert set(terms(ALONE)) == {"emg", "parameters", "group", "effort", "smoothness"}


def test_of_the_plain_form_the_measured_envelopes_alone_are_left():
    assert set(terms(PLAIN)) == {"emg"}


@pytest.mark.parametrize("settings", [ALONE, PLAIN])
def test_no_parameter_is_fitted_and_none_is_reported(settings):
    fitted = worked(settings).fitted
    assert (fitted.method, fitted.rows) == ("network_only", ())
    np.testing.assert_array_equal(worked(settings).state.members.personal, 0.0)


@pytest.mark.parametrize("settings", [ALONE, PLAIN])
def test_nothing_that_needs_muscles_is_reported(settings):
    rec = reconstruct(worked(settings).fitted, arm(), [NEW])
    (part,) = rec.trials
    assert rec.method == "network_only"
    assert (part.moment, part.activation, part.tendon_force, part.fiber_length) == (None, None, None, None)
    assert np.all((part.lower <= part.excitation) & (part.excitation <= part.upper))


def test_measured_envelopes_are_learned():
    (part,) = reconstruct(worked(ALONE).fitted, arm(), [NEW]).trials
    error = np.log(part.excitation / NEW.truth)[30:-30, MEASURED]
    assert np.all(np.sqrt(np.mean(error**2, axis=0)) < 0.12)  # noise 0.06, and the gain's prior 0.08


def test_deep_muscles_follow_their_group_in_its_prior():
    (part,) = reconstruct(worked(ALONE).fitted, arm(), [NEW]).trials
    level = part.excitation[30:-30].mean(axis=0)
    for deep, group in ((2, [0, 1]), (5, [3, 4])):
        assert abs(np.log(level[deep] / level[group].mean())) < 0.35  # group_amplitude_sd


def test_the_moment_changes_nothing_but_what_the_network_sees():
    blind = replace(ALONE, network=replace(ALONE.network, inverse_dynamics_moment=False), steps=5)
    doubled = [replace(trial, moment=2 * trial.moment) for trial in two_curls()]
    one, other = (SubjectFit(trials, objectives(blind), seed=0) for trials in (two_curls(), doubled))
    states = [work.train(work.start()) for work in (one, other)]
    for own, changed in zip(*(jax.tree.leaves(state.members) for state in states), strict=True):
        np.testing.assert_array_equal(own, changed)


def test_trials_without_a_moment_teach_the_network_too():
    light, heavy = two_curls()
    silent = replace(heavy, moment=np.full_like(heavy.moment, np.nan), moment_valid=np.zeros_like(heavy.moment_valid))
    assert [trial.name for trial in SubjectFit((light, silent), objectives(ALONE), seed=0).trials] == ["light", "heavy"]
    assert [trial.name for trial in SubjectFit((light, silent), objectives(), seed=0).trials] == ["light"]


def test_a_muscle_that_no_loss_told_of_is_flagged():
    for settings, expected in ((ALONE, set()), (PLAIN, set(DEEP))):
        fitted = worked(settings).fitted
        rec = reconstruct(fitted, arm(), [NEW])
        flags = identifiability.shortcomings(fitted, rec)
        assert {flag.muscle for flag in flags if flag.name == "unlearned"} == expected


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return tiny_study(tmp_path_factory.mktemp("study"), steps=40, ablation="network_only")


def test_a_study_without_physics_leaves_a_run_that_answers_new_trials(study, capsys):
    out, again = study.parent / "run", study.parent / "answers"
    code, said = called(capsys, "fit", study, "--out", out)
    assert code == 0
    assert said["subjects"][0]["moment_r2"] == {}
    run = read_run(out)
    assert run.parameters("sub-01") == ()
    assert all(part.moment is None and part.tendon_force is None for part in run.reconstruction("sub-01").trials)
    rows = run.scores().rows
    assert {row.method for row in rows} == {"network_only", "copy"}
    assert {row.quantity for row in rows} == {"emg"}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "no muscle model follows" in page
    assert called(capsys, "reconstruct", out, new_trial(study.parent), "--out", again)[0] == 0
    assert read_run(again).reconstruction("sub-01").method == "network_only"
