"""A measured muscle plays a deep one: its envelope leaves the inputs and becomes the truth to be found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.records import Reconstruction, Trial, TrialReconstruction

Floats = NDArray[np.float64]
TO_THE_EDGE = (
    1.6448536269514722  # standard deviations from the middle of a normal distribution to the edge of its 90 % band
)


def hidden(trials: Sequence[Trial], muscle: str) -> tuple[Trial, ...]:
    """Return a person's trials as if ``muscle`` had no electrode; its envelope, where it was valid, is the truth.

    All other truths are taken out, so that a hidden run scores what was hidden and nothing else; the muscle's own noise-free excitation,
    where a simulation knows it, gives way to its envelope, too: people and virtual subjects are held against the same thing. Muscles that
    share the electrode (the same envelope in every trial) lose it with it and the trials say so. Motion, moments and all other envelopes
    stay as they are. Raises InputError where the muscle has no electrode or no other is left, and for trials of several people.
    """
    gone = _on_its_electrode(trials, muscle)
    return tuple(_without(trial, muscle, gone) for trial in trials)


def noise_of_envelope(excitation: Floats, *, emg_sd: float, emg_relative_sd: float) -> Floats:
    """Return the standard deviation of a measured envelope around an excitation: constant and growing part in quadrature."""
    return np.hypot(emg_sd, emg_relative_sd * excitation)


def with_envelope_noise(rec: Reconstruction, muscle: str, *, emg_sd: float, emg_relative_sd: float) -> Reconstruction:
    """Return the answer with one muscle's band made wide enough for its *measured* envelope.

    A band is for the noise-free excitation; the envelope that it is scored against scatters around that. Each half of the band grows in
    quadrature with 1.645 standard deviations of the envelope at the mean (both taken as normal, on the plain scale, since the noise adds to
    the envelope) and ends at zero, below which no envelope is. Where there is no band there is none afterwards; means and draws stay.
    Raises InputError where an answer does not have the muscle, and for a noise that is negative or not finite.
    """
    wrong = [
        Problem("error", f"{part.trial.name}: there is no muscle '{muscle}'", expected=", ".join(part.trial.muscles))
        for part in rec.trials
        if muscle not in part.trial.muscles
    ]
    wrong += [
        Problem("error", f"{name} is {value:g}", expected="zero or more")
        for name, value in (("emg_sd", emg_sd), ("emg_relative_sd", emg_relative_sd))
        if not 0.0 <= value < np.inf
    ]
    if wrong:
        raise InputError(wrong)
    parts = (_widened(part, part.trial.muscles.index(muscle), emg_sd, emg_relative_sd) for part in rec.trials)
    return replace(rec, trials=tuple(parts))


def _on_its_electrode(trials: Sequence[Trial], muscle: str) -> tuple[str, ...]:
    """Return the muscles that lose their electrode with this one, itself included, or refuse."""
    if len({(trial.subject, trial.muscles) for trial in trials}) != 1:
        raise InputError(Problem("error", "hiding a muscle needs trials of one person with the same muscles"))
    muscles, who = trials[0].muscles, trials[0].subject
    measured = [name for i, name in enumerate(muscles) if any(trial.measured[i] for trial in trials)]
    if muscle not in measured:
        what = f"{who}: {muscle} is not measured: it cannot be hidden"
        raise InputError(Problem("error", what, expected="one of " + (", ".join(measured) or "no muscle")))
    gone = tuple(
        name for name in measured if name == muscle or _same_signal(trials, muscles.index(muscle), muscles.index(name))
    )
    if len(gone) == len(measured):
        what = f"{who}: {muscle} is the only electrode: without it nothing is left to reconstruct it from"
        raise InputError(Problem("error", what, remedy="Hide a muscle of a person with two electrodes or more"))
    return gone


def _same_signal(trials: Sequence[Trial], one: int, other: int) -> bool:
    """Return whether two muscles have the same envelope, and the same gaps, in every trial."""
    known = [np.where(trial.emg_valid, trial.emg, np.nan) for trial in trials]
    return all(np.array_equal(emg[:, one], emg[:, other], equal_nan=True) for emg in known)


def _without(trial: Trial, muscle: str, gone: tuple[str, ...]) -> Trial:
    at, places = trial.muscles.index(muscle), [trial.muscles.index(name) for name in gone]
    emg, valid, truth = trial.emg.copy(), trial.emg_valid.copy(), np.full_like(trial.truth, np.nan)
    truth[:, at] = np.where(valid[:, at], emg[:, at], np.nan)
    emg[:, places], valid[:, places] = np.nan, False
    others = [name for name in gone if name != muscle]
    what = f"{trial.name}: {', '.join(others)} on the same electrode as {muscle}: hidden with it"
    said = (Problem("note", what),) if others else ()
    return replace(
        trial,
        emg=emg,
        emg_valid=valid,
        truth=truth,
        problems=(*trial.problems, *said),
        processing={**trial.processing, "hidden": list(gone), "truth": f"the measured envelope of {muscle}"},
    )


def _widened(part: TrialReconstruction, at: int, emg_sd: float, emg_relative_sd: float) -> TrialReconstruction:
    lower, upper, mean = part.lower.copy(), part.upper.copy(), part.excitation[:, at]
    noise = TO_THE_EDGE * noise_of_envelope(mean, emg_sd=emg_sd, emg_relative_sd=emg_relative_sd)
    given = upper[:, at] > lower[:, at]
    below, above = np.maximum(mean - lower[:, at], 0.0), np.maximum(upper[:, at] - mean, 0.0)
    lower[:, at] = np.where(given, np.maximum(mean - np.hypot(below, noise), 0.0), lower[:, at])
    upper[:, at] = np.where(given, mean + np.hypot(above, noise), upper[:, at])
    return replace(part, lower=lower, upper=upper)
