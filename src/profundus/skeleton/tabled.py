"""Muscle paths from tables along recorded motions: fitted to all of them, judged on the trials that were left out in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from profundus.skeleton.sampling import SampledPaths
from profundus.skeleton.surrogate import Samples, fitted

Floats = NDArray[np.float64]
DEGREES = (1, 2, 3, 4)  # of the products in all; trajectories say less of a path than postures all over the range
MOST_PARTS = 5
MOST_SAMPLES = 4000


def tabled_paths(
    trials: Sequence[Samples], muscles: Sequence[str], parameters: Mapping[str, Floats], *, low: Floats, high: Floats
) -> SampledPaths:
    """Return the paths that follow the samples of all ``trials`` best over ``low`` to ``high`` (coordinate,) [rad].

    Errors are those of paths that were fitted without the trial (with many trials: without a fifth of them; with one: without a fifth of
    it). The degree of the products is the one that makes these errors smallest.
    """
    parts = _parts(trials)
    reference = np.clip(np.zeros(len(low)), low, high)
    whole = _joined(parts)

    def missed(degree: int) -> tuple[Floats, Floats]:
        """Return errors of length and of moment arms at every sample, by paths that have not seen its part."""
        lengths, arms = [], []
        for at, held_out in enumerate(parts):
            rest = _joined([part for other, part in enumerate(parts) if other != at])
            paths = fitted(rest, held_out, low, high, reference, degrees=(degree,))
            lengths.append(paths.length(held_out.posture) - held_out.length)
            arms.append(paths.moment_arm(held_out.posture) - held_out.moment_arm)
        return np.concatenate(lengths), np.concatenate(arms)

    errors = {degree: missed(degree) for degree in DEGREES}
    best = min(DEGREES, key=lambda degree: sum(float(np.mean(error**2)) for error in errors[degree]))
    return SampledPaths(
        tuple(muscles),
        dict(parameters),
        fitted(whole, whole, low, high, reference, degrees=(best,)),
        whole.posture,
        whole.length,
        whole.moment_arm,
        np.zeros(whole.crosses.shape),
        *errors[best],
    )


def _parts(trials: Sequence[Samples]) -> list[Samples]:
    """Return the samples, thinned where they are many, in two to five parts of which each can be left out."""
    every = max(1, -(-sum(len(trial.posture) for trial in trials) // MOST_SAMPLES))
    thinned = [_rows(trial, slice(None, None, every)) for trial in trials]
    if len(thinned) == 1:
        pieces = np.array_split(np.arange(len(thinned[0].posture)), MOST_PARTS)
        return [_rows(thinned[0], piece) for piece in pieces if len(piece)]
    count = min(len(thinned), MOST_PARTS)
    return [_joined(thinned[at::count]) for at in range(count)]


def _rows(samples: Samples, rows: slice | NDArray[np.intp]) -> Samples:
    return Samples(samples.posture[rows], samples.length[rows], samples.moment_arm[rows], samples.crosses)


def _joined(parts: Sequence[Samples]) -> Samples:
    return Samples(
        np.concatenate([part.posture for part in parts]),
        np.concatenate([part.length for part in parts]),
        np.concatenate([part.moment_arm for part in parts]),
        np.any([part.crosses for part in parts], axis=0),
    )
