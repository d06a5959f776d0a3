"""A tile behind a link, as `make verilog` exports it, answers word for word as its model does."""

import pytest

from golden.link.tile_device import TileDevice
from golden.machine.machine import blank_tile
from golden.tile.analog import Analog
from golden.tile.tile import Tile
from ohmulator.host import ModelCarrier
from sim.runner import Build
from spec.isa import ErrorCode
from spec.load import load
from spec.tile_link import tile_operations
from tests.support.axi_streams import PacketsJob
from tests.support.configs import EVERY_FAULT, VERIFIABLE, random_operands
from tests.support.link_job import LinkJob
from tests.support.tb_tile_uart import session

SMALL = {"rows": 16, "columns": 16, "slices": 2, "adcs": 1}


def fuzz(config, frames, simulator="verilator", **pauses):
    weights, _ = random_operands(config, 1, 3)
    job = PacketsJob(config, frames, 5, Analog.programmed(config, weights), **pauses)
    return Build(config, "tile_axi", simulator).run("tests.support.tb_tile_packets", job)


@pytest.mark.parametrize(
    "fields, pauses",
    [
        ({"physics": EVERY_FAULT}, {"idle": (0, 3), "stall": (0, 0, 5, 1)}),
        pytest.param({}, {}, marks=pytest.mark.slow),
        pytest.param({"mapping": "offset", "adcs": 4}, {"stall": (1, 0)}, marks=pytest.mark.slow),
        pytest.param(
            {"rows": 9, "columns": 12, "adcs": 6}, {"idle": (0, 1)}, marks=pytest.mark.slow
        ),
    ],
    ids=["faults", "ideal", "offset", "wide"],
)
def test_random_packets(fields, pauses):
    config = load("digits", **SMALL | fields)
    seen = fuzz(config, 1200, **pauses)
    assert seen.meanwhile > 50
    for operation in tile_operations(config):
        assert seen.ends[(operation, ErrorCode.NONE)] > 20, operation
        assert seen.ends[(operation, ErrorCode.OPERAND)] > 0, operation
    for code in ErrorCode:
        # Streams damage nothing, and no word is refused before an operation uses it.
        met = code is ErrorCode.NONE or code >= ErrorCode.BUSY
        met &= code not in (ErrorCode.CRC, ErrorCode.VALUE)
        assert (seen.codes[code] > 0) == met, code


@pytest.mark.slow
def test_random_packets_under_icarus():
    config = VERIFIABLE.replace(rows=2, columns=4)
    seen = fuzz(config, 300, "icarus", stall=(0, 1))
    for operation in tile_operations(config):
        assert seen.ends[(operation, ErrorCode.NONE)] > 5, operation


def test_a_serial_line_that_loses_bytes_carries_it_all():
    """And whose host is 2 % too fast."""
    config = VERIFIABLE.replace(
        rows=2,
        columns=2,
        slices=1,
        clock_hz=8e6,
        pulse_first=8,
        pulse_limit=3,
        physics=EVERY_FAULT,
    )
    job = LinkJob(config, 0.002, seed=4, rate=1.02)
    (came, counters), faults = Build(config, "tile_uart", "verilator").run(
        "tests.support.tb_tile_uart", job
    )
    model = TileDevice(Tile(config, blank_tile(config, 0)))
    expected, expected_counters = session(ModelCarrier(model), job)
    assert faults > 5
    assert came == expected
    assert {name: counters[name] for name in expected_counters} == expected_counters
    assert counters["failures"] > 0
