"""Which unknowns of a person make up for each other: the strongest correlations of the posterior."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from profundus.fit.priors import ParameterPrior
from profundus.records import TradeOff

Floats = NDArray[np.float64]
MOST = 8
WORTH_TELLING = 0.3  # absolute correlation


def strongest(
    prior: ParameterPrior, levels: tuple[str, ...], slope: Floats, information: Floats
) -> tuple[TradeOff, ...]:
    """Return the strongest trade-offs between parameters, and between parameters and the ``levels`` of muscles without electrodes.

    ``slope`` (parameter, parameter) turns whitened into real parameters; ``information`` is that of whitened parameters and free gains,
    the levels last.
    """
    count, names = len(prior.names), [f"{muscle} {name}".strip() for muscle, name, _ in prior.names]
    names += [f"{muscle} excitation level" for muscle in levels]
    whole = np.linalg.inv(information)
    kept = np.concatenate([np.arange(count), np.arange(len(whole) - len(levels), len(whole))])
    turn = np.eye(len(kept))
    turn[:count, :count] = slope
    covariance = turn @ whole[np.ix_(kept, kept)] @ turn.T
    sd = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(sd, sd)
    rows, columns = np.triu_indices(len(names), k=1)
    order = np.argsort(-np.abs(correlation[rows, columns]))[:MOST]
    found = [(names[rows[i]], names[columns[i]], float(correlation[rows[i], columns[i]])) for i in order]
    return tuple(TradeOff(*pair) for pair in found if abs(pair[2]) >= WORTH_TELLING)
