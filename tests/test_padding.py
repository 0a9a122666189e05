"""Lengths that recordings are filled up to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profundus.model.padding import padded_count


@pytest.mark.parametrize(("count", "padded"), [(0, 8), (1, 8), (8, 8), (9, 16), (17, 32), (32, 32), (33, 64)])
def test_recordings_are_filled_up_to_a_doubled_length(count, padded):
    assert padded_count(count, least=8) == padded


@given(st.integers(1, 10**6), st.sampled_from([8, 256, 512]))
def test_less_than_half_of_a_long_recording_is_filling(count, least):
    padded = padded_count(count, least=least)
    assert count <= padded < max(2 * count, least + 1)
    assert np.log2(padded / least) % 1 == 0
