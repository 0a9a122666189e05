"""What is asked of a person's muscles, and how they share it: what every control strategy goes from, and comes to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Demand(NamedTuple):
    """What is asked of the muscles, per trial and time.

    ``flexion`` is the angle as a share of its range (0 to 1), ``speed`` [rad/s] its absolute rate, ``effort`` the wanted moment over the
    muscles' largest in that direction (positive: with the ``sign`` + muscles); all (trial, time, 1). ``leverage`` (trial, time, muscle) is
    the size of each muscle's moment at full activation [N.m], ``load_kg`` (trial, 1, 1), zero where unknown. ``sign`` (muscle,) is that of
    the moment arm, ``single`` (muscle,) tells which muscles cross one joint only.
    """

    flexion: Floats
    speed: Floats
    effort: Floats
    leverage: Floats
    load_kg: Floats
    sign: Floats
    single: NDArray[np.bool_]


class Shares(NamedTuple):
    """Activations (trial, time, muscle): what goes on anyway, and what is added per unit of drive to either side."""

    base: Floats
    positive: Floats
    negative: Floats
