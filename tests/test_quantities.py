"""What is declared with a range is held against it."""

from dataclasses import dataclass

import pytest

from profundus.quantities import out_of_range, quantity


@dataclass(frozen=True)
class Tendon:
    slack_length: float = quantity("m", low=0.001, high=0.6, default=0.2)
    strain: tuple[float, ...] = quantity("-", low=0.0, high=0.1, default=(0.02, 0.05))
    name: str = "Achilles"


def test_what_is_within_its_range_is_no_problem():
    assert out_of_range(Tendon()) == []
    assert out_of_range(Tendon(slack_length=0.001, strain=(0.0, 0.1))) == []


@pytest.mark.parametrize(
    ("value", "said"), [(200.0, "200"), (0.0, "0"), (float("nan"), "nan"), (float("inf"), "inf")], ids=str
)
def test_a_value_out_of_its_range_is_told_with_the_range(value, said):
    (problem,) = out_of_range(Tendon(slack_length=value))
    assert str(problem) == f"slack_length is {said}. Expected 0.001 to 0.6 m."


@pytest.mark.parametrize("pair", [(0.05, 0.02), (-0.01, 0.05), (0.02, 0.2), (0.02,)], ids=str)
def test_a_pair_goes_from_low_to_high_within_its_range(pair):
    (problem,) = out_of_range(Tendon(strain=pair))
    assert str(problem) == f"strain is {pair}. Expected 0 to 0.1."


def test_every_problem_is_told_at_once():
    assert len(out_of_range(Tendon(slack_length=-1.0, strain=(1.0, 2.0)))) == 2
