"""A person whose networks were trained and trials in, excitations of all muscles with bands out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import NDArray

from profundus.model.anchors import anchored_ratio, motion_seed
from profundus.model.fitted import FittedSubject
from profundus.model.inputs import Batch, draw_logits, make_batch, padded_length
from profundus.model.musculoskeletal import Geometry, MuscleResponse, MusculoskeletalModel, Parameters
from profundus.model.nmm import Layout, Member, excitations
from profundus.model.settings import with_physics
from profundus.reconstruct.strangers import refuse_strangers
from profundus.records import FitSettings, Reconstruction, Trial, TrialReconstruction

Floats = NDArray[np.float64]
NINETY_PERCENT = 1.6448536269514722


def reconstruct_trained(fitted: FittedSubject, model: MusculoskeletalModel, trials: Sequence[Trial]) -> Reconstruction:
    """Return what the fitted person's muscles did in the trials: middle and 90 % band of every excitation, and the model's moments.

    Without physics (``settings.ablation``) there is no moment, activation, force or fiber length.
    """
    refuse_strangers(fitted, trials)
    length = padded_length(trials, fitted.settings.network)
    batch = make_batch(trials, model, fitted.settings.network, fitted.scaling, length=length)
    state = np.asarray(batch.state, dtype=float)
    motions = [motion_seed(trial.angle) for trial in trials]
    anchors = [anchored_ratio(anchor, state, motions, step=fitted.step) for anchor in fitted.anchors]
    anchored = jnp.asarray(np.stack(anchors), batch.emg.dtype)
    log_gain = jnp.log(jnp.asarray(fitted.gain, batch.emg.dtype))
    shared = _Shared(model, fitted.layout, fitted.settings, fitted.step)
    answers = []
    for row, trial in enumerate(trials):
        one: Batch = jax.tree.map(lambda values, row=row: values[row], batch)
        drawn, muscles = _respond(shared, (fitted.members, fitted.parameters, log_gain), one, anchored[:, row])
        answers.append(_answer(fitted, trial, np.asarray(drawn, dtype=float)[:, : len(trial.time)], muscles))
    return Reconstruction(fitted.method, fitted.subject, tuple(answers))


def center(draws: Floats) -> Floats:
    """Return the middle (time, muscle) of excitations (draw, time, muscle): their mean in logits, which no draw's size can pull up."""
    return _fraction(draw_logits(draws).mean(axis=0))


def band(draws: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the 90 % band (time, muscle) of excitations (draw, time, muscle), normal in logits.

    Its variance is that between the draws, widened for their small number, plus ``noise`` (time, muscle): the standard deviation in logits
    that the measured envelopes bring along, which all members share and so cannot show by their spread.
    """
    logits = draw_logits(draws)
    spread = (1 + 1 / len(draws)) * logits.var(axis=0, ddof=1)
    half = NINETY_PERCENT * np.sqrt(spread + noise**2)
    middle = logits.mean(axis=0)
    return _fraction(middle - half), _fraction(middle + half)


def envelope_noise(fitted: FittedSubject, excitation: Floats) -> Floats:
    """Return the noise that measured envelopes leave in each excitation (time, muscle), as standard deviation in logits.

    A deep muscle that follows n neighbors inherits the mean of their noise; one that follows nobody inherits none.
    """
    loss = fitted.settings.loss
    level = np.clip(excitation, 1e-3, 0.999)
    own = np.hypot(loss.emg_sd / level, loss.emg_relative_sd) / (1 - level) * np.asarray(fitted.layout.measured)
    if loss.group_amplitude_sd is None:
        return np.zeros_like(excitation)
    return np.asarray(np.sqrt(own**2 + own**2 @ (fitted.layout.neighbors**2).T))


def _fraction(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _answer(fitted: FittedSubject, trial: Trial, draws: Floats, muscles: MuscleResponse) -> TrialReconstruction:
    middle = center(draws)
    lower, upper = band(draws, envelope_noise(fitted, middle))

    physics = with_physics(fitted.settings)

    def mean(value: Array) -> Floats | None:
        return np.asarray(np.asarray(value, dtype=float)[:, : len(trial.time)].mean(axis=0)) if physics else None

    return TrialReconstruction(
        trial=trial,
        excitation=middle,
        lower=lower,
        upper=upper,
        draws=draws,
        moment=mean(muscles.joint_moment),
        activation=mean(muscles.activation),
        tendon_force=mean(muscles.tendon_force),
        fiber_length=mean(muscles.fiber_length),
    )


class _Shared(NamedTuple):
    """What all members and trials have in common."""

    model: MusculoskeletalModel
    layout: Layout
    settings: FitSettings
    step: float


@eqx.filter_jit
def _respond(
    shared: _Shared,
    members: tuple[Member, Parameters, Float[Array, "member muscle"]],
    trial: Batch,
    anchors: Float[Array, "member time muscle"],
) -> tuple[Float[Array, "member time muscle"], MuscleResponse]:
    model, layout, settings, step = shared
    geometry = Geometry(trial.path_length, trial.path_velocity, trial.moment_arm)

    def one(member: Member, own: Parameters, log_gain: Array, anchor: Array) -> tuple[Array, MuscleResponse]:
        excitation, _ = excitations(
            member,
            layout,
            settings,
            features=trial.features,
            neighbor=trial.neighbor,
            anchor=anchor,
            log_gain=log_gain,
            valid=trial.valid,
        )
        muscles = model.respond(
            excitation,
            geometry,
            own,
            muscle=settings.muscle,
            tendon=settings.tendon,
            smoothing=settings.activation_smoothing,
            step=step,
        )
        return excitation, muscles

    found: tuple[Array, MuscleResponse] = jax.vmap(one)(*members, anchors)
    return found
