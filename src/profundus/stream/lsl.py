"""Lab Streaming Layer: streams of this machine in, a stream of excitations out, and nothing that listens beyond the loopback unasked."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.stream.devices import Device
from profundus.stream.live import Answer
from profundus.stream.student import Student

Floats = NDArray[np.float64]
LOOPBACK = """
[ports]
IPv6=disable
[multicast]
ResolveScope=machine
ListenAddress=127.0.0.1
[lab]
KnownPeers={127.0.0.1}
[tuning]
MulticastMinRTT=0.05
UnicastMinRTT=0.1
[log]
level=-2
"""  # known peers are asked port by port: of several streams of one machine, a question to its one common port reaches only the last
NETWORK = "[log]\nlevel=-2\n"
BUFFER_S = 30
OPEN_S = 5.0
WAIT_S = 0.02
NEVER_LEAVES = "a stream that is sent by LSL can be reached from the network on this system"


@cache
def lsl(*, network: bool) -> ModuleType:
    """Return LSL, kept to this machine's loopback as far as its configuration goes, or open to the ``network``.

    The choice holds for the process: LSL reads its configuration once. Raises InputError where pylsl is not installed or too old.
    """
    try:
        import pylsl
    except (ImportError, RuntimeError) as error:  # RuntimeError: without its library
        what = f"Lab Streaming Layer cannot be used ({error})"
        raise InputError(Problem("error", what, remedy="Install it: pip install 'profundus[lsl]'")) from error
    if not hasattr(pylsl, "set_config_content"):
        what = f"pylsl {getattr(pylsl, '__version__', '')} cannot be kept to this machine"
        raise InputError(Problem("error", what, expected="pylsl 1.18 or newer"))
    library: ModuleType = pylsl
    library.set_config_content(NETWORK if network else LOOPBACK)
    return library


@contextmanager
def fenced(*, network: bool) -> Iterator[None]:
    """Tie every socket that is opened meanwhile to the loopback device, unless the ``network`` was asked for.

    LSL binds its data port to all addresses, whatever its configuration says; Linux lets a process tie a socket to a device
    (SO_BINDTODEVICE), after which nothing from another machine reaches it. Where it may not, nothing is sent: see `refuse_open_outlet`.
    """
    before = set() if network or not _can_fence() else set(_sockets())
    yield
    if network or not _can_fence():
        return
    for descriptor in set(_sockets()) - before:
        with socket.socket(fileno=os.dup(descriptor)) as one:
            if one.family in (socket.AF_INET, socket.AF_INET6):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")


def refuse_open_outlet(*, network: bool) -> None:
    """Raise InputError where a stream would be sent to the network without having been asked to."""
    if not network and not _can_fence():
        remedy = "Keep the answers in a file (--record), read them from stdout (--frames), or allow it with --network"
        raise InputError(Problem("error", NEVER_LEAVES, remedy=remedy))


@cache
def _can_fence() -> bool:
    """Return whether this process may tie a socket to a device: Linux, from 5.7 on without privileges."""
    if sys.platform != "linux":
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        except OSError:
            return False
    return True


def _sockets() -> dict[int, str]:
    """Return this process' sockets, by descriptor."""
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:  # the descriptor that lists the folder
            continue
        if target.startswith("socket:"):
            found[int(entry.name)] = target
    return found


class Network:
    """The streams that LSL finds, each with what it says of itself."""

    def __init__(self, *, network: bool, wait_s: float) -> None:
        self._lsl, self._network = lsl(network=network), network
        with fenced(network=network):
            infos = self._lsl.resolve_streams(wait_time=wait_s)
            self._inlets = [
                (info, self._lsl.StreamInlet(info, max_buflen=BUFFER_S, processing_flags=0)) for info in infos
            ]
            self.devices = tuple(self._device(*pair) for pair in self._inlets)

    def inlet(self, device: Device) -> Inlet:
        """Return an open inlet to a device."""
        with fenced(network=self._network):
            return Inlet(self._lsl, self._inlets[self.devices.index(device)][0], device)

    def _device(self, info: Any, inlet: Any) -> Device:
        """Return what a stream says of itself; one that does not answer in time has no labels."""
        try:
            full = inlet.info(timeout=OPEN_S)
        except self._lsl.util.TimeoutError:
            full = info
        labels, units = [], []
        channel = full.desc().child("channels").child("channel")
        while not channel.empty():
            labels.append(channel.child_value("label"))
            units.append(channel.child_value("unit"))
            channel = channel.next_sibling("channel")
        numeric = info.channel_format() != self._lsl.cf_string
        return Device(info.name(), info.type(), tuple(labels), tuple(units), info.nominal_srate(), numeric)


class Inlet:
    """Samples of one device on this machine's LSL clock: clocks are compared, jitter is smoothed, order is kept by LSL.

    A device that goes away is silent, and heard again when it is back: LSL finds it by its source id.
    """

    def __init__(self, library: ModuleType, info: Any, device: Device) -> None:
        self.device, self._lsl = device, library
        self._inlet = library.StreamInlet(info, max_buflen=BUFFER_S, recover=True, processing_flags=library.proc_ALL)
        try:
            self._inlet.time_correction(timeout=OPEN_S)  # first: it takes half a second, in which samples would heap up
            self._inlet.open_stream(timeout=OPEN_S)
        except library.util.TimeoutError as error:
            what = f"the stream '{device.name}' does not answer"
            raise InputError(Problem("error", what, remedy="Start the device's program again")) from error

    def pull(self, *, wait: bool = False) -> tuple[Floats, Floats]:
        """Return the times [s] (sample,) and values (sample, channel) that have come; with ``wait`` up to 20 ms for the first.

        Raises InputError where a device that has no source id has gone: LSL would not know it again.
        """
        try:
            first, stamp = self._inlet.pull_sample(timeout=WAIT_S) if wait else (None, None)
            rows, stamps = self._inlet.pull_chunk(timeout=0.0, max_samples=4096)
        except self._lsl.util.LostError as error:
            what = f"the stream '{self.device.name}' has ended, and has no source id by which it could be found again"
            raise InputError(Problem("error", what)) from error
        if first is not None:
            rows, stamps = [first, *rows], [stamp, *stamps]
        if not rows:
            return np.empty(0), np.empty((0, len(self.device.labels)))
        return np.asarray(stamps, dtype=float), np.asarray(rows, dtype=float)

    def close(self) -> None:
        """Stop receiving."""
        self._inlet.close_stream()


class Outlet:
    """Sends answers: excitation, lower and upper of every muscle, and how many channels are lost."""

    def __init__(self, name: str, student: Student, *, network: bool = False) -> None:
        refuse_open_outlet(network=network)
        library = lsl(network=network)
        self.labels = outlet_labels(student.muscles)
        rate = 1.0 / student.step
        source = f"profundus-{student.subject}-{name}"
        info = library.StreamInfo(name, "Excitation", len(self.labels), rate, library.cf_double64, source)
        _described(info.desc(), student, self.labels)
        with fenced(network=network):
            self._outlet = library.StreamOutlet(info)

    def __call__(self, answer: Answer) -> None:
        """Send one answer with its own time."""
        self._outlet.push_sample(outlet_values(answer).tolist(), answer.time)


def outlet_labels(muscles: Sequence[str]) -> tuple[str, ...]:
    """Return the channels of an outlet."""
    return (*muscles, *(f"{m}_lower" for m in muscles), *(f"{m}_upper" for m in muscles), "lost_channels")


def outlet_values(answer: Answer) -> Floats:
    """Return an answer as an outlet's channels (channel,)."""
    lost = sum(flag.startswith("lost:") for flag in answer.flags)
    return np.concatenate([answer.excitation, answer.lower, answer.upper, [float(lost)]])


def _described(desc: Any, student: Student, labels: Sequence[str]) -> None:
    channels = desc.append_child("channels")
    for label in labels:
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", "count" if label == "lost_channels" else "fraction")
        channel.append_child_value("type", "Excitation")
    facts = {
        "manufacturer": "profundus",
        "subject": student.subject,
        "method": f"{student.method}_causal",
        "band": "90 %",
        "with_electrode": " ".join(student.measured),
        "use": "research only",
    }
    for key, value in facts.items():
        desc.append_child_value(key, value)
