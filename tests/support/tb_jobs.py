"""Test a tile with a list of jobs, since to start a simulator takes longer than one.

In a simulator that knows X, no output may be X in any cycle after the first reset.
"""

from pathlib import Path
from typing import Any

import cocotb
from amaranth.lib.wiring import Flow
from cocotb.triggers import FallingEdge

from hw.boundary.analog import AnalogPort
from sim.job import TileJob, TileOutcome
from sim.signals import read_bits
from sim.tb_tile import TileBench
from sim.testbench import testbench
from spec.config import ChipConfig

STREAMS = ("vectors__ready", "results__valid", "results__payload")
STREAMS += ("targets__ready", "outcomes__valid", "outcomes__payload")


@testbench
async def multiply(dut: Any, jobs: list[TileJob], folder: Path) -> list[TileOutcome]:
    """Run some jobs, one after the other."""
    if "verilator" not in cocotb.SIM_NAME.lower():
        cocotb.start_soon(watch(dut, jobs[0].config))
    return [await TileBench(dut, job, folder).run() for job in jobs]


async def watch(dut: Any, config: ChipConfig) -> None:
    """Read every output in every cycle; reading refuses X."""
    members = AnalogPort(config).members.items()
    analog = [f"analog__{name}" for name, member in members if member.flow is Flow.Out]
    await FallingEdge(dut.rst)
    while True:
        await FallingEdge(dut.clk)
        for name in (*STREAMS, "counters", *analog):
            read_bits(getattr(dut, name))
