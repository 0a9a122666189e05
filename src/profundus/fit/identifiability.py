"""What the data decided, and what only the prior says."""

from __future__ import annotations

import numpy as np

from profundus.model.fitted import FittedSubject
from profundus.model.inputs import draw_logits
from profundus.model.settings import with_physics
from profundus.records import Flag, Reconstruction

MOVED = 0.8


def prior_only(fitted: FittedSubject, rec: Reconstruction) -> tuple[Flag, ...]:
    """Return ``prior_only`` for deep muscles whose level the data of the fit did not narrow.

    The level is the mean log ratio of a deep muscle to its group; it counts as moved by the data when the members' levels spread less than
    0.8 of the prior (``group_amplitude_sd``). ``rec`` holds the trials of the fit: what new trials show says nothing about it.
    """
    prior = fitted.settings.loss.group_amplitude_sd
    if prior is None:
        return ()
    spread = _level_spread(fitted, rec)
    why = "its level follows from its group and the prior; this person's data did not narrow it"
    deep = [index for index in np.flatnonzero(fitted.layout.deep) if spread[index] >= MOVED * prior]
    return tuple(Flag("prior_only", fitted.subject, fitted.layout.muscles[index], why) for index in deep)


def shortcomings(fitted: FittedSubject, rec: Reconstruction) -> tuple[Flag, ...]:
    """Return what a fit lacked.

    ``no_moment``: a trial without what the network was trained to see; ``unlearned``: a deep muscle that no loss told of, which answers as
    the network was born; ``not_converged``.
    """
    found = []
    if not with_physics(fitted.settings) and fitted.settings.loss.group_amplitude_sd is None:
        why = "neither a moment nor its group told of it: it is what the untrained network makes of the motion"
        deep = np.array(fitted.layout.muscles)[fitted.layout.deep].tolist()
        found += [Flag("unlearned", fitted.subject, muscle, why) for muscle in deep]
    if fitted.settings.network.inverse_dynamics_moment:
        for part in rec.trials:
            if not np.any(part.trial.moment_valid):
                why = f"{part.trial.name} has no joint moment: the network saw an average one instead"
                found.append(Flag("no_moment", fitted.subject, why=why))
    if not fitted.converged:
        why = "the loss was still falling at the last step; give [fit] more steps"
        found.append(Flag("not_converged", fitted.subject, why=why))
    return tuple(found)


def _level_spread(fitted: FittedSubject, rec: Reconstruction) -> np.ndarray:
    """Return the standard deviation over the members of each muscle's mean log ratio to its group (muscle,)."""
    draws = np.concatenate([part.draws for part in rec.trials if part.draws is not None], axis=1)
    logits = draw_logits(draws)
    ratio = logits - logits @ fitted.layout.neighbors.T
    return np.asarray(ratio.mean(axis=1).std(axis=0, ddof=1))
