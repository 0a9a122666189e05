"""`stream`: a run played once more, real streams on the loopback, what is refused, and that nothing listens beyond this machine."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest

from cli_study import called
from profundus.api import Run
from profundus.errors import InputError
from profundus.io.growing_table import GrowingTable
from profundus.io.run_directory import start_run
from profundus.io.tables import read_table
from profundus.protocols.stream_devices import Wanted
from profundus.protocols.stream_listeners import Heard, Listeners
from profundus.protocols.streamed_person import streamed_person
from profundus.protocols.streaming import NOBODY, replay, stream
from profundus.stream.devices import Device
from profundus.stream.live import LiveSubject
from profundus.stream.lsl import Inlet
from profundus.stream.offline import causal_reconstruction
from streaming_people import MEASURED, frames, person, run_of_a_person


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_of_a_person(tmp_path_factory.mktemp("streams"))


def test_a_trial_played_once_more_gives_the_causal_answer_and_a_record(run, tmp_path, capsys):
    kept = tmp_path / "kept.sto"
    code, said = called(capsys, "stream", run, "--replay", "trial_2", "--record", kept)
    assert code == 0
    assert (said["answered"], said["missed"], said["late"]) == (600, 0, 0)
    assert said["against_run"]["BRA"]["r"] > 0.97
    assert set(said["latency_ms"]) == {"median", "99 %", "99.9 %", "longest"}
    known = streamed_person(run)
    whole = causal_reconstruction(known.student, [known.answer.trials[2].trial]).trials[0]
    table = read_table(kept)
    np.testing.assert_allclose(table["BRA"], whole.excitation[:, 5], atol=1e-9)
    np.testing.assert_allclose(table["BRA_upper"], whole.upper[:, 5], atol=1e-9)
    assert not table["lost_channels"].any()


def test_python_streams_a_run_frame_by_frame(run):
    trial = streamed_person(run).answer.trials[2].trial
    measured = trial.emg[:, MEASURED]
    stream = Run(run).stream(zip(trial.time, measured, trial.angle, strict=True), load_kg=trial.load_kg)
    found = np.array([answer.excitation for answer in stream])
    known = streamed_person(run)
    whole = causal_reconstruction(known.student, [trial]).trials[0]
    np.testing.assert_allclose(found, whole.excitation, atol=1e-9)
    with pytest.raises(InputError, match="sub-09"):
        Run(run).stream([], subject="sub-09")


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ((0.0, [0.1], [1.0]), "a frame has 1 envelopes"),
        ((0.0, 0.1, [1.0]), "a frame has 1 envelopes"),
        ((0.0, [0.1] * 3, [1.0]), "a frame has 3 envelopes"),
        ((0.0, [[0.1] * 4], [1.0]), r"envelopes of shape \(1, 4\)"),
        ((0.0, [0.1] * 4, [1.0, 1.0]), "a frame has 2 angles"),
        ((0.0, ["a"] * 4, [1.0]), "as envelopes is no number"),
        (("now", [0.1] * 4, [1.0]), "as time is no number"),
    ],
)
def test_a_frame_without_one_number_a_channel_is_refused(run, frame, words):
    with pytest.raises(InputError, match=words):
        list(Run(run).stream([frame]))


def test_a_single_joint_needs_no_list_and_an_unknown_load_is_none(run):
    (answer,) = Run(run).stream([(0.0, [0.1] * 4, 1.0)], load_kg=None)
    assert np.isfinite(answer.excitation).all()
    with pytest.raises(InputError, match="load_kg is '2'"):
        Run(run).stream([], load_kg="2")


@pytest.mark.parametrize("rate_hz", [50.0, 1000.0])
def test_frames_of_another_rate_are_refused(run, rate_hz):
    frames = [(n / rate_hz, [0.1 + 0.01 * (n % 7)] * 4, [1.0]) for n in range(60)]
    with pytest.raises(InputError, match=f"frames come at {rate_hz:g} Hz"):
        list(Run(run).stream(frames))


def test_frames_on_stdout_are_one_object_a_line(run, capsys):
    from profundus.cli.main import main

    assert main(["stream", str(run), "--replay", "trial_2", "--frames"]) == 0
    heard = capsys.readouterr()
    lines = [json.loads(line) for line in heard.out.splitlines() if line]
    assert len(lines) == 600
    low, high = lines[300]["excitation"]["BRA"][1:]
    assert low < lines[300]["excitation"]["BRA"][0] < high
    assert "600 frames answered" in heard.err


def test_ctrl_c_ends_with_a_summary_and_keeps_what_came_out(run, tmp_path):
    def interrupt(answer):
        if answer.time > 1.0:
            raise KeyboardInterrupt

    kept = tmp_path / "kept.sto"
    result = replay(streamed_person(run), "trial_2", heard=Heard(record=kept), on_answer=interrupt)
    assert result.ended == "interrupted"
    assert len(read_table(kept).time) == 102


def test_a_trial_is_played_with_another_load_and_for_some_seconds(run, capsys):
    code, said = called(capsys, "stream", run, "--replay", "trial_2", "--load", "1.5", "--seconds", "2")
    assert code == 0
    assert (said["answered"], said["ended"]) == (200, "the time was over")
    known, answers = streamed_person(run), []
    replay(known, "trial_2", load_kg=1.5, seconds=2.0, on_answer=answers.append)
    loaded = LiveSubject(known.student, load_kg=1.5).over(frames(known.answer.trials[2].trial))
    np.testing.assert_allclose(answers[-1].excitation, list(loaded)[199].excitation, atol=1e-9)


def test_what_is_recorded_is_there_while_the_stream_goes_on(run, tmp_path, monkeypatch):
    monkeypatch.setattr("profundus.io.growing_table.FLUSH_S", 0.0)
    kept, seen = tmp_path / "kept.sto", []

    def look(answer):
        if len(seen) < 3:
            assert not kept.exists()
            seen.append(read_table(tmp_path / "kept.unfinished.sto"))

    known = streamed_person(run)
    result = replay(known, "trial_2", heard=Heard(record=kept), seconds=1.0, on_answer=look)
    assert [len(table.time) for table in seen] == [1, 2, 3]
    assert result.records == (kept,)
    assert list(tmp_path.iterdir()) == [kept]
    table = read_table(kept)
    assert (len(table.time), table.problems) == (100, ())
    assert "nRows=100\n" in kept.read_text()


def test_a_record_that_is_cut_off_ends_with_a_whole_row(tmp_path):
    table = GrowingTable(tmp_path / "kept.sto", [f"muscle_{i}" for i in range(50)], name="sub-01 streamed")
    for i in range(100):
        table.append(0.01 * i, [1 / 3] * 50)
        left = (tmp_path / "kept.unfinished.sto").read_bytes()  # what a kill would leave
        assert left.endswith(b"\n")
    table.close()
    np.testing.assert_array_equal(read_table(tmp_path / "kept.sto").values, np.full((100, 50), 1 / 3))


def test_a_record_that_is_there_or_was_left_is_refused_before_anything_else(run, tmp_path, capsys):
    kept, left = tmp_path / "kept.sto", tmp_path / "left.unfinished.sto"
    kept.write_text("a session")
    left.write_text("half a session")

    def problems(path, *extra):
        code, said = called(capsys, "stream", tmp_path / "no run", "--replay", "t", "--record", path, *extra)
        assert code == 2
        return said["problems"]

    assert "there is such a file already" in problems(kept)[0]["what"]
    assert "--overwrite" in problems(kept)[0]["remedy"]
    assert "that did not end" in problems(tmp_path / "left.sto", "--overwrite")[0]["what"]
    assert "cannot be recorded here" in problems(tmp_path)[0]["what"]
    (tmp_path / "folder.sto").mkdir()
    assert "cannot be recorded here" in problems(tmp_path / "folder.sto")[0]["what"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.access", lambda *_: False)
        assert "nothing can be written" in problems(tmp_path / "new.sto")[0]["what"]
    assert kept.read_text() == "a session"
    code, _ = called(capsys, "stream", run, "--replay", "trial_2", "--seconds", "1", "--record", kept, "--overwrite")
    assert code == 0
    assert len(read_table(kept).time) == 100


def test_a_clock_that_goes_back_begins_another_record(run, tmp_path):
    student, kept = streamed_person(run).student, tmp_path / "kept.sto"
    answers = list(LiveSubject(student).over(frames(person().trials[2].trial)[:20]))
    with Listeners(student, Heard(record=kept)) as listeners:
        for answer in (*answers, *answers[:10], *answers[:5]):
            listeners.listeners[0](answer)
    assert [path.name for path in listeners.records] == ["kept.sto", "kept_2.sto", "kept_3.sto"]
    assert [len(read_table(path).time) for path in listeners.records] == [20, 10, 5]


class GoneError(Exception):
    """What LSL says of a device without a source id that has gone."""


class GoneInlet:
    def __init__(self, info, *, max_buflen, recover, processing_flags):
        self.recover = recover

    def time_correction(self, timeout):
        return 0.0

    open_stream = time_correction

    def pull_chunk(self, timeout, max_samples):
        raise GoneError


def test_a_device_that_goes_is_waited_for_and_one_that_cannot_be_found_again_ends_the_stream():
    said = SimpleNamespace(TimeoutError=TimeoutError, LostError=GoneError)
    library = SimpleNamespace(proc_ALL=15, util=said, StreamInlet=GoneInlet)
    inlet = Inlet(library, None, Device("Delsys", "EMG", ("BIC",), ("V",), 1000.0))
    assert inlet._inlet.recover
    with pytest.raises(InputError, match="'Delsys' has ended, and has no source id"):
        inlet.pull()


def test_what_was_asked_for_is_looked_at_before_streams_are_looked_for(run, monkeypatch, capsys):
    def no_search(**_):
        raise AssertionError("streams were looked for")

    monkeypatch.setattr("profundus.protocols.streaming.Network", no_search)
    with pytest.raises(InputError, match="0 to 1000 kg"):
        stream(streamed_person(run), Wanted(load_kg=5000.0))
    code, said = called(capsys, "stream", run, "--load", "5000")
    assert code == 2
    assert "1000" in str(said["problems"][0])


def test_streaming_is_said_to_begin_only_when_streams_were_found(run, monkeypatch, capsys):
    from profundus.cli.main import main

    class Nothing:
        devices = ()

        def __init__(self, **_):
            pass

    monkeypatch.setattr("profundus.protocols.streaming.Network", Nothing)
    assert main(["stream", str(run)]) == 2
    said = capsys.readouterr().err
    assert "Looking for streams of sub-01 (2 s)" in said
    assert "Ctrl-C" not in said
    assert "found no stream of type EMG: there are none on this machine" in said


def test_a_reader_that_goes_away_ends_the_stream(run):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    assert replay(streamed_person(run), "trial_2", heard=Heard(frames=Gone())).ended == NOBODY


def test_nothing_is_sent_where_it_cannot_be_kept_to_this_machine(run, monkeypatch):
    monkeypatch.setattr("profundus.stream.lsl._can_fence", lambda: False)
    with pytest.raises(InputError, match="can be reached from the network") as told:
        stream(streamed_person(run), Wanted(), heard=Heard(outlet="Deep"))
    assert "--network" in str(told.value)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--subject", "sub-09", "--replay", "trial_2"], "there is no subject 'sub-09'"),
        (["--replay", "walk"], "sub-01 has no trial 'walk'"),
        (["--replay", "trial_2", "--network"], "a trial that is played needs no network"),
        (["--replay", "trial_2", "--wait", "2"], "a trial that is played needs no network"),
        (["--replay", "trial_2", "--record", "kept.csv"], "answers cannot be recorded here"),
    ],
)
def test_what_cannot_be_streamed_is_refused(run, capsys, wrong, words):
    code, said = called(capsys, "stream", run, *wrong)
    assert code == 2
    assert words in said["problems"][0]["what"]


def test_a_run_that_is_not_finished_is_refused(run, tmp_path, capsys):
    start_run(tmp_path / "half", {"seed": 0})
    code, said = called(capsys, "stream", tmp_path / "half", "--replay", "trial_2")
    assert code == 2
    assert "not finished" in said["problems"][0]["what"]
    assert "--resume" in said["problems"][0]["remedy"]
