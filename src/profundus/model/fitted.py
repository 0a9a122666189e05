"""A fitted person, trained or taught: everything that a new trial of the same person needs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from profundus.model.anchors import Anchor
from profundus.model.context import Context
from profundus.model.inputs import Scaling
from profundus.model.nmm import Layout, Member
from profundus.model.prior import DeepPrior
from profundus.muscle.parameters import Parameters
from profundus.records import CalibratedRow, FitSettings, ParameterRow, TradeOff


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


@dataclass(frozen=True)
class TaughtSubject:
    """One person as a learned prior knows him: what he showed, and the parameters that explain his moments with the answer held.

    ``context`` holds the windows of the trials to fit. ``gain`` (muscle,) is what envelopes are divided by, ``usual_gain`` the one that the
    network was shown them with, ``scale_sd`` how unsure that is (sd of its log). ``level`` (muscle,) shifts the log excitation of muscles
    without electrodes: what calibrations added; ``level_sd`` (muscle,) is what they left of its doubt, NaN where the prior's own holds.
    Where there was no moment to explain he is not ``personalized``, and the parameters are generic. ``calibrations`` tell of each muscle
    what moved its level.
    """

    subject: str
    method: str
    layout: Layout
    coordinates: tuple[str, ...]
    settings: FitSettings
    prior: DeepPrior
    context: Context
    parameters: Parameters
    gain: NDArray[np.floating]
    usual_gain: float
    scale_sd: float
    level: NDArray[np.floating]
    level_sd: NDArray[np.floating]
    step: float
    personalized: bool = False
    rows: tuple[ParameterRow, ...] = ()
    trade_offs: tuple[TradeOff, ...] = ()
    converged: bool = True
    outcome: str = ""
    calibrations: tuple[CalibratedRow, ...] = ()
