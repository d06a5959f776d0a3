"""Signals to numbers and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.bits import pack, unpack


@given(st.integers(1, 63), st.data())
def test_elements_of_any_width_survive(width, data):
    end = 2 ** (width - 1)
    values = data.draw(st.lists(st.integers(-end, end - 1), min_size=1, max_size=5))
    values += [-end, end - 1, -1, 0]
    bits = pack(np.array(values), width)[::-1].astype(np.uint8)
    assert unpack(bits, len(values)).astype(np.int64).tolist() == values
    unsigned = unpack(bits, len(values), signed=False)
    assert [int(value) for value in unsigned] == [value % (2 * end) for value in values]


@pytest.mark.parametrize("width", [1, 4, 60])
def test_element_0_is_least_significant(width):
    assert np.flatnonzero(pack(np.array([0, 1, 0]), width)).tolist() == [width]
