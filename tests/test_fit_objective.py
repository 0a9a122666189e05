"""Every loss term weighs an error of one declared standard deviation as half a nat, and nothing that was not recorded."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from curls import STEP, curl, objectives, small_fit, two_curls
from profundus.fit.objective import TERMS, WARM_UP_S
from profundus.fit.priors import gain_prior
from profundus.fit.subject import SubjectFit
from profundus.records import FitSettings, LossSettings

WHITE = LossSettings(emg_relative_sd=0.0, moment_relative_sd=0.0)


def first_of(tree, dtype=None):
    """Return the first member's part, by NumPy: JAX would compile a program for each shape."""
    return jax.tree.map(lambda leaf: np.asarray(leaf, dtype)[0], tree)


@pytest.fixture(scope="module")
def case():
    """Return objective, member (trained, so that nothing is zero by chance), batch, center and duration, in 64 bit."""
    worked = small_fit()
    objective = replace(worked.work.objective, settings=replace(worked.work.settings, loss=WHITE))
    member, center = (first_of(tree, dtype=float) for tree in (worked.state.members, worked.work.centers))
    batch = jax.tree.map(lambda a: np.asarray(a, bool if a.dtype == bool else float), worked.work.batch)
    return objective, member, batch, center, np.asarray(7.0)


@pytest.fixture(scope="module")
def perfect(case):
    """Return the batch that the member explains to the last digit."""
    objective, member, batch, center, _ = case
    response = responded(objective, member, batch, center)
    gain = np.exp(np.asarray(log_gain(objective, member, center)))
    return batch._replace(emg=np.asarray(response.excitation) * gain, moment=np.asarray(response.muscles.joint_moment))


@eqx.filter_jit
def responded(objective, *given):
    return objective.respond(*given)


@eqx.filter_jit
def log_gain(objective, *given):
    return objective.log_gain(*given)


@eqx.filter_jit
def all_terms(objective, *given):
    return objective.terms(*given)


@eqx.filter_jit
def slope_of_loss(objective, member, *given):
    return eqx.filter_grad(lambda moved: objective(moved, *given)[0])(member)


@eqx.filter_jit
def slope_of_moment(objective, member, *given):
    return eqx.filter_grad(lambda moved: objective.terms(moved, *given)["moment"])(member)


def weighed(objective, *given):
    return {name: float(value) for name, value in all_terms(objective, *given).items()}


def terms(case, batch, **changed):
    objective, member, _, center, duration = case
    if changed:
        loss = replace(objective.settings.loss, **changed)
        objective = replace(objective, settings=replace(objective.settings, loss=loss))
    return weighed(objective, member, batch, center, duration)


def test_what_is_explained_costs_nothing(case, perfect):
    found = terms(case, perfect)
    assert found["emg"] == pytest.approx(0.0, abs=1e-9)
    assert found["moment"] == pytest.approx(0.0, abs=1e-9)


def test_an_envelope_off_by_one_sd_costs_half_a_nat_an_independent_sample(case, perfect):
    off = perfect._replace(emg=perfect.emg + WHITE.emg_sd)
    independent = 7.0 / WHITE.emg_correlation_s
    assert terms(case, off)["emg"] == pytest.approx(0.5 * independent * 4, rel=1e-6)


def test_a_moment_off_by_one_sd_costs_half_a_nat_an_independent_sample(case, perfect):
    off = perfect._replace(moment=perfect.moment - WHITE.moment_sd)
    assert terms(case, off)["moment"] == pytest.approx(0.5 * 7.0 / WHITE.moment_correlation_s, rel=1e-6)
    assert terms(case, off, moment_sd=2 * WHITE.moment_sd)["moment"] == pytest.approx(
        0.125 * 7.0 / WHITE.moment_correlation_s, rel=1e-6
    )


def test_relative_and_constant_noise_add_as_independent_errors(case, perfect):
    size = perfect._replace(moment=perfect.moment * 1.1)
    share = 0.1 / 1.1
    found = terms(case, size, moment_sd=1e-3, moment_relative_sd=share)["moment"]
    assert found == pytest.approx(0.5 * 7.0 / WHITE.moment_correlation_s, rel=1e-3)


def test_parameters_one_sd_off_cost_half_a_nat_each(case):
    objective, member, batch, center, duration = case
    member = eqx.tree_at(
        lambda m: (m.personal, m.gain, m.amplitude), member, (np.ones(32), np.ones(6), np.full(6, -1.0))
    )
    member = eqx.tree_at(lambda m: (m.network.out, m.network.offset), member, replace_fn=np.zeros_like)
    found = weighed(objective, member, batch, center, duration)
    assert found["parameters"] == pytest.approx(0.5 * (32 + 6))
    assert found["group"] == pytest.approx(0.5 * 6)
    assert found["smoothness"] == pytest.approx(0.0)


def test_a_deep_muscle_one_sd_from_its_group_costs_half_a_nat_an_independent_sample(case):
    objective, member, batch, center, duration = case
    member = eqx.tree_at(lambda m: (m.network.out, m.amplitude), member, replace_fn=np.zeros_like)
    member = eqx.tree_at(lambda m: m.network.offset, member, np.ones(6))
    found = weighed(objective, member, batch, center, duration)["group"]
    assert found == pytest.approx(0.5 * 2 * 7.0 / WHITE.group_correlation_s, rel=1e-6)


def test_a_ratio_that_changes_at_the_declared_rate_costs_half_a_nat_an_independent_sample(case):
    objective, member, batch, center, duration = case
    slope = WHITE.smoothness_sd * STEP / np.hypot(WHITE.group_pattern_sd, WHITE.group_drive_sd)

    class Ramp(eqx.Module):
        def over_windows(self, features, valid):
            return slope * jnp.arange(len(features), dtype=float)[:, None] * jnp.ones(6)

    member = eqx.tree_at(lambda m: m.network, member, Ramp())
    found = weighed(objective, member, batch, center, duration)["smoothness"]
    assert found == pytest.approx(0.5 * 2 * 7.0 / WHITE.group_correlation_s, rel=1e-6)


def test_effort_is_the_root_mean_square_of_deep_excitations(case):
    objective, member, batch, center, _ = case
    deep = np.asarray(responded(objective, member, batch, center).excitation)[np.asarray(batch.valid)][:, [2, 5]]
    expected = 2 * 0.5 * np.mean(deep**2) / 0.5**2
    assert terms(case, batch, effort_sd=0.5)["effort"] == pytest.approx(expected, rel=1e-6)


def test_a_term_without_a_standard_deviation_is_left_out(case, perfect):
    found = terms(case, perfect, effort_sd=None, smoothness_sd=None, parameter_prior=False)
    assert set(found) == {"emg", "moment", "group"}


def test_samples_that_were_not_recorded_carry_no_weight(case, perfect):
    before = terms(case, perfect)
    spoiled = perfect._replace(
        emg=np.where(perfect.emg_valid, perfect.emg, 1e3), moment=np.where(perfect.moment_valid, perfect.moment, -1e3)
    )
    assert terms(case, spoiled) == pytest.approx(before, abs=1e-9)


def test_the_onset_of_activation_is_not_held_against_the_moment(case, perfect):
    onset = round(WARM_UP_S / STEP)
    sample = np.arange(perfect.moment.shape[1])[:, None]
    before, then = (perfect.moment + 5.0 * those for those in (sample < onset, sample == onset))
    assert terms(case, perfect._replace(moment=before))["moment"] == pytest.approx(0.0)
    assert terms(case, perfect._replace(moment=then))["moment"] > 0.1


def in_32_bit(tree):
    return jax.tree.map(lambda a: a.astype(np.float32) if a.dtype == np.float64 else a, tree)


def finite_slope(objective, *given):
    return all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(slope_of_loss(objective, *in_32_bit(given))))


def test_gradients_are_finite_where_nothing_was_recorded(case):
    objective, member, batch, center, duration = case
    nothing = {name: np.zeros_like(getattr(batch, name)) for name in ("emg_valid", "moment_valid", "valid")}
    assert finite_slope(objective, member, batch._replace(**nothing), center, duration)


@pytest.mark.parametrize("unit", [-30.0, 30.0])
def test_gradients_are_finite_at_the_fence(case, unit):
    objective, member, batch, center, duration = case
    member = eqx.tree_at(lambda m: m.personal, member, np.full(32, unit))
    assert finite_slope(objective, member, batch, center, duration)


def test_gradients_meet_finite_differences(case):
    objective, member, batch, center, duration = case
    everything = replace(objective.settings, loss=replace(WHITE, deep_moment_share=1.0))
    objective = replace(objective, settings=everything, gain=objective.gain._replace(learned=True))
    chance = np.random.default_rng(4)
    along = jax.tree.map(lambda leaf: chance.normal(size=leaf.shape) / np.sqrt(leaf.size), member)

    @jax.jit
    def loss(size):
        moved = jax.tree.map(lambda leaf, direction: leaf + size * direction, member, along)
        return objective(moved, batch, center, duration)[0]

    rise = (loss(1e-5) - loss(-1e-5)) / 2e-5
    assert float(jax.jit(jax.grad(loss))(0.0)) == pytest.approx(float(rise), rel=1e-5)


@pytest.fixture(scope="module")
def pulls(case):
    """Return the slope of the moment's term as it is, and with an open gain and the moment let through to deep muscles."""
    objective, *given = case
    everything = replace(objective.settings, loss=replace(WHITE, deep_moment_share=1.0))
    opened = replace(objective, settings=everything, gain=gain_prior("session_max"))
    return slope_of_moment(objective, *given), slope_of_moment(opened, *given)


def test_the_moment_does_not_pull_at_deep_excitations_unless_asked(pulls):
    held, free = pulls
    np.testing.assert_array_equal(held.amplitude, 0.0)
    np.testing.assert_array_equal(np.asarray(held.network.offset)[[2, 5]], 0.0)
    assert np.all(np.asarray(free.amplitude)[[2, 5]] != 0.0)
    assert np.all(np.asarray(held.network.offset)[[0, 1, 3, 4]] != 0.0)
    assert np.all(np.asarray(held.personal)[:6] != 0.0)


def test_the_moment_pulls_at_a_group_that_nothing_else_tells_of():
    trials = two_curls()
    valid = [np.where(np.arange(6) < 3, False, trial.emg_valid) for trial in trials]
    work = SubjectFit([replace(t, emg_valid=v) for t, v in zip(trials, valid, strict=True)], objectives(), seed=0)
    member, center = map(first_of, (work.start().members, work.centers))
    slope = slope_of_moment(work.objective, member, work.batch, center, np.asarray(7.0))
    assert work.layout.alone.tolist() == [True] * 3 + [False] * 3
    assert np.all(np.asarray(slope.amplitude)[:3] != 0.0)


def test_the_data_do_not_move_the_scale_of_a_maximal_contraction(pulls):
    held, free = (np.asarray(slope.gain) for slope in pulls)
    np.testing.assert_array_equal(held, 0.0)
    assert np.all(free[[0, 1, 3, 4]] != 0.0)
    assert np.all(free[[2, 5]] == 0.0)


def test_the_paper_fits_envelopes_and_moments_alone():
    work = SubjectFit(two_curls(), objectives(FitSettings(paper=True, steps=1)), seed=0)
    member, center = map(first_of, (work.start().members, work.centers))
    found = weighed(work.objective, member, work.batch, center, np.asarray(7.0))
    assert set(found) == {"emg", "moment"}
    np.testing.assert_array_equal(work.objective.log_gain(member, center), 0.0)
    assert set(found) < set(TERMS)


def test_truth_changes_nothing_in_a_fit():
    trials = two_curls()
    garbage = tuple(replace(trial, truth=-7.0 * np.ones_like(trial.truth)) for trial in trials)
    own, other = (SubjectFit(some, objectives(), seed=0) for some in (trials, garbage))
    for first, second in zip(
        jax.tree.leaves((own.batch, own.centers)), jax.tree.leaves((other.batch, other.centers)), strict=True
    ):
        np.testing.assert_array_equal(first, second)


def test_trials_of_the_test_are_not_seen():
    hidden = curl("hidden", role="test", seed=8)
    own, other = (SubjectFit(some, objectives(), seed=0) for some in (two_curls(), (*two_curls(), hidden)))
    assert [trial.name for trial in other.trials] == ["light", "heavy"]
    np.testing.assert_array_equal(own.scaling.mean, other.scaling.mean)
