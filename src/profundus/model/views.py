"""How a learned prior sees trials: one hinge at leisure, or a limb of several joints briskly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Array, Bool
from numpy.typing import NDArray

from profundus.model.clocks import BRISK, SLOW, Clock
from profundus.model.clues import Clues
from profundus.model.clues import clues_of as hinge_clues_of
from profundus.model.limb_clues import limb_clues_of
from profundus.model.limb_windows import LimbWindows, limb_windows_of
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.model.windows import MUSCLES, USUAL_SCALE_SD, Windows, windows_of
from profundus.records import Trial, View

AnyWindows = Windows | LimbWindows
CLOCKS: dict[View, Clock] = {"hinge": SLOW, "limb": BRISK}
KINDS: dict[View, type[Windows] | type[LimbWindows]] = {"hinge": Windows, "limb": LimbWindows}


def windows_in(
    view: View, trials: Sequence[Trial], model: MusculoskeletalModel, *, scale_sd: float = USUAL_SCALE_SD
) -> AnyWindows:
    """Return the windows of trials, one trial after the other; ``scale_sd`` as for `windows_of`."""
    return (windows_of if view == "hinge" else limb_windows_of)(trials, model, scale_sd=scale_sd)


def nothing_seen(view: View, *, muscles: int, coordinates: int) -> AnyWindows:
    """Return one window in which nothing is known, in 32 bits."""
    samples, models = CLOCKS[view].samples, len(MUSCLES)
    shapes: dict[str, tuple[int, ...]] = {
        "fast": (samples, muscles),
        "slow": (samples, muscles),
        "motion": (samples, 3 * coordinates),
        "moment": (samples,) if view == "hinge" else (samples, coordinates),
        "load": (),
        "capacity": (samples, models, muscles),
        "passive": (samples, models),
        "effort": (samples, models, muscles),
        "valid": (samples,),
        "scale_sd": (),
    }
    kind = KINDS[view]
    return kind(*(np.zeros((1, *shapes[name]), np.bool_ if name == "valid" else np.float32) for name in kind._fields))


def clues_of(
    windows: AnyWindows, seen: Bool[Array | np.ndarray, "window muscle"], together: NDArray[np.float64]
) -> Clues:
    """Return the clues of one person's windows of either kind."""
    if isinstance(windows, LimbWindows):
        return limb_clues_of(windows, seen, together)
    return hinge_clues_of(windows, seen, together)


def remade(like: AnyWindows, fields: Iterable[Any]) -> Any:
    """Return windows of the kind of ``like`` with other fields, in their order."""
    return type(like)(*fields)
