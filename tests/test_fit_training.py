"""Training is the same every time, can be stopped and taken up, and gets better."""

from dataclasses import replace

import jax
import numpy as np
import pytest

from curls import SMALL, objectives, small_fit, two_curls
from profundus.errors import InputError
from profundus.fit.subject import SubjectFit, has_converged
from profundus.fit.training import CHUNK, TrainingState


@pytest.fixture(scope="module")
def other():
    """Return the same fit, prepared a second time on the same objective."""
    first = small_fit().work
    work = SubjectFit(two_curls(), objectives(), seed=0)
    work.trainer.objective = first.objective  # and so the same compilation
    return work


def same(first, second):
    for one, other in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_training_that_was_stopped_ends_with_the_same_bits(other):
    saved = []
    other.train(other.start(), after_chunk=lambda state, progress: saved.append((state, progress)))
    (halfway, progress), (done, _) = saved[0], saved[-1]
    assert (halfway.step, progress.step, progress.steps) == (CHUNK, CHUNK, SMALL.steps)
    on_disk = TrainingState(*jax.tree.map(np.array, tuple(halfway)))
    same(other.train(on_disk._replace(step=CHUNK)), done)


def test_the_same_seed_gives_the_same_bits(other):
    same(other.train(other.start()), small_fit().state)


def test_another_seed_gives_another_member():
    start = [SubjectFit(two_curls(), objectives(), seed=seed).start().members.network.embed for seed in (0, 1)]
    assert np.abs(start[0] - start[1]).max() > 0.1


def test_members_begin_and_end_apart():
    state = small_fit().state
    assert np.std(state.members.network.embed, axis=0).min() > 0
    assert np.std(state.members.personal, axis=0).max() > 0.01


def test_the_loss_falls():
    history = small_fit().state.history
    assert history.shape == (SMALL.steps, SMALL.members, 6)
    total = history.sum(axis=2)
    assert np.all(total[-5:].mean(axis=0) < 0.5 * total[:3].mean(axis=0))


def test_the_history_holds_every_step_once():
    history = small_fit().state.history
    assert small_fit().state.step == SMALL.steps
    assert len(np.unique(history.sum(axis=(1, 2)))) == SMALL.steps


def test_a_trial_of_less_than_a_window_can_be_fitted_to():
    short = replace_time(two_curls()[0], 87)
    work = SubjectFit((short,), objectives(replace(SMALL, steps=3)), seed=0)
    state = work.train(work.start())
    assert np.all(np.isfinite(state.history))
    assert np.all(state.history[..., :2] > 0)
    assert float(work.trainer.material.duration) == pytest.approx(0.87)


def replace_time(trial, samples):
    per_sample = ("time", "angle", "velocity", "acceleration", "emg", "emg_valid", "moment", "moment_valid", "truth")
    return replace(trial, **{name: getattr(trial, name)[:samples] for name in per_sample})


def test_without_a_joint_moment_there_is_nothing_to_fit():
    blind = tuple(replace(t, moment_valid=np.zeros_like(t.moment_valid)) for t in two_curls())
    with pytest.raises(InputError, match="no trial to fit"):
        SubjectFit(blind, objectives(), seed=0)


def test_trials_on_several_clocks_are_refused_by_name():
    light, heavy = two_curls()
    slow, fast = (replace(heavy, time=share * heavy.time, name=name) for name, share in (("slow", 2.0), ("fast", 0.5)))
    with pytest.raises(InputError, match="as in light") as caught:
        SubjectFit((light, slow, heavy, fast), objectives(), seed=0)
    assert [problem.what for problem in caught.value.problems] == [
        "sub-01: slow: clock of 0.02 s",
        "sub-01: fast: clock of 0.005 s",
    ]


def test_a_loss_that_still_falls_has_not_converged():
    steps = np.arange(100.0)
    flat = np.full((100, 5, 6), 1000.0)
    assert has_converged(flat)
    assert not has_converged(flat * np.exp(-steps / 40)[:, None, None])
    assert not has_converged(np.where(steps[:, None, None] < 95, flat, np.nan))
