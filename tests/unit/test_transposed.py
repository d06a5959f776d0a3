"""The transposed read: columns driven, word lines sensed."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from golden.array.lines import Array
from golden.array.rounding import rounded
from golden.tile.analog import Analog
from golden.tile.calibrate import calibrate
from golden.tile.diagnostics import diagnose
from golden.tile.mapping import cell_levels
from golden.tile.tile import Tile
from golden.tile.weights import slice_weights
from spec.errors import UserError
from spec.physics import IDEAL, LARGEST, Physics
from tests.support.configs import chip, chips, full_width, integer_tile, random_operands
from tests.unit.test_wires import exact

WIRES = {"r_word": 30.0, "r_bit": 50.0, "r_driver": 20.0, "r_sense": 70.0}


def programmed(physics=IDEAL, **fields):
    config = chip(rows=3, columns=2, adcs=1, physics=physics, **fields)
    weights = np.random.default_rng(0).integers(*config.weight_range, (3, 2), endpoint=True)
    levels = cell_levels(config, slice_weights(config, weights))
    return config, slice_weights(config, weights), Array.of_levels(config, levels)


def test_ideal_array_multiplies_by_the_transposed_digits():
    config, digits, array = programmed()
    codes = np.random.default_rng(1).integers(-3, 4, (5, config.array.columns))
    expected = np.einsum("nc,src->nsr", codes, digits)
    np.testing.assert_allclose(array.transposed_currents(codes), expected, atol=1e-9)


def test_wires_are_those_of_the_circuit_solved_at_its_nodes():
    config, _, array = programmed(
        Physics.of(**{f"{name}_ohm": ohms for name, ohms in WIRES.items()})
    )
    codes = np.array([[3, -2]])
    volts = np.array([3.0, -3.0, -2.0, 2.0]) * config.v_step_v
    currents = array.transposed_currents(codes)[0] * config.unit_a
    for s in range(config.array.slices):
        _, _, into_rows, _ = exact(array.g_s[s], np.zeros(config.array.rows), volts, WIRES)
        # Cells are kept to 2**-12 of a level or finer.
        np.testing.assert_allclose(currents[s], into_rows, atol=1e-3 * config.unit_a)


def test_noise_has_the_variance_of_its_cells():
    config, _, array = programmed(Physics.of(read_noise=0.1))
    codes = np.full((20000, config.array.columns), 3)
    found = array.transposed_currents(codes).std(axis=0)
    cells = 3 * array.g_s / config.g_step_s
    np.testing.assert_allclose(found, 0.1 * np.sqrt((cells**2).sum(axis=2)), rtol=0.05)


def test_curved_cells_between_wires_are_those_of_the_circuit_turned_round():
    """A network of curved cells is not reciprocal: it is turned, here cell by cell."""
    physics = {f"{name}_ohm": ohms for name, ohms in WIRES.items()}
    config, _, array = programmed(Physics.of(**physics, nonlinearity=8.0))
    codes = np.array([[3, -2], [-1, 0]])
    found = array.transposed_currents(codes) * config.unit_a
    k, top = 8.0, config.converter.v_read_v

    def cells(g, u):
        return g * top * np.sinh(k * u) / np.sinh(k * top)

    for code, currents in zip(codes, found, strict=True):
        volts = np.ravel([[c, -c] for c in code]) * config.v_step_v
        for s in range(config.array.slices):
            word, bit = relaxed(array.g_s[s], volts, cells)
            into = cells(array.g_s[s], bit - word).sum(axis=1)
            np.testing.assert_allclose(currents[s], into, rtol=1e-6, atol=1e-14)


def relaxed(g, volts, cells):
    """Return node voltages of an array driven from its bit lines, by the sums of currents alone.

    Ohm's law along each line, repeated with the currents of the cells until it no longer moves.
    """
    rows, lines = g.shape
    word, bit = np.zeros(g.shape), np.tile(volts, (rows, 1))
    for _ in range(200):
        current = cells(g, bit - word)
        # Word lines end at 0 V beside line 0; bit lines are driven below the last row.
        word = np.array(
            [
                [
                    sum(
                        current[r, j] * (WIRES["r_driver"] + WIRES["r_word"] * min(i, j))
                        for j in range(lines)
                    )
                    for i in range(lines)
                ]
                for r in range(rows)
            ]
        )
        drop = [
            [
                sum(
                    current[q, i]
                    * (WIRES["r_sense"] + WIRES["r_bit"] * min(rows - 1 - r, rows - 1 - q))
                    for q in range(rows)
                )
                for i in range(lines)
            ]
            for r in range(rows)
        ]
        bit = volts - np.array(drop)
    return word, bit


def test_curved_cells_without_wires_bend_the_drive():
    config, digits, array = programmed(Physics.of(nonlinearity=8.0))
    codes = np.array([[3, -2], [1, 2]])
    top = config.converter.v_read_v
    bent = np.sinh(8.0 * codes * config.v_step_v) / np.sinh(8.0 * top) * top / config.v_step_v
    expected = np.einsum("nc,src->nsr", bent, digits)
    np.testing.assert_allclose(array.transposed_currents(codes), expected, atol=1e-2)


def test_either_direction_uses_the_same_converters():
    """DAC i drives word line i or column i, with the same error."""
    config, _, array = programmed(Physics.of(dac_offset=0.5, dac_gain=0.1, dac_inl=0.3))
    codes = np.array([[1, -2]])
    volts = array.drive_v(np.pad(codes, [(0, 0), (0, config.array.rows - config.array.columns)]))
    volts = volts[0, : config.array.columns] / config.v_step_v
    digits = (array.g_s[..., 0::2] - array.g_s[..., 1::2]) / config.g_step_s
    expected = np.einsum("c,src->sr", volts, digits)
    np.testing.assert_allclose(array.transposed_currents(codes)[0], expected, atol=1e-2)
    assert np.abs(volts - codes[0]).max() > 0.1


@given(chips(), st.data())
def test_any_transposed_product_is_what_integers_predict(config, data):
    """Rounding, clipping and saturation included, at any step."""
    assume(config.transposable)
    seed = data.draw(st.integers(0, 2**32))
    weights, vectors = random_operands(config, 3, seed, transposed=True)
    step = st.integers(0, min(config.step_range[1], config.transposed.covering_step + 2))
    steps = data.draw(st.lists(step, min_size=config.steps, max_size=config.steps))
    tile = Tile(config, Analog.ideal(config, weights))
    products = tile.multiply(vectors, steps, transposed=True)
    expected = integer_tile(config, weights.T, vectors, steps)
    assert products.results.tolist() == expected.results
    assert products.clips_high.sum() == expected.clips_high
    assert products.clips_low.sum() == expected.clips_low
    assert products.saturations.sum() == expected.saturations
    # The product of the other direction is not disturbed.
    forward = random_operands(config, 3, seed)[1]
    steps = [config.forward.covering_step] * config.steps
    expected = integer_tile(config, weights, forward, steps)
    assert tile.multiply(forward).results.tolist() == expected.results


@pytest.mark.parametrize("rows, columns", [(8, 8), (64, 64), (48, 10), (10, 48), (1, 6), (7, 1)])
def test_lossless_transposed_product_is_exact(rows, columns):
    adcs = next(n for n in (4, 5, 3, 1) if columns % n == 0)
    config = full_width(rows=rows, columns=columns, cell_bits=3, adcs=adcs)
    weights, vectors = random_operands(config, 5, transposed=True)
    products = Tile(config, Analog.ideal(config, weights)).multiply(vectors, transposed=True)
    np.testing.assert_array_equal(products.results, vectors @ weights.T)


def test_batches_of_either_direction_are_those_of_single_planes():
    """The simulated tile asks for planes one by one, noise included."""
    physics = Physics.of(
        seed=3, read_noise=0.1, dac_noise=0.2, sense_noise=0.5, dac_inl=0.2, program_error=0.2
    )
    config = chip(rows=5, columns=4, adcs=2, physics=physics)
    weights = random_operands(config, 1)[0]
    batch, single = (Analog.programmed(config, weights) for _ in range(2))
    rng = np.random.default_rng(2)
    for transposed in (True, False, True):
        inputs = config.direction(transposed).inputs
        codes = rng.integers(*config.code_range, (6, inputs), endpoint=True)
        held = batch.hold(codes, transposed=transposed)
        alone = [single.hold(c[None], transposed=transposed) for c in codes]
        np.testing.assert_array_equal(held, np.concatenate(alone))


def test_adc_inputs_without_a_word_line_are_not_counted():
    """One row and four ADCs with errors beyond their range: three of them look at nothing."""
    physics = Physics.of(seed=1, sense_noise=1.5, adc_offset=0.9)
    config = chip(
        rows=1, columns=4, adcs=4, adc_bits=2, accumulator_bits=2, dac_bits=4, physics=physics
    )
    tile = Tile(config, Analog.programmed(config, np.zeros((1, 4), np.int64)))
    products = tile.multiply(np.zeros((40, 4), np.int64), [0, 0], transposed=True)
    real = products.beyond[:, :, [0, 4]]
    assert 0 < real.sum() == products.beyond.sum()
    assert (products.clips_high + products.clips_low).sum() == real.sum()
    assert products.saturations.max() <= 1
    found = diagnose(tile.analog, products)
    np.testing.assert_allclose(found.clipped_high + found.clipped_low, real.mean(axis=(0, 1, 3)))


def test_steps_can_be_calibrated_for_it():
    """More columns than rows, of which three of four ADCs look at none."""
    config = chip(rows=1, columns=8, adcs=4, adc_bits=4)
    weights, vectors = random_operands(config, 50, transposed=True)
    tile = Tile(config, Analog.ideal(config, weights))
    held = tile.multiply(vectors, transposed=True).held
    steps = calibrate(config, held, transposed=True)
    products = tile.multiply(vectors, steps, transposed=True)
    assert not diagnose(tile.analog, products).warnings()
    assert tile.multiply(vectors, steps - (steps > 0), transposed=True).beyond.any()
    # ADCs without a word line hold 0, which does not dilute a percentile.
    assert calibrate(config, held, 50.0, transposed=True).max() > 0
    with pytest.raises(UserError, match=r"must have the shape \.\.\. x 8 x 1, not 50 x 2 x 8 x 2"):
        calibrate(config, np.zeros((50, 2, 8, 2)), transposed=True)


@pytest.mark.parametrize("columns, dac_bits", [(1024, 16), (980, 16), (700, 17)])
def test_sums_do_not_round_with_many_columns_and_large_drives(columns, dac_bits):
    """Against exact fractions, at the ends of drive and cells, variances included."""
    physics = Physics.of(seed=2, read_noise=0.01, dac_noise=0.01)
    wide = {"cell_bits": 1, "slices": 1, "input_bits": dac_bits, "dac_bits": dac_bits}
    config = chip(rows=1, columns=columns, adcs=1, **wide, physics=physics)
    codes = config.code_range[0] + np.random.default_rng(0).integers(0, 999, (8, columns))

    def check(factors, kept, turned, sign):
        wanted = [
            Fraction(float(up)) + sign * Fraction(float(down)) for up, down in kept.reshape(-1, 2)
        ]
        for line, found in zip(factors, factors @ turned, strict=True):
            exact = sum(Fraction(float(f)) * w for f, w in zip(line, wanted, strict=True))
            assert Fraction(float(found[0])) == exact

    # As large as cells can be, and all different: on positive lines, and then on all.
    ends = np.linspace(0.999, 1.0, 2 * columns).reshape(1, 1, -1) * LARGEST * config.array.g_max_s
    for negative in (0.0, 1.0):
        array = Array(config, ends * np.tile([1.0, negative], columns))
        array.transposed_currents(codes)
        drive = array._bend(array._dacs.drive(codes))
        check(drive, array._matrix, array._turned[0], -1)
        squared = rounded(drive**2, array._bits.square)
        check(squared, array._squares, array._turned[1], 1)


def test_an_offset_mapping_is_refused():
    config, _, array = programmed(mapping="offset")
    with pytest.raises(UserError, match="needs the differential mapping, not 'offset': set"):
        array.transposed_currents(np.zeros((1, 2), np.int64))
    tile = Tile(config, Analog(config, array))
    with pytest.raises(UserError, match="needs the differential mapping"):
        tile.multiply(np.zeros((1, 2), np.int64), transposed=True)


def test_vectors_of_another_length_are_refused():
    config, _, array = programmed()
    tile = Tile(config, Analog(config, array))
    with pytest.raises(UserError, match="inputs must have the shape n x 2, not 1 x 3"):
        tile.multiply(np.zeros((1, 3), np.int64), transposed=True)
