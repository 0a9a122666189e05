"""A fitted person and a training in progress as named arrays and plain facts, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from profundus.errors import FileFormatError, Problem
from profundus.fit.training import TrainingState
from profundus.model.anchors import Anchor
from profundus.model.fitted import FittedSubject
from profundus.model.inputs import Scaling
from profundus.model.musculoskeletal import ActivationParameters, MuscleParameters, Parameters
from profundus.model.nmm import Layout, Member, new_member
from profundus.model.trees import filled, leaves
from profundus.records import EmgScale, FitSettings, LossSettings, NetworkSettings

Arrays = dict[str, NDArray[Any]]
Facts = dict[str, Any]
AGAIN = "Fit again with this version"


def fitted_to_arrays(fitted: FittedSubject, scale: EmgScale) -> tuple[Arrays, Facts]:
    """Return everything that a new trial of this person needs; parameters and scores stand beside it in files of their own."""
    arrays = {
        **leaves("members", fitted.members),
        **leaves("parameters", fitted.parameters),
        **leaves("anchors", fitted.anchors),
        "gain": np.asarray(fitted.gain),
        "history": np.asarray(fitted.history),
        "scaling_mean": fitted.scaling.mean,
        "scaling_sd": fitted.scaling.sd,
    }
    facts = {
        "subject": fitted.subject,
        "method": fitted.method,
        "muscles": list(fitted.layout.muscles),
        "groups": list(fitted.layout.groups),
        "measured": list(fitted.layout.measured),
        "coordinates": list(fitted.coordinates),
        "settings": asdict(fitted.settings),
        "load_default": fitted.scaling.load_default,
        "step": fitted.step,
        "terms": list(fitted.terms),
        "converged": fitted.converged,
        "emg_scale": {
            "subject": scale.subject,
            "normalization": scale.normalization,
            "maximum": scale.maximum,
            "source": scale.source,
        },
    }
    return arrays, facts


def fitted_from_arrays(
    arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], *, file: str
) -> tuple[FittedSubject, EmgScale]:
    """Return the fitted person and the constants of its envelopes; FileFormatError where the arrays are not those of its settings."""
    settings = settings_from(facts["settings"])
    muscles = tuple(facts["muscles"])
    measured = tuple(bool(m) for m in facts["measured"])
    states, members = len(arrays["scaling_mean"]), settings.members

    def one(key: Any) -> Member:
        return new_member(key, settings, channels=states, muscles=len(muscles), parameters=5 * len(muscles) + 2)

    shapes = eqx.filter_eval_shape(jax.vmap(one), jax.random.split(jax.random.key(0), members))
    count = len([name for name in arrays if name.startswith("anchors/")])
    if count != settings.members * len(Anchor._fields):
        what = f"{count} arrays of prior draws for {settings.members} members"
        raise FileFormatError(Problem("error", what, file=file, expected="those of this version", remedy=AGAIN))
    anchors = tuple(
        Anchor(*_numbers([arrays[f"anchors/{i * len(Anchor._fields) + j:04d}"] for j in range(len(Anchor._fields))]))
        for i in range(count // len(Anchor._fields))
    )
    empty = Parameters(MuscleParameters(*[jnp.zeros(0)] * 5), ActivationParameters(*[jnp.zeros(0)] * 2))
    fitted = FittedSubject(
        subject=facts["subject"],
        method=facts["method"],
        layout=Layout(muscles, measured, tuple(facts["groups"])),
        coordinates=tuple(facts["coordinates"]),
        settings=settings,
        scaling=Scaling(arrays["scaling_mean"], arrays["scaling_sd"], facts["load_default"], np.asarray(measured)),
        anchors=anchors,
        members=filled("members", shapes, arrays, file=file, remedy=AGAIN),
        parameters=filled("parameters", empty, arrays, file=file, remedy=AGAIN, shapes=False),
        gain=arrays["gain"],
        step=facts["step"],
        terms=tuple(facts["terms"]),
        history=arrays["history"],
        converged=facts["converged"],
    )
    return fitted, EmgScale(**facts["emg_scale"])


def state_to_arrays(state: TrainingState) -> Arrays:
    """Return a training in progress as arrays, bit for bit."""
    return {
        **leaves("members", state.members),
        **leaves("optimizer", state.optimizer),
        "history": state.history,
        "step": np.asarray(state.step),
    }


def state_from_arrays(arrays: Mapping[str, NDArray[Any]], like: TrainingState, *, file: str) -> TrainingState:
    """Return the training that was saved; ``like`` is an untrained one of the same settings."""
    return TrainingState(
        filled("members", like.members, arrays, file=file, remedy=AGAIN),
        filled("optimizer", like.optimizer, arrays, file=file, remedy=AGAIN),
        int(arrays["step"]),
        np.asarray(arrays["history"]),
    )


def settings_from(facts: Mapping[str, Any]) -> FitSettings:
    """Return fit settings from the plain values that a manifest holds."""
    nested = {"network": NetworkSettings(**facts["network"]), "loss": LossSettings(**facts["loss"])}
    return FitSettings(**{**facts, **nested})


def _numbers(values: list[NDArray[Any]]) -> list[Any]:
    """Return 0-d arrays as the plain numbers they were."""
    return [value.item() if value.ndim == 0 else value for value in values]
