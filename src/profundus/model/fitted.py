"""A fitted person: everything that a new trial of the same person needs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from profundus.model.anchors import Anchor
from profundus.model.inputs import Scaling
from profundus.model.nmm import Layout, Member
from profundus.muscle.parameters import Parameters
from profundus.records import FitSettings, ParameterRow


@dataclass(frozen=True)
class FittedSubject:
    """Network, parameters and scalings of one person.

    ``members`` and ``parameters`` have the member as the first axis of every leaf, ``gain`` is (member, muscle): envelope over excitation.
    Without physics (``settings.ablation``) the parameters are those of the prior's center, and ``rows`` is empty.
    ``settings`` are the resolved ones. ``history`` is (step, member, term), the loss terms of the training.
    """

    subject: str
    method: str
    layout: Layout
    coordinates: tuple[str, ...]
    settings: FitSettings
    scaling: Scaling
    anchors: tuple[Anchor, ...]
    members: Member
    parameters: Parameters
    gain: NDArray[np.floating]
    step: float
    rows: tuple[ParameterRow, ...] = ()
    terms: tuple[str, ...] = ()
    history: NDArray[np.floating] = field(default_factory=lambda: np.zeros((0, 0, 0)))
    converged: bool = True
