"""Models are right at the very ends: thresholds, percentiles, cells, memories."""

import numpy as np
import pytest

from golden.array.cells import Pulse
from golden.array.lines import Array
from golden.converter.adc import Adcs
from golden.draws import Draw, stream
from golden.machine.machine import Machine
from golden.tile.analog import Analog
from golden.tile.calibrate import calibrate
from golden.tile.mapping import column_values, row_values, split_steps
from golden.tile.tile import Tile
from spec.errors import UserError
from spec.isa import ErrorCode, MachineError, Space
from tests.support.configs import chip, random_operands
from tests.support.machines import LOSSLESS


@pytest.mark.parametrize(("bits", "step"), [(1, 0), (2, 0), (8, 0), (8, 1), (8, 5), (20, 10)])
def test_codes_change_at_their_thresholds_to_the_last_bit(bits, step):
    """The sum S of units has the code floor((S + half) / 2^step), a threshold half a unit less."""
    adcs = Adcs(bits, np.array(step))
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    assert (adcs.low, adcs.high) == (low, high)
    codes = np.unique(np.linspace(low, high + 1, 1000).astype(int))
    half = 2**step // 2
    edge = codes * 2.0**step - half - 0.5
    np.testing.assert_array_equal(adcs.threshold(codes), edge)
    np.testing.assert_array_equal(adcs.convert(edge), np.minimum(codes, high))
    np.testing.assert_array_equal(
        adcs.convert(np.nextafter(edge, -np.inf)), np.clip(codes - 1, low, high)
    )
    inside = (codes > low) & (codes <= high)
    np.testing.assert_array_equal(adcs.beyond(edge), codes > high)
    below = np.nextafter(edge[[0, -1]], -np.inf)
    assert adcs.beyond(below).tolist() == [True, False]
    assert inside.any() or bits == 1
    sums = np.arange(-50, 50)
    exact = np.clip((sums + half) // 2**step, low, high)
    np.testing.assert_array_equal(adcs.convert(sums.astype(float)), exact)


def test_percentiles_reach_from_none_to_all():
    config = chip(adc_bits=4, rows=64)
    shape = 100, config.converters, config.forward.groups
    held = np.linspace(0, 100, 100)[:, None, None] * np.ones(shape)
    steps = [calibrate(config, held, percent).tolist() for percent in (0, 50, 100)]
    assert steps == [[0] * 2, [3] * 2, [4] * 2]
    for percent in (-1e-9, 100.0001):
        with pytest.raises(UserError, match="percentile must be a number of 0 to 100 percent"):
            calibrate(config, held, percent)


def test_cells_stuck_anywhere_are_between_the_levels():
    config = chip(rows=40, columns=20, adcs=4, g_min_s=20e-6, g_max_s=30e-6, stuck_any=1.0, seed=3)
    cells = Array(config).cells
    assert cells.stuck.all()
    level = stream(3, Draw.STUCK).random((2, *cells.shape))[1]
    np.testing.assert_allclose(cells.g_s, 20e-6 + level * 10e-6)


def test_cells_stuck_at_the_ends_have_the_outer_shares_of_the_draws():
    shares = {"stuck_low": 0.2, "stuck_any": 0.3, "stuck_high": 0.1}
    config = chip(rows=40, columns=20, adcs=4, seed=3, **shares)
    cells = Array(config).cells
    fate, level = stream(3, Draw.STUCK).random((2, *cells.shape))
    low, high = config.array.g_min_s, config.array.g_max_s
    wanted = np.where(fate < 0.5, low + level * (high - low), low)
    wanted = np.where(fate < 0.2, low, wanted)
    wanted = np.where(fate >= 0.9, high, wanted)
    np.testing.assert_allclose(cells.g_s, wanted)
    np.testing.assert_array_equal(cells.stuck, (fate < 0.5) | (fate >= 0.9))


def test_conductances_reach_from_nothing_to_four_times_the_largest():
    config = chip()
    top = 4 * config.array.g_max_s
    cells = Array(config).cells
    g_s = np.full(cells.shape, config.array.g_min_s)
    g_s[0, 0, :2] = 0, top
    cells.place(g_s)
    np.testing.assert_array_equal(cells.g_s, g_s)
    cells.stick(0, 0, [0, 1], [top, 0])
    assert cells.g_s[0, 0, :2].tolist() == [top, 0]
    for bad in (np.nextafter(top, 1), -1e-300, np.nan):
        wrong = g_s.copy()
        wrong[1, 2, 3] = bad
        with pytest.raises(UserError, match=r"conductance of cell \(slice 1, row 2, line 3\) must"):
            cells.place(wrong)
        with pytest.raises(UserError, match=r"conductance of a stuck cell .* 0 to"):
            cells.stick(1, 2, [2, 3], [0, bad])
    levels = np.zeros(cells.shape, int)
    levels[1, 2, 3] = config.levels - 1
    cells.program(levels)
    levels[1, 2, 3] = config.levels
    with pytest.raises(UserError, match=r"level of cell \(slice 1, row 2, line 3\) must"):
        cells.program(levels)


def test_of_two_kinds_of_pulses_none_may_be_another():
    cells = Array(chip()).cells
    cells.pulse(0, 0, [0, 1], [Pulse.SET, Pulse.RESET], 5)
    with pytest.raises(UserError, match="kind"):
        cells.pulse(0, 0, [0, 1], [Pulse.SET, 2], 5)


def test_cells_wait_from_nothing_to_thirty_thousand_years():
    cells = Array(chip(drift=0.1)).cells
    for seconds in (0.0, 1e12):
        cells.wait(seconds)
    for seconds in (-1e-9, 1.1e12):
        with pytest.raises(UserError, match=r"seconds to wait must be a number of 0 to 1e\+12"):
            cells.wait(seconds)


def test_currents_of_lines_become_values_of_converters():
    """Differences of neighbours; or what is beyond the reference, the unit column's last."""
    config = chip(rows=2, columns=4, adcs=2, slices=2)
    lines = np.arange(2 * 2 * 8).reshape(2, 2, 8) ** 2.0
    values = column_values(config, lines)
    assert values[1].tolist() == [[-33, -37], [-41, -45], [-49, -53], [-57, -61]]
    config = config.replace(mapping="offset")
    lines = np.arange(2 * 2 * 6).reshape(2, 2, 6) ** 2.0
    values = column_values(config, lines)
    first, second = (lines[1, s] - lines[1, s, 5] for s in (0, 1))
    assert values[1].tolist() == [
        first[:2].tolist(),
        first[2:4].tolist(),
        second[:2].tolist(),
        second[2:4].tolist(),
        [second[4]] * 2,
    ]


def test_rows_fill_up_converters_and_leave_the_last_without():
    config = chip(rows=3, columns=2, adcs=2, slices=1)
    values = row_values(config, np.array([[[5.0, 6.0, 7.0]]]))
    assert values.tolist() == [[[5, 6], [7, 0]]]
    assert [each.tolist() for each in split_steps(config, values, transposed=True)] == [[5, 6, 7]]


@pytest.mark.parametrize("address", [0, 1, 2, 3])
def test_only_matrices_of_holdings_are_bounded(address):
    machine = Machine(LOSSLESS)
    most = LOSSLESS.machine.matrices
    for at in range(2):
        words = [0, 0]
        words[at] = most
        machine.write(Space.HOLDING, address, words)
        words[at] = most + 1
        if (address + at) % 2:
            with pytest.raises(MachineError) as caught:
                machine.write(Space.HOLDING, address, words)
            assert caught.value.code is ErrorCode.VALUE
        else:
            machine.write(Space.HOLDING, address, words)


@pytest.mark.parametrize("space", Space)
def test_spaces_end_where_they_end(space):
    machine = Machine(LOSSLESS)
    size = len(machine.memories.spaces[space])
    for address, count in [(0, size), (size, 0), (size - 1, 1), (0, 0)]:
        assert len(machine.read(space, address, count)) == count
        machine.write(space, address, [0] * count)
    for address, count in [(0, size + 1), (size, 1), (size + 1, 0), (-1, 1), (0, -1)]:
        with pytest.raises(MachineError) as caught:
            machine.read(space, address, count)
        assert caught.value.code is ErrorCode.RANGE


@pytest.mark.parametrize(
    ("address", "count", "forgotten"),
    [(0, 4, [1]), (3, 1, [1]), (4, 1, [2]), (3, 2, [1, 2]), (4, 4, [2]), (0, 0, []), (4, 0, [])],
)
def test_descriptors_that_are_written_are_forgotten_and_no_others(address, count, forgotten):
    machine = Machine(LOSSLESS)
    assert (LOSSLESS.machine.matrices, LOSSLESS.machine.tiles) == (2, 3)
    machine.write(Space.HOLDING, 0, [7, 1, 8, 2, 9, 1])
    machine.write(Space.DESCRIPTOR, address, [0] * count)
    held = machine.read(Space.HOLDING, 0, 6)[1::2].tolist()
    assert held == [0 if number in forgotten else number for number in (1, 2, 1)]


def test_weights_are_bounded_at_both_ends():
    machine = Machine(LOSSLESS)
    low, high = LOSSLESS.weight_range
    machine.write(Space.WEIGHT, 0, np.array([low, high], "<i4").view("<u4"))
    for bad in (low - 1, high + 1):
        with pytest.raises(MachineError) as caught:
            machine.write(Space.WEIGHT, 0, np.array([0, bad], "<i4").view("<u4"))
        assert caught.value.code is ErrorCode.VALUE


@pytest.mark.parametrize("bits", [1, 2, 5])
def test_clips_are_counted_at_the_end_where_they_are(bits):
    """Sums are whole: those below the lowest code, and those above the highest."""
    config = chip(rows=6, columns=4, adcs=2, adc_bits=bits)
    weights, vectors = random_operands(config, 30)
    products = Tile(config, Analog.ideal(config, weights)).multiply(vectors, [0] * config.steps)
    held = np.rint(products.held)
    high, low = (held > products.codes), (held < products.codes)
    assert high.any() and low.any()
    assert products.clips_high.tolist() == high.sum(axis=(1, 2, 3)).tolist()
    assert products.clips_low.tolist() == low.sum(axis=(1, 2, 3)).tolist()
