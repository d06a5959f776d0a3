"""Currents: equal one by one and in batches, noise of the right size, wires, curves."""

import numpy as np
import pytest

from golden.array.cells import Pulse
from golden.array.lines import Array
from golden.array.wires import effective_matrix
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from spec.config import ChipConfig
from spec.errors import UserError
from spec.physics import Physics
from tests.support.configs import THREE_BITS

WIRES = {"r_word_ohm": 2.0, "r_bit_ohm": 5.0, "r_driver_ohm": 20.0, "r_sense_ohm": 10.0}
EVERYTHING = {
    "program_error": 0.1,
    "read_noise": 0.02,
    "stuck_any": 0.02,
    "drift": 0.01,
    "dac_offset": 0.1,
    "dac_gain": 0.01,
    "dac_inl": 0.1,
    "dac_dnl": 0.1,
    "dac_noise": 0.05,
    "adc_offset": 1.0,
    "adc_inl": 0.5,
    "adc_dnl": 0.7,
    "sense_noise": 0.5,
}


def chip(mapping: str = "differential", rows: int = 24, **physics: float) -> ChipConfig:
    return THREE_BITS.replace(rows=rows, columns=12, adcs=4, mapping=mapping, **physics)


def operands(config: ChipConfig, count: int = 20) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights, vectors, and DAC codes, all random."""
    rng = np.random.default_rng(0)
    weights = rng.integers(
        *config.weight_range, (config.array.rows, config.array.columns), endpoint=True
    )
    vectors = rng.integers(*config.input_range, (count, config.array.rows), endpoint=True)
    codes = rng.integers(*config.code_range, (count, config.array.rows), endpoint=True)
    return weights, vectors, codes


@pytest.mark.parametrize("mapping", ["differential", "offset"])
@pytest.mark.parametrize(
    "physics",
    [EVERYTHING, EVERYTHING | WIRES, EVERYTHING | WIRES | {"nonlinearity": 3.0}],
    ids=["lines", "wires", "curves"],
)
def test_planes_one_by_one_and_in_batches_give_the_same_values(mapping, physics):
    config = chip(mapping, seed=9, **physics)
    weights, _, codes = operands(config)
    batch = Analog.programmed(config, weights).hold(codes)
    single = Analog.programmed(config, weights)
    np.testing.assert_array_equal(batch, np.concatenate([single.hold(c[None]) for c in codes]))
    other = Analog.programmed(chip(mapping, seed=10, **physics), weights).hold(codes)
    assert (batch != other).mean() > 0.99


@pytest.mark.parametrize("mapping", ["differential", "offset"])
def test_ideal_currents_are_whole_numbers(mapping):
    config = chip(mapping, rows=1000)
    weights, _, codes = operands(config)
    held = Analog.ideal(config, weights).hold(codes)
    np.testing.assert_array_equal(held, np.rint(held))


def test_ideal_leaves_the_physics_out():
    config = chip(**EVERYTHING, **WIRES)
    weights, vectors, _ = operands(config)
    steps = [config.forward.covering_step] * config.steps
    got = Tile(config, Analog.ideal(config, weights)).multiply(vectors, steps)
    np.testing.assert_array_equal(
        got.results, Tile(chip(), Analog.ideal(chip(), weights)).multiply(vectors, steps).results
    )


def test_read_noise_has_the_variance_of_all_cells_together():
    config = chip(read_noise=0.05, seed=2)
    weights, _, codes = operands(config, 1)
    array = Analog.programmed(config, weights).array
    cells = array.g_s / config.g_step_s
    expected = 0.05 * np.sqrt(np.einsum("r,srl->sl", codes[0] ** 2.0, cells**2))
    planes = np.repeat(codes, 4000, axis=0)
    ideal = np.einsum("r,srl->sl", codes[0], cells)
    noise = (array.currents(planes) - ideal) / expected
    assert noise.std() == pytest.approx(1, rel=4 / np.sqrt(noise.size))
    np.testing.assert_allclose(noise.std(axis=0), 1, rtol=5 / np.sqrt(2 * 4000))
    flat = noise.reshape(len(planes), -1)
    for left, right in [(flat[:, 1:], flat[:, :-1]), (flat[1:], flat[:-1])]:
        assert abs(np.corrcoef(left.ravel(), right.ravel())[0, 1]) < 4 / np.sqrt(flat.size)


def test_read_noise_is_what_drawing_every_cell_gives():
    config = chip(rows=8, read_noise=0.2)
    weights, _, codes = operands(config, 1)
    array = Analog.programmed(config, weights).array
    rng = np.random.default_rng(1)
    draws = 1 + 0.2 * rng.standard_normal((4000, *array.g_s.shape))
    drawn = np.einsum("r,nsrl->nsl", codes[0], array.g_s * draws) / config.g_step_s
    got = array.currents(np.repeat(codes, 4000, axis=0))
    np.testing.assert_allclose(got.std(axis=0), drawn.std(axis=0), rtol=0.1)


def test_sense_noise_is_drawn_for_each_value():
    config = chip(sense_noise=2.5)
    weights, _, codes = operands(config, 500)
    held = Analog.programmed(config, weights).hold(codes)
    noise = held - Analog.ideal(config, weights).hold(codes)
    few = 4 / np.sqrt(noise.size)
    assert noise.std() == pytest.approx(2.5, rel=few)
    for axis in range(3):
        moved = np.roll(noise, 1, axis)
        assert abs(np.corrcoef(noise.ravel(), moved.ravel())[0, 1]) < few


def test_every_group_converts_the_same_value_of_the_unit_column():
    config = chip("offset", sense_noise=2.5, read_noise=0.1)
    weights, _, codes = operands(config)
    held = Analog.programmed(config, weights).hold(codes)
    np.testing.assert_array_equal(
        held[:, -1], np.repeat(held[:, -1, :1], config.forward.groups, axis=1)
    )
    assert (np.diff(held[:, :-1], axis=2) != 0).mean() > 0.99


def test_wires_are_the_effective_matrix_of_each_slice():
    config = chip(**WIRES)
    weights, _, codes = operands(config)
    array = Analog.programmed(config, weights).array
    matrix = effective_matrix(array.g_s, r_word=2.0, r_bit=5.0, r_driver=20.0, r_sense=10.0)
    amperes = np.einsum("nr,srl->nsl", codes * config.v_step_v, matrix)
    np.testing.assert_allclose(array.currents(codes) * config.unit_a, amperes, rtol=1e-6)
    np.testing.assert_allclose(array.effective_s, matrix, rtol=1e-6)


@pytest.mark.parametrize("wires", [{}, WIRES], ids=["ideal", "wires"])
def test_currents_follow_every_change_of_a_cell(wires):
    config = chip(rows=6, drift=0.1, **wires)
    weights, _, codes = operands(config)
    array = Analog.programmed(config, weights).array
    cells = array.cells
    changes = [
        lambda: cells.pulse(1, 2, 3, Pulse.SET, 20),
        lambda: cells.pulse([0, 1], [0, 5], 4, Pulse.RESET, 20),
        lambda: cells.stick(0, 1, 1, 60e-6),
        lambda: cells.wait(100.0),
        lambda: cells.program(np.full(cells.shape, 2)),
    ]
    for change in changes:
        before = array.currents(codes)
        change()
        after = array.currents(codes)
        assert (before != after).any()
        np.testing.assert_array_equal(after, Array(config, cells.g_s).currents(codes))


def test_curves_are_exact_at_the_read_voltage_and_odd():
    config = chip(nonlinearity=8.0)
    weights, _, _ = operands(config)
    bent = Analog.programmed(config, weights).array
    straight = Analog.ideal(config, weights).array
    top = max(-config.code_range[0], config.code_range[1])
    codes = np.multiply.outer([top, -top, top // 2], np.ones(config.array.rows, int))
    full, back, half = bent.currents(codes) / straight.currents(codes)
    np.testing.assert_allclose(full, 1, rtol=1e-3)
    np.testing.assert_allclose(back, full, rtol=1e-12)
    ratio = np.sinh(8.0 * (top // 2) * config.v_step_v) / np.sinh(8.0 * config.converter.v_read_v)
    np.testing.assert_allclose(half, ratio * top / (top // 2), rtol=1e-3)


def test_curves_with_wires_meet_both_limits():
    weights, _, codes = operands(chip())
    thin = dict.fromkeys(WIRES, 1e-6)
    bent = Analog.programmed(chip(nonlinearity=8.0), weights).hold(codes)
    both = Analog.programmed(chip(nonlinearity=8.0, **thin), weights).hold(codes)
    np.testing.assert_allclose(both, bent, atol=0.1)
    wired = Analog.programmed(chip(**WIRES), weights).hold(codes)
    both = Analog.programmed(chip(nonlinearity=1e-3, **WIRES), weights).hold(codes)
    np.testing.assert_allclose(both, wired, atol=1e-3)


def test_sums_too_wide_to_be_exact_are_refused():
    wide = {"rows": 1024, "columns": 1, "cell_bits": 3, "slices": 1, "adc_bits": 32, "adcs": 1}
    fits = ChipConfig.of(input_bits=32, dac_bits=32, **wide)
    Array(fits)
    with pytest.raises(UserError, match="lower dac_bits"):
        Array(ChipConfig.of(input_bits=32, dac_bits=32, physics=Physics.of(read_noise=0.1), **wide))
