"""What the streams of a laboratory say of themselves, held against what a fitted person needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from profundus.errors import InputError, Problem
from profundus.records import EmgSettings

ANGLES = {"rad": 1.0, "radian": 1.0, "radians": 1.0, "deg": np.pi / 180, "degree": np.pi / 180, "degrees": np.pi / 180}
VOLTS = {
    **dict.fromkeys(("V", "volt", "volts"), 1.0),
    **dict.fromkeys(("mV", "millivolt", "millivolts"), 1e-3),
    **dict.fromkeys(("uV", "µV", "μV", "microvolt", "microvolts"), 1e-6),
}
FRACTIONS = dict.fromkeys(("1", "-", "fraction", "normalized"), 1.0)
SLOWEST_HZ, MOTION_SLOWEST_HZ = 50.0, 20.0


@dataclass(frozen=True)
class Device:
    """One stream by its own words: ``labels`` and ``units`` of its channels (empty where it says nothing), ``rate_hz`` 0 if irregular."""

    name: str
    kind: str
    labels: tuple[str, ...]
    units: tuple[str, ...]
    rate_hz: float
    numeric: bool = True

    def __str__(self) -> str:
        rate = f"{self.rate_hz:g} Hz" if self.rate_hz else "irregular"
        labels = ", ".join(self.labels[:12]) or "unnamed"
        return f"'{self.name}' ({self.kind or 'no type'}, {rate}: {labels})"


@dataclass(frozen=True)
class Wiring:
    """Which channel of a device is what, and what its samples are multiplied by to be in SI units or in the study's."""

    columns: tuple[int, ...]
    factors: tuple[float, ...]


def chosen_device(
    devices: Sequence[Device], *, name: str | None, kinds: Sequence[str], what: str, where: str = "on this machine"
) -> Device:
    """Return the stream that is meant, by name or else the only one of a type. Raises InputError that lists those that there are."""
    lower = [kind.lower() for kind in kinds]
    found = [one for one in devices if (one.name == name if name is not None else one.kind.lower() in lower)]
    if len(found) == 1:
        return found[0]
    asked = f"named '{name}'" if name is not None else "of type " + " or ".join(kinds)
    aim = "" if name is None and len(kinds) == 1 and kinds[0] == what else f" for {what}"
    said = f"found {len(found) or 'no'} stream{'s' if found else ''} {asked}{aim}"
    remedy = "Start the device's program, or name its stream (--emg, --angles; --network looks beyond this machine)"
    if not devices:
        raise InputError(Problem("error", f"{said}: there are none {where}", remedy=remedy))
    there = "; ".join(str(one) for one in devices)
    raise InputError(Problem("error", said, expected=f"one of those {where}: {there}", remedy=remedy))


def emg_wiring(device: Device, muscles: Sequence[str], settings: EmgSettings, *, fractions: bool) -> Wiring:
    """Return where the measured muscles are in an EMG stream; labels are muscles, or columns as the study's files have them.

    Raw EMG becomes V. Envelopes come as ``fractions`` of maximum where the study's files hold these, else in the unit of the files, which
    may be left unsaid. Raises InputError with all that does not fit.
    """
    known = VOLTS if settings.kind == "raw" else FRACTIONS
    if settings.kind == "envelope" and not fractions:
        known = {"": 1.0, settings.unit: 1.0, **FRACTIONS}
    names: dict[str, str] = {muscle: settings.channels.get(muscle, muscle) for muscle in muscles}
    slowest = 2 * max(settings.band_pass_hz[1], settings.notch_hz or 0.0) if settings.kind == "raw" else SLOWEST_HZ
    return _wiring(device, names, known, slowest_hz=slowest, what=f"EMG ({settings.kind})")


def motion_wiring(device: Device, coordinates: Sequence[str]) -> Wiring:
    """Return where the coordinates are in a stream of angles, that come in radians or degrees. Raises InputError with all that does not
    fit."""
    return _wiring(device, {name: name for name in coordinates}, ANGLES, slowest_hz=MOTION_SLOWEST_HZ, what="angles")


def _wiring(
    device: Device, names: Mapping[str, str], units: Mapping[str, float], *, slowest_hz: float, what: str
) -> Wiring:
    problems = [*_shortcomings(device, slowest_hz, what)]
    columns, factors = [], []
    for name, alias in names.items():
        at = next((device.labels.index(one) for one in (name, alias) if one in device.labels), None)
        if at is None:
            said = f"{what}: the stream '{device.name}' has no channel '{name}'" + (
                f" or '{alias}'" if alias != name else ""
            )
            problems.append(
                Problem("error", said, expected="among " + (", ".join(device.labels[:40]) or "named channels"))
            )
            continue
        unit = device.units[at] if at < len(device.units) else ""
        if unit not in units:
            said = f"{what}: the channel '{device.labels[at]}' of '{device.name}' is in " + (
                f"'{unit}'" if unit else "no unit"
            )
            listed = ", ".join(known or "no unit" for known in units)
            problems.append(
                Problem("error", said, expected=f"one of {listed}", remedy="Set the channel's unit where it is sent")
            )
            continue
        columns.append(at)
        factors.append(units[unit])
    if problems:
        raise InputError(problems)
    return Wiring(tuple(columns), tuple(factors))


def _shortcomings(device: Device, slowest_hz: float, what: str) -> Iterator[Problem]:
    if not device.numeric:
        yield Problem("error", f"{what}: the stream '{device.name}' holds text", expected="numbers")
    if device.rate_hz <= slowest_hz:
        rate = f"at {device.rate_hz:g} Hz" if device.rate_hz else "at irregular times"
        yield Problem(
            "error", f"{what}: the stream '{device.name}' samples {rate}", expected=f"more than {slowest_hz:g} Hz"
        )
