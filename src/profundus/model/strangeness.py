"""Marks of strangeness: numbers of one person's windows of which only extremes are suspicious, each made for one kind of wrong input."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.model.balance import EFFORTS, FEW_SAMPLES, Balance, later, shifted
from profundus.model.clocks import SLOW
from profundus.model.habits import habit_names, habits
from profundus.model.windows import USUAL_SCALE_SD, Windows

Floats = NDArray[np.float64]
LIMB = ("load_limb", "load_per_kg", "load_trial")
DIRECT = ("moment_sign", "delay", "electrode_swap", "strength", *LIMB, "envelope_noise")
WINDOWS, ELECTRODE, LEAD = "windows", "electrode", "lead"
UNSURE_SCALE_SD = 3.0 * USUAL_SCALE_SD  # without maximal contractions nobody knows levels
MARKS_VERSION = 2  # of what the numbers mean: a reference of other marks tells nothing
LEAST_LOADS_KG = 0.5  # between the lightest and the heaviest, for a moment per kg


def marks(windows: Windows, seen: NDArray[np.bool_], groups: tuple[str, ...]) -> dict[str, float]:
    """Return the marks of one person's windows; ``seen`` (window, muscle) tells which muscles have an electrode where.

    ``moment_sign``: cosine between the moment and what generic muscles with these envelopes make. ``delay``: log of how much better the
    moment would be explained were envelopes earlier or later than people's are; ``lead`` [s], which nothing judges: by how much they lead
    it. ``electrode_swap``: log of how much better the moment would be explained were two electrodes, or the two sides of the joint,
    exchanged. ``strength``: log of the common gain. ``load_limb`` and ``load_per_kg`` [N.m, N.m/kg]: moment per sin(angle) without load
    and per stated kg; ``load_trial`` [kg]: by how much the load of the worst trial is off what its moment shows. ``envelope_noise``: log of
    the size of the third differences of log envelopes. Beside them stands how the person works, `habits` and `Balance.efforts`, which mean
    something only together, which muscles have an ``electrode`` (0 or 1), and ``windows``, how many whole ones these are. What cannot be
    had is NaN: without electrode, moment, two known loads, six seconds. The order of windows changes nothing, nor does having all of them
    twice, but for ``windows``.
    """
    whole, electrodes = complete(windows, seen)
    found = dict.fromkeys((*DIRECT, *EFFORTS, LEAD), float("nan"))
    if electrodes.any():
        told = with_moments(whole)
        if np.sum(told.valid) >= FEW_SAMPLES:
            found |= _of_moments(Balance(told, electrodes, groups)) | _of_limb(told)
        found["envelope_noise"] = _roughness(whole, electrodes)
    found |= habits(whole, electrodes)
    if not _loads_differ(whole.load):
        found |= {name: float("nan") for name in found if _needs_loads(name)}
    if len(whole.scale_sd) and np.max(whole.scale_sd) > UNSURE_SCALE_SD:
        levels = ("strength", *EFFORTS, *(name for name in habit_names(len(groups)) if name.startswith("level")))
        found |= dict.fromkeys(levels, float("nan"))
    found |= {f"{ELECTRODE} {muscle}": float(there) for muscle, there in enumerate(electrodes)}
    return found | {WINDOWS: float(np.sum(whole.valid) / SLOW.samples)}


def _loads_differ(load: Floats) -> bool:
    return bool(len(load) and np.isfinite(load).all() and np.ptp(load) >= LEAST_LOADS_KG)


def _needs_loads(name: str) -> bool:
    """Return whether a mark means something else where all trials have one load, or nobody knows which."""
    return name in EFFORTS or name.split(maxsplit=1)[0] in ("level", "rest", "together")


def complete(windows: Windows, seen: NDArray[np.bool_]) -> tuple[Windows, NDArray[np.bool_]]:
    """Return those windows that have all of the electrodes (muscle,) which most windows have, and these electrodes."""
    electrodes = np.asarray(2 * np.sum(seen, axis=0) >= max(len(seen), 1), dtype=np.bool_)
    there = np.all(seen | ~electrodes, axis=1)
    return chosen(windows, there), electrodes


def with_moments(windows: Windows) -> Windows:
    """Return the windows whose moment is known."""
    return chosen(windows, np.any(np.asarray(windows.moment) != 0, axis=1))


def chosen(windows: Windows, which: NDArray[Any]) -> Windows:
    """Return some of the windows."""
    fields: tuple[Any, ...] = tuple(np.asarray(field)[which] for field in windows)
    return Windows(*fields)


def _of_moments(balance: Balance) -> dict[str, float]:
    (cosine, gain), (delay, lead) = balance.agreement, balance.delay()
    return {
        "moment_sign": cosine,
        "delay": delay,
        LEAD: lead,
        "electrode_swap": balance.exchanged()[0],
        "strength": float(np.log(gain)) if gain > 0 else float("nan"),
    } | balance.efforts()


def _of_limb(windows: Windows) -> dict[str, float]:
    """Return what the moment tells of limb and loads, whatever the muscles do.

    moment = (limb + load x per kg) x sin(angle) + (two inertias) x acceleration + constant.
    """
    load = np.asarray(windows.load, dtype=float)
    if not _loads_differ(load):
        return {}
    valid = np.asarray(windows.valid, dtype=np.bool_)
    valid = valid & shifted(valid, -1)
    angle, acceleration = (later(np.asarray(windows.motion[..., i], dtype=float))[valid] for i in (0, 2))
    kg = np.broadcast_to(load[:, None], valid.shape)[valid]
    moment, hanging = np.asarray(windows.moment, dtype=float)[valid], np.sin(angle)
    design = np.stack([hanging, kg * hanging, acceleration, kg * acceleration, np.ones_like(angle)], axis=1)
    limb, per_kg, _, inertia, _ = found = np.linalg.lstsq(design, moment, rcond=None)[0]
    left, worth = moment - design @ found, per_kg * hanging + inertia * acceleration
    trial = np.broadcast_to(np.arange(len(load))[:, None], valid.shape)[valid]
    off = [
        np.sum(worth[trial == i] * left[trial == i]) / (np.sum(worth[trial == i] ** 2) + 1.0) for i in np.unique(trial)
    ]
    return dict(zip(LIMB, (float(limb), float(per_kg), float(np.max(np.abs(off)))), strict=True))


def _roughness(windows: Windows, electrodes: NDArray[np.bool_]) -> float:
    """Return the log of the median absolute third difference of log envelopes, the mean over electrodes."""
    valid = np.asarray(windows.valid, dtype=np.bool_)
    inside = valid[:, 3:] & valid[:, :-3]
    if inside.sum() < FEW_SAMPLES:
        return float("nan")
    rough = np.abs(np.diff(np.asarray(windows.fast, dtype=float), n=3, axis=1))[inside][:, electrodes]
    return float(np.mean(np.log(np.median(rough, axis=0) + 1e-4)))
