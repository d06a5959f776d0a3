"""Nothing in gives nothing out, of the right shape, from every function of arrays."""

import numpy as np
import pytest

from golden.array.cells import Pulse
from golden.array.wires import effective_matrix, line_voltages, solve_nonlinear
from golden.converter.linearity import code_density, enob, linearity, ramp
from golden.draws import Draw, keyed_normal
from golden.machine import vector_unit
from golden.machine.machine import Machine
from golden.machine.scheduler import product_cycles, rounds
from golden.tile.analog import Analog
from golden.tile.calibrate import calibrate
from golden.tile.diagnostics import diagnose
from golden.tile.tile import Tile
from golden.tile.weights import slice_weights
from golden.tile.write_verify import Targets, program, targets
from spec.assembly import assemble, disassemble
from spec.config import ChipConfig
from spec.errors import UserError
from spec.isa import Opcode, Space
from tests.support.configs import chip

NONE = np.empty(0, np.int64)
PHYSICS = {
    "ideal": {},
    "lines": {"adc_offset": 0.3, "adc_inl": 0.2, "dac_inl": 0.1, "dac_noise": 0.1},
    "wires": {"adc_offset": 0.3, "r_word_ohm": 2.0, "read_noise": 0.1, "sense_noise": 0.1},
    "curves": {"nonlinearity": 2.0, "r_bit_ohm": 2.0, "drift": 0.1},
}


@pytest.fixture(params=[(m, p) for m in ("differential", "offset") for p in PHYSICS])
def config(request) -> ChipConfig:
    mapping, physics = request.param
    return chip(mapping=mapping, **PHYSICS[physics])


def blank(config: ChipConfig) -> Tile:
    weights = np.zeros((config.array.rows, config.array.columns))
    return Tile(config, Analog.programmed(config, weights))


def test_no_vectors(config):
    tile = blank(config)
    planes, converters, steps = config.planes, config.converters, config.steps
    for direction in config.directions:
        transposed = direction is not config.forward
        vectors = np.zeros((0, direction.inputs))
        for given in (None, [0] * steps, np.zeros((0, steps))):
            products = tile.multiply(vectors, given, transposed=transposed)
            assert products.results.shape == (0, direction.outputs)
            shape = (0, planes, converters, direction.groups)
            assert products.codes.shape == products.held.shape == products.beyond.shape == shape
            assert products.clips_high.shape == products.clips_low.shape == (0,)
            assert products.saturations.shape == (0,)
            assert products.steps.shape == (0, steps)
        held = tile.analog.hold(vectors.astype(np.int64), transposed=transposed)
        assert held.shape == (0, converters, direction.groups)
        with pytest.raises(UserError, match="no products to diagnose"):
            diagnose(tile.analog, products)
        with pytest.raises(UserError, match=r"held values must .*, not 0 x"):
            calibrate(config, products.held, transposed=transposed)
    assert tile.analog.array.drive_v(np.zeros((0, config.array.rows), np.int64)).shape[0] == 0
    adcs = tile.analog.adcs(np.zeros(steps, np.int64))
    for answer in (adcs.convert, adcs.beyond):
        assert answer(np.zeros((0, converters))).shape == (0, converters)


def test_no_cells(config):
    tile = blank(config)
    array, cells = tile.analog.array, tile.analog.array.cells
    before = array.g_s
    for nothing in ([], NONE):
        cells.pulse(nothing, nothing, nothing, Pulse.SET, nothing)
        cells.stick(nothing, nothing, nothing, nothing)
    assert cells.rows_s(NONE).shape == (config.array.slices, 0, config.bit_lines)
    assert [each.shape for each in array.cell_currents(NONE, NONE, NONE)] == [(0,), (0,)]
    assert tile.analog.hold_cells(NONE, NONE, NONE).shape == (0,)
    assert tile.analog.cell_adcs(NONE).convert(np.empty(0)).shape == (0,)
    outcome = program(tile.analog, Targets(NONE, NONE, NONE, NONE, NONE, NONE))
    assert outcome.codes.shape == outcome.pulses.shape == outcome.success.shape == (0,)
    weights = np.zeros((config.array.rows, config.array.columns), np.int64)
    assert len(targets(config, weights, rows=slice(1, 1))) == 0
    np.testing.assert_array_equal(array.g_s, before)


def test_no_arrays_and_no_vectors_on_wires():
    def curve(g, u):
        return g * u, g + 0 * u

    one, none = np.ones((3, 4)), np.ones((0, 3, 4))
    assert effective_matrix(none, r_word=1.0).shape == (0, 3, 4)
    for g, v in [(one, np.ones((0, 3))), (none, np.ones((0, 2, 3)))]:
        lines = line_voltages(g, v, r_word=1.0), solve_nonlinear(g, curve, v, r_word=1.0)
        for each in lines:
            assert each.current.shape == (*v.shape[:-1], 4)
            assert each.word.shape == each.bit.shape == (*v.shape, 4)


def test_no_converters():
    ideal = np.arange(5.0)

    def convert(inputs):
        return inputs.astype(np.int64)

    assert linearity(np.zeros((0, 5)), ideal).inl.shape == (0, 5)
    for measure in (ramp, code_density):
        assert measure(convert, 0, ideal, 0).dnl.shape == (0, 4)
    assert enob(convert, 0, 0.0, 5.0).shape == (0,)


def test_no_words():
    machine = Machine(chip())
    for space in Space:
        before = machine.read(space, 0, 4)
        machine.write(space, 0, [])
        assert machine.read(space, 1, 0).shape == (0,)
        np.testing.assert_array_equal(machine.read(space, 0, 4), before)
    words, saturations = vector_unit.map_words(Opcode.VSCALE, NONE, NONE, 3, 1)
    assert words.shape == (0,) and saturations == 0
    assert vector_unit.dot(NONE, NONE) == vector_unit.block_exponent(NONE) == 0
    assert keyed_normal(0, Draw.CYCLE, NONE, NONE).shape == (0,)
    assert assemble("") == [] and disassemble([]) == ""


def test_no_blocks():
    config = chip()
    assert list(rounds(config, 0, 5, 0)) == list(rounds(config, 5, 0, 0)) == []
    assert product_cycles(config, 3, 4, 0) < product_cycles(config, 3, 4, 2)


def test_empty_lists_have_no_shape_to_go_by():
    with pytest.raises(UserError, match="weights must have the shape 3 x 4, not 0"):
        slice_weights(chip(), [])
    with pytest.raises(UserError, match="inputs must have the shape n x 3, not 0"):
        blank(chip()).multiply([])
