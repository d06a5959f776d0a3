"""Programming by write-verify, against the same procedure step by step in plain Python."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden.array.cells import Cells, Pulse
from golden.array.lines import Array
from golden.tile.analog import Analog
from golden.tile.diagnostics import failed_cells
from golden.tile.mapping import cell_levels
from golden.tile.tile import Tile
from golden.tile.weights import slice_weights
from golden.tile.write_verify import Targets, program, targets
from spec.errors import UserError
from spec.load import load
from spec.physics import Physics
from tests.support.configs import chip
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

SPREADS = Physics.of(
    pulse_device_spread=0.3,
    pulse_cycle_spread=0.3,
    read_noise=0.01,
    dac_offset=0.1,
    dac_gain=0.005,
    adc_offset=0.3,
    adc_gain=0.005,
    adc_inl=0.3,
    adc_dnl=0.3,
    sense_noise=0.2,
)
"""A third of spread from device to device and from pulse to pulse, and converters like real ones.

Pulses are those of the defaults: `pulse_first` 4, one or two codes above the threshold, and so on.
"""

MAPPINGS = ["differential", "offset"]


def cells(*named: tuple[int, int, int, int, int, int]) -> Targets:
    """Return targets from tuples (slice, row, adc, group, side, level)."""
    return Targets(*np.array(named, np.int64).T)


def one_cell(level: int = 0) -> Targets:
    return cells((0, 0, 0, 0, 0, level))


def place(analog: Analog, level: float) -> None:
    """Bring all healthy cells to a level, or between two."""
    config = analog.config
    g_s = config.array.g_min_s + level * config.g_step_s
    analog.array.cells.place(np.full(analog.array.cells.shape, g_s))


def pulses_of(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Return a list that gets kind and amplitude of every pulse of single cells from now on."""
    seen: list[tuple[int, int]] = []
    pulse = Cells.pulse

    def record(self, slices, rows, lines, kind, amplitude):
        seen.extend(zip(np.ravel(kind).tolist(), np.ravel(amplitude).tolist(), strict=True))
        pulse(self, slices, rows, lines, kind, amplitude)

    monkeypatch.setattr(Cells, "pulse", record)
    return seen


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
    config = chip(
        rows=1,
        columns=1,
        adcs=1,
        cell_bits=3,
        slices=1,
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
    """With every effect on, also where the array holds something else before."""
    config = chip(
        rows=5,
        columns=6,
        adcs=adcs,
        cell_bits=3,
        dac_bits=4,
        adc_bits=8,
        mapping=mapping,
        physics=EVERYTHING,
    )
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
    """At least 99.9 % of the healthy cells end within half a level, on fresh and on old content."""
    physics = SPREADS.replace(seed=seed, stuck_any=0.01)
    config = load("digits", physics=physics)
    assert (config.array.g_min_s, config.array.g_max_s, config.levels) == (0.5e-6, 35e-6, 8)
    assert (
        config.array.rows,
        config.array.columns,
        config.array.slices,
        config.programming.pulse_limit,
    ) == (64, 64, 2, 30)
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
    config = chip(rows=5, columns=6, adcs=3, cell_bits=3, dac_bits=4, adc_bits=8, mapping=mapping)
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
    config = chip(
        rows=12,
        columns=10,
        adcs=5,
        cell_bits=3,
        dac_bits=4,
        adc_bits=8,
        mapping=mapping,
        physics=physics,
    )
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
    config = chip(rows=8, cell_bits=3, slices=1, dac_bits=4, adc_bits=12, mapping=mapping)
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
    config = chip(rows=6, columns=6, cell_bits=3, dac_bits=4, adc_bits=8, mapping=mapping)
    weights = random_weights(config)
    analog = fresh(config)
    assert program(analog, targets(config, weights)).success.all()
    assert not failed_cells(analog.array, cell_levels(config, slice_weights(config, weights))).any()


def test_amplitudes_climb_to_the_strongest_and_start_anew_after_an_overshoot(monkeypatch):
    config = chip(
        rows=1,
        cell_bits=3,
        dac_bits=4,
        adc_bits=8,
        pulse_bits=4,
        pulse_first=5,
        pulse_increment=4,
        physics=Physics.of(pulse_step=0.01),
    )
    seen = pulses_of(monkeypatch)
    analog = fresh(config)
    assert program(analog, one_cell(7)).success.all()
    assert seen[:6] == [(Pulse.SET, a) for a in (5, 9, 13, 15, 15, 15)]

    # Pulses that jump across the window turn round at once, and each turn begins at the first.
    config = config.replace(physics=Physics.of(pulse_step=0.2))
    seen.clear()
    analog = fresh(config)
    assert not program(analog, one_cell(1)).success.any()
    kinds = [kind for kind, _ in seen]
    turns = [i for i in range(1, len(kinds)) if kinds[i] != kinds[i - 1]]
    assert turns and kinds[0] == Pulse.SET
    for i, (_, amplitude) in enumerate(seen):
        assert amplitude == (5 if i in [0, *turns] else min(seen[i - 1][1] + 4, 15))

    seen.clear()
    place(analog, 7.0)
    assert program(analog, one_cell(0)).success.all()
    assert {kind for kind, _ in seen[:3]} == {Pulse.RESET}


@pytest.mark.parametrize("limit", [1, 7, 30, 255])
def test_stuck_cells_are_given_up_after_the_limit(limit):
    config = chip(rows=4, cell_bits=3, dac_bits=4, adc_bits=8, pulse_limit=limit)
    analog = fresh(config)
    place(analog, 4.0)
    at = config.array.g_min_s + np.array([0.0, 3.0, 7.0, 4.1]) * config.g_step_s
    analog.array.cells.stick(1, np.arange(4), 2, at)
    weights = np.full((4, 4), 4 * config.radix)
    wanted = targets(config, weights, columns=slice(1, 2))
    outcome = program(analog, wanted)
    stuck = (wanted.slices == 1) & (wanted.lines(config) == 2)
    assert (~outcome.success & stuck).sum() == 3
    # The last is stuck where it is wanted: a success.
    assert outcome.success[stuck].tolist() == [False, False, False, True]
    assert outcome.pulses[stuck].tolist() == [limit, limit, limit, 0]
    units = np.array([0.0, 3.0, 7.0, 4.1]) + config.array.g_min_s / config.g_step_s
    assert outcome.codes[stuck].tolist() == np.floor(-8 * units + 0.5).astype(int).tolist()


def test_pulses_without_effect_end_at_the_limit():
    config = chip(rows=4, cell_bits=3, dac_bits=4, adc_bits=8, pulse_first=2, pulse_increment=0)
    analog = fresh(config)
    wanted = targets(config, random_weights(config))
    outcome = program(analog, wanted)
    np.testing.assert_array_equal(outcome.success, wanted.levels == 0)
    np.testing.assert_array_equal(outcome.pulses, np.where(outcome.success, 0, 30))


def test_a_cell_that_already_fits_is_left_alone():
    config = chip(rows=4, cell_bits=3, dac_bits=4, adc_bits=8)
    analog = fresh(config)
    wanted = targets(config, random_weights(config))
    first = program(analog, wanted)
    before = analog.array.g_s
    again = program(analog, wanted)
    assert again.success.all() and not again.pulses.any() and first.pulses.any()
    np.testing.assert_array_equal(again.codes, first.codes)
    np.testing.assert_array_equal(analog.array.g_s, before)


def test_cells_relax_once_at_the_first_product():
    config = chip(
        rows=20,
        columns=20,
        cell_bits=3,
        dac_bits=4,
        adc_bits=10,
        physics=Physics.of(relaxation=0.1, stuck_any=0.05),
    )
    analog = fresh(config)
    weights = random_weights(config)
    outcome = program(analog, targets(config, weights))
    verified = analog.array.g_s
    assert (np.abs(misses(analog, weights)[~analog.array.cells.stuck]) < 0.3).all()
    program(analog, targets(config, weights))
    np.testing.assert_array_equal(analog.array.g_s, verified)

    vectors = np.ones((2, config.array.rows), np.int64)
    Tile(config, analog).multiply(vectors)
    relaxed = analog.array.g_s
    touched = (analog.array.cells.pulses > 0) & ~analog.array.cells.stuck
    np.testing.assert_array_equal(relaxed != verified, touched)
    moved = ((relaxed - verified) / config.g_step_s)[touched]
    # Cells at a bound cannot move further.
    assert 0.08 < moved.std() < 0.12 and outcome.pulses.any()
    Tile(config, analog).multiply(vectors)
    np.testing.assert_array_equal(analog.array.g_s, relaxed)


def correlation(left: np.ndarray, right: np.ndarray) -> float:
    return abs(float(np.corrcoef(np.ravel(left), np.ravel(right))[0, 1]))


def test_reads_of_cells_are_noisy_each_on_its_own():
    config = chip(
        rows=32,
        columns=32,
        cell_bits=3,
        dac_bits=4,
        physics=Physics.of(read_noise=0.03, dac_noise=0.1, sense_noise=0.4),
    )
    analog, other, reseeded = (
        fresh(config),
        fresh(config),
        fresh(config.replace(physics=config.physics.replace(seed=1))),
    )
    for each in (analog, other, reseeded):
        place(each, 5.0)
    at = np.nonzero(np.ones(analog.array.cells.shape, bool))
    first, second, third = analog.hold_cells(*at), analog.hold_cells(*at), reseeded.hold_cells(*at)
    np.testing.assert_array_equal(first, other.hold_cells(*at))
    g = 5 + config.array.g_min_s / config.g_step_s
    assert first.mean() == pytest.approx(-8 * g, abs=0.1)
    expected = math.hypot(0.03 * 8 * g, 0.1 * g, 0.4)
    few = 4 / math.sqrt(first.size)
    assert first.std() == pytest.approx(expected, rel=few)
    assert correlation(first, second) < few
    assert correlation(first, third) < few
    noise = first.reshape(analog.array.cells.shape)
    assert correlation(noise[..., 1:], noise[..., :-1]) < few
    assert correlation(noise[:, 1:], noise[:, :-1]) < few
    assert correlation(noise[0], noise[1]) < 1.5 * few


def test_the_same_seed_programs_the_same_chip_and_another_another():
    config = load("digits", rows=32, columns=32, adcs=32, physics=SPREADS)
    weights = random_weights(config)
    errors = []
    for seed in (0, 0, 1):
        physics = SPREADS.replace(seed=seed)
        analog = fresh(config.replace(physics=physics))
        assert program(analog, targets(config, weights)).success.mean() > 0.999
        off = misses(analog, weights)
        errors.append(off[off != 0])
    np.testing.assert_array_equal(errors[0], errors[1])
    assert not np.array_equal(errors[0], errors[2])
    # A window of a quarter of a level to either side, and what noise and converters add to it.
    for error in errors:
        assert 0.05 < error.std() < 0.2 and abs(error.mean()) < 0.2


SHARED = chip(rows=4, columns=4, adcs=2, cell_bits=3, dac_bits=4, adc_bits=8)


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
