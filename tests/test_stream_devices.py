"""Devices of a stream: two clocks that become one, clocks that leap, units, and what is not there."""

from dataclasses import replace

import numpy as np
import pytest

from profundus.errors import InputError
from profundus.records import EmgSettings
from profundus.stream.alignment import Alignment, Channels
from profundus.stream.devices import Device, Wiring, chosen_device, emg_wiring, motion_wiring
from profundus.stream.live import LiveSubject
from profundus.stream.session import Session, Source
from profundus.stream.teaching import taught
from streaming_people import person

NORMALIZED, RAW = EmgSettings("envelope", "mvc"), EmgSettings("raw", "mvc", low_pass_hz=6.0)


@pytest.fixture(scope="module")
def student():
    return taught(person())


def test_devices_of_other_rates_meet_on_one_clock():
    emg, motion = Channels(1, rate_hz=250.0), Channels(1, rate_hz=60.0)
    at = np.arange(0.003, 1.0, 0.004), np.arange(0.011, 1.0, 1 / 60)
    emg.push(at[0], 3.0 * at[0][:, None])
    motion.push(at[1], 2.0 * at[1][:, None])
    found = list(Alignment(emg, motion, step=0.01).frames())
    times = np.array([one.time for one in found])
    np.testing.assert_allclose(times, 0.02 + 0.01 * np.arange(len(times)), atol=1e-12)
    assert times[-1] > 0.95
    np.testing.assert_allclose([one.emg[0] for one in found], 3.0 * times, atol=1e-9)
    np.testing.assert_allclose([one.angle[0] for one in found], 2.0 * times, atol=1e-9)


def test_a_silent_device_is_waited_for_a_tenth_of_a_second_and_then_missing():
    emg, motion = Channels(1, rate_hz=100.0), Channels(1, rate_hz=100.0)
    aligned = Alignment(emg, motion, step=0.01)
    time = 0.01 * np.arange(100)
    motion.push(time[:10], time[:10, None])
    assert not list(aligned.frames())  # the EMG has not begun
    emg.push(time[:10], time[:10, None])
    motion.push(time[10:50], time[10:50, None])
    first = list(aligned.frames())
    assert len(first) == 40  # 0.1 s behind the angles
    assert np.isfinite([one.emg[0] for one in first]).sum() == 10
    emg.push(np.array([0.05]), np.array([[9.0]]))
    assert emg.late == 1
    later = np.array([60.0, 60.01, 60.02])
    emg.push(later, later[:, None])
    motion.push(later, later[:, None])
    rest = [one.time for one in aligned.frames()]
    assert rest[-3:] == pytest.approx(later)
    assert len(rest) < 20  # a minute in which nothing came makes no frames


def pair(rate_hz=100.0):
    emg, motion = Channels(1, rate_hz=rate_hz), Channels(1, rate_hz=rate_hz)
    return emg, motion, Alignment(emg, motion, step=0.01)


def ramped(device, times):
    """Push samples whose value is their time."""
    device.push(np.asarray(times), np.asarray(times)[:, None])


def sent(emg_times, motion_times):
    """Return the frames of samples that come one by one, and both devices."""
    emg, motion, aligned = pair()
    found = []
    for one, other in zip(emg_times, motion_times, strict=True):
        ramped(emg, [one])
        ramped(motion, [other])
        found += list(aligned.frames())
    return found, emg, motion


@pytest.mark.parametrize("wrong", [1000.0, -1000.0, np.inf, -np.inf, np.nan, 1e308])
@pytest.mark.parametrize("at", [0, 200])
def test_one_wrong_time_stamp_costs_one_sample_and_not_the_stream(wrong, at):
    time = 0.01 * np.arange(801)
    stamps = time.copy()
    stamps[at] += wrong
    found, emg, _ = sent(stamps, time)
    whole = [frame for frame in found if np.isfinite(frame.emg[0])]
    begun = 12 if at == 0 and wrong > 0 and np.isfinite(wrong) else 1  # the first stamp of all is believed for 0.1 s
    assert len(whole) >= 801 - begun - 2
    assert found[-1].time == pytest.approx(8.0)
    np.testing.assert_allclose([frame.emg[0] for frame in whole], [frame.time for frame in whole], atol=1e-9)
    assert emg.late + emg.resets >= (0 if at == 0 and wrong == -1000.0 else 1)


def test_a_clock_that_leaps_ahead_is_believed_when_a_second_sample_says_the_same():
    emg, _, _ = pair()
    ramped(emg, [0.0, 0.01, 100.0])
    assert (emg.newest, emg.late) == (0.01, 1)
    ramped(emg, [100.01])
    assert (emg.newest, emg.late) == (100.01, 0)
    ramped(emg, [200.0, 300.0, 100.02])  # two leaps that do not agree
    assert (emg.newest, emg.late) == (100.02, 2)


def test_a_device_whose_clock_was_reset_starts_anew_after_a_tenth_of_a_second():
    emg, _, _ = pair()
    ramped(emg, 50.0 + 0.01 * np.arange(30))
    ramped(emg, 0.01 * np.arange(10))
    assert (emg.resets, emg.late) == (0, 10)
    ramped(emg, [0.1, 0.11])
    assert (emg.resets, emg.late, emg.first) == (1, 0, 0.0)
    assert emg.newest == pytest.approx(0.11)


def test_two_devices_whose_clocks_were_reset_meet_again(student):
    time = np.concatenate([50.0 + 0.01 * np.arange(100), 0.01 * np.arange(200)])
    found, emg, motion = sent(time, time)
    assert (emg.resets, motion.resets) == (1, 1)
    later = [frame.time for frame in found[100:]]
    assert len(later) > 180
    np.testing.assert_allclose(np.diff(later), 0.01, atol=1e-9)
    plain = Wiring((0, 0, 0, 0), (0.1,) * 4)
    joints = Source(Wiring((0,), (1.0,)), 100.0)
    session = Session(LiveSubject(student), NORMALIZED, np.ones(4), electrodes=Source(plain, 100.0), joints=joints)
    answers = []
    for one in time:
        session.push_emg(np.array([one]), np.array([[one + 0.1]]))
        session.push_motion(np.array([one]), np.array([[one]]))
        answers += session.answer()
    assert [one.time for one in answers] == [frame.time for frame in found]
    assert session.summary.clock_resets == {"EMG": 1, "angles": 1}
    assert session.summary.counts.late == 0


def test_a_device_that_never_begins_is_missing_and_nothing_heaps_up(student):
    live = LiveSubject(student)
    plain, joints = Wiring((0, 1, 2, 3), (1.0,) * 4), Source(Wiring((0,), (1.0,)), 100.0)
    session = Session(live, NORMALIZED, np.ones(4), electrodes=Source(plain, 100.0), joints=joints)
    answers = []
    for i in range(300):
        session.push_motion(np.array([0.01 * i]), np.array([[1.0]]))
        answers += session.answer()
        assert len(session._alignment.motion) < 15
    assert len(answers) > 280
    assert {"lost:TRIlong", "lost:BICshort"} < set(answers[-1].flags)
    session._came["EMG"] -= 2.0  # two seconds ago
    assert session.summary.silent == ("EMG",)


ELBOW = Device("Delsys", "EMG", ("TRIlong", "Biceps", "trigger"), ("uV", "percent", ""), 40.0)


def test_all_that_is_wrong_with_a_device_is_listed_at_once():
    with pytest.raises(InputError) as told:
        emg_wiring(ELBOW, ("TRIlong", "BIClong", "BRA"), replace(RAW, channels={"BIClong": "Biceps"}), fractions=True)
    said = [str(problem) for problem in told.value.problems]
    assert len(said) == 3
    assert "40 Hz. Expected more than 900 Hz" in said[0]
    assert "'Biceps' of 'Delsys' is in 'percent'. Expected one of V" in said[1]
    assert "no channel 'BRA'" in said[2]


def test_units_become_volts_and_radians():
    device = replace(ELBOW, labels=("Biceps", "knee"), units=("mV", "degrees"), rate_hz=1000.0)
    wired = emg_wiring(
        device,
        ("BIClong", "BICshort"),
        replace(RAW, channels={"BIClong": "Biceps", "BICshort": "Biceps"}),
        fractions=True,
    )
    assert wired == Wiring((0, 0), (1e-3, 1e-3))
    assert motion_wiring(device, ("knee",)).factors == (pytest.approx(np.pi / 180),)
    with pytest.raises(InputError, match=r"in no unit\. Expected one of 1"):
        emg_wiring(replace(device, units=()), ("Biceps",), NORMALIZED, fractions=True)


def test_who_asks_for_a_stream_that_is_not_there_hears_of_those_that_are():
    there = (ELBOW, replace(ELBOW, name="Vicon", kind="MoCap", labels=("knee",)))
    assert chosen_device(there, name=None, kinds=("EMG",), what="EMG") is ELBOW
    with pytest.raises(InputError, match=r"no stream named 'Noraxon' for EMG.*'Delsys'.*'Vicon'"):
        chosen_device(there, name="Noraxon", kinds=("EMG",), what="EMG")
    with pytest.raises(InputError, match="2 streams of type EMG"):
        chosen_device((ELBOW, ELBOW), name=None, kinds=("EMG",), what="EMG")
    with pytest.raises(InputError, match="found no stream of type EMG: there are none on this machine"):
        chosen_device((), name=None, kinds=("EMG",), what="EMG")
    with pytest.raises(InputError, match="found no stream of type MoCap or Angles for angles: there are none in the"):
        chosen_device((), name=None, kinds=("MoCap", "Angles"), what="angles", where="in the network")
