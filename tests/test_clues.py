"""Clues of windows, and the network that reads them: references, what is unknown, and who is seen by whom."""

import equinox as eqx
import jax
import numpy as np
import pytest

from profundus.fit.compiled import keep_compiled
from profundus.model.clocks import SLOW
from profundus.model.clues import UNSEEN, clue_counts, clues_of, reference_of, same_group
from profundus.model.prior import new_network
from profundus.model.windows import MUSCLES, Windows
from profundus.network.person import Scale
from profundus.records import LearningSettings

GROUPS = ("extensor", "extensor", "extensor", "flexor", "flexor", "flexor")
COUNT = len(GROUPS)
TOGETHER = same_group(GROUPS)
ELECTRODES = np.array([True, True, False, True, True, False])
SIGN = np.array([-1.0, -1.0, -1.0, 1.0, 1.0, 1.0])


def some_windows(*, windows=5, seed=0) -> Windows:
    chance = np.random.default_rng(seed)
    shape = (windows, SLOW.samples)
    fast = chance.normal(-2.5, 0.5, (*shape, COUNT))
    return Windows(
        fast=fast,
        slow=fast + chance.normal(0.0, 0.1, fast.shape),
        motion=chance.normal(1.0, 1.0, (*shape, 3)),
        moment=chance.normal(5.0, 4.0, shape),
        load=chance.uniform(0.0, 4.0, windows),
        capacity=SIGN * chance.uniform(5.0, 30.0, (*shape, len(MUSCLES), COUNT)),
        passive=chance.normal(0.0, 0.3, (*shape, len(MUSCLES))),
        valid=np.ones(shape, bool),
        scale_sd=np.full(windows, 0.08),
    )


def shortened(windows: Windows, lengths) -> Windows:
    return windows._replace(valid=np.arange(SLOW.samples) < np.asarray(lengths)[:, None])


def with_rubbish(windows: Windows) -> Windows:
    """Return windows in which everything that is not valid is another number."""

    def other(field):
        mask = windows.valid.reshape(*windows.valid.shape, *[1] * (field.ndim - 2))
        return np.where(mask, field, 3.0)

    kept = {"valid", "load", "scale_sd"}
    return Windows(**{n: f if n in kept else other(f) for n, f in windows._asdict().items()})


def seen_in(windows: Windows, electrodes=ELECTRODES):
    return np.broadcast_to(electrodes, (len(windows.load), COUNT))


@pytest.fixture(scope="module")
def answer():
    """Return what answers windows by a network whose last layers are no longer silent: log ratios, sds and that of the level."""
    keep_compiled()
    shapes = eqx.filter_eval_shape(clues_of, some_windows(), seen_in(some_windows()), TOGETHER)
    each, person = shapes.each.shape[-1], len(shapes.person)
    scale = Scale(np.zeros(each), np.ones(each), np.zeros(person), np.ones(person))
    small = LearningSettings(width=16, trial_layers=1, person_layers=1, answer_layers=1, heads=2)
    network = new_network(small, scale, muscles=COUNT, seed=0)
    keys = iter(jax.random.split(jax.random.key(1), 2))
    for where in (lambda n: n.out, lambda n: n.head):
        network = eqx.tree_at(where, network, replace_fn=lambda part: 0.1 * jax.random.normal(next(keys), part.shape))

    @eqx.filter_jit
    def answered(windows, seen):
        found = clues_of(windows, seen, TOGETHER)
        return network(found.each, found.person, windows.valid, scale)

    return lambda windows: [np.asarray(part) for part in answered(windows, seen_in(windows))]


@eqx.filter_jit
def clues(windows: Windows):
    return clues_of(windows, np.broadcast_to(ELECTRODES, (5, COUNT)), TOGETHER)


def reference(seen):
    level = np.array([-2.0, -3.0, -9.0, -1.0, -1.5, -9.0])
    return np.asarray(reference_of(level[None, None], np.asarray(seen, float)[None], TOGETHER))[0, 0]


def test_the_reference_is_the_mean_of_the_group_s_other_electrodes():
    np.testing.assert_allclose(reference(ELECTRODES), [-3.0, -2.0, -2.5, -1.5, -1.0, -1.25])


def test_a_group_without_electrodes_refers_to_all_others():
    found = reference([True, True, False, False, False, False])
    np.testing.assert_allclose(found, [-3.0, -2.0, -2.5, -2.5, -2.5, -2.5])


def test_without_any_electrode_the_reference_is_a_usual_excitation():
    np.testing.assert_allclose(reference([False] * COUNT), UNSEEN)


def test_muscles_of_one_group_are_together_and_none_with_itself():
    assert same_group(("a", "b", "a")).tolist() == [[0, 0, 1], [0, 0, 0], [1, 0, 0]]


def test_a_moment_of_zero_everywhere_counts_as_unknown():
    unknown = some_windows()._replace(moment=np.zeros((5, SLOW.samples)))
    first = clues(unknown)
    share = np.asarray(first.person)[-COUNT:]
    np.testing.assert_array_equal(share, ELECTRODES)
    np.testing.assert_array_equal(np.asarray(first.person)[: -2 * COUNT], 0.0)
    other = unknown._replace(passive=unknown.passive + 2.0)
    np.testing.assert_array_equal(np.asarray(clues(other).each), np.asarray(first.each))


def test_a_moment_beside_valid_samples_does_not_make_it_known():
    lengths = (SLOW.samples, 40, 0, SLOW.samples, 12)
    unknown = shortened(some_windows(), lengths)
    unknown = unknown._replace(moment=np.zeros((5, SLOW.samples)))
    beside = unknown._replace(moment=np.where(unknown.valid, 0.0, 5.0))
    for one, other in zip(clues(unknown), clues(beside), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_an_unknown_load_counts_for_nothing():
    windows = some_windows()._replace(load=np.full(5, np.nan))
    found = clues(windows)
    assert np.isfinite(np.asarray(found.each)).all()
    assert np.isfinite(np.asarray(found.person)).all()


def test_samples_that_are_not_valid_change_no_answer_of_others(answer):
    windows = shortened(some_windows(), (SLOW.samples, 30, 57, 12, SLOW.samples))
    for one, other in zip(answer(windows), answer(with_rubbish(windows)), strict=True):
        counted = windows.valid if one.ndim == 3 else slice(None)
        np.testing.assert_allclose(one[counted], other[counted], rtol=1e-5, atol=1e-5)


def test_windows_in_which_nothing_is_valid_change_no_answer(answer):
    some = some_windows()
    padded = Windows(*(np.concatenate([field, field[:2] + (field.dtype != bool)]) for field in some))
    padded = shortened(padded, [SLOW.samples] * 5 + [0, 0])
    alone, beside = answer(some), answer(padded)
    for one, other in zip(alone[:2], beside[:2], strict=True):
        np.testing.assert_allclose(one, other[:5], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(alone[2], beside[2], rtol=1e-5, atol=1e-5)


def test_windows_in_another_order_are_answered_in_that_order(answer):
    windows, order = some_windows(), np.array([3, 0, 4, 1, 2])
    first = answer(windows)
    other = answer(Windows(*(field[order] for field in windows)))
    for one, permuted in zip(first[:2], other[:2], strict=True):
        np.testing.assert_allclose(one[order], permuted, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(first[2], other[2], rtol=1e-5, atol=1e-5)


def test_every_window_is_answered_in_the_light_of_the_others(answer):
    windows = some_windows()
    moment = windows.moment.copy()
    moment[4] *= 2.0
    first, other = answer(windows), answer(windows._replace(moment=moment))
    assert np.abs(first[0][0] - other[0][0]).max() > 1e-4


def test_as_many_clues_are_counted_as_there_are():
    found = clues(some_windows())
    assert clue_counts(COUNT, models=len(MUSCLES)) == (found.each.shape[-1], len(found.person))
