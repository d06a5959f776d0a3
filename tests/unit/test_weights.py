"""Weights as digits: they join, stay in range, and the top one is the nearest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.tile.weights import join_slices, slice_weights
from spec.errors import UserError
from tests.support.configs import chip, chips, random_operands, weight_digits


@given(chips(), st.integers(0, 2**32))
def test_slices_join_and_stay_in_range(config, seed):
    weights, _ = random_operands(config, 1, seed)
    digits = slice_weights(config, weights)
    assert digits.shape == (config.array.slices, config.array.rows, config.array.columns)
    np.testing.assert_array_equal(join_slices(config, digits), weights)
    half, top = config.radix // 2, digits[-1]
    if config.array.mapping == "offset":
        assert -half <= top.min() and top.max() < half
        assert digits[:-1].min(initial=0) >= 0 and digits[:-1].max(initial=0) < config.radix
    else:
        assert np.abs(top).max() < config.radix
        assert np.abs(digits[:-1]).max(initial=0) <= half


@pytest.mark.parametrize("mapping", ["differential", "offset"])
@pytest.mark.parametrize("cell_bits, slices", [(1, 5), (2, 3), (3, 2), (6, 1)])
def test_every_weight_has_the_digits_that_plain_integers_give(mapping, cell_bits, slices):
    config = chip(mapping=mapping, cell_bits=cell_bits, slices=slices, rows=1, columns=1, adcs=1)
    low, high = config.weight_range
    wide = chip(
        mapping=mapping, cell_bits=cell_bits, slices=slices, rows=1, columns=high - low + 1, adcs=1
    )
    weights = np.arange(low, high + 1)[None]
    digits = slice_weights(wide, weights)[:, 0].T
    stored = digits.copy()
    if mapping == "offset":
        stored[:, -1] += config.radix // 2
    assert stored.tolist() == [weight_digits(config, w) for w in weights[0].tolist()]


@given(chips(), st.integers(0, 2**32))
def test_top_slice_alone_is_the_nearest_differential_weight(config, seed):
    if config.array.mapping == "offset":
        return
    weights, _ = random_operands(config, 1, seed)
    place = config.radix ** (config.array.slices - 1)
    reach = np.arange(-config.radix + 1, config.radix) * place
    nearest = np.abs(weights[..., None] - reach).min(axis=-1)
    top = slice_weights(config, weights)[-1] * place
    np.testing.assert_array_equal(np.abs(weights - top), nearest)


CONFIG = chip(rows=2, columns=2, adcs=1)
LOW, HIGH = CONFIG.weight_range


@pytest.mark.parametrize(
    "weights, message",
    [
        (
            [[0, 0], [HIGH + 1, 0]],
            rf"weights\[1, 0\] must be an integer of {LOW} to {HIGH}, not 15",
        ),
        (
            [[0, LOW - 1], [0, 0]],
            rf"weights\[0, 1\] must be an integer of {LOW} to {HIGH}, not -15",
        ),
        ([[0, 0.5], [0, 0]], r"weights\[0, 1\] must be an integer .* not 0.5"),
        ([[0, 0], [0, np.nan]], r"weights\[1, 1\] must be an integer .* not nan"),
        ([[-np.inf, 0], [0, 0]], r"weights\[0, 0\] must be an integer .* not -inf"),
        (np.array([[2**63, 0], [0, 0]], np.uint64), r"weights\[0, 0\] .* not 9223372036854775808"),
        (np.array([[200, 0], [0, 0]], np.uint8), r"weights\[0, 0\] .* not 200"),
        ([[2**70, 0], [0, 0]], r"weights\[0, 0\] must be an integer .* not 1180591620717411303424"),
        ([[0, 0]], "weights must have the shape 2 x 2, not 1 x 2"),
        ([0, 0], "weights must have the shape 2 x 2, not 2"),
        (3, "weights must have the shape 2 x 2, not that of a single value"),
        ([[[0, 0], [0, 0]]], "weights must have the shape 2 x 2, not 1 x 2 x 2"),
        ([[0, 0], [0]], "weights must have the shape 2 x 2, but have lines of different lengths"),
        ([["0", "0"], ["0", "0"]], "weights must be numbers, not of type"),
        ([[True, False], [False, True]], "weights must be numbers, not of type bool"),
        ([[0, None], [0, 0]], r"weights must be numbers, not of type object"),
        ([[0, 1j], [0, 0]], "weights must be numbers, not of type complex128"),
    ],
)
def test_bad_weights_are_refused_with_place_value_and_range(weights, message):
    with pytest.raises(UserError, match=f"^{message}"):
        slice_weights(CONFIG, weights)


def test_whole_numbers_of_any_type_are_weights():
    for dtype in (np.int8, np.int64, np.float32, np.float64):
        digits = slice_weights(CONFIG, np.array([[-2, 1], [0, 3]], dtype))
        assert digits.dtype == np.int64
        assert join_slices(CONFIG, digits).tolist() == [[-2, 1], [0, 3]]
