"""The whole chip in RTL, in lockstep with the model."""

import re
from typing import Any

import pytest

from golden.machine.machine import Machine
from golden.machine.programmer import write_verify
from ohmulator.host.tb_chip import ChipJob
from sim.runner import Build
from spec.config import ChipConfig
from spec.instruction import unknown_opcodes
from spec.isa import Opcode
from spec.load import load
from tests.support import chip_sessions
from tests.support.configs import MACHINE
from tests.support.link_job import LinkJob
from tests.support.share import share, some
from tests.support.tb_chip_uart import on_model

SMALL = MACHINE.replace(pulse_first=8, pulse_limit=6)
LARGE = load(
    "digits",
    rows=160,
    columns=128,
    adcs=4,
    adc_bits=14,
    lanes=8,
    vector_words=4096,
    weight_words=640 * 128,
)
"""Whose four tiles hold each of the matrices below."""


def run(config: ChipConfig, session: Any, argument: Any = None, simulator="verilator") -> Any:
    job = ChipJob(config, session, argument)
    return Build(config, "chip_traced", simulator).run("ohmulator.host.tb_chip", job)


@pytest.mark.space
def test_random_programs():
    report, total = run(SMALL, chip_sessions.random_programs, share(150))
    assert report == ""
    assert total >= share(2000)


@pytest.mark.space
def test_random_programs_of_the_offset_mapping():
    """The offset mapping has no transposed products."""
    report, total = run(SMALL.replace(mapping="offset"), chip_sessions.random_programs, share(25))
    assert report == ""
    assert total >= share(300)


def test_every_opcode():
    assert run(SMALL, chip_sessions.every_opcode) == set(Opcode) - unknown_opcodes(SMALL)


def test_bad_input_is_answered_and_changes_nothing():
    answers = run(SMALL, chip_sessions.bad_input)
    assert all(fine for _, _, fine in answers), answers
    rows, clock = (answer for what, answer, _ in answers if what == "another chip")
    assert re.fullmatch(r"the chip has rows = 3 and the configuration 6: .*", rows)
    assert re.fullmatch(r"the chip has the hardware .*", clock)
    assert {what: answer for what, answer, _ in answers if what != "another chip"} == {
        "unknown opcode": "ILLEGAL",
        "address": "ADDRESS",
        "off its end": "PROGRAM_COUNTER",
        "matrix that is not loaded": "MATRIX",
        "read while running": "BUSY",
        "endless loop": "ABORTED",
        "shorter than its header says": "LENGTH",
        "longer than its header says": "LENGTH",
        "unknown type": "TYPE",
        "unknown space": "SPACE",
        "outside of the space": "RANGE",
        "weight out of range": "VALUE",
        "holding of no matrix": "VALUE",
        "no magic": "HEADER",
    }


def test_products_can_be_aborted_at_any_time():
    """The next product, with programming anew, equals the model's."""
    delays = range(10, 5000, 331)
    assert run(SMALL, chip_sessions.aborts, delays) >= len(delays) // 2


@pytest.mark.space
def test_products_are_exact():
    """Conductances are set directly, since the matrices are large."""
    assert LARGE.lossless
    shapes = some([(161, 161), (1, 1), (1, 500), (500, 1), (640, 128), (320, 100)])
    assert run(LARGE, chip_sessions.products, shapes) == [(0, 0)] * len(shapes)


@pytest.mark.slow
def test_a_matrix_four_times_what_the_tiles_hold_is_programmed():
    config = SMALL.replace(rows=4, columns=4, tiles=4, vector_words=512)
    counters = run(config, chip_sessions.reprogramming, (15, 14))
    # For either direction.
    assert counters["reprograms"] == 2 * 16
    for tile in range(config.machine.tiles):
        assert counters[f"tile{tile}.pulses"] > 2 * 256


@pytest.mark.slow
def test_a_few_programs_under_icarus():
    # Small memories are loaded, and few cells programmed, in the slower simulator.
    memories = {"program_words": 48, "weight_words": 96}
    config = SMALL.replace(rows=2, columns=1, slices=1, tiles=2, pulse_limit=2, **memories)
    opcodes, (report, total) = run(config, chip_sessions.short, 4, simulator="icarus")
    assert opcodes == set(Opcode) - unknown_opcodes(config)
    assert report == ""
    assert total >= 60


def test_a_difference_ends_a_running_program():
    assert "disassembly   VADD s2, s1, s3, s5" in run(SMALL, chip_sessions.wrong_run)


@pytest.mark.parametrize(
    "transposed, place",
    [
        # Blocks of 3 x 2, number 2 and 3 of which have the third column.
        (
            False,
            "column        2, in its tiles 0\n  tiles         0 (rows 0 to 2), 1 (rows 3 to 4)",
        ),
        (True, "row           2, in its tiles 2\n  tiles         1 (columns 0 to 1), 0 (columns 2"),
    ],
)
def test_a_wrong_product_is_located(transposed, place):
    report = run(SMALL, chip_sessions.wrong_product, transposed)
    assert f"  vector        1\n  {place}" in report
    assert re.search(r"disassembly   MVM(_T)? s2, s1, s3, s0, 0\n", report)


def test_a_difference_is_found_located_and_shrunk():
    report, _ = run(SMALL, chip_sessions.wrong_model)
    assert re.search(r"disassembly   V\w+ s\d+, .*\n", report)
    assert re.search(r"cycle         \d+\n  difference    word \d+ of the vector memory\n", report)
    assert re.search(r"expected      -?\d+\n  actual        -?\d+\n", report)
    program = report.partition("  program\n")[2].partition("Failing test case")[0]
    assert 2 <= len(program.splitlines()) <= 12, report


@pytest.mark.slow
def test_a_serial_line_that_loses_bytes_carries_it_all():
    """And whose host is 2 % too fast."""
    config = SMALL.replace(clock_hz=8e6)
    job = LinkJob(config, 0.005, seed=4, rate=1.02)
    (results, counters), faults = Build(config, "chip_uart", "verilator").run(
        "tests.support.tb_chip_uart", job
    )
    expected, expected_counters = on_model(job, Machine(config, write_verify))
    assert faults > 5
    assert results == expected
    assert {name: counters[name] for name in expected_counters} == expected_counters
    assert counters["reprograms"] == 4


def test_masters_that_pause_are_served():
    job = LinkJob(SMALL, 0.5, seed=6)
    results, counters = Build(SMALL, "chip", "verilator").run("tests.support.tb_chip_axi", job)
    expected, expected_counters = on_model(job, Machine(SMALL, write_verify))
    assert results == expected
    assert {name: counters[name] for name in expected_counters} == expected_counters
