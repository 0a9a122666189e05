"""A taught person as named arrays and plain facts, and back; the prior goes with him, so that his run needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from profundus.errors import FileFormatError, Problem
from profundus.fit.saving import AGAIN, settings_from
from profundus.model.context import Context
from profundus.model.fitted import TaughtSubject
from profundus.model.musculoskeletal import ActivationParameters, MuscleParameters, Parameters
from profundus.model.nmm import Layout
from profundus.model.prior_file import prior_from_arrays, prior_to_arrays
from profundus.model.trees import filled, leaves
from profundus.model.views import KINDS
from profundus.records import CalibratedRow, EmgScale, Observation, TradeOff

Arrays = dict[str, NDArray[Any]]
Facts = dict[str, Any]
KIND = "taught"
PRIOR, CONTEXT = "prior/", "context/"
VECTORS = ("gain", "level", "level_sd")
PLAIN = ("subject", "method", "usual_gain", "scale_sd", "step", "personalized", "converged", "outcome")


def is_taught(facts: Mapping[str, Any]) -> bool:
    """Return whether facts are those of a taught person."""
    return facts.get("kind") == KIND


def taught_to_arrays(subject: TaughtSubject, scale: EmgScale) -> tuple[Arrays, Facts]:
    """Return everything that a new trial of this person needs; parameters and scores stand beside it in files of their own."""
    prior, prior_facts = prior_to_arrays(subject.prior)
    windows = {name: _short(field) for name, field in subject.context.windows._asdict().items()}
    arrays = {
        **{PRIOR + name: array for name, array in prior.items()},
        **{CONTEXT + name: array for name, array in windows.items()},
        CONTEXT + "seen": subject.context.seen,
        **leaves("parameters", subject.parameters),
        **{name: np.asarray(getattr(subject, name)) for name in VECTORS},
    }
    facts = {
        "kind": KIND,
        **{name: getattr(subject, name) for name in PLAIN},
        "muscles": list(subject.layout.muscles),
        "groups": list(subject.layout.groups),
        "measured": list(subject.layout.measured),
        "coordinates": list(subject.coordinates),
        "settings": asdict(subject.settings),
        "trade_offs": [asdict(found) for found in subject.trade_offs],
        "calibrations": [asdict(row) for row in subject.calibrations],
        "prior": prior_facts,
        "emg_scale": asdict(scale),
    }
    return arrays, facts


def taught_from_arrays(
    arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], *, file: str
) -> tuple[TaughtSubject, EmgScale]:
    """Return the person and the constants of his envelopes; FileFormatError where arrays are missing or do not fit."""
    kind = KINDS[facts["prior"].get("view", "hinge")]
    needed = [*VECTORS, *(CONTEXT + name for name in (*kind._fields, "seen"))]
    if missing := [name for name in needed if name not in arrays]:
        what = f"arrays are missing: {', '.join(missing[:5])}"
        raise FileFormatError(Problem("error", what, file=file, expected="those of this version", remedy=AGAIN))
    prior = {name.removeprefix(PRIOR): array for name, array in arrays.items() if name.startswith(PRIOR)}
    windows = kind(*(arrays[CONTEXT + name] for name in kind._fields))
    nothing = jax.device_put(np.zeros(0))
    empty = Parameters(MuscleParameters(*[nothing] * 5), ActivationParameters(*[nothing] * 2))
    plain: dict[str, Any] = {name: arrays[name] for name in VECTORS} | {name: facts[name] for name in PLAIN}
    subject = TaughtSubject(
        layout=Layout(tuple(facts["muscles"]), tuple(map(bool, facts["measured"])), tuple(facts["groups"])),
        coordinates=tuple(facts["coordinates"]),
        settings=settings_from(facts["settings"]),
        prior=prior_from_arrays(prior, facts["prior"], file=file),
        context=Context(windows, arrays[CONTEXT + "seen"]),
        parameters=filled("parameters", empty, arrays, file=file, remedy=AGAIN, shapes=False),
        trade_offs=tuple(TradeOff(**found) for found in facts["trade_offs"]),
        calibrations=tuple(map(_row, facts["calibrations"])),
        **plain,
    )
    return subject, EmgScale(**facts["emg_scale"])


def _row(facts: Facts) -> CalibratedRow:
    heard = tuple(Observation(**one) for one in facts["observations"])
    return CalibratedRow(**{**facts, "observations": heard, "left_out": tuple(facts["left_out"])})


def _short(field: NDArray[Any]) -> NDArray[Any]:
    return field if field.dtype == np.bool_ else field.astype(np.float32)
