"""Settings of a fit: what the network sees, what the losses weigh, how long it trains."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from profundus.quantities import quantity


@dataclass(frozen=True)
class NetworkSettings:
    """Size and inputs of the transformer."""

    width: int = quantity("-", low=8, high=1024, default=48, meaning="channels of a token")
    layers: int = quantity("-", low=1, high=12, default=2, meaning="transformer blocks")
    heads: int = quantity("-", low=1, high=16, default=4, meaning="attention heads")
    token_samples: int = quantity("-", low=1, high=50, default=4, meaning="samples that form one token")
    acceleration: bool = False
    measured_emg: bool = True
    inverse_dynamics_moment: bool = True


@dataclass(frozen=True)
class LossSettings:
    """Weight of every loss term, each a standard deviation in the unit of its term; None leaves the term out.

    Neighboring samples are not independent: a term counts ``duration / correlation`` independent errors, not one a sample. The moment moves
    parameters and measured excitations; deep ones follow their group, because a moment fitted with a muscle model that is a little wrong
    drives them away from the truth (``deep_moment_share`` = 1 lets it).
    """

    emg_sd: float = quantity(
        "fraction of MVC", low=1e-4, high=1.0, default=0.01, meaning="noise of a measured envelope, constant part"
    )
    emg_relative_sd: float = quantity(
        "-", low=0.0, high=1.0, default=0.12, meaning="noise of a measured envelope, part that grows with it"
    )
    emg_correlation_s: float = quantity(
        "s", low=1e-3, high=10.0, default=0.1, meaning="how long an envelope's noise lasts"
    )
    moment_sd: float = quantity(
        "N.m", low=1e-3, high=100.0, default=0.3, meaning="error of moment and muscle model, constant part"
    )
    moment_relative_sd: float = quantity(
        "-",
        low=0.0,
        high=1.0,
        default=0.05,
        meaning="error of moment and muscle model, part that grows with the moment",
    )
    moment_correlation_s: float = quantity(
        "s", low=1e-3, high=10.0, default=0.2, meaning="how long an error of the moment lasts"
    )
    deep_moment_share: float = quantity(
        "-",
        low=0.0,
        high=1.0,
        default=0.0,
        meaning="how much of the moment's pull reaches the deep excitations directly",
    )
    group_amplitude_sd: float | None = quantity(
        "log ratio",
        low=1e-3,
        high=10.0,
        default=0.35,
        meaning="a deep muscle's mean level against its functional group",
    )
    group_pattern_sd: float = quantity(
        "log ratio", low=1e-3, high=10.0, default=0.2, meaning="change of that ratio with angle, velocity and load"
    )
    group_drive_sd: float = quantity(
        "log ratio", low=1e-3, high=10.0, default=0.12, meaning="drive of a deep muscle that is only its own"
    )
    group_correlation_s: float = quantity(
        "s", low=1e-3, high=10.0, default=0.4, meaning="how long a deviation from the group lasts"
    )
    effort_sd: float | None = quantity(
        "-",
        low=1e-3,
        high=10.0,
        default=1.0,
        meaning="spread of a deep muscle's root mean square excitation around zero",
    )
    smoothness_sd: float | None = quantity(
        "1/s", low=1e-3, high=1e3, default=2.0, meaning="rate of change of the log ratio of a deep muscle to its group"
    )
    parameter_prior: bool = True


@dataclass(frozen=True)
class FitSettings:
    """How a subject is fitted.

    By default a prior that virtual people taught answers for the deep muscles, and the parameters explain the moment with that answer held;
    ``prior`` is the file of another one than the model's own (beside the study file; `profundus pretrain` writes it). ``paper`` gives the
    plain NMM of arXiv 2503.05201 and overrides inputs and losses. ``ablation`` takes a part of the model away, to show what it is worth:
    "no_pretraining" trains networks on the person alone, "no_physics" and "no_emg" hide the moment or the envelopes from the prior,
    "network_only" leaves a network of the person alone, without muscles, parameters and moment. Members, steps, learning rate, window and
    network concern networks that are trained on the person.
    """

    paper: bool = False
    ablation: Literal["none", "no_pretraining", "no_physics", "no_emg", "network_only"] = "none"
    prior: str = ""
    muscle: Literal["degroote", "thelen"] = "thelen"
    tendon: Literal["rigid", "compliant"] = "rigid"
    activation_smoothing: float = quantity(
        "-", low=0.01, high=1000.0, default=10.0, meaning="b of the activation dynamics; 0.1 is the published value"
    )
    members: int = quantity("-", low=5, high=100, default=5, meaning="networks of the ensemble")
    steps: int = quantity("-", low=1, high=100000, default=250, meaning="optimizer steps of a member")
    learning_rate: float = quantity("-", low=1e-6, high=1.0, default=3e-3, meaning="peak learning rate")
    window_s: float = quantity("s", low=0.5, high=60.0, default=2.56, meaning="stretch of a trial that one step sees")
    network: NetworkSettings = field(default_factory=NetworkSettings)
    loss: LossSettings = field(default_factory=LossSettings)
