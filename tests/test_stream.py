"""Streams of a fitted person: the causal answer, what is missing, what comes late, how samples are cut."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt
from sklearn.linear_model import Ridge

from profundus.errors import InputError
from profundus.records import EmgSettings, Reconstruction
from profundus.stream.devices import Wiring
from profundus.stream.envelopes import LiveEnvelope, delay_s
from profundus.stream.features import ANGLE_MEMORY_S, EMG_MEMORY_S
from profundus.stream.live import Frame, LiveSubject
from profundus.stream.offline import causal_reconstruction
from profundus.stream.remembering import remembered
from profundus.stream.session import Session, Source
from profundus.stream.stillness import Stillness
from profundus.stream.student import ridge
from profundus.stream.teaching import taught
from profundus.validate.scores import score
from streaming_people import MEASURED, MUSCLES, STEP, frames, person

BRA, TRIMED = MUSCLES.index("BRA"), MUSCLES.index("TRImed")
NORMALIZED = EmgSettings("envelope", "mvc")


@pytest.fixture(scope="module")
def answer() -> Reconstruction:
    return person()


@pytest.fixture(scope="module")
def student(answer):
    return taught(answer)


def streamed(student, trial, emg=None, *, load_kg=None):
    live = LiveSubject(student, load_kg=trial.load_kg if load_kg is None else load_kg)
    return live, list(live.over(frames(trial, emg)))


def gapped(trial):
    """Return a trial whose electrodes fail in every way: one sample, a tenth of a second, a second and a half, to the end."""
    emg, angle = trial.emg.copy(), trial.angle.copy()
    emg[100, 3] = emg[150:160, 0] = emg[200:355, 4] = emg[500:, 1] = emg[:30, 3] = np.nan
    angle[400:403] = angle[450:470] = np.nan
    return replace(trial, emg=emg, emg_valid=np.isfinite(emg), angle=angle)


@pytest.mark.parametrize("broken", [False, True])
def test_a_stream_says_what_the_whole_trial_filtered_at_once_says(answer, student, broken):
    trial = gapped(answer.trials[2].trial) if broken else answer.trials[2].trial
    _, said = streamed(student, trial)
    whole = causal_reconstruction(student, [trial]).trials[0]
    assert whole.trial is trial
    for name in ("excitation", "lower", "upper"):
        np.testing.assert_allclose([getattr(one, name) for one in said], getattr(whole, name), rtol=0, atol=1e-12)


def test_a_limb_of_three_joints_without_a_known_load_streams_as_well():
    answer = person(trials=3, seconds=4.0, joints=3, load=False)
    student = taught(answer)
    trial = answer.trials[2].trial
    live, said = streamed(student, trial)
    whole = causal_reconstruction(student, [trial]).trials[0]
    np.testing.assert_allclose([one.excitation for one in said], whole.excitation, atol=1e-12)
    assert live.counts.answered == len(trial.time)
    assert not any(one.flags for one in said if "outside" not in str(one.flags))


def test_a_deep_muscle_that_follows_its_neighbors_is_found_within_its_band(answer, student):
    rows = [
        row
        for row in score(causal_reconstruction(student, [p.trial for p in answer.trials])).rows
        if row.trial == "all"
    ]
    deep = [row for row in rows if row.role == "test" and row.name in ("BRA", "TRImed")]
    assert len(deep) == 2
    for row in deep:
        assert row.r > 0.97
        assert row.nrmse < 0.1
        assert row.coverage90 > 0.85


def test_the_student_is_the_ridge_of_scikit_learn(student):
    everything = np.ones(student.products.features.shape[1], dtype=bool)
    ours = ridge(student.products, 0.01, everything)
    # the same sums of products, as data: a square root of them
    count = student.products.count.sum()
    whole = student.products.features.sum(axis=0)
    values, vectors = np.linalg.eigh(whole[:-1, :-1])
    kept = values > 1e-9 * values.max()
    data = np.sqrt(values[kept])[:, None] * vectors[:, kept].T
    goal = (vectors[:, kept] / np.sqrt(values[kept])).T @ student.products.cross.sum(axis=0)[:-1]
    theirs = Ridge(alpha=0.01 * count, fit_intercept=False, solver="cholesky").fit(data, goal).coef_.T
    np.testing.assert_allclose(ours[:-1], theirs, atol=1e-6)


def test_a_memory_follows_a_step_by_the_exponential_of_its_time_constant():
    values = np.concatenate([np.zeros((1, 1)), np.ones((200, 1))])
    for memories in (EMG_MEMORY_S, ANGLE_MEMORY_S):
        found, _ = remembered(values, memories, STEP)
        time = STEP * np.arange(201)
        for memory, constant in zip(found, memories, strict=True):
            np.testing.assert_allclose(memory[:, 0], 1.0 - np.exp(-time / constant), atol=1e-12)


def test_bands_widen_while_an_electrode_is_lost_and_recover(answer, student):
    trial = answer.trials[2].trial
    emg = trial.emg[:, MEASURED].copy()
    emg[200:260, 2] = np.nan  # BIClong, which BRA follows most
    live, said = streamed(student, trial, emg)
    _, clean = streamed(student, trial)
    biceps = MUSCLES.index("BIClong")
    width = [np.log(one.upper / one.lower) for one in said]
    usual = np.log(clean[199].upper / clean[199].lower)
    assert width[199][BRA] == pytest.approx(usual[BRA])
    held = [width[i][BRA] for i in range(199, 206)]
    assert all(np.diff(held) > 0)  # wider with every sample that is held, and once more when it is given up
    assert width[240][biceps] > 1.5 * usual[biceps]
    assert said[202].flags == ("held:BIClong",)
    assert said[240].flags == ("lost:BIClong",)
    assert said[260].flags == ()
    np.testing.assert_allclose(said[300].excitation, clean[300].excitation, rtol=0.02)
    assert live.counts.missing == {"BIClong": 60}
    assert live.counts.lost == {"BIClong": 55}
    truth = trial.truth[205:260, biceps]  # its own envelope is unseen, and still in the band
    inside = [one.lower[biceps] <= y <= one.upper[biceps] for one, y in zip(said[205:260], truth, strict=True)]
    assert np.mean(inside) > 0.8


def test_without_any_channel_nothing_is_known_but_what_is_usual(answer, student):
    trial = answer.trials[2].trial
    nothing = [Frame(f.time, f.emg * np.nan, f.angle * np.nan) for f in frames(trial)[:20]]
    said = list(LiveSubject(student).over(nothing))
    assert len(said) == 20
    usual = np.exp(
        np.mean([np.log(part.excitation).mean(axis=0) for part in answer.trials if part.trial.role == "fit"], axis=0)
    )
    np.testing.assert_allclose(said[-1].excitation, usual, rtol=0.05)
    assert len(said[-1].flags) == 5


def test_frames_that_come_twice_late_or_without_a_time_are_counted_and_not_used(answer, student):
    trial = answer.trials[2].trial
    clean = frames(trial)
    wrong = [replaced._replace(emg=replaced.emg * 9) for replaced in (clean[50], clean[20])]
    wrong.append(clean[51]._replace(time=float("nan")))
    live = LiveSubject(student, load_kg=trial.load_kg)
    said = list(live.over([wrong[-1], *clean[:51], *wrong, *clean[51:]]))
    _, expected = streamed(student, trial)
    np.testing.assert_array_equal([one.excitation for one in said], [one.excitation for one in expected])
    assert live.counts.late == 4


def test_lost_frames_are_like_missing_samples_and_seconds_of_them_start_anew(answer, student):
    trial = answer.trials[2].trial
    clean = frames(trial)
    live = LiveSubject(student, load_kg=trial.load_kg)
    said = list(live.over([*clean[:100], *clean[110:200], *clean[400:]]))
    assert live.counts.missed == 10 + 200
    assert live.counts.restarts == 5  # four electrodes and a joint, after two seconds
    fresh = LiveSubject(student, load_kg=trial.load_kg)
    again = list(fresh.over(clean[400:]))
    np.testing.assert_allclose([o.excitation for o in said[190:]], [o.excitation for o in again], atol=1e-12)


def test_postures_and_loads_beyond_those_of_the_fit_are_told(answer, student):
    frame = frames(answer.trials[2].trial)[0]
    far = LiveSubject(student, load_kg=20.0).step(frame._replace(angle=np.array([2.5])))
    assert far is not None
    assert far.flags == ("outside:r_elbow_flex", "outside:load")


def test_emg_unlike_any_that_the_person_showed_is_told(answer, student):
    for part in answer.trials:
        live, said = streamed(student, part.trial)
        assert not any(f"outside:{name}" in one.flags for one in said for name in MUSCLES)
        assert not set(live.counts.outside) & set(MUSCLES)
    trial = answer.trials[2].trial
    percent = trial.emg[:, MEASURED].copy()
    percent[:, 1] *= 100.0
    live, said = streamed(student, trial, percent)
    assert said[-1].flags == ("outside:TRIlat",)
    assert live.counts.outside["TRIlat"] > 595
    faint = trial.emg[:, MEASURED] / [1.0, 1.0, 20.0, 1.0]
    assert streamed(student, trial, faint)[1][-1].flags == ("outside:BIClong",)


@pytest.mark.parametrize("dead", ["constant", "zero", "negative"])
def test_an_electrode_that_is_still_for_a_second_is_lost_until_it_moves(answer, student, dead):
    trial = answer.trials[2].trial
    emg = trial.emg.copy()
    biceps = MUSCLES.index("BIClong")
    chance = np.random.default_rng(0)
    emg[200:400, biceps] = {"constant": emg[200, biceps], "zero": 0.0, "negative": -chance.uniform(0.0, 1.0, 200)}[dead]
    broken = replace(trial, emg=emg)
    _, said = streamed(student, broken)
    lost = [i for i, one in enumerate(said) if "lost:BIClong" in one.flags]
    begun = 304 + (dead == "constant")  # after a second, and 50 ms that are bridged
    assert lost == list(range(begun, 400))
    whole = causal_reconstruction(student, [broken]).trials[0]
    np.testing.assert_allclose([one.excitation for one in said], whole.excitation, rtol=0, atol=1e-12)
    np.testing.assert_allclose([one.upper for one in said], whole.upper, rtol=0, atol=1e-12)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_stillness_is_found_as_by_counting_in_samples_cut_in_any_way(sizes, seed):
    values = np.random.default_rng(seed).choice(
        [-1.0, 0.0, 0.5, 0.7, np.nan], size=(120, 2), p=[0.1, 0.3, 0.4, 0.1, 0.1]
    )
    still = Stillness(2, rate_hz=4.0, floor=0.0)
    found = np.concatenate([still.moving(values[rows]) for rows in cuts(sizes, 120)])
    expected = values.copy()
    for channel in range(2):
        run, last = 0, np.nan
        for i, value in enumerate(values[:, channel]):
            run = run + 1 if value == last or value <= 0.0 else 0
            last = value
            expected[i, channel] = np.nan if run >= 4 else value
    np.testing.assert_array_equal(found, expected)


def test_raw_emg_that_does_not_move_has_no_envelope(student):
    plain = Source(Wiring((0, 1, 2, 3), (1.0,) * 4), 1000.0)
    session = Session(
        LiveSubject(student), RAW, np.ones(4), electrodes=plain, joints=Source(Wiring((0,), (1.0,)), 100.0)
    )
    raw = np.random.default_rng(0).normal(size=(3000, 4))
    raw[1000:, 2] = raw[1000, 2]
    session.push_emg(np.arange(3000) / 1000.0, raw)
    session.push_motion(np.arange(300) / 100.0, 1.0 + np.arange(300)[:, None] / 1000.0)
    said = session.answer()
    assert [flag for flag in said[-1].flags if flag.startswith("lost")] == ["lost:BIClong"]


def test_a_frame_of_the_wrong_shape_and_a_load_that_is_none_are_refused(student):
    with pytest.raises(InputError, match=r"3 envelopes and 1 angles.*TRIlong"):
        LiveSubject(student).step(Frame(0.0, np.zeros(3), np.zeros(1)))
    with pytest.raises(InputError, match="0 to 1000 kg"):
        LiveSubject(student, load_kg=-1.0)


def test_too_short_trials_teach_nobody():
    with pytest.raises(InputError, match="fewer than 300 samples"):
        taught(person(trials=1, seconds=2.0))


def cuts(draw_sizes, total):
    edges = np.minimum(np.cumsum([0, *draw_sizes]), total)
    return [slice(int(a), int(b)) for a, b in zip(edges, [*edges[1:], total], strict=True) if b > a]


def session_answers(student, trial, emg_cuts, motion_cuts):
    plain = Wiring((0, 1, 2, 3), (1.0,) * 4)
    live = LiveSubject(student, load_kg=trial.load_kg)
    session = Session(
        live, NORMALIZED, np.ones(4), electrodes=Source(plain, 100.0), joints=Source(Wiring((0,), (1.0,)), 100.0)
    )
    said, emg, turn = [], list(emg_cuts), list(motion_cuts)
    emg_end = motion_end = 0
    while emg or turn:  # whoever is behind is next, so that nobody is later than the patience
        if emg and (not turn or emg_end <= motion_end):
            rows = emg.pop(0)
            emg_end = rows.stop
            session.push_emg(trial.time[rows], trial.emg[rows][:, MEASURED])
        else:
            rows = turn.pop(0)
            motion_end = rows.stop
            session.push_motion(trial.time[rows], trial.angle[rows])
        said += session.answer()
    return said


def first(trial, rows):
    names = ["time", "angle", "velocity", "acceleration", "emg", "emg_valid", "moment", "moment_valid", "truth"]
    return replace(trial, **{name: getattr(trial, name)[:rows] for name in names})


@given(st.lists(st.integers(1, 9), min_size=7, max_size=7), st.lists(st.integers(1, 9), min_size=7, max_size=7))
@settings(max_examples=15, deadline=None)
def test_any_cutting_of_the_samples_gives_the_same_answer(emg_sizes, motion_sizes):
    answer = PERSON
    trial = first(answer.trials[2].trial, 60)
    last = [slice(i, i + 1) for i in range(60)]
    one_by_one = session_answers(STUDENT, trial, last, last)
    in_chunks = session_answers(STUDENT, trial, cuts(emg_sizes * 9, 60), cuts(motion_sizes * 9, 60))
    assert len(one_by_one) == 60
    assert [one.time for one in in_chunks] == [one.time for one in one_by_one]
    np.testing.assert_array_equal([o.excitation for o in in_chunks], [o.excitation for o in one_by_one])
    np.testing.assert_array_equal([o.upper for o in in_chunks], [o.upper for o in one_by_one])


PERSON = person(trials=3, seconds=3.0)
STUDENT = taught(PERSON)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 290), st.integers(1, 150)), max_size=6))
@settings(max_examples=12, deadline=None)
def test_any_gaps_are_met_by_the_stream_as_by_the_whole_trial(gaps):
    trial = PERSON.trials[2].trial
    emg, angle = trial.emg.copy(), trial.angle.copy()
    for channel, start, length in gaps:
        column = (*(emg[:, i] for i in MEASURED), angle[:, 0])[channel]
        column[start : start + length] = np.nan
    trial = replace(trial, emg=emg, emg_valid=np.isfinite(emg), angle=angle)
    _, said = streamed(STUDENT, trial)
    whole = causal_reconstruction(STUDENT, [trial]).trials[0]
    np.testing.assert_allclose([one.excitation for one in said], whole.excitation, rtol=0, atol=1e-12)
    np.testing.assert_allclose([one.lower for one in said], whole.lower, rtol=0, atol=1e-12)


RAW = EmgSettings("raw", "mvc", low_pass_hz=6.0)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=12), st.integers(0, 999))
@settings(max_examples=20, deadline=None)
def test_raw_emg_in_any_chunks_has_the_envelope_of_the_filters_run_once(sizes, hole):
    chance = np.random.default_rng(1)
    raw = chance.normal(size=(1500, 2))
    raw[hole, 1] = np.nan
    live = LiveEnvelope(RAW, rate_hz=1000.0, channels=2)
    found = np.concatenate([live.push(raw[rows]) for rows in cuts(sizes, 1500)])
    band = butter(2, (20.0, 450.0), btype="bandpass", fs=1000.0, output="sos")
    once = sosfilt(butter(2, 6.0, fs=1000.0, output="sos"), np.abs(sosfilt(band, raw[:, 0])))
    assert np.isnan(found[:83, 0]).all()
    np.testing.assert_allclose(found[83:, 0], np.maximum(once[83:], 0.0), rtol=1e-9, atol=1e-12)
    assert np.isnan(found[hole : hole + 84, 1]).all()
    assert np.isfinite(found[hole + 84 :, 1]).all() or hole < 83


def test_a_causal_envelope_is_late_by_what_the_student_is_told():
    time = np.arange(8000) / 2000.0
    swell = 1.0 + 0.5 * np.sin(2 * np.pi * 0.5 * time)
    found = LiveEnvelope(RAW, rate_hz=2000.0, channels=1).push((swell * np.sin(2 * np.pi * 100.0 * time))[:, None])[
        :, 0
    ]
    lags = np.arange(0, 200)
    fits = [np.corrcoef(found[2000:7000], swell[2000 - lag : 7000 - lag])[0, 1] for lag in lags]
    assert lags[int(np.argmax(fits))] / 2000.0 == pytest.approx(delay_s(RAW), abs=0.008)
    assert delay_s(NORMALIZED) == 0.0


def test_a_filter_above_half_the_rate_is_refused():
    with pytest.raises(InputError, match="a rate above 900 Hz"):
        LiveEnvelope(RAW, rate_hz=800.0, channels=1)
