"""Trials as a learned prior sees them: slow, in windows of one length, gaps bridged, later spread out over the trial again."""

from dataclasses import replace

import numpy as np
import pytest

from curls import DEEP, arm
from profundus.model.clocks import INSET_S, SLOW, placed, spread_out, true_windows
from profundus.model.clues import companions, reference_of, same_group
from profundus.model.windows import windows_of
from profundus.records import Trial

LENGTHS = (3.0, 8.0, 40.0)
STEP = 0.01


def moved(name="moved", *, seconds=8.0, load_kg=2.0) -> Trial:
    """Return a trial whose angle, envelopes and moment wave at paces of their own; windows need not be physical."""
    model = arm()
    time = STEP * np.arange(round(seconds / STEP))
    angle = (1.1 - 0.8 * np.cos(2.5 * time))[:, None]
    truth = 0.2 + 0.1 * np.sin(np.outer(time, 1.0 + 0.3 * np.arange(len(model.muscles))))
    seen = np.tile(~np.isin(model.muscles, DEEP), (len(time), 1))
    moment = 5.0 + 4.0 * np.sin(3.0 * time)[:, None]
    return Trial(
        "sub-01", name, "fit", model.muscles, model.coordinates, time, angle, np.gradient(angle, STEP, axis=0),
        np.zeros_like(angle), np.where(seen, truth, np.nan), seen, moment, np.ones(moment.shape, bool), truth, load_kg,
    )  # fmt: skip


def cut(values, trial):
    """Return values (sample, muscle) at the trial's 10 Hz as windows, as the network would answer them."""
    place = placed(trial, SLOW)
    whole = np.full((len(place.starts), SLOW.samples, values.shape[1]), np.nan)
    for window, start in enumerate(place.starts):
        part = values[start : start + SLOW.samples]
        whole[window, : len(part)] = part
    return whole


@pytest.mark.parametrize("seconds", LENGTHS)
def test_windows_cover_a_trial_and_overlap(seconds):
    trial = moved(seconds=seconds)
    place = placed(trial, SLOW)
    starts = np.array(place.starts)
    assert starts[0] == 0
    assert starts[-1] + SLOW.samples >= len(place.time)
    assert np.all(np.diff(starts) <= SLOW.samples - SLOW.overlap)
    np.testing.assert_allclose(np.diff(place.time), 1 / SLOW.hz)
    for end, sample in ((trial.time[0], place.time[0]), (trial.time[-1], place.time[-1])):
        assert INSET_S <= abs(sample - end) < INSET_S + 1 / SLOW.hz


@pytest.mark.parametrize("seconds", LENGTHS)
def test_spreading_out_undoes_cutting(seconds):
    trial = moved(seconds=seconds)
    place = placed(trial, SLOW)
    values = np.column_stack([np.sin(place.time), 2.0 - place.time])
    spread = spread_out(cut(values, trial), trial, SLOW)
    assert spread.shape == (len(trial.time), 2)
    inside = (trial.time >= place.time[0]) & (trial.time <= place.time[-1])
    for column in range(2):
        expected = np.interp(trial.time[inside], place.time, values[:, column])
        np.testing.assert_allclose(spread[inside, column], expected, atol=1e-12)
    np.testing.assert_allclose(
        spread[trial.time < place.time[0]], np.broadcast_to(values[0], (int(np.sum(trial.time < place.time[0])), 2))
    )
    np.testing.assert_allclose(spread[-1], values[-1])


@pytest.mark.parametrize("seconds", LENGTHS)
def test_a_course_that_is_known_faster_is_kept_between_samples_and_at_the_ends(seconds):
    trial = moved(seconds=seconds)
    place = placed(trial, SLOW)
    course = np.column_stack([np.sin(9.0 * trial.time), np.cos(7.0 * trial.time)])
    distance = np.array([0.4, -0.2])
    at_samples = course[np.round((place.time - trial.time[0]) / STEP).astype(int)] + distance
    spread = spread_out(cut(at_samples, trial), trial, SLOW, along=course)
    np.testing.assert_allclose(spread, course + distance, atol=1e-12)


def test_muscles_are_averaged_over_the_electrodes_of_their_group():
    trial = moved()
    together = same_group(("extensor", "extensor", "extensor", "flexor", "flexor", "flexor"))
    weights = companions(trial.measured, together)
    level = np.log(np.where(trial.measured, trial.truth, 1.0))[None]
    expected = reference_of(level, trial.measured[None].astype(float), together)[0]
    np.testing.assert_allclose(level[0] @ weights.T, expected, rtol=1e-6)
    assert not companions(np.zeros(6, bool), together).any()


def test_where_windows_disagree_one_fades_into_the_other():
    trial = moved(seconds=14.0)
    place = placed(trial, SLOW)
    windows = np.zeros((len(place.starts), SLOW.samples, 1))
    windows[1:] = 1.0
    spread = spread_out(windows, trial, SLOW)[:, 0]
    assert len(place.starts) == 2
    assert (spread[0], spread[-1]) == (0.0, 1.0)
    assert np.all(np.diff(spread) >= -1e-12)


def test_the_shortest_trials_have_one_sample_in_their_middle():
    short = windows_of([moved(seconds=0.3)], arm())
    assert short.valid.sum() == 1
    assert np.isfinite(short.fast).all()


def test_moments_that_are_mostly_missing_count_as_unknown():
    trial = moved(seconds=3.0)
    few = np.arange(len(trial.time))[:, None] < 0.5 * len(trial.time)
    assert not windows_of([replace(trial, moment_valid=few)], arm()).moment.any()


def test_short_trials_are_padded_with_what_counts_for_nothing():
    short = windows_of([moved(seconds=3.0)], arm())
    assert short.valid.shape == (1, SLOW.samples)
    count = len(placed(moved(seconds=3.0), SLOW).time)
    assert short.valid[0].sum() == count
    assert short.valid[0, :count].all()
    assert not short.moment[0, count:].any()


def test_windows_follow_the_trials_one_after_the_other():
    trials = [moved("a", seconds=3.0, load_kg=1.0), moved("b", seconds=14.0, load_kg=3.0)]
    together = windows_of(trials, arm())
    np.testing.assert_array_equal(together.load, [1.0, 3.0, 3.0])
    alone = [windows_of([trial], arm()) for trial in trials]
    for name in together._fields:
        parts = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_allclose(getattr(together, name), parts, rtol=1e-6, atol=1e-9, err_msg=name)


def test_a_gap_in_an_envelope_is_bridged_by_a_straight_line():
    trial = moved(seconds=8.0)
    steady = replace(trial, emg=np.where(trial.emg_valid, 0.1 + 0.01 * trial.time[:, None], np.nan))
    valid = steady.emg_valid.copy()
    valid[300:380] = False
    gapped = replace(steady, emg=np.where(valid, steady.emg, np.nan), emg_valid=valid)
    seen = np.flatnonzero(trial.measured)
    whole, bridged = (windows_of([one], arm()) for one in (steady, gapped))
    np.testing.assert_allclose(bridged.fast[..., seen], whole.fast[..., seen], atol=1e-9)


def test_what_is_masked_is_not_looked_at():
    trial = moved(seconds=8.0)
    valid = trial.emg_valid.copy()
    valid[300:380] = False
    first = windows_of([replace(trial, emg_valid=valid)], arm())
    other = windows_of([replace(trial, emg=np.where(valid, trial.emg, 5.0), emg_valid=valid)], arm())
    np.testing.assert_array_equal(first.fast, other.fast)


def test_a_trial_without_any_moment_has_zeros():
    trial = moved(seconds=8.0)
    unknown = replace(trial, moment=np.full_like(trial.moment, np.nan), moment_valid=np.zeros_like(trial.moment_valid))
    assert not windows_of([unknown], arm()).moment.any()


def test_slow_envelopes_of_steady_excitation_are_its_logarithm():
    trial = moved(seconds=8.0)
    steady = replace(trial, emg=np.where(trial.emg_valid, 0.2, np.nan), truth=np.full_like(trial.truth, 0.3))
    seen = np.flatnonzero(trial.measured)
    windows = windows_of([steady], arm())
    for level in (windows.fast, windows.slow):
        np.testing.assert_allclose(level[windows.valid][:, seen], np.log(0.2), atol=1e-9)
    np.testing.assert_allclose(true_windows([steady], SLOW)[0][windows.valid[0]], np.log(0.3), atol=1e-9)


def test_truth_that_is_not_known_is_not_made_up():
    trial = moved(seconds=8.0)
    unknown = true_windows([replace(trial, truth=np.full_like(trial.truth, np.nan))], SLOW)[0]
    assert np.isnan(unknown[: len(placed(trial, SLOW).time)]).all()
