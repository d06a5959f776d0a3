"""cocotb testbench of a tile that runs a list of jobs: starting a simulator takes longer than one.

In a simulator that knows X, no output may be X in any cycle after the first reset.
"""

import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge

from sim.bits import read_bits
from sim.job import JOB_VARIABLE, read, save
from sim.tb_tile import TileBench

ANALOG = ("mode", "code", "cell", "amplitude", "strobe", "sample", "select", "step", "trial")
STREAMS = ("vectors__ready", "results__valid", "results__payload")
STREAMS += ("targets__ready", "outcomes__valid", "outcomes__payload")
OUTPUTS = [*STREAMS, "counters", *(f"analog__{name}" for name in ANALOG)]


@cocotb.test()
async def multiply(dut: Any) -> None:
    """Run the jobs of this process, and leave their outcomes beside them."""
    folder = Path(os.environ[JOB_VARIABLE])
    if "verilator" not in cocotb.SIM_NAME.lower():
        cocotb.start_soon(watch(dut))
    outcomes = [await TileBench(dut, job, folder).run() for job in read(folder / "job")]
    save(folder / "outcome", outcomes)


async def watch(dut: Any) -> None:
    """Read every output in every cycle; reading refuses X."""
    await FallingEdge(dut.rst)
    while True:
        await FallingEdge(dut.clk)
        for name in OUTPUTS:
            read_bits(getattr(dut, name))
