"""A fitted person of a run, live: from the streams of a laboratory, or with a trial of the run played once more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.protocols.stream_devices import Found, Wanted, found_devices
from profundus.protocols.stream_listeners import Heard, Listeners
from profundus.protocols.streamed_person import StreamedPerson
from profundus.records import EmgSettings, TrialReconstruction
from profundus.stream.devices import Wiring
from profundus.stream.live import Answer, LiveSubject
from profundus.stream.lsl import Inlet, Network, refuse_open_outlet
from profundus.stream.remembering import delayed
from profundus.stream.session import Listener, Session, SessionSummary, Source
from profundus.stream.student import Student
from profundus.validate.metrics import pearson_r

Floats = NDArray[np.float64]
CHUNK = 8  # samples of a trial that are played at once
TELL_EVERY_S = 1.0
NOBODY, OVER = "whoever read the answers went away", "the time was over"


@dataclass(frozen=True)
class StreamResult:
    """How a stream went. ``ended`` says in a sentence why it did; ``records`` are the files that hold its answers; ``against_run`` {muscle:
    (r, RMSE)} holds a played trial against what the run says of it, for muscles without electrodes."""

    subject: str
    summary: SessionSummary
    seconds: float
    ended: str
    records: tuple[Path, ...] = ()
    against_run: Mapping[str, tuple[float, float]] | None = None
    ignored: tuple[str, ...] = ()


def replay(
    person: StreamedPerson,
    trial: str,
    *,
    heard: Heard | None = None,
    paced: bool = False,
    load_kg: float = float("nan"),
    seconds: float = float("inf"),
    on_answer: Listener | None = None,
) -> StreamResult:
    """Play a trial of the run, or its first ``seconds``, through the same path as streams take, without any network.

    ``paced`` takes as long as the trial did; a ``load_kg`` takes the place of the trial's own. Raises InputError for a trial that the run
    does not have.
    """
    part = _named(person, trial)
    recorded, student = part.trial, person.student
    emg = delayed(np.where(recorded.emg_valid, recorded.emg, np.nan)[:, student.columns], student.late)
    plain = EmgSettings("envelope", "none")  # the run's envelopes are fractions already
    electrodes, joints = (_plain(n, student.step) for n in (len(student.measured), len(student.coordinates)))
    kept: list[Answer] = []
    played = recorded.time[recorded.time < recorded.time[0] + seconds]
    ended = f"the trial {trial} was played" if len(played) == len(recorded.time) else OVER
    live = LiveSubject(student, load_kg=recorded.load_kg if np.isnan(load_kg) else load_kg)
    began = time.perf_counter()
    with Listeners(student, heard or Heard()) as listeners:
        told = [*listeners.listeners, kept.append, *([on_answer] if on_answer else [])]
        session = Session(
            live, plain, np.ones(len(student.measured)), electrodes=electrodes, joints=joints, listeners=told
        )
        try:
            for rows in _chunks(played, paced=paced):
                session.push_emg(recorded.time[rows], emg[rows])
                session.push_motion(recorded.time[rows], recorded.angle[rows])
                session.answer()
        except KeyboardInterrupt:
            ended = "interrupted"
        except BrokenPipeError:
            ended = NOBODY
    took = time.perf_counter() - began
    return StreamResult(student.subject, session.summary, took, ended, listeners.records, _against(student, part, kept))


def stream(
    person: StreamedPerson,
    wanted: Wanted,
    *,
    heard: Heard | None = None,
    on_answer: Listener | None = None,
    on_found: Callable[[Found], object] = lambda found: None,
    on_second: Callable[[SessionSummary], object] | None = None,
) -> StreamResult:
    """Answer the streams of a laboratory until they end, ``seconds`` have passed, or Ctrl-C.

    ``on_found`` hears which streams they are, ``on_second`` each second how it goes. Raises InputError where a stream is not there, or its
    channels, units or rate are not those of the person's study; what else was asked for is looked at before streams are looked for.
    """
    listening, student = heard or Heard(), person.student
    listening.refuse_places()
    if listening.outlet is not None:
        refuse_open_outlet(network=wanted.network)
    live = LiveSubject(student, load_kg=wanted.load_kg)
    network = Network(network=wanted.network, wait_s=wanted.patience_s)
    found = found_devices(network.devices, person, wanted)
    on_found(found)
    (electrodes, emg_wiring), (joints, joint_wiring) = found.electrodes, found.joints
    with Listeners(student, listening, network=wanted.network) as listeners:
        told = [*listeners.listeners, *([on_answer] if on_answer else [])]
        session = Session(
            live,
            person.emg,
            person.maximum,
            electrodes=Source(emg_wiring, electrodes.rate_hz),
            joints=Source(joint_wiring, joints.rate_hz),
            listeners=told,
        )
        began = time.perf_counter()
        inlets = network.inlet(electrodes), network.inlet(joints)
        ended = _pulled(session, *inlets, until=began + wanted.seconds, on_second=on_second)
        seconds = time.perf_counter() - began
        for inlet in inlets:
            inlet.close()
    return StreamResult(student.subject, session.summary, seconds, ended, listeners.records, ignored=found.unused)


def _pulled(
    session: Session,
    emg: Inlet,
    motion: Inlet,
    *,
    until: float,
    on_second: Callable[[SessionSummary], object] | None,
) -> str:
    """Carry samples from the inlets into the session; return why that ended."""
    tell = time.perf_counter() + TELL_EVERY_S
    try:
        while time.perf_counter() < until:
            waits_for_motion = session.waits_for_motion
            session.push_emg(*emg.pull(wait=not waits_for_motion))
            session.push_motion(*motion.pull(wait=waits_for_motion))
            session.answer()
            if on_second is not None and time.perf_counter() > tell:
                on_second(session.summary)
                tell += TELL_EVERY_S
    except KeyboardInterrupt:
        return "interrupted"
    except BrokenPipeError:
        return NOBODY
    except InputError as error:  # a device has gone: what was answered until then is kept
        return "; ".join(problem.what for problem in error.problems)
    return OVER


def _named(person: StreamedPerson, trial: str) -> TrialReconstruction:
    known = {part.trial.name: part for part in person.answer.trials}
    if trial not in known:
        what = f"{person.student.subject} has no trial '{trial}'"
        raise InputError(Problem("error", what, expected="one of " + ", ".join(known)))
    return known[trial]


def _plain(channels: int, step: float) -> Source:
    return Source(Wiring(tuple(range(channels)), (1.0,) * channels), 1.0 / step)


def _chunks(times: Floats, *, paced: bool) -> Iterator[slice]:
    """Yield the samples of a trial, some at a time: paced, one at a time and when it is due."""
    began, size = time.perf_counter(), 1 if paced else CHUNK
    for start in range(0, len(times), size):
        if paced:
            time.sleep(max(0.0, began + float(times[start] - times[0]) - time.perf_counter()))
        yield slice(start, min(start + size, len(times)))


def _against(student: Student, part: TrialReconstruction, answers: Sequence[Answer]) -> dict[str, tuple[float, float]]:
    """Return r and RMSE (fraction of maximum) of streamed excitations against the run's own, muscle by muscle without an electrode."""
    rows = np.searchsorted(part.trial.time, [answer.time - 1e-6 for answer in answers])
    if len(rows) < 3:
        return {}
    found = np.stack([answer.excitation for answer in answers])
    deep = [i for i, muscle in enumerate(student.muscles) if muscle not in student.measured]
    pairs = {student.muscles[i]: (found[:, i], part.excitation[rows, i]) for i in deep}
    return {
        name: (pearson_r(theirs, ours), float(np.sqrt(np.mean((ours - theirs) ** 2))))
        for name, (ours, theirs) in pairs.items()
    }
