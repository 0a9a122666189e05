"""What is known of a person beside the trial that is asked about: windows of other trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profundus.model.clocks import FLOOR, placed
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.views import CLOCKS, AnyWindows, remade, windows_in
from profundus.model.windows import USUAL_SCALE_SD
from profundus.records import Trial, View

MOST_CONTEXT = 64  # windows that stand for a person


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
