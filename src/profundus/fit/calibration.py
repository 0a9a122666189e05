"""What a wire recording, a maximal contraction or a known ratio says of a deep muscle's level, and what doubt that leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from profundus.model.deep_posterior import DeepPosterior
from profundus.model.windows import USUAL_SCALE_SD
from profundus.records import CalibratedRow, Calibration, LossSettings, Observation, Trial

Floats = NDArray[np.float64]
DOMINANT, DOMINANT_SD = (
    0.95,
    0.08,
)  # excitation of a muscle that dominates a maximal contraction, in its best half second
BEST_S = 0.5
BEYOND = 0.5  # of a log: what an answer is wrong by, for each e-fold that it goes beyond what the person's other trials showed
USUALLY = 0.95  # of samples
LEAST = 1e-4  # fraction of maximum
APART = 3.0  # standard deviations from which two statements contradict each other


class Levels(NamedTuple):
    """The log factor from answer to excitation of every muscle: normal around ``shift`` with ``sd``, both (muscle,)."""

    shift: Floats
    sd: Floats


@dataclass(frozen=True)
class Answered:
    """A person's trials to fit as shown to the learned prior, and its answer to each.

    ``measured`` (muscle,): who has an electrode. ``scale_sd`` is the doubt about the scale of envelopes (sd of a log), ``memory`` (muscle,)
    [s] the lag at which the error of an answer's course has forgotten itself to 1/e, ``loss`` says how noisy envelopes are, ``aside`` names
    maximal contractions, which are asked about but tell the prior nothing of the person.
    """

    trials: tuple[Trial, ...]
    answers: tuple[DeepPosterior, ...]
    measured: NDArray[np.bool_]
    scale_sd: float
    memory: Floats
    loss: LossSettings
    aside: tuple[str, ...] = ()

    @property
    def usual(self) -> tuple[int, ...]:
        """Return the indices of the trials that are not set aside."""
        return tuple(n for n, trial in enumerate(self.trials) if trial.name not in self.aside)

    @property
    def level_sd(self) -> Floats:
        """Return the prior sd (muscle,) of the log level: it is the person's, nearly the same whichever trial is asked about."""
        return np.asarray(np.mean([self.answers[n].level_sd for n in self.usual], axis=0))

    def mean_noise(self, muscle: int, weights: Mapping[int, Floats]) -> float:
        """Return the sd of the weighted mean, over samples of trials, of the error of a muscle's course."""
        each = (
            mean_noise(weight, self.answers[n].course_sd[:, muscle], self.memory[muscle], step=self.trials[n].step)
            for n, weight in weights.items()
        )
        return float(np.sqrt(sum(sd**2 for sd in each)))


def conditioned(level_sd: Floats, correlation: Floats, heard: Sequence[tuple[int, float, float]]) -> Levels:
    """Return what is known of levels (muscle,) after observations (muscle's index, level, sd), each with an error of its own.

    Gaussian conditioning of level ~ N(0, P), P = ``level_sd`` x ``correlation`` x ``level_sd``, on y = H level + noise: with
    S = H P H' + R, shift = P H' S^-1 y and variance = diag(P - P H' S^-1 H P) (Rasmussen and Williams 2006, eq. A.6).
    """
    prior = np.outer(level_sd, level_sd) * correlation
    if not heard:
        return Levels(np.zeros(len(level_sd)), np.asarray(level_sd, dtype=float))
    index, level, sd = (np.array(column) for column in zip(*heard, strict=True))
    across = prior[:, index]
    gain = np.linalg.solve(across[index] + np.diag(sd**2), across.T).T
    left = np.diag(prior) - np.sum(gain * across, axis=1)
    return Levels(gain @ level, np.sqrt(np.maximum(left, 0.0)))


def mean_noise(weight: Floats, sd: Floats, memory: float, *, step: float) -> float:
    """Return the sd of sum(weight x error) of an error (time,) with ``sd`` (time,) and the autocorrelation exp(-lag / memory)."""
    share = weight * sd
    kept = np.exp(-step / max(memory, 1e-9))
    until_now = lfilter([1.0], [1.0, -kept], share)
    return float(np.sqrt(max(np.sum(share * (2.0 * until_now - share)), 0.0)))


def calibrated(
    calibrations: Sequence[Calibration], person: Answered, correlation: Floats, *, subject: str
) -> tuple[CalibratedRow, ...]:
    """Return how calibrations move the muscles that they name, all muscles at once; ``correlation`` (muscle, muscle) is that of levels.

    What cannot be heard in these trials (a trial that is not fitted to, a muscle that is not measured there) is left out, with the reason.
    """
    muscles = person.trials[0].muscles
    own = [
        one for one in calibrations if one.subject in ("", subject) and not person.measured[muscles.index(one.muscle)]
    ]
    heard = [(one, _heard(one, person)) for one in own]
    said = [observation for _, observation in heard if isinstance(observation, Observation)]
    levels = conditioned(person.level_sd, correlation, [(muscles.index(one.muscle), one.level, one.sd) for one in said])
    return tuple(
        CalibratedRow(
            name,
            float(person.level_sd[muscles.index(name)]),
            float(levels.shift[muscles.index(name)]),
            float(levels.sd[muscles.index(name)]),
            tuple(one for one in said if one.muscle == name),
            tuple(why for one, why in heard if one.muscle == name and isinstance(why, str)),
        )
        for name in dict.fromkeys(one.muscle for one in own)
    )


def contradictions(row: CalibratedRow) -> tuple[str, ...]:
    """Return which two statements about a muscle are more than 3 sd apart, in words; the learned prior is one of them."""
    voices = [Observation(row.muscle, "the learned prior", 0.0, row.prior_sd), *row.observations]
    found = []
    for n, one in enumerate(voices):
        for other in voices[:n]:
            apart = abs(one.level - other.level) / max(float(np.hypot(one.sd, other.sd)), 1e-9)
            if apart > APART:
                factors = f"x {np.exp(one.level):.2f}, {other.source} x {np.exp(other.level):.2f}"
                found.append(f"{one.source} says {factors} of the answer: {apart:.1f} sd apart")
    return tuple(found)


def wire_noise(person: Answered, trial: int, muscle: int, known: NDArray[np.bool_] | None = None) -> float:
    """Return how far the level that a wire in a trial tells is off (sd of a log): course, envelope and maximum of the wire.

    ``known`` (time,) are the samples in which the wire recorded; default: all.
    """
    there = np.ones(len(person.trials[trial].time), dtype=bool) if known is None else known
    answer, loss = np.exp(person.answers[trial].middle[:, muscle]), person.loss
    weight = np.where(there, answer, 0.0) ** 2 / np.sum(answer[there] ** 2)
    envelope = np.hypot(loss.emg_relative_sd, loss.emg_sd / np.maximum(answer, LEAST))
    noise = mean_noise(weight, envelope, 0.5 * loss.emg_correlation_s, step=person.trials[trial].step)
    course = person.mean_noise(muscle, {trial: weight})
    return float(np.sqrt(course**2 + noise**2 + USUAL_SCALE_SD**2))


def dominant_noise(person: Answered, muscle: int, course: float) -> float:
    """Return how far the level that a maximal contraction tells is off; ``course`` is the sd of the course over its half second.

    The prior learned from work, not from maxima: its answer is the more doubtful the higher a maximum lies above what it usually answers.
    """
    usual = np.concatenate([np.exp(person.answers[n].middle[:, muscle]) for n in person.usual])
    beyond = BEYOND * max(float(np.log(DOMINANT / np.quantile(usual, USUALLY))), 0.0)
    return float(np.sqrt((DOMINANT_SD / DOMINANT) ** 2 + course**2 + beyond**2))


def _heard(one: Calibration, person: Answered) -> Observation | str:
    """Return what a calibration says, or why it cannot be heard."""
    names = [trial.name for trial in person.trials]
    muscle = person.trials[0].muscles.index(one.muscle)
    if one.kind == "ratio":
        return _of_ratio(one, person, muscle)
    if one.trial not in names:
        return f"{one.trial} is not among the trials to fit"
    of_trial = _of_wire if one.kind == "trial" else _of_dominant
    return of_trial(one, person, muscle, names.index(one.trial))


def _of_wire(one: Calibration, person: Answered, muscle: int, place: int) -> Observation | str:
    """Return what a wire says: the factor of least squares from the answer to its envelope, as the prior's level is defined."""
    recorded = person.trials[place].wire
    wire = np.full(len(person.trials[place].time), np.nan) if recorded is None else recorded[:, muscle]
    known = np.isfinite(wire)
    if not np.any(wire[known] > 0):
        return f"{one.trial} holds no envelope of {one.muscle}"
    answer = np.exp(person.answers[place].middle[known, muscle])
    factor = np.sum(wire[known] * answer) / np.sum(answer**2)
    return Observation(one.muscle, one.source, float(np.log(factor)), wire_noise(person, place, muscle, known))


def _of_dominant(one: Calibration, person: Answered, muscle: int, place: int) -> Observation:
    """Return what a maximal contraction says, from the half second in which the moment, or else the answer, is largest."""
    trial, answer = person.trials[place], np.exp(person.answers[place].middle[:, muscle])
    rows = min(max(round(BEST_S / trial.step), 1), len(answer))
    effort = np.abs(np.where(trial.moment_valid, trial.moment, 0.0)).max(axis=1)
    first = int(np.argmax(np.convolve(effort if np.any(effort > 0) else answer, np.ones(rows), mode="valid")))
    best = np.zeros(len(answer))
    best[first : first + rows] = answer[first : first + rows]
    level = float(np.log(DOMINANT * rows / best.sum()))
    course = person.mean_noise(muscle, {place: best / best.sum()})
    return Observation(one.muscle, one.source, level, dominant_noise(person, muscle, course))


def _of_ratio(one: Calibration, person: Answered, muscle: int) -> Observation | str:
    """Return what a ratio to a measured muscle says, over all trials to fit in which that muscle is seen."""
    to = person.trials[0].muscles.index(one.to)
    valid = {n: person.trials[n].emg_valid[:, to] for n in person.usual}
    seen = {n: there for n, there in valid.items() if np.any(there)}
    if not seen:
        return f"{one.to} has no envelope in the trials to fit"
    measured = sum(float(np.sum(person.trials[n].emg[there, to])) for n, there in seen.items())
    answers = {n: np.where(there, np.exp(person.answers[n].middle[:, muscle]), 0.0) for n, there in seen.items()}
    total = sum(float(np.sum(answer)) for answer in answers.values())
    course = person.mean_noise(muscle, {n: answer / total for n, answer in answers.items()})
    sd = float(np.sqrt((one.sd / one.ratio) ** 2 + person.scale_sd**2 + course**2))
    return Observation(one.muscle, one.source, float(np.log(one.ratio * measured / total)), sd)
