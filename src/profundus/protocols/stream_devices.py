"""Which streams of a laboratory are meant, and whether they fit the person's study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from profundus.errors import InputError, Problem
from profundus.protocols.streamed_person import StreamedPerson
from profundus.stream.devices import Device, Wiring, chosen_device, emg_wiring, motion_wiring

EMG_KINDS, MOTION_KINDS = ("EMG",), ("MoCap", "Kinematics", "Angles")
WAIT_S = 2.0


@dataclass(frozen=True)
class Wanted:
    """Which streams are meant, by name (else the only one of its type), and for how long; ``network`` looks beyond this machine, and sends
    there, too. ``wait_s`` is for how long they are looked for (None: 2 s)."""

    emg: str | None = None
    angles: str | None = None
    load_kg: float = float("nan")
    network: bool = False
    wait_s: float | None = None
    seconds: float = float("inf")

    @property
    def patience_s(self) -> float:
        """Return for how long streams are looked for [s]."""
        return WAIT_S if self.wait_s is None else self.wait_s


@dataclass(frozen=True)
class Found:
    """Both devices with their wiring: ``electrodes`` and ``joints``."""

    electrodes: tuple[Device, Wiring]
    joints: tuple[Device, Wiring]

    @property
    def unused(self) -> tuple[str, ...]:
        """Return the channels that nobody asked for."""
        wired = self.electrodes, self.joints
        return tuple(
            label for device, wiring in wired for at, label in enumerate(device.labels) if at not in wiring.columns
        )


def found_devices(devices: Sequence[Device], person: StreamedPerson, wanted: Wanted) -> Found:
    """Return which of the devices are meant. Raises InputError with the problems of both."""
    student = person.student
    where = "in the network" if wanted.network else "on this machine"
    problems: list[Problem] = []
    found: list[tuple[Device, Wiring]] = []
    for name, kinds, what in ((wanted.emg, EMG_KINDS, "EMG"), (wanted.angles, MOTION_KINDS, "angles")):
        try:
            device = chosen_device(devices, name=name, kinds=kinds, what=what, where=where)
            wired = (
                emg_wiring(device, student.measured, person.emg, fractions=person.fractions)
                if what == "EMG"
                else motion_wiring(device, student.coordinates)
            )
            found.append((device, wired))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return Found(*found)
