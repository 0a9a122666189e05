"""Frames that a program hands over one by one: their shapes, numbers and pace are looked at before a muscle is answered for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from profundus.errors import InputError, Problem
from profundus.stream.live import Frame
from profundus.stream.student import Student

Floats = NDArray[np.float64]
PACED = 20  # intervals by whose median the pace is told
OFF_PACE = 0.2  # share of the run's step by which that may differ


def handed(frames: Iterable[tuple[float, ArrayLike, ArrayLike]], student: Student, maximum: Floats) -> Iterator[Frame]:
    """Yield frames of time [s], envelopes (in the unit of ``maximum``, (measured,)) and angles [rad] as a student takes them.

    Raises InputError for a frame that has not one number a channel, and where the first 20 intervals say that frames do not come at the
    rate of the run: memories would be too long or too short.
    """
    last, steps = float("nan"), list[float]()
    for time, emg, angle in frames:
        frame = Frame(
            float(_numbers("time", time, ("one number",))[0]),
            _numbers("envelopes", emg, student.measured) / maximum,
            _numbers("angles", angle, student.coordinates),
        )
        if len(steps) < PACED and frame.time - last > 0:
            steps.append(frame.time - last)
            if len(steps) == PACED:
                _paced(float(np.median(steps)), student.step)
        last = frame.time
        yield frame


def load_of(load_kg: object) -> float:
    """Return a load [kg] as `LiveSubject` takes it: NaN for None. Raises InputError for what is no number."""
    if load_kg is None:
        return float("nan")
    if not isinstance(load_kg, Real):
        raise InputError(Problem("error", f"load_kg is {load_kg!r}", expected="a number of kg, or None"))
    return float(load_kg)


def _numbers(what: str, values: ArrayLike, channels: tuple[str, ...]) -> Floats:
    """Return one number a channel."""
    expected = ", ".join(channels)
    try:
        found = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise InputError(
            Problem("error", f"what a frame has as {what} is no number ({error})", expected=expected)
        ) from error
    if found.shape != (len(channels),):
        told = f"{len(found)} {what}" if found.ndim == 1 else f"{what} of shape {found.shape}"
        raise InputError(Problem("error", f"a frame has {told}", expected=f"one each of {expected}"))
    return found


def _paced(step: float, own: float) -> None:
    """Raise InputError where frames come ``step`` [s] apart and the run's are not so."""
    if abs(step / own - 1.0) > OFF_PACE:
        what, expected = f"frames come at {1 / step:g} Hz", f"{1 / own:g} Hz, the rate of the run"
        raise InputError(Problem("error", what, expected=expected, remedy="Put them on that clock first"))
