"""Numbers survive being packed and unpacked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.packing import EXACT_BITS, pack, unpack, unpack_wide


@given(st.integers(1, 63), st.data())
def test_elements_of_any_width_survive(width, data):
    end = 2 ** (width - 1)
    values = data.draw(st.lists(st.integers(-end, end - 1), min_size=1, max_size=5))
    values += [-end, end - 1, -1, 0]
    bits = pack(np.array(values), width)[::-1].astype(np.uint8)
    unsigned = [value % (2 * end) for value in values]
    assert unpack_wide(bits, len(values)).tolist() == values
    assert unpack_wide(bits, len(values), signed=False).tolist() == unsigned
    if width <= EXACT_BITS:
        assert unpack(bits, len(values)).tolist() == values
        assert unpack(bits, len(values), signed=False).tolist() == unsigned


@pytest.mark.parametrize("width", [1, 4, 60])
def test_element_0_is_least_significant(width):
    assert np.flatnonzero(pack(np.array([0, 1, 0]), width)).tolist() == [width]
