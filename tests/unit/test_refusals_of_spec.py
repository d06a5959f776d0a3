"""Ends of what is accepted, and what refusals show: numbers, lists of advice, files, paths."""

from pathlib import Path

import pytest

from spec.advice import halves, lower
from spec.errors import HelperError, UserError, digits, require_integer, require_number, shown
from spec.files import LONGEST_FILE, named, read_text
from spec.load import PRESETS, load
from spec.pace import memory_cycles, pace_warning, vector_cycles
from spec.physics import WIRES
from spec.table import digest
from tests.support.configs import chip


def test_lower_values_come_nearest_first_and_end_at_the_floor():
    assert [*lower(4, 1)] == [3, 2, 1]
    assert [*lower(1, 1)] == []


def test_halves_come_nearest_first_and_end_at_nothing():
    assert halves(8.0) == [4.0, 2.0, 1.0, *(8 / 2**n for n in range(4, 11)), 0.0]
    assert len(halves(1e-3)) == 11
    assert halves(0.0) == []


def test_values_of_sixty_characters_are_shown_whole_and_longer_ones_cut():
    assert shown("x" * 58) == repr("x" * 58)
    assert shown("x" * 59) == f"'{'x' * 36}... (61 characters)"
    assert shown("x" * 1000) == f"'{'x' * 36}... (1002 characters)"
    assert shown(10**5000) == f"an integer of {(10**5000).bit_length()} bits"


def test_digits_are_as_few_as_tell_a_number_from_all_others():
    assert [digits(value) for value in (0.1, 1e6, 1 / 3, 28571.428571428572)] == [
        "0.1",
        "1e+06",
        "0.3333333333333333",
        "28571.428571428572",
    ]


def test_exit_status_tells_a_mistake_from_a_helper_that_died():
    assert (UserError("x").status, HelperError("x").status) == (2, 3)


def test_ends_of_ranges_are_accepted():
    assert [require_integer("n", n, -2, 3) for n in (-2, 3)] == [-2, 3]
    assert [require_number("x", x, -0.5, 2.0, "") for x in (-0.5, 2)] == [-0.5, 2.0]
    assert str(require_number("x", -0.0, 0.0, 1.0, "")) == "0.0"


def test_digests_are_sixteen_digits_that_do_not_hang_on_the_order_of_keys():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) == "d8497d9d82770a70"


def test_files_are_read_up_to_their_longest(tmp_path):
    path = tmp_path / "long.txt"
    path.write_bytes(b"x" * LONGEST_FILE)
    assert len(read_text(path)) == LONGEST_FILE == 1 << 24
    path.write_bytes(b"x" * (LONGEST_FILE + 1))
    with pytest.raises(UserError, match="has more than 16777216 bytes: shorten it"):
        read_text(path)


@pytest.mark.parametrize(("before", "line"), [(b"", 1), (b"a", 1), (b"a\n", 2), (b"\n\n", 3)])
def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path, before, line):
    path = tmp_path / "bad.txt"
    path.write_bytes(before + b"\xff\n\n")
    with pytest.raises(UserError, match=f"line {line} has the byte 0xff; save it as UTF-8"):
        read_text(path)


def test_paths_of_two_hundred_characters_are_named_whole_and_longer_ones_cut():
    assert named(Path("x" * 200)) == "x" * 200
    assert named(Path("a" * 101 + "b" * 100)) == f"{'a' * 100}...{'b' * 50} (201 characters)"


@pytest.mark.parametrize("name", WIRES)
def test_wires_may_be_as_bad_as_a_cell_is_good(name):
    """A cell at g_max_s = 1 / 2^15 S."""
    most = float(1 << 15)
    assert chip(g_max_s=1 / most, **{name: most}).physics.value(name) == most
    with pytest.raises(UserError, match=f"{name} of 32768.5 ohm isolates .* at most 32768 ohm"):
        chip(g_max_s=1 / most, **{name: most + 0.5})


def test_curves_may_reach_twenty_at_the_read_voltage():
    assert chip(v_read_v=0.5, nonlinearity=40.0).physics.cells.nonlinearity == 40
    with pytest.raises(UserError, match=r"nonlinearity of 40.1 .* at most 40 per volt"):
        chip(v_read_v=0.5, nonlinearity=40.1)


@pytest.mark.parametrize("name", ["settle_s", "pulse_s", "conversion_s"])
def test_times_may_last_a_million_cycles(name):
    assert chip(clock_hz=1e8, **{name: 0.01}).value(name) == 0.01
    for seconds in (0.01 * (1 + 1e-14), 0.011):
        with pytest.raises(UserError, match=f"{name} of .* lower {name} to 0.01 or clock_hz to"):
            chip(clock_hz=1e8, **{name: seconds})


@pytest.mark.parametrize("seconds", [0.0, 1e-8, 2e-8, 2.5e-8, 3e-8, 1e-6])
def test_times_take_whole_cycles(seconds):
    """Cycles have 10 ns; a whole number of them takes no more for its rounding."""
    cycles = {0.0: 0, 1e-8: 1, 2e-8: 2, 2.5e-8: 3, 3e-8: 3, 1e-6: 100}[seconds]
    config = chip(clock_hz=1e8, settle_s=seconds, pulse_s=seconds, conversion_s=seconds)
    assert config.settle_cycles == config.pulse_cycles == max(2, cycles)
    if seconds:
        assert config.decision_cycles == config.conversion_cycles == max(1, cycles)
    searching = chip(adc_bits=7, comparison_cycles=3, comparator_sync=2)
    assert (searching.decision_cycles, searching.conversion_cycles) == (5, 35)


@pytest.mark.parametrize(
    ("fields", "plane", "latency"),
    [
        # Two groups of seven bits; a drive of two cycles; one to take over and two registers.
        ({}, 14, 1 + 2 + 14 + 14 + 2),
        ({"adcs": 4, "conversion_s": 1e-9}, 3, 1 + 2 + 3 + 1 + 2),
        ({"adcs": 4, "conversion_s": 1e-9, "settle_s": 5e-8}, 6, 1 + 5 + 6 + 1 + 2),
        ({"adcs": 2, "conversion_s": 1e-9, "settled_sync": 3}, 6, 1 + 5 + 6 + 2 + 2),
        ({"adcs": 1, "conversion_s": 1e-9}, 5, 1 + 2 + 5 + 4 + 2),
        ({"adcs": 2, "conversion_s": 2e-8}, 4, 1 + 2 + 4 + 4 + 2),
        ({"input_bits": 2}, 14, 1 + 2 + 14 + 2),
    ],
)
def test_pace_and_latency_of_a_tile(fields, plane, latency):
    config = chip(**{"clock_hz": 1e8, "settle_s": 0.0, "adc_bits": 7} | fields)
    assert (config.forward.plane_cycles, config.forward.latency_cycles) == (plane, latency)


def test_the_memory_moves_the_longer_side_of_every_tile():
    config = chip(rows=9, columns=4, lanes=4, vector_words=64)
    assert memory_cycles(config, 5) == 5 * 3
    assert memory_cycles(config, 5, transposed=True) == 5 * 3
    assert memory_cycles(config.replace(rows=8), 5) == 5 * 2
    assert memory_cycles(config.replace(rows=8), 5, transposed=True) == 5 * 3
    assert memory_cycles(config.replace(rows=13), 2, transposed=True) == 2 * 4
    # The memory sets the pace two cycles beyond what it moves.
    tile = config.planes * config.forward.plane_cycles
    assert vector_cycles(config, 1) == tile
    tiles = (tile - 2) // 3 + 1
    assert vector_cycles(config, tiles) == 3 * tiles + 2 > tile


def test_advice_on_lanes_reaches_to_all_that_a_memory_can_move():
    slow = {"rows": 1024, "columns": 4, "adcs": 4, "conversion_s": 1e-9, "tiles": 1}
    slow |= {"input_bits": 32, "dac_bits": 1, "slices": 1, "clock_hz": 1e6, "adc_bits": 8}
    config = chip(**slow, settle_s=0.0, lanes=1)
    assert "lanes=16 or more let" in pace_warning(config)
    assert "lanes=64 or more let" in pace_warning(config.replace(tiles=4, lanes=32))
    assert "no number of lanes lets" in pace_warning(config.replace(tiles=8, lanes=1))
    assert "no number of lanes lets" in pace_warning(config.replace(vector_words=8))


def test_places_of_a_file_are_named(tmp_path):
    path = tmp_path / "mine.toml"
    array = "[array]\nrows = 3\ncolumns = 4\ncell_bits = 2\nslices = 2\n"
    converter = "[converter]\ninput_bits = 4\ndac_bits = 2\nadc_bits = 7\nadcs = 2\n"
    for text, words in [
        (
            array + converter + "[odd]\n",
            "mine.toml: unknown key 'odd' in the file: known are array",
        ),
        ("odd = 1\n" + array + converter, "mine.toml: unknown key 'odd' in the file: known are"),
        (array + "odd = 1\n" + converter, r"unknown key 'odd' in \[array\]: known are rows"),
        (array.replace("rows = 3\n", "") + converter, r"mine.toml: \[array\] lacks 'rows': add it"),
        ("rows = 3\n" + array + converter, r"fields stand in tables now: move rows to \[array\]$"),
        (
            "rows = 3\ncolumns = 4\nadcs = 2\n" + array + converter,
            r"move rows, columns to \[array\]; adcs to \[converter\]$",
        ),
        (array + converter + "[physics]\nread_noise = 0.1\n", r"read_noise to \[physics.cells\]$"),
        (
            array + converter + "[physics.cells]\nodd = 1\n",
            r"'odd' in \[physics.cells\]: known are",
        ),
        ("array = 3\n" + converter, r"array must be a table \[array\], not 3"),
        (array + converter + "[physics]\ncells = 3\n", r"be a table \[physics.cells\], not 3"),
    ]:
        path.write_text(text)
        with pytest.raises(UserError, match=words):
            load(path)
    path.write_text(array + converter + "[physics]\nseed = 4\n")
    assert load(path).physics.seed == 4


def test_configurations_are_presets_or_paths():
    assert load("digits") == load(PRESETS / "digits.toml")
    for source in (3, None, b"digits"):
        with pytest.raises(UserError, match="a configuration must be the name of a preset or the"):
            load(source)
    with pytest.raises(UserError, match=r"configuration 'nothing' is neither a preset \(digits, "):
        load("nothing")
