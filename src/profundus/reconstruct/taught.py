"""A person as a learned prior knows him and trials in, excitations of all muscles with bands out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from profundus.model.anchors import motion_seed
from profundus.model.answer import Believed, believed
from profundus.model.fitted import TaughtSubject
from profundus.model.musculoskeletal import Geometry, MuscleResponse, MusculoskeletalModel, Parameters
from profundus.model.padding import padded_count
from profundus.reconstruct.strangers import refuse_strangers
from profundus.records import FitSettings, Reconstruction, Trial, TrialReconstruction

Floats = NDArray[np.float64]
NINETY_PERCENT = 1.6448536269514722
PAIRS = 10  # of draws, each with its mirror image
PADDED = 256  # samples, fewest that a program is compiled for


def reconstruct_taught(subject: TaughtSubject, model: MusculoskeletalModel, trials: Sequence[Trial]) -> Reconstruction:
    """Return what the person's muscles did in the trials.

    Muscles with an electrode: the envelope, smoothed over 40 ms, over its gain; all others, and electrodes that are dead in a trial: the
    learned prior's answer. Bands are normal in logarithms and end at 1. Where no parameters were fitted there is no moment, activation,
    force or fiber length.
    """
    refuse_strangers(subject, trials)
    answers = []
    for trial, known in zip(trials, believed(subject, model, trials), strict=True):
        middle, sd = known.middle, np.hypot(known.course_sd, known.level_sd)
        muscles = _moved(subject, model, trial, np.exp(middle)) if subject.personalized else {}
        answers.append(
            TrialReconstruction(
                trial=trial,
                excitation=np.exp(middle),
                lower=np.exp(middle - NINETY_PERCENT * sd),
                upper=np.exp(np.minimum(middle + NINETY_PERCENT * sd, 0.0)),
                draws=_draws(subject, trial, known),
                moment=muscles.get("joint_moment"),
                activation=muscles.get("activation"),
                tendon_force=muscles.get("tendon_force"),
                fiber_length=muscles.get("fiber_length"),
            )
        )
    return Reconstruction(subject.method, subject.subject, tuple(answers))


def _draws(subject: TaughtSubject, trial: Trial, known: Believed) -> NDArray[np.float32]:
    """Return draws (draw, time, muscle): levels are the same in all trials of a person, courses follow from the motion.

    One draw after the other is made: an hour has 43 million numbers.
    """
    time, muscles = known.middle.shape
    root = np.linalg.cholesky(subject.prior.level_correlation + 1e-9 * np.eye(muscles))
    levels = np.random.default_rng(PAIRS).normal(size=(PAIRS, muscles)) @ root.T
    widths = np.maximum(0.5 * subject.prior.course_memory_s / trial.step, 0.5)
    margin = int(np.ceil(4.0 * widths.max()))
    chance = np.random.default_rng(motion_seed(trial.angle))
    out = np.empty((2 * PAIRS, time, muscles), np.float32)
    for pair, level in enumerate(levels):
        white = chance.normal(size=(time + 2 * margin, muscles))
        for muscle, width in enumerate(widths):
            smooth = gaussian_filter1d(white[:, muscle], width)[margin : margin + time]
            off = level[muscle] * known.level_sd[:, muscle]
            off = off + smooth * np.sqrt(2.0 * np.sqrt(np.pi) * width) * known.course_sd[:, muscle]
            for draw, sign in ((pair, 1.0), (PAIRS + pair, -1.0)):
                out[draw, :, muscle] = np.exp(np.minimum(known.middle[:, muscle] + sign * off, 0.0))
    return out


def _moved(subject: TaughtSubject, model: MusculoskeletalModel, trial: Trial, excitation: Floats) -> dict[str, Floats]:
    """Return what the muscles do with the excitation, by the names of `MuscleResponse`."""
    count = len(trial.time)
    missing = padded_count(count, least=PADDED) - count
    padded = [
        np.pad(values, [(0, missing), (0, 0)], mode="edge") for values in (excitation, trial.angle, trial.velocity)
    ]
    physics = _Physics(subject.parameters, subject.settings, trial.step)
    one = _responded(physics, model, _Moved(*jax.device_put(padded)))
    return {name: np.asarray(values, dtype=float)[:count] for name, values in one._asdict().items()}


class _Moved(NamedTuple):
    excitation: Float[Array, "time muscle"]
    angle: Float[Array, "time coordinate"]
    velocity: Float[Array, "time coordinate"]


class _Physics(NamedTuple):
    parameters: Parameters
    settings: FitSettings
    step: float


@eqx.filter_jit
def _responded(subject: _Physics, model: MusculoskeletalModel, moved: _Moved) -> MuscleResponse:
    excitation, angle, velocity = moved
    parameters, settings, step = subject
    geometry: Geometry = model.geometry(angle, velocity)
    return model.respond(
        excitation,
        geometry,
        parameters,
        muscle=settings.muscle,
        tendon=settings.tendon,
        smoothing=settings.activation_smoothing,
        step=step,
    )
