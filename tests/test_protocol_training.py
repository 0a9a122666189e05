"""What a fit and a comparison share: recordings that are heard of once, and a training whose end is looked at."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from curls import curl
from profundus.errors import ConvergenceError, Problem
from profundus.protocols.recordings import heard_of
from profundus.protocols.training import trained


class Training:
    """A fit whose loss takes the values that it is given."""

    def __init__(self, *losses):
        self.state = SimpleNamespace(history=np.array(losses).reshape(-1, 1, 1))

    def train(self, state, *, after_chunk=None):
        return self.state


def test_what_two_trials_say_is_heard_once():
    shared, own = Problem("warning", "the clock stood still"), Problem("note", "no moment")
    trials = [replace(curl("first"), problems=(shared,)), replace(curl("second"), problems=(own, shared))]
    assert heard_of(trials, (), "sub-01") == (shared, own)


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_a_loss_that_does_not_stay_finite_is_told_with_what_to_do(lost):
    with pytest.raises(ConvergenceError, match=r"^sub-01: the loss is no longer finite\. Slow down$"):
        trained(Training(2.0, lost), None, who="sub-01", remedy="Slow down")
    kept = Training(2.0, 1.0)
    assert trained(kept, None, who="sub-01") is kept.state
