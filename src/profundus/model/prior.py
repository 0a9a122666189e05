"""What a network learned from virtual people, with how far its doubts can be believed: the prior that deep muscles are met with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from profundus.network.person import PersonTransformer, Scale
from profundus.records import LearningSettings, View

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DeepPrior:
    """A learned prior of one anatomy; muscles in the order of the anatomy, ``groups`` theirs.

    ``electrodes`` names the muscles that usually have one. ``level_factor`` and ``course_factor`` (muscle,) are what the network's standard
    deviations are multiplied by, so that 90 % bands held 90 % of people and samples that it had not learned from (split conformal; Lei et
    al. 2018): of the level, the log of the one factor between a person's estimate and the truth, and of the course, all other log error.
    ``course_memory_s`` (muscle,) [s] is the lag at which the autocorrelation of the course's error falls to 1/e, ``level_correlation``
    (muscle, muscle) that of level errors. ``view`` is how it sees trials.
    ``strangeness`` holds what tells how unlike the teachers a person is, by name; empty where nobody looked.
    """

    network: PersonTransformer
    scale: Scale
    muscles: tuple[str, ...]
    groups: tuple[str, ...]
    coordinates: tuple[str, ...]
    electrodes: tuple[str, ...]
    level_factor: Floats
    course_factor: Floats
    course_memory_s: Floats
    level_correlation: Floats
    learning: LearningSettings
    strangeness: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    view: View = "hinge"

    @property
    def usual(self) -> NDArray[np.bool_]:
        """Return which muscles (muscle,) usually have an electrode."""
        return np.isin(self.muscles, self.electrodes)


def new_network(learning: LearningSettings, scale: Scale, *, muscles: int, seed: int) -> PersonTransformer:
    """Return an untrained network of the settings' size for clues of a scale."""
    return PersonTransformer(
        jax.random.key(seed),
        clues=len(scale.mean),
        person_clues=len(scale.person_mean),
        muscles=muscles,
        width=learning.width,
        layers=(learning.trial_layers, learning.person_layers, learning.answer_layers),
        heads=learning.heads,
    )
