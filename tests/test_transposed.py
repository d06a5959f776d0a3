"""The transposed read: columns driven, word lines sensed."""

import numpy as np
import pytest

from golden.array import Array
from golden.errors import UserError
from golden.mapping import cell_levels
from golden.physics import IDEAL, Physics
from golden.weights import slice_weights
from tests.support import chip
from tests.test_wires import exact

WIRES = {"r_word": 30.0, "r_bit": 50.0, "r_driver": 20.0, "r_sense": 70.0}


def programmed(physics=IDEAL, **fields):
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
    config, _, array = programmed(Physics(**{f"{name}_ohm": ohms for name, ohms in WIRES.items()}))
    codes = np.array([[3, -2]])
    volts = np.array([3.0, -3.0, -2.0, 2.0]) * config.v_step_v
    currents = array.transposed_currents(codes)[0] * config.unit_a
    for s in range(config.slices):
        _, _, into_rows, _ = exact(array.g_s[s], np.zeros(config.rows), volts, WIRES)
        # Cells are kept to 2**-12 of a level or finer.
        np.testing.assert_allclose(currents[s], into_rows, atol=1e-3 * config.unit_a)


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
