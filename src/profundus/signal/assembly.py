"""Recordings become trials: envelopes, motion and moments of a person on one uniform clock."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.records import EmgScale, Exclusion, Recording, Study, Subject, Table, Trial
from profundus.signal.clocks import anti_alias, resampled, sampled
from profundus.signal.envelopes import Envelope, envelope
from profundus.signal.kinematics import Motion, motion
from profundus.signal.moments import moments_on, with_moment_sd
from profundus.signal.normalization import emg_scale
from profundus.signal.window import trial_clock, trusted

Floats = NDArray[np.float64]


def assemble_trials(
    study: Study, subject: Subject, muscles: tuple[str, ...], *, scale: EmgScale | None = None
) -> tuple[Trial, ...]:
    """Return a person's recordings as trials on one clock, for ``muscles`` in the model's order (deep ones have NaN as EMG).

    ``scale`` holds the normalization constants of an earlier assembly; None finds them with :func:`emg_scale`. Raises InputError with the
    problems of all trials at once.
    """
    scale = emg_scale(study, subject) if scale is None else scale
    trials: list[Trial] = []
    problems: list[Problem] = []
    for recording in subject.recordings:
        try:
            trials.append(assemble_trial(study, recording, muscles, scale=scale))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    if trials and scale.problems:  # what was wrong with the maximal contractions is said once, with the first trial
        trials[0] = replace(trials[0], problems=(*scale.problems, *trials[0].problems))
    return with_moment_sd(study, trials)


def assemble_trial(study: Study, recording: Recording, muscles: tuple[str, ...], *, scale: EmgScale) -> Trial:
    """Return one recording as a trial, its envelopes divided by ``scale``: for a new recording, the constants of the fit.

    The clock holds the multiples of ``1 / study.rate_hz`` within the window asked for, the motion and the EMG. All filters run over the
    whole recording first. EMG and truth are shifted by the EMG system's latency. Nothing is extrapolated or clipped; what was done stands
    in ``processing``, in plain values.
    """
    _refuse_mismatch(study, recording, muscles, scale)
    moved = motion(study, recording)
    found = envelope(recording.emg.select({m: m for m in study.measured}), study.emg, what=f"{recording.name}: EMG")
    late = study.emg.sync_offset_ms / 1000
    time, shorter = trial_clock(study, recording, moved.span, found.table.time - late)
    measured, guard = _normalized(found, time, late, study, scale)
    emg = _placed(measured, study.measured, muscles)
    angle, velocity, acceleration = moved.on(time)
    moment, moment_processing, moment_problems = moments_on(study, recording, time)
    emg_trusted, moment_trusted = trusted(recording, time, muscles)
    return Trial(
        subject=scale.subject,
        name=recording.name,
        role=recording.role,
        muscles=muscles,
        coordinates=study.moved,
        time=time,
        angle=angle,
        velocity=velocity,
        acceleration=acceleration,
        emg=emg,
        emg_valid=np.isfinite(emg) & emg_trusted,
        moment=moment,
        moment_valid=np.isfinite(moment) & moment_trusted[:, None],
        truth=np.where(emg_trusted, _truth(recording, time, late, muscles), np.nan),
        load_kg=recording.load_kg,
        motion=recording.motion,
        wire=_wire(recording, time, late, muscles, emg_trusted),
        problems=(
            *recording.problems,
            *_motion_problems(moved),
            *found.problems,
            *shorter,
            *moment_problems,
            *_above_one(recording.name, measured, study, scale),
        ),
        processing={
            **_clock_processing(study, recording, time),
            **_emg_processing(study, found, guard, scale),
            "kinematics": moved.angles.processing,
            "velocities": moved.velocities.processing if moved.velocities else "derivatives of the angles",
            "moments": moment_processing,
            "truth": "as recorded, shifted by the latency of the EMG" if recording.truth else "none",
        },
    )


def _refuse_mismatch(study: Study, recording: Recording, muscles: tuple[str, ...], scale: EmgScale) -> None:
    name = recording.name
    problems = [
        Problem("error", f"{name}: no EMG of {m}", recording.emg.source, expected=", ".join(recording.emg.labels[:40]))
        for m in study.measured
        if m not in recording.emg
    ]
    problems += [
        Problem("error", f"{name}: the model has no muscle {m}", expected="one of " + ", ".join(muscles))
        for m in study.measured
        if m not in muscles
    ]
    if scale.normalization != study.emg.normalization or any(m not in scale.maximum for m in study.measured):
        problems.append(
            Problem(
                "error",
                f"{name}: the scale of the EMG was found with '{scale.normalization}' for {', '.join(scale.maximum)}",
                expected=f"'{study.emg.normalization}' for {', '.join(study.measured)}",
                remedy="Use the scale that was found with the same settings",
            )
        )
    if problems:
        raise InputError(problems)


def _normalized(
    found: Envelope, time: Floats, late: float, study: Study, scale: EmgScale
) -> tuple[Floats, dict[str, object] | None]:
    """Return the measured envelopes (time, measured) as fractions of maximum, and the anti-alias filter that was used."""
    guard = anti_alias(found.rate_hz, study.rate_hz, already_hz=found.cutoff_hz, what="EMG envelope")
    values = resampled(found.table, time + late, guard=guard, how="pchip")
    maximum = np.array([scale.maximum[muscle] for muscle in study.measured])
    return values / maximum, guard.described() if guard else None


def _placed(values: Floats, labels: tuple[str, ...], muscles: tuple[str, ...]) -> Floats:
    out = np.full((len(values), len(muscles)), np.nan)
    out[:, [muscles.index(label) for label in labels]] = values
    return out


def _truth(recording: Recording, time: Floats, late: float, muscles: tuple[str, ...]) -> Floats:
    if recording.truth is None:
        return np.full((len(time), len(muscles)), np.nan)
    return _sampled(recording.truth, time, late, muscles)


def _wire(
    recording: Recording, time: Floats, late: float, muscles: tuple[str, ...], trusted: NDArray[np.bool_]
) -> Floats | None:
    if recording.wire is None:
        return None
    return np.where(trusted, _sampled(recording.wire, time, late, muscles), np.nan)


def _sampled(table: Table, time: Floats, late: float, muscles: tuple[str, ...]) -> Floats:
    """Return the columns of a table that are named after muscles (time, muscle), NaN for all others."""
    there = tuple(m for m in muscles if m in table)
    values = sampled(table.time, table.select({m: m for m in there}).values, time + late, how="pchip")
    return _placed(values, there, muscles)


def _motion_problems(moved: Motion) -> tuple[Problem, ...]:
    return moved.angles.problems + (moved.velocities.problems if moved.velocities else ())


def _above_one(trial: str, measured: Floats, study: Study, scale: EmgScale) -> tuple[Problem, ...]:
    if scale.normalization == "none":
        return ()
    problems = []
    for column, muscle in zip(measured.T, study.measured, strict=True):
        share = float(np.mean(column > 1))  # NaN is not above
        if share:
            said = f"the envelope is above 1 in {100 * share:.1f} % of the samples, up to {np.nanmax(column):.2f}"
            said = f"{scale.subject}: {trial}: {muscle}: {said}"
            remedy = "The maximal contraction may not have been maximal; the values are kept"
            problems.append(Problem("warning", said, expected="a fraction of the maximum", remedy=remedy))
    return tuple(problems)


def _clock_processing(study: Study, recording: Recording, time: Floats) -> dict[str, object]:
    return {
        "rate_hz": study.rate_hz,
        "samples": len(time),
        "range": [float(time[0]), float(time[-1])],
        "window_asked": list(recording.time) if recording.time is not None else "all",
        "interpolation": {"angles": "cubic", "moments": "cubic", "emg": "pchip", "truth": "pchip"},
        "exclusions": [_plain(e) for e in recording.exclusions],
    }


def _plain(exclusion: Exclusion) -> dict[str, object]:
    """Return an exclusion in plain values; muscles only where some are named."""
    named = {"time": list(exclusion.time), "muscles": list(exclusion.muscles)}
    return {key: value for key, value in (asdict(exclusion) | named).items() if value or key != "muscles"}


def _emg_processing(
    study: Study, found: Envelope, guard: dict[str, object] | None, scale: EmgScale
) -> dict[str, object]:
    return {
        "emg_kind": study.emg.kind,
        "emg_channels": dict(study.emg.channels),
        "emg_rate_hz": found.rate_hz,
        "emg_filters": [*found.filters, *([guard] if guard else [])],
        "emg_gaps": [list(gap) for gap in found.gaps],
        "emg_sync_offset_ms": study.emg.sync_offset_ms,
        "emg_normalization": scale.normalization,
        "emg_maximum": dict(scale.maximum),
        "emg_maximum_source": dict(scale.source),
    }
