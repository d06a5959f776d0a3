"""The hash of the hardware differs exactly if the Verilog does, whatever field is changed."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from hw.tools.verilog import generate
from spec.config import ChipConfig
from tests.support.configs import chip

SMALL = chip(
    rows=2,
    columns=2,
    adcs=2,
    slices=1,
    input_bits=2,
    dac_bits=1,
    adc_bits=5,
    tiles=1,
    lanes=1,
    vector_words=16,
    program_words=16,
    weight_words=16,
    matrices=1,
)

CHANGES = {
    "rows": [3],
    "columns": [4],
    "cell_bits": [1, 3],
    "slices": [2],
    "mapping": ["offset"],
    # Levels near the bottom of the cell and far from it: other targets of write-verify, or none.
    "g_min_s": [0.0, 0.51e-6, 20e-6],
    "g_max_s": [35.1e-6, 1e-6],
    "settle_s": [0.0, 1e-6],
    "settled_sync": [2, 3],
    "comparison_cycles": [2],
    "comparator_sync": [2],
    # A cycle, as many as a search has and more.
    "conversion_s": [1e-9, 50e-9, 70e-9],
    "input_bits": [3],
    "dac_bits": [2],
    "adc_bits": [6],
    "adcs": [1],
    "accumulator_bits": [6, SMALL.worst_result_bits, 40],
    "v_read_v": [0.1, 1.0],
    "pulse_bits": [6],
    "pulse_first": [5],
    "pulse_increment": [3],
    "pulse_limit": [29],
    "pulse_s": [0.0, 1e-6],
    # Cycles a bit of the serial line: the same, and others.
    "clock_hz": [100_000_001.0, 101e6, 50e6],
    "tiles": [2],
    "lanes": [2],
    "vector_words": [32],
    "program_words": [17],
    "weight_words": [17],
    "matrices": [2],
    # Where no tile can be a loop, no RTL depends on the path of an inversion.
    "invertible": [True],
    "inv_dac_bits": [4],
    "inv_adc_bits": [4],
    "inv_steps": [8],
    "input_levels": [0.5],
    "feedback_bits": [10],
    "feedback_fraction_bits": [2],
    "settle_band": [1e-2],
    "inv_bound_s": [1e-6],
    "inv_timer_s": [1e-7],
    "seed": [1],
    "r_word_ohm": [1.0],
    "program_error": [0.1],
    "adc_offset": [0.5],
}


def body(config: ChipConfig) -> str:
    """Return the Verilog of the whole chip without its head and the hash in its identity."""
    text = re.sub(r"^//.*\n", "", generate(config, "chip_uart"), flags=re.MULTILINE)
    number = int(config.hardware, 16)
    for word in (number & 0xFFFFFFFF, number >> 32):
        text, count = re.subn(rf"32'd{word}\b", "hash", text)
        assert count == 1
    return text


@pytest.fixture(scope="module")
def reference() -> str:
    return body(SMALL)


def test_every_field_is_changed():
    physics = {name for name, table in ChipConfig.field_paths() if table.startswith("physics")}
    assert {*CHANGES} - physics == {*ChipConfig.field_names()} - physics


def changes() -> Iterator[Any]:
    """Yield each change; the first of a field is tried in `make test`, the others are slow."""
    for name, values in CHANGES.items():
        for number, value in enumerate(values):
            yield pytest.param(name, value, marks=[pytest.mark.slow] if number else [])


@pytest.mark.parametrize(("name", "value"), list(changes()))
def test_hash_differs_exactly_if_the_verilog_does(reference, name, value):
    changed = SMALL.replace(**{name: value})
    assert (changed.hardware != SMALL.hardware) == (body(changed) != reference)
    assert changed.whole != SMALL.whole


LOOPS = {
    # The widths of converters change where the point of a solution is, or both do.
    "inv_dac_bits": 4,
    "inv_adc_bits": 4,
    "inv_steps": 8,
    "input_levels": 0.5,
    "feedback_bits": 10,
    "feedback_fraction_bits": 2,
    "settle_band": 1e-2,
    "inv_bound_s": 1e-6,
    "inv_timer_s": 1e-7,
    "gain_bandwidth_hz": 1e9,
}


def test_the_path_of_an_inversion_is_in_the_hash_of_what_has_one():
    invertible = SMALL.replace(invertible=True)
    before = body(invertible)
    for name, value in LOOPS.items():
        changed = invertible.replace(**{name: value})
        assert (changed.hardware != invertible.hardware) == (body(changed) != before), name


def test_both_kinds_of_changes_were_tried():
    """Some changes of fields whose value decides reach the Verilog, and some do not."""
    for name in ("g_min_s", "g_max_s", "accumulator_bits", "clock_hz"):
        differ = {SMALL.replace(**{name: v}).hardware != SMALL.hardware for v in CHANGES[name]}
        assert differ == {True, False}, name
