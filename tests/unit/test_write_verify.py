"""Programming by write-verify, against the same procedure step by step in plain Python."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.array.cells import Pulse
from golden.array.lines import Array
from golden.tile.analog import Analog
from golden.tile.diagnostics import failed_cells
from golden.tile.mapping import cell_levels
from golden.tile.tile import Tile
from golden.tile.weights import slice_weights
from golden.tile.write_verify import program, targets
from spec.load import load
from spec.physics import Physics
from tests.support.cells_to_program import MAPPINGS, SPREADS, one_cell, place, pulses_of
from tests.support.configs import SINGLE, VERIFIABLE, chip
from tests.support.programming import (
    EVERYTHING,
    by_hand,
    check_same,
    fresh,
    misses,
    pick,
    random_targets,
    random_weights,
)


@given(
    start=st.integers(0, 1000),
    step=st.floats(0.001, 0.5),
    first=st.integers(0, 20),
    increment=st.integers(0, 15),
    limit=st.integers(1, 40),
    level=st.integers(0, 7),
    dac_bits=st.integers(1, 4),
)
def test_a_cell_goes_the_way_of_its_equations(
    start, step, first, increment, limit, level, dac_bits
):
    """Device, read-out, conversion and procedure written out in floats, without spreads."""
    config = SINGLE.replace(
        cell_bits=3,
        dac_bits=dac_bits,
        adc_bits=9,
        pulse_first=first,
        pulse_increment=increment,
        pulse_limit=limit,
        physics=Physics.of(pulse_step=step, headroom=0.2, pulse_threshold=2),
    )
    unit = 34.5e-6 / 7
    # Off every threshold by far more than floats round.
    g = 0.5e-6 + 34.5e-6 * (start + 1 / math.pi) / 1001
    drive = -8 if dac_bits == 4 else 2**dac_bits - 1
    goal = math.floor((0.5e-6 / unit + level) * drive + 0.5)
    analog = fresh(config)
    analog.array.cells.place(np.full((1, 1, 2), g))

    given_, amplitude, last, success = 0, 0, None, False
    while True:
        code = math.floor(g / unit * drive + 0.5)
        success = abs(code - goal) <= abs(drive) // 4
        if success or given_ == limit:
            break
        up = code < goal if drive > 0 else code > goal
        amplitude = min(amplitude + increment, 31) if up == last else first
        last, given_ = up, given_ + 1
        bound = 35e-6 * 1.2 if up else 0.5e-6 / 1.2
        g += (bound - g) * (1 - math.exp(-step * max(0, amplitude - 2)))

    outcome = program(analog, one_cell(level))
    assert (outcome.success[0], outcome.codes[0], outcome.pulses[0]) == (success, code, given_)
    assert analog.array.g_s[0, 0, 0] == pytest.approx(g, rel=1e-9)
    assert analog.array.cells.pulses.tolist() == [[[given_, 0]]]


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize("adcs", [1, 2, 6])
def test_all_at_once_is_one_by_one_in_any_order(mapping, adcs):
    """Every fault is on, also where the array holds something else before."""
    faulty = VERIFIABLE.replace(mapping=mapping, physics=EVERYTHING)
    config = faulty.replace(rows=5, columns=6, adcs=adcs)
    together, forwards, backwards, halves = (fresh(config) for _ in range(4))
    for seed in (0, 1):
        wanted = random_targets(config, seed)
        order = range(len(wanted))
        outcome = program(together, wanted)
        check_same(outcome, by_hand(forwards, wanted))
        check_same(outcome, by_hand(backwards, wanted, reversed(order)))
        for part in (np.arange(1, len(wanted), 2), np.arange(0, len(wanted), 2)):
            half = program(halves, pick(wanted, part))
            np.testing.assert_array_equal(half.pulses, outcome.pulses[part])
        for other in (forwards, backwards, halves):
            np.testing.assert_array_equal(other.array.g_s, together.array.g_s)
        assert outcome.pulses.max() == config.programming.pulse_limit > outcome.pulses.mean() > 3
        assert 0 < (~outcome.success).sum() < together.array.cells.stuck.sum()
        # And goes on from what the products in between have left.
        vectors = np.random.default_rng(seed).integers(*config.input_range, (3, config.array.rows))
        results = [Tile(config, a).multiply(vectors).results for a in (together, forwards)]
        np.testing.assert_array_equal(*results)
        Tile(config, backwards).multiply(vectors)
        Tile(config, halves).multiply(vectors)


def test_the_largest_input_of_a_single_bit_reads_downwards():
    """Codes fall with the conductance where the only drive is -1."""
    config = chip(input_bits=1, dac_bits=1, adc_bits=5, cell_bits=3)
    assert config.verify_code == -1 and list(config.verify_targets) == [0, *range(-1, -8, -1)]
    weights = random_weights(config)
    analog, other = fresh(config), fresh(config)
    wanted = targets(config, weights)
    outcome = program(analog, wanted)
    check_same(outcome, by_hand(other, wanted))
    assert outcome.success.all() and outcome.pulses.any()
    assert np.abs(misses(analog, weights)).max() < 0.7


@pytest.mark.parametrize("input_bits", [3, 6])
def test_curved_cells_are_read_as_a_product_reads_them(input_bits):
    physics = Physics.of(nonlinearity=8.0, dac_gain=0.05)
    config = chip(dac_bits=3, input_bits=input_bits, rows=1, cell_bits=3, physics=physics)
    analog = fresh(config)
    place(analog, 5)
    at = np.arange(config.bit_lines)
    read, _ = analog.array.cell_currents(0 * at, 0 * at, at)
    lines = analog.array.currents(np.array([[config.verify_code]]))[0, 0]
    np.testing.assert_allclose(read, lines, rtol=1e-3)
    # And at the voltage at which their conductance is nominal.
    assert abs(config.verify_code) * config.v_step_v == pytest.approx(config.converter.v_read_v)


@pytest.mark.parametrize("name", ["digits", "isaac", "pku2025"])
def test_codes_of_the_levels_are_what_cells_there_read(name):
    config = load(name, rows=1, columns=8, adcs=8, physics=Physics())
    levels = np.zeros((config.array.slices, 1, config.bit_lines), np.int64)
    levels[0, 0, : config.levels] = range(config.levels)
    analog = Analog(config, Array.of_levels(config, levels))
    at = np.arange(config.levels)
    held = analog.hold_cells(0 * at, 0 * at, at)
    assert analog.cell_adcs(0 * at).convert(held).tolist() == list(config.verify_targets)
    assert 4 * config.verify_tolerance * 2**config.verify_step <= abs(config.verify_code)


@pytest.mark.parametrize("seed", range(4))
def test_three_bit_levels_within_thirty_pulses(seed):
    """Healthy cells end within half a level, 99.9 % of them, on fresh and on old content."""
    physics = SPREADS.replace(seed=seed, stuck_any=0.01)
    config = load("digits", physics=physics)
    assert (config.array.g_min_s, config.array.g_max_s, config.levels) == (0.5e-6, 35e-6, 8)
    assert (config.array.rows, config.array.columns, config.array.slices) == (64, 64, 2)
    assert config.programming.pulse_limit == 30
    analog = fresh(config)
    stuck = analog.array.cells.stuck
    for attempt in range(2):
        weights = random_weights(config, 10 * seed + attempt)
        wanted = targets(config, weights)
        outcome = program(analog, wanted)
        off = np.abs(misses(analog, weights))
        assert (off[~stuck] < 0.5).mean() >= 0.999
        assert outcome.pulses.max() == 30
        # Those reported as failed are stuck, and all that are stuck elsewhere are reported.
        found = np.zeros(stuck.shape, bool)
        found[wanted.slices, wanted.rows, wanted.lines(config)] = ~outcome.success
        assert (found & ~stuck).sum() <= 0.001 * stuck.size
        assert found[stuck & (off > 0.6)].all() and (stuck & (off > 0.6)).any()


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_every_cell_of_the_weights_is_named_once_in_order(mapping):
    config = chip(mapping=mapping, rows=3, columns=6, adcs=3, cell_bits=2)
    weights = random_weights(config)
    wanted = targets(config, weights)
    expected = []
    for s, row in itertools.product(range(2), range(3)):
        for column in range(6):
            weight = int(weights[row, column])
            adc, group = divmod(column, 2)
            if mapping == "offset":
                digit = (weight + 8) // 4**s % 4
                expected.append((s, row, adc, group, 0, digit))
                continue
            # The top digit is the nearest multiple of 4, halves towards zero.
            high = int(math.copysign((abs(weight) + 1) // 4, weight))
            high = max(-3, min(3, high))
            digit = high if s else weight - 4 * high
            expected.append((s, row, adc, group, 0, max(digit, 0)))
            expected.append((s, row, adc, group, 1, max(-digit, 0)))
        if mapping == "offset" and s == 1:
            expected.append((s, row, 0, 0, 1, 1))
    named = (
        wanted.slices,
        wanted.rows,
        wanted.adcs,
        wanted.groups,
        wanted.sides,
        wanted.levels,
    )
    assert list(zip(*(each.tolist() for each in named), strict=True)) == expected


@pytest.mark.parametrize("mapping", MAPPINGS)
@pytest.mark.parametrize(
    "rows, columns",
    [
        (slice(1, 3), slice(2, 5)),
        (slice(None), slice(4, 5)),
        (slice(4, None), slice(None)),
        (slice(-2, None), slice(None, -3)),
        (slice(2, 2), slice(None)),
    ],
)
def test_a_region_is_programmed_and_nothing_else(mapping, rows, columns):
    config = VERIFIABLE.replace(rows=5, columns=6, adcs=3, mapping=mapping)
    analog = fresh(config)
    place(analog, 3.0)
    before = analog.array.g_s
    weights = random_weights(config)
    wanted = targets(config, weights, rows, columns)
    outcome = program(analog, wanted)
    assert outcome.success.all()
    chosen = np.zeros(before.shape, bool)
    for row, column in itertools.product(range(5)[rows], range(6)[columns]):
        if mapping == "differential":
            chosen[:, row, 2 * column : 2 * column + 2] = True
        else:
            chosen[:, row, column] = True
            chosen[-1, row, 6] = True
    assert len(wanted) == chosen.sum()
    np.testing.assert_array_equal(analog.array.g_s[~chosen], before[~chosen])
    assert (np.abs(misses(analog, weights)[chosen]) < 0.5).all()


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_old_content_is_overwritten_upwards_and_downwards(mapping, monkeypatch):
    physics = SPREADS.replace(relaxation=0.05, drift=0.01)
    config = VERIFIABLE.replace(rows=12, columns=10, adcs=5, mapping=mapping, physics=physics)
    analog = fresh(config)
    for seed in range(3):
        seen = pulses_of(monkeypatch)
        weights = random_weights(config, seed)
        wanted = targets(config, weights)
        assert program(analog, wanted).success.all()
        at = (wanted.slices, wanted.rows, wanted.lines(config))
        assert np.abs(misses(analog, weights)[at]).max() < 0.75
        if seed:
            assert {kind for kind, _ in seen} == {Pulse.SET, Pulse.RESET}
        Tile(config, analog).multiply(np.zeros((1, 12), np.int64))
        analog.array.cells.wait(100.0)
        monkeypatch.undo()


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_products_are_those_of_the_conductances_that_programming_left(mapping):
    """Every weight is what its cells hold: less the unit column's, times half a radix."""
    config = VERIFIABLE.replace(rows=8, slices=1, adc_bits=12, mapping=mapping)
    assert config.forward.covering_step == 0
    weights = random_weights(config)
    analog = fresh(config)
    place(analog, 0.0)
    program(analog, targets(config, weights))
    units = analog.array.g_s[0] / config.g_step_s
    if mapping == "differential":
        stored, rounding = units[:, 0::2] - units[:, 1::2], 0.5
    else:
        cells, unit = units[:, :4] - units[:, 5:], units[:, 4:5] - units[:, 5:]
        stored, rounding = cells - 4 * unit, 0.5 + 4 * 0.5
        assert (unit != 1).any() and np.abs(unit - 1).max() < 0.5
    assert np.abs(stored - weights).max() < 0.5 * 5
    vectors = np.random.default_rng(0).integers(*config.input_range, (50, 8), endpoint=True)
    products = Tile(config, analog).multiply(vectors).results
    assert np.abs(products - vectors @ stored).max() <= rounding + 1e-6
    assert (products != vectors @ weights).any()


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_no_cell_is_off_its_target_after_programming_all(mapping):
    config = VERIFIABLE.replace(rows=6, columns=6, mapping=mapping)
    weights = random_weights(config)
    analog = fresh(config)
    assert program(analog, targets(config, weights)).success.all()
    assert not failed_cells(analog.array, cell_levels(config, slice_weights(config, weights))).any()
