"""Test a tile with a list of jobs, since to start a simulator takes longer than one.

In a simulator that knows X, no output may be X in any cycle after the first reset.
"""

from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge

from sim.job import TileJob, TileOutcome
from sim.signals import read_bits
from sim.tb_tile import TileBench
from sim.testbench import testbench

ANALOG = ("mode", "code", "cell", "amplitude", "strobe", "sample", "select", "step", "trial")
STREAMS = ("vectors__ready", "results__valid", "results__payload")
STREAMS += ("targets__ready", "outcomes__valid", "outcomes__payload")
OUTPUTS = [*STREAMS, "counters", *(f"analog__{name}" for name in ANALOG)]


@testbench
async def multiply(dut: Any, jobs: list[TileJob], folder: Path) -> list[TileOutcome]:
    """Run some jobs, one after the other."""
    if "verilator" not in cocotb.SIM_NAME.lower():
        cocotb.start_soon(watch(dut))
    return [await TileBench(dut, job, folder).run() for job in jobs]


async def watch(dut: Any) -> None:
    """Read every output in every cycle; reading refuses X."""
    await FallingEdge(dut.rst)
    while True:
        await FallingEdge(dut.clk)
        for name in OUTPUTS:
            read_bits(getattr(dut, name))
