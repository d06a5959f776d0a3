"""Digits as levels of cells, and line currents as the values that the ADCs see."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from golden.tile.mapping import cell_levels, column_values
from golden.tile.weights import slice_weights
from tests.support.configs import chip, chips, random_operands


@given(chips(), st.integers(0, 2**32))
def test_cells_hold_levels_that_exist_and_columns_see_their_digits(config, seed):
    weights, _ = random_operands(config, 1, seed)
    digits = slice_weights(config, weights)
    levels = cell_levels(config, digits)
    assert levels.shape == (config.array.slices, config.array.rows, config.bit_lines)
    assert levels.min() >= 0 and levels.max() < config.levels

    # Currents of one row driven at a time, with a conductance at level 0 that must cancel.
    lines = (levels + 7.0).transpose(1, 0, 2)
    values = column_values(config, lines)
    assert values.shape == (config.array.rows, config.converters, config.forward.groups)
    columns = config.array.slices * config.converter.adcs
    seen = values[:, :columns].reshape(config.array.rows, config.array.slices, config.array.columns)
    expected = digits.transpose(1, 0, 2).copy()
    if config.array.mapping == "offset":
        expected[:, -1] += config.radix // 2
        np.testing.assert_array_equal(values[:, -1], 1)
    np.testing.assert_array_equal(seen, expected)


def test_lines_of_a_differential_column_are_neighbours():
    config = chip(slices=1, rows=1, columns=2, adcs=1)
    assert cell_levels(config, np.array([[[3, -2]]])).tolist() == [[[3, 0, 0, 2]]]


def test_unit_and_reference_lines_follow_the_columns():
    config = chip(mapping="offset", slices=2, rows=1, columns=2, adcs=1)
    levels = cell_levels(config, np.array([[[3, 0]], [[-2, 1]]]))
    assert levels.tolist() == [[[3, 0, 0, 0]], [[0, 3, 1, 0]]]
