"""`stream`: real streams on the loopback, and that nothing listens beyond this machine."""

import os
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from cli_study import called
from profundus.errors import InputError
from profundus.io.tables import read_table
from profundus.protocols.stream_devices import Wanted
from profundus.protocols.stream_listeners import Heard
from profundus.protocols.streamed_person import streamed_person
from profundus.protocols.streaming import stream
from profundus.stream.live import LiveSubject
from profundus.stream.lsl import _can_fence, fenced, lsl
from streaming_people import MEASURED, MUSCLES, STEP, frames, person, run_of_a_person

OURS = os.getpid()  # other tests may send streams at the same time


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_of_a_person(tmp_path_factory.mktemp("streams"))


class Laboratory:
    """Sends a trial's EMG and angles, as two programs would: at 100 and 50 Hz, with their own channel names and units."""

    def __init__(self, pylsl, trial, *, emg_unit="1"):
        self.trial, self.lsl, self.done = trial, pylsl, threading.Event()
        emg = self._info(f"Amplifier {OURS}", "EMG", 100.0, [*(MUSCLES[i] for i in MEASURED), "trigger"], emg_unit)
        motion = self._info(f"Camera {OURS}", "MoCap", 50.0, ["r_elbow_flex"], "deg")
        with fenced(network=False):
            self.emg, self.motion = pylsl.StreamOutlet(emg), pylsl.StreamOutlet(motion)

    def _info(self, name, kind, rate, labels, unit):
        info = self.lsl.StreamInfo(name, kind, len(labels), rate, self.lsl.cf_double64, f"test {name}")
        channels = info.desc().append_child("channels")
        for label in labels:
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("unit", unit)
        return info

    def play(self, seconds):
        """Push samples when they are due, until ``seconds`` have passed after both have a listener."""
        while not (self.emg.have_consumers() and self.motion.have_consumers()) and not self.done.is_set():
            time.sleep(0.005)
        start = self.lsl.local_clock()
        for i in range(round(seconds / STEP)):
            time.sleep(max(0.0, start + i * STEP - self.lsl.local_clock()))
            self.emg.push_sample([*self.trial.emg[i, MEASURED], 0.0], start + i * STEP)
            if i % 2 == 0:
                self.motion.push_sample(np.rad2deg(self.trial.angle[i]).tolist(), start + i * STEP)


@pytest.fixture(scope="module")
def pylsl():
    try:
        return lsl(network=False)
    except InputError as error:
        pytest.skip(str(error))


def listening() -> list[socket.socket]:
    """Return this process' sockets that wait for others: TCP that listens, UDP that has not chosen its partner."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        if entry.is_symlink() and str(entry.readlink()).startswith("socket:"):
            one = socket.socket(fileno=os.dup(int(entry.name)))
            internet = one.family in (socket.AF_INET, socket.AF_INET6)
            if internet and (one.type == socket.SOCK_DGRAM or one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)):
                found.append(one)
            else:
                one.close()
    return found


@pytest.mark.skipif(not _can_fence(), reason="this system does not tie sockets to a device")
def test_streams_of_the_loopback_are_answered_and_nothing_listens_beyond_it(run, pylsl, tmp_path):
    person = streamed_person(run)
    trial = person.answer.trials[2].trial
    laboratory = Laboratory(pylsl, trial)
    heard, seen, sockets = [], [], []
    live_step = LiveSubject.step

    def listen():
        with fenced(network=False):
            found = pylsl.resolve_byprop("name", f"Deep {OURS}", timeout=4.0)
            inlet = pylsl.StreamInlet(found[0])
            heard.append(inlet.info(timeout=3.0))
            inlet.open_stream(timeout=3.0)
        laboratory.play(1.2)
        while (sample := inlet.pull_sample(timeout=0.4))[0] is not None:
            seen.append(sample)
            if len(seen) == 50:
                for one in listening():
                    sockets.append(
                        (one.getsockname()[0], one.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16))
                    )
                    one.close()

    taken = []

    def kept(self, frame):
        taken.append(frame)
        return live_step(self, frame)

    helper = threading.Thread(target=listen)
    helper.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LiveSubject, "step", kept)
        wanted = Wanted(f"Amplifier {OURS}", f"Camera {OURS}", load_kg=trial.load_kg, wait_s=0.5, seconds=2.8)
        result = stream(person, wanted, heard=Heard(outlet=f"Deep {OURS}", record=tmp_path / "kept.sto"))
    laboratory.done.set()
    helper.join()

    assert result.ended == "the time was over"
    assert result.ignored == ("trigger",)
    assert 100 < result.summary.counts.answered <= 121
    values = np.array([sample for sample, _ in seen])
    again = list(LiveSubject(person.student, load_kg=trial.load_kg).over(taken))[-len(values) :]
    np.testing.assert_allclose(values[:, :6], [one.excitation for one in again], atol=1e-9)
    np.testing.assert_allclose([stamp for _, stamp in seen], [one.time for one in again], atol=1e-9)
    whole = np.array([one.excitation for one in LiveSubject(person.student, load_kg=trial.load_kg).over(frames(trial))])
    np.testing.assert_allclose(values[-50:, 5], whole[len(values) - 50 : len(values), 5], rtol=0.1)
    np.testing.assert_allclose(read_table(tmp_path / "kept.sto")["BRA"][-len(values) :], values[:, 5], atol=1e-9)
    description = heard[0].desc()
    assert description.child_value("subject") == "sub-01"
    channel = description.child("channels").child("channel")
    assert (channel.child_value("label"), channel.child_value("unit")) == ("TRIlong", "fraction")
    assert sockets
    assert all(address.startswith("127.") or device == b"lo\0" for address, device in sockets)


def test_streams_that_do_not_fit_are_all_listed(run, pylsl, capsys):
    laboratory = Laboratory(pylsl, person().trials[2].trial, emg_unit="mV")
    code, said = called(capsys, "stream", run, "--emg", f"Amplifier {OURS}", "--angles", "Vicon", "--wait", "0.3")
    assert code == 2
    assert len(said["problems"]) == 5  # four channels in mV, and no camera of that name
    assert f"'TRIlong' of 'Amplifier {OURS}' is in 'mV'" in said["problems"][0]["what"]
    assert f"'Camera {OURS}' (MoCap, 50 Hz: r_elbow_flex)" in said["problems"][-1]["expected"]
    assert laboratory.emg is not None
