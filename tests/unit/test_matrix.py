"""Products with matrices of any shape, on the model, against NumPy."""

import numpy as np
import pytest

from golden.array.lines import Array
from golden.machine.machine import Machine
from golden.machine.programmer import set_directly
from golden.tile.analog import Analog
from ohmulator.compiler import compile_matrix, load, multiply
from spec.errors import UserError
from spec.load import load as load_config
from spec.physics import Physics

CONFIG = load_config("digits", adc_bits=13, tiles=16, weight_words=1 << 20)
BLOCKS = {(640, 128): 20, (161, 161): 9, (1, 1): 1, (1, 500): 8, (500, 1): 8, (1000, 1000): 256}


def random_product(config, shape, count, *, transposed=False):
    rng = np.random.default_rng(shape)
    low, high = config.weight_range
    weights = rng.integers(low, high, shape, endpoint=True)
    low, high = config.input_range
    return weights, rng.integers(low, high, (count, shape[transposed]), endpoint=True)


@pytest.mark.parametrize(("shape", "blocks"), BLOCKS.items())
def test_products_of_any_shape_equal_numpy(shape, blocks):
    assert CONFIG.lossless
    weights, vectors = random_product(CONFIG, shape, 2)
    machine = Machine(CONFIG)
    program = compile_matrix(CONFIG, weights, matrix=3, tile=5, address=7)
    load(machine, program)
    assert (multiply(machine, program, vectors) == vectors @ weights).all()
    assert machine.chip_counters["reprograms"] == blocks
    assert machine.chip_counters["saturations"] == 0


@pytest.mark.parametrize("shape", list(BLOCKS))
def test_transposed_products_of_any_shape_equal_numpy(shape):
    """Program and cells are those of the other direction."""
    machine = Machine(CONFIG)
    weights, vectors = random_product(CONFIG, shape, 3)
    program = compile_matrix(CONFIG, weights, matrix=3, tile=5, address=7)
    load(machine, program)
    backwards = random_product(CONFIG, shape, 3, transposed=True)[1]
    found = multiply(machine, program, backwards, transposed=True)
    assert (found == backwards @ weights.T).all()
    if BLOCKS[shape] <= CONFIG.machine.tiles:
        before = machine.chip_counters["reprograms"]
        assert (multiply(machine, program, vectors) == vectors @ weights).all()
        assert machine.chip_counters["reprograms"] == before


def test_transposed_products_of_wide_tiles_do_not_clip():
    """More columns than rows: sums of the other direction are wider."""
    config = CONFIG.replace(rows=4, columns=64, adc_bits=9)
    assert config.transposed.covering_step > config.forward.covering_step == 0
    machine = Machine(config)
    program = compile_matrix(config, np.full((4, 64), 60))
    load(machine, program)
    vectors = np.full((1, 64), 31)
    found = multiply(machine, program, vectors, transposed=True)
    step = 2**config.transposed.covering_step * 8
    assert (abs(found - 60 * 31 * 64) <= step).all()
    assert not any(counters["clips_high"] for counters in machine.tile_counters)
    # The other direction is as it was.
    forth = multiply(machine, program, [[1, -2, 3, 4]])
    assert (forth == 6 * 60).all()


def test_transposed_products_need_the_differential_mapping():
    config = CONFIG.replace(mapping="offset")
    machine = Machine(config)
    program = compile_matrix(config, np.ones((2, 3)))
    load(machine, program)
    with pytest.raises(UserError, match="needs the differential mapping, not 'offset': set"):
        multiply(machine, program, [[1, 2, 3]], transposed=True)


def test_a_program_must_fit():
    config = CONFIG.replace(program_words=12)
    with pytest.raises(UserError, match="13 instructions does not fit the program memory of 12"):
        compile_matrix(config, np.ones((2, 3)))


def test_more_vectors_than_fit_go_in_batches():
    weights, vectors = random_product(CONFIG, (640, 128), 12)
    machine = Machine(CONFIG)
    program = compile_matrix(CONFIG, weights)
    assert program.batch == 5
    load(machine, program)
    assert (multiply(machine, program, vectors) == vectors @ weights).all()


def test_tiles_set_directly_are_not_programmed():
    weights, vectors = random_product(CONFIG, (161, 161), 3)
    machine = Machine(CONFIG)
    program = compile_matrix(CONFIG, weights, tile=15)

    def set_tile(tile, weights):
        machine.tiles[tile].analog = Analog.ideal(CONFIG, weights)

    load(machine, program, set_tile)
    assert (multiply(machine, program, vectors) == vectors @ weights).all()
    assert machine.chip_counters["reprograms"] == 0

    large = compile_matrix(CONFIG, np.ones((640, 128)))
    with pytest.raises(UserError, match="20 blocks cannot be set once for all on 16 tiles"):
        load(machine, large, set_tile)


def test_results_are_rounded_once():
    weights, vectors = random_product(CONFIG, (161, 161), 1)
    machine = Machine(CONFIG)
    program = compile_matrix(CONFIG, weights, shift=5)
    load(machine, program)
    assert (multiply(machine, program, vectors) == (vectors @ weights + 16) // 32).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": np.full((2, 2), 61)}, r"weights\[0, 0\] must be an integer of -60 to 60"),
        ({"weights": np.ones(3)}, "weights must have the shape n x n, not 3"),
        ({"weights": np.ones((0, 3))}, "a matrix of 0 x 3 has no weights"),
        ({"weights": np.ones((4096, 1))}, "do not fit the vector memory of 4096"),
        ({"weights": np.ones((2000, 600))}, "1200000 weights .* do not fit the weight memory"),
        ({"shift": 64}, "shift must be an integer of 0 to 63"),
        ({"matrix": 16}, "matrix must be an integer of 0 to 15"),
        ({"tile": 16}, "tile must be an integer of 0 to 15"),
        ({"address": -1}, "address must be an integer of 0 to 1048576"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        compile_matrix(CONFIG, **{"weights": np.ones((2, 2)), **arguments})


def test_vectors_must_fit_the_matrix():
    machine = Machine(CONFIG)
    program = compile_matrix(CONFIG, np.ones((2, 3)))
    load(machine, program)
    with pytest.raises(UserError, match="vectors must have the shape n x 2, not 1 x 3"):
        multiply(machine, program, [[1, 2, 3]])


def test_programming_a_tile_anew_draws_its_errors_anew():
    config = CONFIG.replace(physics=Physics.of(program_error=0.2))
    tile = Analog(config, Array(config))
    weights = np.full((config.array.rows, config.array.columns), 1)
    first = set_directly(tile, weights).analog.array.g_s
    second = set_directly(tile, weights).analog.array.g_s
    assert (first != second).mean() > 0.5
