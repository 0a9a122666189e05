"""A fitted person and new trials in, excitations of all muscles with bands out."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.errors import InputError, Problem
from profundus.model.anchors import anchored_ratio
from profundus.model.fitted import FittedSubject
from profundus.model.inputs import Batch, make_batch, padded_length
from profundus.model.musculoskeletal import Geometry, MuscleResponse, MusculoskeletalModel, Parameters
from profundus.model.nmm import Layout, Member, excitations
from profundus.records import FitSettings, Reconstruction, Trial, TrialReconstruction

Floats = NDArray[np.float64]
NINETY_PERCENT = 1.6448536269514722
PADDING = 64


def reconstruct(fitted: FittedSubject, model: MusculoskeletalModel, trials: Sequence[Trial]) -> Reconstruction:
    """Return what the fitted person's muscles did in the trials: mean and 90 % band of every excitation, and the model's moments."""
    _refuse_strangers(fitted, trials)
    length = padded_length(trials, PADDING * fitted.settings.network.token_samples)
    batch = make_batch(trials, model, fitted.settings.network, fitted.scaling, length=length)
    names = [trial.name for trial in trials]
    anchors = np.stack([anchored_ratio(a, batch.state, names, step=fitted.step) for a in fitted.anchors]).astype(np.float32)
    answers = []
    for row, trial in enumerate(trials):
        one = Batch(*(a[row] for a in batch))
        drawn, muscles = _respond(model, fitted.layout, fitted.settings, fitted.step, fitted.members, fitted.parameters, one, anchors[:, row])
        answers.append(_answer(trial, np.asarray(drawn), muscles))
    return Reconstruction(fitted.method, fitted.subject, tuple(answers))


def band(draws: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the 90 % band (time, muscle) of excitations (draw, time, muscle): normal in logits, widened for few draws."""
    kept = np.clip(draws, 1e-6, 1 - 1e-6)
    logits = np.log(kept) - np.log1p(-kept)
    half = NINETY_PERCENT * np.sqrt(1 + 1 / len(draws)) * logits.std(axis=0, ddof=1)
    center = logits.mean(axis=0)
    return 1 / (1 + np.exp(half - center)), 1 / (1 + np.exp(-half - center))


def _answer(trial: Trial, drawn: NDArray[np.floating], muscles: MuscleResponse) -> TrialReconstruction:
    n = len(trial.time)
    draws = drawn[:, :n].astype(float)
    lower, upper = band(draws)

    def mean(value: Array) -> Floats:
        return np.asarray(value, dtype=float)[:, :n].mean(axis=0)

    return TrialReconstruction(
        trial, draws.mean(axis=0), lower, upper, draws, mean(muscles.joint_moment), mean(muscles.activation), mean(muscles.tendon_force),
        mean(muscles.fiber_length),
    )  # fmt: skip


@eqx.filter_jit
def _respond(
    model: MusculoskeletalModel, layout: Layout, settings: FitSettings, step: float, members: Member, parameters: Parameters, trial: Batch,
    anchors: Float[Array, "member time muscle"],
) -> tuple[Float[Array, "member time muscle"], MuscleResponse]:  # fmt: skip
    geometry = Geometry(trial.path_length, trial.path_velocity, trial.moment_arm)

    def one(member: Member, own: Parameters, anchor: Float[Array, "time muscle"]) -> tuple[Array, MuscleResponse]:
        excitation, _ = excitations(
            member, layout, settings, features=trial.features, neighbor=trial.neighbor, anchor=anchor, valid=trial.valid
        )
        muscles = model.respond(
            excitation, geometry, own, muscle=settings.muscle, smoothing=settings.activation_smoothing, step=step
        )
        return excitation, muscles

    return jax.vmap(one)(members, parameters, jnp.asarray(anchors))


def _refuse_strangers(fitted: FittedSubject, trials: Sequence[Trial]) -> None:
    wrong = []
    for trial in trials:
        if trial.muscles != fitted.layout.muscles or trial.coordinates != fitted.coordinates:
            wrong.append(
                Problem(
                    "error",
                    f"{trial.name}: muscles or coordinates differ from those that {fitted.subject} was fitted with",
                    expected=f"{', '.join(fitted.layout.muscles)} and {', '.join(fitted.coordinates)}",
                    remedy="Use the study file of the run",
                )
            )
        elif abs(trial.step - fitted.step) > 1e-9:
            wrong.append(Problem("error", f"{trial.name}: clock of {trial.step:g} s", expected=f"{fitted.step:g} s, as in the fit"))
        missing = [
            m for m, seen, now in zip(trial.muscles, fitted.scaling.measured, trial.measured, strict=True) if seen and not now
        ]
        if missing and fitted.settings.network.measured_emg:
            wrong.append(
                Problem(
                    "error",
                    f"{trial.name}: no EMG of {', '.join(missing)}",
                    expected="the electrodes of the fit",
                    remedy="Record them, or fit with [fit.network] measured_emg = false",
                )
            )
    if wrong:
        raise InputError(wrong)
