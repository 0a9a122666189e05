"""What a learned prior says of a person's muscles without electrodes, trial by trial: middle, course and level of their doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Bool, Float
from numpy.typing import NDArray

from profundus.model.clocks import heard_course, spread_out
from profundus.model.clues import companions, same_group
from profundus.model.context import MOST_CONTEXT, Context, context_of
from profundus.model.heard import heard
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.padding import padded_count
from profundus.model.prior import DeepPrior
from profundus.model.views import CLOCKS, AnyWindows, remade
from profundus.model.windows import USUAL_SCALE_SD
from profundus.network.person import PersonTransformer, Scale
from profundus.records import Trial

Floats = NDArray[np.float64]
PADDED_WINDOWS = 8  # fewest that a program is compiled for


@dataclass(frozen=True)
class DeepPosterior:
    """One trial's answer: the log excitation of every muscle is normal around ``middle`` (time, muscle).

    Its variance is ``course_sd`` squared (time, muscle) plus ``level_sd`` squared (muscle,), the error that all of the person's samples
    share. Muscles with an electrode in the trial are answered, too, but nobody need believe that.
    """

    trial: Trial
    middle: Floats
    course_sd: Floats
    level_sd: Floats

    @property
    def sd(self) -> Floats:
        """Return the standard deviation of the log excitation (time, muscle)."""
        return np.hypot(self.course_sd, self.level_sd)


class WindowPosterior(NamedTuple):
    """The answer for a person's windows: ``middle`` and ``course_sd`` (window, sample, muscle), ``level_sd`` (muscle,), as in
    `DeepPosterior`."""

    middle: Floats
    course_sd: Floats
    level_sd: Floats


def deep_posteriors(
    prior: DeepPrior,
    context: Context,
    trials: Sequence[Trial],
    model: MusculoskeletalModel,
    *,
    scale_sd: float = USUAL_SCALE_SD,
    known: WindowPosterior | None = None,
) -> tuple[DeepPosterior, ...]:
    """Return the answer for each trial, which is seen beside the person's ``context``; trials do not see each other.

    Trials that the context holds whole see the same windows, and are asked for together; ``known`` is the answer for these, where it has
    been asked for. Between the network's samples, and before the first and after the last, a muscle keeps its distance from the envelopes
    of its group.
    """
    shown = [_mark(context, i) for i in range(context.count)]
    place = {mark: i for i, mark in enumerate(shown)}
    clock, together, answers = CLOCKS[prior.view], same_group(prior.groups), []
    for trial in trials:
        own = context_of([trial], model, scale_sd=scale_sd, view=prior.view)
        marks = [_mark(own, i) for i in range(own.count)]
        if len(place) == context.count and all(mark in place for mark in marks):
            known = known or window_posterior(prior, context)
            found, at = known, np.array([place[mark] for mark in marks])
        else:
            others = np.array([i for i, mark in enumerate(shown) if mark not in marks], dtype=int)
            found, at = window_posterior(prior, own.joined(context.part(others))), np.arange(own.count)
        along = heard_course(trial, companions(trial.measured, together), clock)
        middle = spread_out(found.middle[at], trial, clock, along=along)
        course = spread_out(np.log(found.course_sd[at]), trial, clock)
        answers.append(DeepPosterior(trial, middle, np.exp(course), found.level_sd))
    return tuple(answers)


def window_posterior(prior: DeepPrior, context: Context) -> WindowPosterior:
    """Return the answer for all windows of a context, which see each other."""
    parts = _run(prior.network, prior.scale, *_filled(context, _padded_windows(context.count)), prior.groups)
    middle, log_sd, level = (np.asarray(part, dtype=float) for part in parts)
    return _answered(prior, middle[: context.count], log_sd[: context.count], level)


def window_posteriors(prior: DeepPrior, contexts: Sequence[Context]) -> list[WindowPosterior]:
    """Return the answer for each of several people's contexts, by one program that sees them side by side."""
    count = _padded_windows(max(context.count for context in contexts))
    asked = [_filled(context, count) for context in contexts]
    windows, seen = (jax.tree.map(lambda *parts: np.stack(parts), *column) for column in zip(*asked, strict=True))
    told = _run_together(prior.network, prior.scale, windows, seen, prior.groups)
    parts = zip(*(np.asarray(part, dtype=float) for part in told), strict=True)
    return [
        _answered(prior, middle[: context.count], log_sd[: context.count], level)
        for context, (middle, log_sd, level) in zip(contexts, parts, strict=True)
    ]


def _mark(context: Context, window: int) -> bytes:
    """Return what tells a window from others: a trial of the fit is not shown twice."""
    own = (context.windows.motion[window], context.windows.fast[window])
    return b"".join(np.round(np.asarray(field, dtype=np.float32), 4).tobytes() for field in own)


def _answered(prior: DeepPrior, middle: Floats, log_sd: Floats, level_log_sd: Floats) -> WindowPosterior:
    """Return the answer with doubts that hold what they promise."""
    return WindowPosterior(middle, prior.course_factor * np.exp(log_sd), prior.level_factor * np.exp(level_log_sd))


def _filled(context: Context, count: int) -> tuple[AnyWindows, NDArray[np.bool_]]:
    """Return the windows of a context filled up to ``count``, and which muscles have electrodes there."""
    missing = count - context.count
    padded: list[Any] = [_padded(field, missing) for field in context.windows]
    return remade(context.windows, padded), np.pad(context.seen, [(0, missing), (0, 0)])


def _padded_windows(count: int) -> int:
    """Return how many windows a program is compiled for: few sizes for those who showed little, multiples of the fewest for all others."""
    return padded_count(count, least=PADDED_WINDOWS) if count <= MOST_CONTEXT else count + -count % PADDED_WINDOWS


def _padded(field: NDArray[np.generic], missing: int) -> NDArray[np.generic]:
    """Return windows followed by empty ones, in which nothing is valid."""
    rest = np.repeat(field[-1:], missing, axis=0)
    whole = np.concatenate([field, np.zeros_like(rest) if field.dtype == bool else rest])
    return whole if field.dtype == bool else whole.astype(np.float32)


@eqx.filter_jit
def _run(
    network: PersonTransformer,
    scale: Scale,
    windows: AnyWindows,
    seen: Bool[np.ndarray, "window muscle"],
    groups: tuple[str, ...],
) -> tuple[Float[Array, "window sample muscle"], Float[Array, "window sample muscle"], Float[Array, " muscle"]]:
    told, reference = heard(network, scale, windows, seen, same_group(groups))
    return reference + told.ratio, told.log_sd, told.level_log_sd


@eqx.filter_jit
def _run_together(
    network: PersonTransformer, scale: Scale, windows: Any, seen: Any, groups: tuple[str, ...]
) -> tuple[Array, Array, Array]:
    """Return what `_run` does, with the person as the first axis."""
    many: tuple[Array, Array, Array] = jax.vmap(lambda own, heard: _run(network, scale, own, heard, groups))(
        windows, seen
    )
    return many
