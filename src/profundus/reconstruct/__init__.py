"""A fitted person and trials in, excitations of all muscles with bands out."""

from __future__ import annotations

from collections.abc import Sequence

from profundus.model.fitted import FittedSubject, TaughtSubject
from profundus.model.musculoskeletal import MusculoskeletalModel
from profundus.reconstruct.taught import reconstruct_taught
from profundus.reconstruct.trained import reconstruct_trained
from profundus.records import Reconstruction, Trial

__all__ = ["reconstruct", "reconstruct_taught", "reconstruct_trained"]


def reconstruct(
    fitted: FittedSubject | TaughtSubject, model: MusculoskeletalModel, trials: Sequence[Trial]
) -> Reconstruction:
    """Return what the fitted person's muscles did in the trials: middle and 90 % band of every excitation, and the model's moments."""
    if isinstance(fitted, TaughtSubject):
        return reconstruct_taught(fitted, model, trials)
    return reconstruct_trained(fitted, model, trials)
