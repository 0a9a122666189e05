"""What the network may see, and how its proposals become excitations."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from curls import arm, curl, two_curls
from profundus.model.inputs import FLOOR, channels, learned_scaling, logit, make_batch, padded_length, smoothed
from profundus.model.nmm import Layout, excitations, new_member
from profundus.model.settings import resolved
from profundus.records import FitSettings, LossSettings, NetworkSettings

SETTINGS = FitSettings(network=NetworkSettings(width=16, layers=1, heads=2))
GROUPS = ("extensors",) * 3 + ("flexors",) * 3
MEASURED = (True, True, False, True, True, False)


propose = eqx.filter_jit(excitations)


def layout(measured=MEASURED):
    return Layout(arm().muscles, measured, GROUPS)


def batch_of(trials, settings=SETTINGS.network, *, scaling=None, length=None):
    scaling = scaling or learned_scaling(trials, settings)
    return make_batch(trials, arm(), settings, scaling, length=length or padded_length(trials, settings))


def proposed(batch, *, plan=None, settings=SETTINGS, anchor=0.0, amplitude=0.0, log_gain=0.0, spoken=False):
    """Return what a member proposes for the first trial (time, muscle); an untrained one unless it has ``spoken``."""
    plan = plan or layout()
    key = jax.random.key(0)
    member = new_member(key, settings, channels=batch.features.shape[-1], muscles=6, parameters=32)
    member = eqx.tree_at(lambda m: m.amplitude, member, jnp.full(6, amplitude))
    if spoken:
        out = member.network.out
        member = eqx.tree_at(lambda m: m.network.out, member, 0.1 * jax.random.normal(key, out.shape))
    row = jax.tree.map(lambda values: values[0], batch)
    return propose(
        member, plan, settings, features=row.features, neighbor=row.neighbor,
        anchor=jnp.full(row.emg.shape, anchor),
        log_gain=jnp.full(6, log_gain), valid=row.valid,
    )  # fmt: skip


def logits(excitation):
    return np.log(excitation) - np.log1p(-excitation)


def test_smoothing_leaves_a_constant_alone_whatever_is_missing():
    valid = np.ones((80, 2), bool)
    valid[10:13] = valid[-4:, 1] = False
    values = np.where(valid, 0.3, np.nan)
    np.testing.assert_allclose(smoothed(values, valid, step=0.01), 0.3)


def test_smoothing_is_a_gaussian():
    pulse = np.zeros((81, 1))
    pulse[40] = 1.0
    out = smoothed(pulse, np.ones((81, 1), bool), step=0.01, width=0.04)[:, 0]
    time = 0.01 * (np.arange(81) - 40)
    assert out.sum() == pytest.approx(1.0)
    assert np.sqrt(np.sum(time**2 * out)) == pytest.approx(0.04, rel=0.03)  # cut at three standard deviations
    np.testing.assert_allclose(out, out[::-1])


def test_smoothing_works_on_less_than_its_own_width():
    np.testing.assert_allclose(smoothed(np.full((3, 1), 0.2), np.ones((3, 1), bool), step=0.01), 0.2)


def test_a_logit_keeps_silence_and_full_effort_finite():
    lowest = np.log(FLOOR / (1 - FLOOR))
    np.testing.assert_allclose(logit(np.array([0.5, 0.0, -0.1, 2.0])), [0.0, lowest, lowest, np.log(99.0)], atol=1e-12)


def test_padding_is_marked_and_carries_nothing():
    long, short = curl(seconds=4.0), curl("short", seconds=0.87)
    batch = batch_of((long, short), length=512)
    assert batch.valid.sum(axis=1).tolist() == [400, 87]
    assert not batch.emg_valid[1, 87:].any()
    assert not batch.moment_valid[1, 87:].any()
    assert all(np.all(np.isfinite(values)) for values in jax.tree.leaves(batch))


def test_padding_leaves_the_recorded_samples_alone():
    scaling = learned_scaling(two_curls(), SETTINGS.network)
    alone, padded = (batch_of(two_curls()[1:], scaling=scaling, length=n) for n in (320, 512))
    for narrow, wide in zip(*map(jax.tree.leaves, (alone, padded)), strict=True):
        np.testing.assert_array_equal(narrow[0, :300], wide[0, :300])


def test_features_have_zero_mean_and_unit_variance_over_the_trials_to_fit():
    batch = batch_of(two_curls())
    seen = np.asarray(batch.features)[np.asarray(batch.valid)]
    np.testing.assert_allclose(seen.mean(axis=0), 0.0, atol=1e-5)
    np.testing.assert_allclose(seen.std(axis=0), 1.0, rtol=1e-5)


def test_a_new_trial_is_scaled_as_the_trials_to_fit_were():
    scaling = learned_scaling(two_curls(), SETTINGS.network)
    new = curl("new", load_kg=5.0, seed=5)
    batch = batch_of((new,), scaling=scaling)
    np.testing.assert_allclose(
        batch.features[0, :400, 0], (new.angle[:, 0] - scaling.mean[0]) / scaling.sd[0], rtol=1e-5, atol=1e-5
    )


def test_an_unknown_load_counts_as_the_mean_load_of_the_fit():
    scaling = learned_scaling(two_curls(), SETTINGS.network)
    unknown = replace(two_curls()[0], load_kg=float("nan"))
    batch = batch_of((unknown,), scaling=scaling)
    assert scaling.load_default == pytest.approx(2.0)
    seen = (2.0 - scaling.mean[2]) / scaling.sd[2]
    np.testing.assert_allclose(batch.state[..., 2], seen, rtol=1e-6, atol=1e-6)


def test_loads_that_nobody_knows_are_no_obstacle():
    trials = tuple(replace(trial, load_kg=float("nan")) for trial in two_curls())
    assert all(np.all(np.isfinite(values)) for values in jax.tree.leaves(batch_of(trials)))


@pytest.mark.parametrize("settings", [SETTINGS.network, NetworkSettings(acceleration=True)])
def test_the_truth_never_enters(settings):
    trials = two_curls()
    garbage = tuple(replace(t, truth=np.full_like(t.truth, 1e6 * (i + 1))) for i, t in enumerate(trials))
    bare = tuple(replace(t, truth=np.full_like(t.truth, np.nan)) for t in trials)
    for others in (garbage, bare):
        for own, other in zip(batch_of(trials, settings), batch_of(others, settings), strict=True):
            np.testing.assert_array_equal(own, other)


def test_deep_columns_of_the_envelopes_never_enter():
    trials = two_curls()
    deep = ~np.asarray(MEASURED)
    leaked = tuple(replace(t, emg=np.where(deep, t.truth, t.emg)) for t in trials)
    for own, other in zip(batch_of(trials), batch_of(leaked), strict=True):
        np.testing.assert_array_equal(own, other)


def test_the_paper_sees_motion_and_load_only():
    settings = resolved(FitSettings(paper=True)).network
    trials = two_curls()
    seen, state = channels(trials[0], settings, measured=np.asarray(MEASURED), load_default=0.0)
    assert seen.shape[1] == state == 3
    chance = np.random.default_rng(0)
    other = tuple(
        replace(t, emg=t.emg * chance.uniform(0, 1, t.emg.shape), moment=t.moment + chance.normal(size=t.moment.shape))
        for t in trials
    )
    np.testing.assert_array_equal(batch_of(trials, settings).features, batch_of(other, settings).features)


def test_the_papers_excitations_know_no_envelope():
    settings = resolved(replace(SETTINGS, paper=True))
    trials = two_curls()
    other = tuple(replace(t, emg=0.5 * t.emg) for t in trials)
    first, second = (
        proposed(batch_of(some, settings.network), settings=settings, spoken=True)[0] for some in (trials, other)
    )
    np.testing.assert_array_equal(first, second)
    assert np.std(first) > 0


def test_a_silent_network_leaves_measured_muscles_at_their_smoothed_envelopes():
    trials = two_curls()
    excitation = np.asarray(proposed(batch_of(trials))[0])[:400]
    measured = np.asarray(MEASURED)
    envelope = smoothed(trials[0].emg, trials[0].emg_valid, step=0.01)
    np.testing.assert_allclose(excitation[:, measured], envelope[:, measured], rtol=1e-4)


def test_a_gain_divides_the_envelope_at_every_level():
    trials = tuple(
        replace(t, emg=t.emg / np.nanmax(t.emg, axis=0, initial=0.0, where=t.emg_valid)) for t in two_curls()
    )
    excitation = np.asarray(proposed(batch_of(trials), log_gain=np.log(2.0))[0])[:400]
    measured = np.asarray(MEASURED)
    envelope = smoothed(trials[0].emg, trials[0].emg_valid, step=0.01)
    np.testing.assert_allclose(excitation[:, measured], envelope[:, measured] / 2, rtol=1e-3)


def test_a_silent_network_lets_deep_muscles_follow_their_group():
    excitation = np.asarray(proposed(batch_of(two_curls()))[0], dtype=float)
    np.testing.assert_allclose(logits(excitation[:, 2]), logits(excitation[:, :2]).mean(axis=1), rtol=1e-4)
    np.testing.assert_allclose(logits(excitation[:, 5]), logits(excitation[:, 3:5]).mean(axis=1), rtol=1e-4)


def test_anchor_and_amplitude_move_deep_muscles_only():
    batch = batch_of(two_curls())
    plain, moved = (
        np.asarray(proposed(batch, anchor=anchor, amplitude=amplitude)[0], dtype=float)
        for anchor, amplitude in ((0.0, 0.0), (0.4, 2.0))
    )
    measured = np.asarray(MEASURED)
    np.testing.assert_array_equal(plain[:, measured], moved[:, measured])
    step = 0.4 + 2.0 * LossSettings().group_amplitude_sd
    np.testing.assert_allclose((logits(moved) - logits(plain))[:, ~measured], step, rtol=1e-4)


def test_deep_muscles_follow_no_other_group():
    plan = layout()
    np.testing.assert_allclose(plan.neighbors[2], [0.5, 0.5, 0, 0, 0, 0])
    np.testing.assert_allclose(plan.neighbors[5], [0, 0, 0, 0.5, 0.5, 0])
    assert not plan.neighbors[np.asarray(MEASURED)].any()
    assert not plan.alone.any()


def test_a_group_without_electrode_stands_on_its_own():
    plan = layout((False, False, False, True, True, False))
    assert plan.alone.tolist() == [True, True, True, False, False, False]
    trials = tuple(_without(trial, slice(0, 3)) for trial in two_curls())
    excitation = np.asarray(proposed(batch_of(trials), plan=plan)[0])
    assert np.all((excitation[:, :3] > 0.01) & (excitation[:, :3] < 0.2))
    assert np.ptp(excitation[:, 0]) == pytest.approx(0.0, abs=1e-6)


def test_a_single_electrode_is_enough():
    trials = tuple(_without(trial, [0, 1, 3]) for trial in two_curls())
    plan = layout((False, False, False, False, True, False))
    excitation = np.asarray(proposed(batch_of(trials), plan=plan, spoken=True)[0])
    assert excitation.shape == (512, 6)
    assert np.all((excitation > 0) & (excitation < 1))


def _without(trial, muscles):
    valid = trial.emg_valid.copy()
    valid[:, muscles] = False
    return replace(trial, emg_valid=valid, emg=np.where(valid, trial.emg, np.nan))
