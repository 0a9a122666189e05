"""Which settings hold once the plain model of the paper is asked for, and what is left of the model in an ablation."""

from __future__ import annotations

from dataclasses import replace

from profundus.records import FitSettings


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
    return settings.ablation != "network_only"


def method_of(settings: FitSettings) -> str:
    """Return the name under which answers of these settings are scored."""
    if not with_physics(settings):
        return "network_only"
    return "nmm_paper" if settings.paper else "nmm"
