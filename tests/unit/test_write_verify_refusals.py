"""Write-verify refuses before any pulse."""

import math

import numpy as np
import pytest

from golden.tile.write_verify import program, targets
from spec.errors import UserError
from tests.support.cells_to_program import MAPPINGS, cells, one_cell
from tests.support.configs import VERIFIABLE, chip
from tests.support.programming import (
    fresh,
)

SHARED = VERIFIABLE.replace(rows=4)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ([(0, 0, 0, 0, 0, 1), (2, 0, 0, 0, 0, 1)], "cell 1 .* slices of 0 to 1, not 2"),
        ([(-1, 0, 0, 0, 0, 1)], "cell 0 .* slices of 0 to 1, not -1"),
        ([(0, 4, 0, 0, 0, 1)], "rows of 0 to 3, not 4"),
        ([(0, -1, 0, 0, 0, 1)], "rows of 0 to 3, not -1"),
        ([(0, 0, 2, 0, 0, 1)], "adcs of 0 to 1, not 2"),
        ([(0, 0, 0, 2, 0, 1)], "groups of 0 to 1, not 2"),
        ([(0, 0, 0, 0, 2, 1)], "sides of 0 to 1, not 2"),
        ([(0, 0, 0, 0, 0, 8)], "levels of 0 to 7, not 8"),
        ([(0, 0, 0, 0, 0, -1)], "levels of 0 to 7, not -1"),
        ([(0, 0, 0, 0, 0, 1), (0, 0, 0, 0, 0, 2)], "named twice"),
    ],
)
def test_cells_that_are_not_there_are_refused_untouched(named, words):
    analog = fresh(SHARED)
    before = analog.array.g_s
    with pytest.raises(UserError, match=words):
        program(analog, cells(*named))
    np.testing.assert_array_equal(analog.array.g_s, before)
    assert not analog.array.cells.pulses.any()


def test_the_unit_cell_of_a_row_is_one_whichever_column_names_it():
    config = SHARED.replace(mapping="offset")
    with pytest.raises(UserError, match="named twice"):
        program(fresh(config), cells((1, 0, 0, 0, 1, 1), (1, 0, 1, 1, 1, 1)))


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ({"rows": slice(0, 5)}, "rows to program .* 0 to 4, not 5"),
        ({"rows": slice(-5, None)}, "rows to program .* 0 to 4, not -5"),
        ({"columns": slice(7, 9)}, "columns to program .* 0 to 4, not 7"),
    ],
)
def test_a_region_beyond_the_matrix_is_refused(region, words):
    with pytest.raises(UserError, match=words):
        targets(SHARED, np.zeros((4, 4), np.int64), **region)


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_weight_beyond_the_range_is_refused(mapping):
    config = SHARED.replace(mapping=mapping)
    low, high = config.weight_range
    for value in (low - 1, high + 1):
        weights = np.zeros((4, 4), np.int64)
        weights[2, 1] = value
        words = rf"weights\[2, 1\] must be an integer of {low} to {high}, not {value}"
        with pytest.raises(UserError, match=words):
            targets(config, weights)
    with pytest.raises(UserError, match="must have the shape 4 x 4, not 4 x 3"):
        targets(config, np.zeros((4, 3), np.int64))


@pytest.mark.parametrize(
    "fields",
    [
        {"adc_bits": 3},
        {"adc_bits": 1},
        # The highest level reads beyond the range, if only by one code.
        {"rows": 1, "cell_bits": 2, "input_bits": 3, "dac_bits": 3, "adc_bits": 6, "g_min_s": 3e-5},
    ],
)
def test_an_adc_that_cannot_tell_the_levels_is_refused(fields):
    config = SHARED.replace(**fields)
    assert not config.verifiable
    words = (
        f"adc_bits={config.converter.adc_bits} cannot tell the {config.levels} levels.*"
        "raise adc_bits"
    )
    analog = fresh(config)
    with pytest.raises(UserError, match=words):
        targets(config, np.zeros((config.array.rows, 4), np.int64))
    with pytest.raises(UserError, match=words):
        program(analog, one_cell())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"pulse_bits": 0}, "pulse_bits must be an integer of 1 to 16, not 0"),
        ({"pulse_bits": 17}, "pulse_bits must be an integer of 1 to 16, not 17"),
        ({"pulse_first": -1}, r"pulse_first must be an integer of 0 to 31 \(pulse_bits\), not -1"),
        ({"pulse_first": 32}, "pulse_first must be .* not 32"),
        ({"pulse_bits": 2}, "pulse_first must be an integer of 0 to 3 .* not 4"),
        ({"pulse_first": 1.5}, "pulse_first must be an integer .* not 1.5"),
        ({"pulse_increment": -1}, "pulse_increment must be .* not -1"),
        ({"pulse_increment": 32}, "pulse_increment must be .* not 32"),
        ({"pulse_limit": 0}, "pulse_limit must be an integer of 1 to 255, not 0"),
        ({"pulse_limit": 256}, "pulse_limit must be .* not 256"),
        ({"pulse_s": -1e-9}, "pulse_s must be a number of 0 to 1 seconds"),
        ({"pulse_s": math.nan}, "pulse_s must be .* not nan"),
        ({"pulse_s": 0.5}, "pulse_s of 0.5 s is more than a million cycles"),
    ],
)
def test_programming_fields_out_of_range_are_refused(fields, words):
    with pytest.raises(UserError, match=words):
        chip(**fields)
