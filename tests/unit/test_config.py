"""The configuration: what is refused and how, what follows from the fields, and its identity."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given

from spec.config import ChipConfig
from spec.errors import UserError
from spec.load import load
from tests.support.configs import SMALL, chip, chips, input_digits, toml, weight_digits

INTEGERS = {
    "tiles": (1, 64),
    "lanes": (1, 64),
    "vector_words": (4, 65536),
    "program_words": (1, 65536),
    "weight_words": (1, 1 << 24),
    "matrices": (1, 64),
    "rows": (1, 1024),
    "columns": (1, 1024),
    "cell_bits": (1, 6),
    "slices": (1, 16),
    "input_bits": (1, 32),
    "dac_bits": (1, 4),
    "adc_bits": (1, 32),
    "adcs": (1, 4),
    "accumulator_bits": (0, 63),
    "settled_sync": (0, 8),
    "comparison_cycles": (1, 64),
    "comparator_sync": (0, 8),
    "pulse_bits": (1, 16),
    "pulse_first": (0, 31),
    "pulse_increment": (0, 31),
    "pulse_limit": (1, 255),
    "inv_dac_bits": (2, 16),
    "inv_adc_bits": (2, 16),
    "inv_steps": (1, 32),
    "feedback_bits": (1, 24),
    "feedback_fraction_bits": (0, 12),
}
NUMBERS = {
    "clock_hz": (1.0, 1e11),
    "settle_s": (0.0, 1.0),
    "conversion_s": (0.0, 1.0),
    "pulse_s": (0.0, 1.0),
    "g_min_s": (0.0, 35e-6),
    "g_max_s": (1e-12, 1.0),
    "v_read_v": (1e-6, 100.0),
    "input_levels": (2**-10, 2**10),
    "settle_band": (1e-9, 0.5),
    "inv_bound_s": (0.0, 1.0),
    "inv_timer_s": (0.0, 1.0),
}
CHECKED = [name for name, table in ChipConfig.field_paths() if not table.startswith("physics")]


def test_every_field_is_tried_below():
    assert {*INTEGERS, *NUMBERS, "invertible", "mapping"} == {*CHECKED}


@pytest.mark.parametrize("name", INTEGERS)
def test_integer_fields_are_refused_with_name_value_and_range(name):
    low, high = INTEGERS[name]
    for value in (low - 1, high + 1, -(10**30), 2.5, 2.0, math.nan, "2", None, True, [2]):
        with pytest.raises(UserError) as caught:
            chip(**{name: value})
        start = f"{name} must be an integer of {low} to {high}"
        assert str(caught.value).startswith(start)
        assert str(caught.value).endswith(f"not {value!r}")


@pytest.mark.parametrize("name", NUMBERS)
def test_number_fields_are_refused_with_name_value_and_range(name):
    low, high = NUMBERS[name]
    below = math.nextafter(low, -1) if low else -1e-300
    for value in (below, math.nextafter(high, 2e11), math.nan, math.inf, -math.inf, "1", None):
        with pytest.raises(UserError) as caught:
            chip(**{name: value})
        start = f"{name} must be a number of {low:.10g} to {high:g}"
        assert str(caught.value).startswith(start)
        assert str(caught.value).endswith(f"not {value!r}")


@pytest.mark.parametrize(
    "name, value", [(name, end) for name, ends in (INTEGERS | NUMBERS).items() for end in ends]
)
def test_ends_of_a_range_belong_to_it(name, value):
    """Another field may object, but not for the range of this one."""
    try:
        chip(**{name: value})
    except UserError as error:
        assert f"{name} must be a" not in str(error)


@pytest.mark.parametrize("value", ["diff", "", None, 1, ["offset"], math.nan])
def test_unknown_mappings_are_refused(value):
    with pytest.raises(UserError) as caught:
        chip(mapping=value)
    assert str(caught.value) == (f"mapping must be one of differential, offset, not {value!r}")


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"columns": 6, "adcs": 4}, r"adcs must divide columns \(6\) evenly, not 4: .* 1, 2, 3, 6"),
        ({"input_levels": 3}, "input_levels must be a power of two, not 3"),
        ({"lanes": 3}, "lanes must be a power of two, not 3"),
        ({"vector_words": 1000}, "vector_words must be a power of two, not 1000"),
        ({"dac_bits": 5}, r"dac_bits must be an integer of 1 to 4 \(input_bits\), not 5"),
        ({"adcs": 5}, r"adcs must be an integer of 1 to 4 \(columns\), not 5"),
        ({"cell_bits": 5, "slices": 7}, r"slices must be an integer of 1 to 6, not 7"),
        ({"g_min_s": 35e-6}, r"g_min_s must be below g_max_s \(3.5e-05 S\), not 3.5e-05 S"),
        ({"accumulator_bits": 6}, r"accumulator_bits must be 0 or at least adc_bits \(7\), not 6"),
        ({"settle_s": 1.0}, r"settle_s of 1 s is more than a million cycles of clock_hz 1e\+08 Hz"),
        ({"pulse_s": 0.5}, r"pulse_s of 0.5 s is more than a million cycles of clock_hz 1e\+08 Hz"),
        ({"pulse_first": 8, "pulse_bits": 3}, r"pulse_first must .* 0 to 7 \(pulse_bits\), not 8"),
        (
            {"rows": 4, "input_bits": 32, "cell_bits": 4, "slices": 8, "adc_bits": 10},
            r"results need 70 bits, more than 63: lower cell_bits to 3 or slices to 6 or",
        ),
    ],
)
def test_inconsistent_fields_are_named(fields, message):
    with pytest.raises(UserError, match=message):
        chip(**fields)


def write(path, **fields):
    path.write_text(toml(SMALL | fields))
    return path


def test_a_file_gives_the_fields(tmp_path):
    path = write(tmp_path / "mine.toml", mapping="offset", settle_s=1e-8)
    assert load(path) == load(str(path)) == chip(mapping="offset", settle_s=1e-8)
    assert load(path, rows=7) == chip(mapping="offset", settle_s=1e-8, rows=7)


def test_unknown_keys_are_refused_with_the_nearest_known_one(tmp_path):
    path = write(tmp_path / "mine.toml", colunms=8)
    with pytest.raises(
        UserError, match=r"mine.toml: unknown key 'colunms' in \[array\]: .*'columns'"
    ):
        load(path)
    path = write(tmp_path / "mine.toml", zzz=8)
    with pytest.raises(UserError, match=r"unknown key 'zzz' in .*: known are rows, columns, cell_"):
        load(path)
    with pytest.raises(UserError, match=r"unknown key 'colums' .* did you mean 'columns'\?"):
        load("digits", colums=4)


def test_missing_keys_are_named(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[array]\nrows = 4\ncolumns = 4\n")
    with pytest.raises(
        UserError, match=r"configuration .*mine.toml: \[array\] lacks 'cell_bits': add"
    ):
        load(path)


def test_refused_values_name_the_file(tmp_path):
    with pytest.raises(UserError, match=r"^configuration .*mine.toml: rows must be .* not 0$"):
        load(write(tmp_path / "mine.toml", rows=0))


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"rows = \n",
        b"rows = 4\nrows = 4\n",
        b"\xff\xfe",
        b"rows = 4 4\n",
        b"rows = " + b"9" * 5000,
        b"rows = " + b"[" * 5000,
    ],
)
def test_unreadable_files_are_named(tmp_path, content):
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
        UserError, match=r"^configuration .*mine.toml (cannot be read: .|is UTF-16)"
    ):
        load(path)
    with pytest.raises(UserError, match=r"cannot be read"):
        load(tmp_path / "mine.toml" / "below.toml")


def test_unknown_presets_are_refused_with_the_known_ones():
    with pytest.raises(
        UserError, match=r"'digit' is neither a preset \(digits, isaac, pku2025.*\)"
    ):
        load("digit")


def test_preset_of_the_digits_classifier():
    config = load("digits")
    assert (config.array.rows, config.array.columns, config.array.cell_bits) == (64, 64, 3)
    assert config.array.mapping == "differential"


def test_preset_of_the_published_solver():
    config = load("pku2025")
    assert (config.array.rows, config.array.columns, config.array.cell_bits) == (8, 8, 3)
    assert config.array.slices * config.array.cell_bits == config.converter.input_bits == 24
    assert (config.converter.dac_bits, config.array.settle_s) == (4, 60e-9)
    published = np.array([0.5, 5, 10, 15, 20, 25, 30, 35]) * 1e-6
    levels = config.array.g_min_s + config.g_step_s * np.arange(config.levels)
    assert np.ptp(published) == pytest.approx(np.ptp(levels), rel=1e-12)
    assert np.abs(levels - published).max() <= 0.43e-6
    assert config.lossless


def test_preset_of_isaac():
    config = load("isaac")
    array = config.array
    assert (array.rows, array.columns, array.cell_bits, array.slices) == (128, 128, 2, 8)
    assert array.mapping == "offset"
    assert config.weight_range == config.input_range == (-(2**15), 2**15 - 1)
    assert (config.converter.dac_bits, config.planes) == (1, 16)
    assert config.machine.clock_hz == 1.2e9
    assert config.array.settle_s == 100e-9
    assert config.lossless


@pytest.mark.parametrize("rows, four_bits, one_bit", [(8, 10, 7), (16, 11, 8), (128, 14, 11)])
def test_full_width_of_published_column_sums(rows, four_bits, one_bit):
    """Cells have 3 bits, and inputs are applied at once, 4 bits or 1 bit of them."""
    assert chip(rows=rows, cell_bits=3, input_bits=4, dac_bits=4).sum_bits == four_bits
    assert chip(rows=rows, cell_bits=3, input_bits=1, dac_bits=1).sum_bits == one_bit


@pytest.mark.parametrize("name", CHECKED)
def test_hash_differs_with_every_field(name):
    config = chip()
    value = config.value(name)
    special = {"mapping": ["offset"], "adcs": [1, 4], "dac_bits": [1, 3]}
    special |= {"lanes": [1, 2], "vector_words": [64, 128]}
    special |= {"accumulator_bits": [30, 31], "settled_sync": [2], "comparator_sync": [2]}
    special |= {"conversion_s": [1e-9], "inv_timer_s": [1e-9], "input_levels": [0.5, 8.0]}
    special |= {"invertible": [True]}
    others = special.get(name) or [value + (1 if isinstance(value, int) else value / 10)]
    hashes = {config.replace(**{name: v}, **extra(name)).whole for v in others}
    hashes.add(config.replace(**extra(name)).whole)
    assert len(hashes) == len(others) + 1


def extra(name):
    needed = {"columns": {"adcs": 1}, "invertible": {"rows": 4, "columns": 4}}
    return needed.get(name, {})


def test_equal_configurations_have_equal_hashes(tmp_path):
    assert chip().whole == chip(accumulator_bits=0).whole
    whole = write(tmp_path / "whole.toml", clock_hz=100_000_000, settle_s=0)
    broken = write(tmp_path / "broken.toml", clock_hz=100e6, settle_s=0.0)
    assert load(whole) == load(broken)
    assert load(whole).whole == load(broken).whole


def fits(bits, *values):
    return all(-(2 ** (bits - 1)) <= v < 2 ** (bits - 1) for v in values)


@given(chips())
def test_ranges_and_widths_are_those_of_all_values(config):
    inputs = range(config.input_range[0], config.input_range[1] + 1)
    assert len(inputs) == 2**config.converter.input_bits and inputs[0] == -(len(inputs) // 2)
    codes = {code for value in inputs for code in input_digits(config, value)}
    assert config.code_range == (min(codes), max(codes))
    assert fits(config.code_bits, *codes)
    assert config.planes == len(input_digits(config, 0))

    # What a column adds to a sum for one unit of input: the level, or a difference of two.
    levels = range(2**config.array.cell_bits)
    held = levels if config.array.mapping == "offset" else {a - b for a in levels for b in levels}
    products = [code * value for code in codes for value in held]
    low, high = (config.drive_lines * end for end in (min(products), max(products)))
    assert config.sum_range == (low, high)
    assert fits(config.sum_bits, low, high)
    assert config.sum_bits == 1 or not fits(config.sum_bits - 1, low, high)

    def covers(step, inputs):
        half = 2**step // 2
        ends = inputs * min(products), inputs * max(products)
        return fits(config.converter.adc_bits, *((end + half) // 2**step for end in ends))

    for direction in config.directions:
        step = direction.covering_step
        assert covers(step, direction.inputs)
        assert step == 0 or not covers(step - 1, direction.inputs)
        assert 2**config.step_bits == config.step_range[1] + 1 > step


@given(chips(most=2))
def test_weight_range_is_that_of_all_digits(config):
    radix = 2**config.array.cell_bits
    if config.array.mapping == "offset":
        choices = [range(radix)] * config.array.slices
        raised = radix**config.array.slices // 2
    else:
        lower = range(-(radix // 2), radix // 2 + 1)
        choices = [lower] * (config.array.slices - 1) + [range(-radix + 1, radix)]
        raised = 0
    places = [radix**s for s in range(config.array.slices)]
    reached = {
        sum(d * p for d, p in zip(digits, places, strict=True)) - raised
        for digits in itertools.product(*choices)
    }
    low, high = config.weight_range
    assert reached == set(range(low, high + 1))
    assert weight_digits(config, low) != weight_digits(config, high)


@given(chips())
def test_results_hold_every_code_at_its_end(config):
    """Physics may be any, hence the unit column at the opposite end of all others."""
    end = 2 ** (config.converter.adc_bits - 1)
    scale = 2 ** config.step_range[1] * sum(
        2 ** (p * config.converter.dac_bits) for p in range(config.planes)
    )
    places = sum(2 ** (s * config.array.cell_bits) for s in range(config.array.slices))
    unit = (
        2 ** (config.array.cell_bits * config.array.slices - 1)
        if config.array.mapping == "offset"
        else 0
    )
    assert fits(config.worst_result_bits, scale * (-end * places - (end - 1) * unit))
    assert fits(config.worst_result_bits, scale * ((end - 1) * places + end * unit))
    assert not fits(config.worst_result_bits - 1, scale * end * (places + unit))
    assert config.result_bits == (config.converter.accumulator_bits or config.worst_result_bits)


@given(chips())
def test_groups_and_converters(config):
    assert config.forward.groups * config.converter.adcs == config.array.columns
    rows_per_adc = math.ceil(config.array.rows / config.converter.adcs)
    assert config.transposed.groups == rows_per_adc
    most = max(config.forward.groups, rows_per_adc if config.array.mapping == "differential" else 0)
    assert config.transposable == (config.array.mapping == "differential")
    assert len(config.directions) == 1 + config.transposable
    assert 2**config.select_bits >= most > 2 ** (config.select_bits - 1) - 1
    unit = config.array.mapping == "offset"
    assert config.converters == config.array.slices * config.converter.adcs + unit
    assert config.steps == config.array.slices + unit
    assert config.bit_lines == (config.array.columns + 2 if unit else 2 * config.array.columns)


@pytest.mark.parametrize(
    "settle_s, clock_hz, cycles",
    [(0.0, 1e8, 2), (20e-9, 1e8, 2), (20.1e-9, 1e8, 3), (60e-9, 1e8, 6), (100e-9, 1.2e9, 120)],
)
def test_settling_is_counted_in_whole_cycles(settle_s, clock_hz, cycles):
    assert chip(settle_s=settle_s, clock_hz=clock_hz).settle_cycles == cycles


def test_electrical_units():
    config = chip(g_min_s=1e-6, g_max_s=31e-6, v_read_v=0.3)
    assert config.g_step_s == pytest.approx(10e-6)
    assert config.v_step_v == pytest.approx(0.1)
    assert config.unit_a == pytest.approx(1e-6)


@given(chips())
def test_partial_sums_fit_whatever_the_vectors(config):
    """Blocks are the shortest, as many as the vector memory has words for, all results extreme."""
    end = 2 ** (config.result_bits - 1)
    for direction in config.directions:
        blocks = math.ceil(config.machine.vector_words / direction.inputs)
        assert fits(config.partial_bits, -end * blocks, (end - 1) * blocks)
    shortest = min(direction.inputs for direction in config.directions)
    doublings = math.ceil(math.log2(math.ceil(config.machine.vector_words / shortest)))
    assert config.partial_bits == config.result_bits + doublings


def test_bits_that_are_too_many_are_blamed_on_the_longer_direction():
    wide = {"cell_bits": 2, "slices": 8, "input_bits": 24, "dac_bits": 8, "adc_bits": 4, "adcs": 1}
    with pytest.raises(
        UserError, match="results need 66 bits, more than 63: lower columns to 321 or"
    ):
        chip(rows=4, columns=1024, **wide)
    with pytest.raises(UserError, match="results need 66 bits, more than 63: lower rows to 321 or"):
        chip(rows=1024, columns=4, **wide)


@pytest.mark.parametrize(
    "name, code, step, tolerance", [("digits", 7, 0, 1), ("pku2025", 15, 0, 3), ("isaac", 1, 0, 0)]
)
def test_cells_are_verified_to_a_quarter_of_a_level(name, code, step, tolerance):
    """A level is as many units as the DAC code of the read voltage."""
    config = load(name)
    assert (config.verify_code, config.verify_step) == (code, step)
    assert config.verify_tolerance == tolerance == abs(code) // 4 >> step
