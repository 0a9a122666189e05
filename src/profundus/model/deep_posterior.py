"""What a learned prior says of a person's muscles without electrodes, trial by trial: middle, course and level of their doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool, Float
from numpy.typing import NDArray

from profundus.model.clocks import FLOOR, placed, spread_out
from profundus.model.clues import same_group
from profundus.model.heard import heard
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.padding import padded_count
from profundus.model.prior import DeepPrior
from profundus.model.views import CLOCKS, AnyWindows, remade, windows_in
from profundus.model.windows import USUAL_SCALE_SD
from profundus.network.person import PersonTransformer, Scale
from profundus.records import Trial, View

Floats = NDArray[np.float64]
MOST_CONTEXT = 64  # windows that stand for a person
PADDED_WINDOWS = 8  # fewest that a program is compiled for


@dataclass(frozen=True)
class Context:
    """What is known of a person beside the trial that is asked about: ``windows`` of other trials, ``seen`` (window, muscle), which muscles
    have electrodes there."""

    windows: AnyWindows
    seen: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """Return the number of windows."""
        return len(self.seen)

    def silent(self) -> Context:
        """Return what would be known had nobody seen a moment."""
        return Context(self.windows.silent(), self.seen)

    def unheard(self) -> Context:
        """Return what would be known without any electrode."""
        nothing: Any = np.where(self.windows.valid[..., None], np.log(FLOOR), 0.0 * self.windows.fast)
        return Context(self.windows._replace(fast=nothing, slow=nothing), np.zeros_like(self.seen))

    def joined(self, other: Context) -> Context:
        """Return the windows of both."""
        parts: list[Any] = [np.concatenate(pair) for pair in zip(self.windows, other.windows, strict=True)]
        return Context(remade(self.windows, parts), np.concatenate([self.seen, other.seen]))

    def part(self, index: NDArray[np.intp]) -> Context:
        """Return some of the windows."""
        fields: list[Any] = [field[index] for field in self.windows]
        return Context(remade(self.windows, fields), self.seen[index])


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


def context_of(
    trials: Sequence[Trial],
    model: MusculoskeletalModel,
    *,
    view: View = "hinge",
    scale_sd: float = USUAL_SCALE_SD,
    most: int | None = None,
) -> Context:
    """Return trials as context; ``most`` windows at most, evenly chosen. ``view`` is that of the prior, ``scale_sd`` as for
    `windows_of`."""
    windows = windows_in(view, trials, model, scale_sd=scale_sd)
    counts = [len(placed(trial, CLOCKS[view]).starts) for trial in trials]
    seen = np.concatenate(
        [np.broadcast_to(t.measured, (n, len(t.muscles))) for t, n in zip(trials, counts, strict=True)]
    )
    whole = Context(windows, seen)
    if most is None or whole.count <= most:
        return whole
    return whole.part(np.linspace(0, whole.count - 1, most).round().astype(int))


def deep_posteriors(
    prior: DeepPrior,
    context: Context,
    trials: Sequence[Trial],
    model: MusculoskeletalModel,
    *,
    scale_sd: float = USUAL_SCALE_SD,
) -> tuple[DeepPosterior, ...]:
    """Return the answer for each trial, which is seen beside the person's ``context``; trials do not see each other."""
    return tuple(_answers(prior, context, trials, model, scale_sd))


def window_posterior(prior: DeepPrior, context: Context) -> WindowPosterior:
    """Return the answer for all windows of a context, which see each other."""
    middle, log_sd, level_log_sd = _asked(prior, context)
    return WindowPosterior(middle, prior.course_factor * np.exp(log_sd), prior.level_factor * np.exp(level_log_sd))


def _answers(
    prior: DeepPrior, context: Context, trials: Sequence[Trial], model: MusculoskeletalModel, scale_sd: float
) -> Iterator[DeepPosterior]:
    """Return the answers; trials that the context holds whole see the same windows, and are asked for together."""
    clock = CLOCKS[prior.view]
    shown = [_mark(context, i) for i in range(context.count)]
    place = {mark: i for i, mark in enumerate(shown)}
    together: WindowPosterior | None = None
    for trial in trials:
        own = context_of([trial], model, scale_sd=scale_sd, view=prior.view)
        marks = [_mark(own, i) for i in range(own.count)]
        if len(place) == context.count and all(mark in place for mark in marks):
            together = together or window_posterior(prior, context)
            found, at = together, np.array([place[mark] for mark in marks])
        else:
            others = np.array([i for i, mark in enumerate(shown) if mark not in marks], dtype=int)
            found, at = window_posterior(prior, own.joined(context.part(others))), np.arange(own.count)
        middle, course = (spread_out(values[at], trial, clock) for values in (found.middle, np.log(found.course_sd)))
        yield DeepPosterior(trial, middle, np.exp(course), found.level_sd)


def _mark(context: Context, window: int) -> bytes:
    """Return what tells a window from others: a trial of the fit is not shown twice."""
    own = (context.windows.motion[window], context.windows.fast[window])
    return b"".join(np.round(np.asarray(field, dtype=np.float32), 4).tobytes() for field in own)


def _asked(prior: DeepPrior, context: Context) -> tuple[Floats, Floats, Floats]:
    """Return the log excitation and its log sd (window, sample, muscle), and that of the level (muscle,)."""
    missing = _padded_windows(context.count) - context.count
    padded: list[Any] = [_padded(field, missing) for field in context.windows]
    seen = np.pad(context.seen, [(0, missing), (0, 0)])
    parts = _run(prior.network, prior.scale, remade(context.windows, padded), seen, prior.groups)
    middle, log_sd, level = (np.asarray(part, dtype=float) for part in parts)
    return middle[: context.count], log_sd[: context.count], level


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
