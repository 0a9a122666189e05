"""The transformer: who sees whom, where it starts, how far it carries."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from profundus.network.transformer import Transformer, distance_slopes

INPUTS, OUTPUTS, TOKEN = 3, 2, 4


def transformer(*, layers=2, token_samples=TOKEN, seed=0):
    """Return a network whose last layer is no longer silent."""
    key = jax.random.key(seed)
    network = Transformer(
        key, inputs=INPUTS, outputs=OUTPUTS, width=16, layers=layers, heads=4, token_samples=token_samples
    )
    return eqx.tree_at(lambda n: n.out, network, jax.random.normal(key, network.out.shape))


@eqx.filter_jit
def answered(network, x, valid):
    return network(x, valid)


def signal(time, *, seed=1):
    return jnp.asarray(np.random.default_rng(seed).normal(size=(time, INPUTS)))


def test_an_untrained_network_answers_zero():
    network = Transformer(
        jax.random.key(0), inputs=INPUTS, outputs=OUTPUTS, width=16, layers=2, heads=4, token_samples=TOKEN
    )
    np.testing.assert_array_equal(answered(network, signal(40), jnp.ones(40, bool)), np.zeros((40, OUTPUTS)))


@pytest.mark.parametrize("recorded", [40, 38, 1])
def test_padding_is_seen_by_no_other_sample(recorded):
    network, x = transformer(), signal(48)
    valid = jnp.arange(48) < recorded
    other = jnp.where(valid[:, None], x, 1e3)
    np.testing.assert_array_equal(answered(network, x, valid)[:recorded], answered(network, other, valid)[:recorded])


@pytest.mark.parametrize("recorded", [40, 38])
def test_more_padding_changes_nothing(recorded):
    network, x = transformer(), signal(80)
    short = answered(network, x[:40], jnp.arange(40) < recorded)[:recorded]
    long = answered(network, x, jnp.arange(80) < recorded)[:recorded]
    np.testing.assert_allclose(short, long, rtol=1e-6, atol=1e-6)


def test_every_recorded_sample_is_seen():
    network, x = transformer(), signal(48)
    valid = jnp.ones(48, bool)
    slope = jax.jit(jax.grad(lambda y: network(y, valid)[20].sum()))(x)
    assert np.all(np.abs(slope).max(axis=1) > 0)


def test_a_shift_by_whole_tokens_shifts_the_answer():
    network, x = transformer(), signal(40)
    early = answered(network, jnp.pad(x, ((0, 40), (0, 0))), jnp.arange(80) < 40)[:40]
    place = jnp.arange(80)
    late = answered(network, jnp.pad(x, ((5 * TOKEN, 20), (0, 0))), (place >= 20) & (place < 60))[20:60]
    np.testing.assert_allclose(early, late, rtol=1e-6, atol=1e-6)


def test_what_is_far_away_hardly_matters():
    network, x = transformer(), signal(1640)
    valid = jnp.ones(1600, bool)
    ahead, late = answered(network, x[40:], valid)[400:1160], answered(network, x[:1600], valid)[440:1200]
    assert np.std(ahead - late) < 0.02 * np.std(late)


def test_attention_fades_as_press_and_colleagues_have_it():
    np.testing.assert_allclose(distance_slopes(8), 2.0 ** -np.arange(1.0, 9.0))


def test_a_network_for_short_stretches_serves_long_trials():
    answer = answered(transformer(), signal(4000), jnp.ones(4000, bool))
    assert answer.shape == (4000, OUTPUTS)
    assert np.all(np.isfinite(answer))
    halves = float(np.std(answer[:2000])), float(np.std(answer[2000:]))
    assert halves[0] == pytest.approx(halves[1], rel=0.1)


@pytest.mark.parametrize("token_samples", [1, 2, 5])
def test_tokens_may_be_of_any_length(token_samples):
    network, x = transformer(token_samples=token_samples), signal(40)
    valid = jnp.arange(40) < 33
    other = jnp.where(valid[:, None], x, -50.0)
    np.testing.assert_array_equal(answered(network, x, valid)[:33], answered(network, other, valid)[:33])


def test_gradients_are_finite_where_nothing_is_recorded():
    network, x = transformer(), signal(40)
    slopes = eqx.filter_jit(eqx.filter_grad(lambda n: jnp.sum(n(x, jnp.zeros(40, bool)) ** 2)))(network)
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(slopes))


def test_gradients_meet_finite_differences():
    network, x = transformer(), signal(24)
    valid = jnp.arange(24) < 22
    along = jnp.asarray(np.random.default_rng(3).normal(size=x.shape)) * valid[:, None]

    @jax.jit
    def answer(size):
        return jnp.sum(jnp.sin(network(x + size * along, valid)[:22]))

    rise = (answer(1e-5) - answer(-1e-5)) / 2e-5
    assert jax.grad(answer)(0.0) == pytest.approx(float(rise), rel=1e-6)
