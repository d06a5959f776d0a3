"""The transposed read: columns driven, word lines sensed."""

import numpy as np
import pytest

from golden.array import Array
from golden.errors import UserError
from golden.mapping import cell_levels
from golden.physics import Physics
from golden.weights import slice_weights
from golden.wires import effective_matrix
from tests.nodal import solve_columns
from tests.support import chip

WIRES = {"r_word_ohm": 30.0, "r_bit_ohm": 50.0, "r_driver_ohm": 20.0, "r_sense_ohm": 70.0}


def programmed(physics=Physics(), **fields):
    config = chip(rows=3, columns=2, adcs=1, physics=physics, **fields)
    weights = np.random.default_rng(0).integers(*config.weight_range, (3, 2), endpoint=True)
    levels = cell_levels(config, slice_weights(config, weights))
    return config, slice_weights(config, weights), Array.of_levels(config, levels)


def test_ideal_array_multiplies_by_the_transposed_digits():
    config, digits, array = programmed()
    codes = np.random.default_rng(1).integers(-3, 4, (5, config.columns))
    expected = np.einsum("nc,src->nsr", codes, digits)
    np.testing.assert_allclose(array.transposed_currents(codes), expected, atol=1e-9)


def test_wires_are_those_of_the_circuit_solved_at_its_nodes():
    config, _, array = programmed(Physics(**WIRES))
    codes = np.array([[3, -2]])
    volts = np.array([3.0, -3.0, -2.0, 2.0]) * config.v_step_v
    currents = array.transposed_currents(codes)[0] * config.unit_a
    for s in range(config.slices):
        np.testing.assert_allclose(currents[s], solve_columns(array.g_s[s], volts, **WIRES), 1e-3)


def test_noise_has_the_variance_of_its_cells():
    config, _, array = programmed(Physics(read_noise=0.1))
    codes = np.full((20000, config.columns), 3)
    found = array.transposed_currents(codes).std(axis=0)
    cells = 3 * array.g_s / config.g_step_s
    np.testing.assert_allclose(found, 0.1 * np.sqrt((cells**2).sum(axis=2)), rtol=0.05)


def test_what_it_cannot_do_is_refused():
    _, _, array = programmed(mapping="offset")
    with pytest.raises(UserError, match="needs the differential mapping and linear cells"):
        array.transposed_currents(np.zeros((1, 2), np.int64))
