"""Which settings hold once the plain model of the paper is asked for, and what is left of the model in an ablation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from profundus.records import FitSettings, Trial


def resolved(settings: FitSettings) -> FitSettings:
    """Return the settings that hold: with ``paper``, kinematics and load in, losses of measured EMG and moment only (arXiv 2503.05201)."""
    if not settings.paper:
        return settings
    network = replace(settings.network, acceleration=False, measured_emg=False, inverse_dynamics_moment=False)
    loss = replace(
        settings.loss, group_amplitude_sd=None, effort_sd=None, smoothness_sd=None, parameter_prior=False,
        emg_relative_sd=0.0, emg_sd=0.03, moment_relative_sd=0.0, moment_sd=1.0, deep_moment_share=1.0,
    )  # fmt: skip
    return replace(settings, network=network, loss=loss)


def with_physics(settings: FitSettings) -> bool:
    """Return whether muscles and moments take part."""
    return settings.ablation not in ("network_only", "no_physics")


def with_prior(settings: FitSettings) -> bool:
    """Return whether a prior that virtual people taught takes part; where it does not, networks are trained on the person alone."""
    return not settings.paper and settings.ablation not in ("network_only", "no_pretraining")


def method_of(settings: FitSettings) -> str:
    """Return the name under which answers of these settings are scored."""
    if settings.ablation == "network_only":
        return "network_only"
    if settings.paper:
        return "nmm_paper"
    return "nmm" if settings.ablation == "none" else f"nmm_{settings.ablation}"


def shown(trial: Trial, settings: FitSettings, *, gain: float = 1.0) -> Trial:
    """Return a trial as the network is shown it: envelopes over the usual ``gain``; an ablation hides moments, or envelopes."""
    if gain != 1.0:
        trial = replace(trial, emg=trial.emg / gain)
    if settings.ablation == "no_physics":
        return replace(trial, moment_valid=np.zeros_like(trial.moment_valid))
    if settings.ablation == "no_emg":
        return replace(trial, emg_valid=np.zeros_like(trial.emg_valid))
    return trial
