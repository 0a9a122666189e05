"""Shares that make sums at the least cost, against a general solver and a closed form."""

import numpy as np
import pytest
from scipy.optimize import minimize

from profundus.numerics.shared_load import cheapest_shares


def test_two_equal_shares_divide_a_sum_evenly():
    found = cheapest_shares(np.full((1, 1, 2), 10.0), np.array([[6.0]]), cost=np.ones(2), power=2.0, slack=1e-6)
    np.testing.assert_allclose(found, 0.3, atol=1e-4)


def test_a_cheaper_share_takes_more_as_lagrange_says():
    found = cheapest_shares(
        np.full((1, 1, 2), 10.0), np.array([[6.0]]), cost=np.array([1.0, 4.0]), power=3.0, slack=1e-6
    )
    assert found[0, 0] / found[0, 1] == pytest.approx(2.0, rel=1e-3)  # share^(power - 1) x cost is the same for both
    assert found.sum() == pytest.approx(0.6, rel=1e-3)


def test_what_cannot_be_made_is_missed_at_the_bounds():
    found = cheapest_shares(np.full((1, 1, 2), 10.0), np.array([[50.0]]), cost=np.ones(2), power=2.0)
    np.testing.assert_allclose(found, 1.0)


@pytest.mark.parametrize("power", [1.6, 2.0, 3.5])
def test_shares_agree_with_a_general_solver(power):
    chance = np.random.default_rng(3)
    effects = chance.normal(size=(4, 3, 8)) * 20.0
    wanted = np.einsum("tcm,tm->tc", effects, chance.uniform(0.02, 0.5, (4, 8)))
    cost = np.exp(0.5 * chance.normal(size=8))
    found = cheapest_shares(effects, wanted, cost=cost, power=power, least=0.01, slack=1e-4)
    for effect, sums, ours in zip(effects, wanted, found, strict=True):
        made = {"type": "eq", "fun": lambda a, e=effect, s=sums: e @ a - s}
        theirs = minimize(
            lambda a: np.sum(cost * a**power), np.full(8, 0.2), bounds=[(0.01, 1.0)] * 8, constraints=made,
            options={"ftol": 1e-12, "maxiter": 500},
        )  # fmt: skip
        np.testing.assert_allclose(ours, theirs.x, atol=2e-3)
