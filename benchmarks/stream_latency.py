"""How long a frame takes from its last sample to its answer: unpaced in one process, and paced over Lab Streaming Layer.

    python benchmarks/stream_latency.py RUN [--subject ID] [--minutes 10] [--out FOLDER]

A second process sends a trial of the run, over and over, at 100 Hz over the loopback; this one answers as `profundus stream` does. Leaves
stream_latency.json and, with matplotlib, stream_latency.svg.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from profundus.protocols.stream_devices import Wanted
from profundus.protocols.streamed_person import StreamedPerson, streamed_person
from profundus.protocols.streaming import stream
from profundus.stream.live import Frame, LiveSubject
from profundus.stream.lsl import fenced, lsl

QUANTILES = (0.5, 0.9, 0.99, 0.999, 1.0)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("--subject")
    arguments.add_argument("--minutes", type=float, default=10.0)
    arguments.add_argument("--out", type=Path, default=Path())
    arguments.add_argument("--send", action="store_true", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    person = streamed_person(given.run, given.subject)
    if given.send:
        send(person)
        return
    load = os.getloadavg()[0]
    gc.collect()
    count = round(given.minutes * 6000)
    usual = unpaced(person, count, time.perf_counter)
    gc.freeze()
    found = {
        "unpaced: processor time": unpaced(person, count, time.thread_time),
        "unpaced: wall clock": unpaced(person, count, time.perf_counter),
        **paced(given, person),
    }
    gc.unfreeze()
    facts = {name: told(values) for name, values in found.items()}
    facts["unpaced: wall clock, garbage searched everywhere"] = told(usual)
    for name, fact in facts.items():
        print(name, ", ".join(f"{key} {value:.3f}" for key, value in fact.items()))
    given.out.mkdir(parents=True, exist_ok=True)
    whole = {"load_before": load, "cores": os.cpu_count(), "milliseconds": facts}
    (given.out / "stream_latency.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")
    draw(found, given.out / "stream_latency.svg")


def told(values: np.ndarray) -> dict[str, float]:
    """Return quantiles [ms] and how many frames there were."""
    return {f"{100 * q:g} %": 1e3 * float(np.quantile(values, q)) for q in QUANTILES} | {"frames": len(values)}


def unpaced(person: StreamedPerson, count: int, clock: Callable[[], float]) -> np.ndarray:
    """Return the time of each frame [s], one after the other as fast as they go; processor time leaves out what other programs take."""
    student, trial = person.student, person.answer.trials[0].trial
    live, taken = LiveSubject(student, load_kg=trial.load_kg), np.empty(count)
    rows = np.arange(count) % len(trial.time)
    for i, row in enumerate(rows):
        frame = Frame(i * student.step, trial.emg[row, student.columns], trial.angle[row])
        began = clock()
        live.step(frame)
        taken[i] = clock() - began
    return taken


def paced(given: argparse.Namespace, person: StreamedPerson) -> dict[str, np.ndarray]:
    """Return the time of each frame [s] over LSL: of the answer alone, and from the moment at which the frame's sample was sent."""
    library = lsl(network=False)
    extra = ["--subject", person.student.subject, "--send"]
    sender = subprocess.Popen([sys.executable, __file__, str(given.run), *extra])
    try:
        time.sleep(4.0)
        delays: list[float] = []
        wanted = Wanted(load_kg=person.answer.trials[0].trial.load_kg, seconds=60 * given.minutes, wait_s=2.0)
        latencies: list[float] = []
        step = LiveSubject.step

        def timed(self, frame):
            began = time.perf_counter()
            answer = step(self, frame)
            latencies.append(time.perf_counter() - began)
            return answer

        LiveSubject.step = timed
        result = stream(person, wanted, on_answer=lambda answer: delays.append(library.local_clock() - answer.time))
        LiveSubject.step = step
        print(result.summary)
    finally:
        sender.terminate()
        sender.wait()
    return {
        "100 Hz over LSL: wall clock": np.array(latencies),
        "100 Hz over LSL: since it was measured": np.array(delays),
    }


def send(person: StreamedPerson) -> None:
    """Send the first trial over and over, both devices at 100 Hz, each sample at its time, until someone ends it."""
    library, student, trial = lsl(network=False), person.student, person.answer.trials[0].trial
    outlets = []
    for name, kind, labels, unit in (
        ("Amplifier", "EMG", student.measured, "1"),
        ("Camera", "MoCap", student.coordinates, "rad"),
    ):
        info = library.StreamInfo(name, kind, len(labels), 1 / student.step, library.cf_double64, f"bench-{name}")
        channels = info.desc().append_child("channels")
        for label in labels:
            channel = channels.append_child("channel")
            channel.append_child_value("label", label)
            channel.append_child_value("unit", unit)
        with fenced(network=False):
            outlets.append(library.StreamOutlet(info))
    start, i = library.local_clock(), 0
    while True:
        due, row = start + i * student.step, i % len(trial.time)
        time.sleep(max(0.0, due - library.local_clock()))
        outlets[0].push_sample(trial.emg[row, student.columns].tolist(), due)
        outlets[1].push_sample(trial.angle[row].tolist(), due)
        i += 1


def draw(found: dict[str, np.ndarray], path: Path) -> None:
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        print("matplotlib is not installed: no picture")
        return
    figure, axis = plt.subplots(figsize=(7.5, 3), layout="constrained")
    edges = np.geomspace(2e-2, 1e3, 120)
    for (name, values), color in zip(found.items(), ("#9ecae9", "#4C78A8", "#E45756", "#F2B134"), strict=True):
        axis.hist(1e3 * values, edges, histtype="step", color=color, lw=1.4, label=name)
    axis.axvline(10.0, color="0.5", lw=0.8, ls=":", label="time to the next frame")
    axis.set(xscale="log", yscale="log", xlabel="milliseconds a frame", ylabel="frames")
    figure.legend(fontsize=7, frameon=False, loc="outside upper center", ncols=3)
    plt.rcParams["svg.hashsalt"] = "profundus"
    figure.savefig(path, metadata={"Date": None})
    figure.savefig(path.with_suffix(".png"), dpi=90)


if __name__ == "__main__":
    main()
