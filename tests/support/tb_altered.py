"""cocotb testbench of a tile with another array behind the RTL than in the model."""

import os
from pathlib import Path
from typing import Any

import cocotb

from sim import tb_tile
from sim.bridge import Bridge
from sim.job import JOB_VARIABLE, read, save


@cocotb.test()
async def multiply(dut: Any) -> None:
    """Run the job of this process, which comes with the array for the RTL."""
    folder = Path(os.environ[JOB_VARIABLE])
    job, altered = read(folder / "job")
    tb_tile.Bridge = lambda dut, _: Bridge(dut, altered)
    save(folder / "outcome", await tb_tile.TileBench(dut, job, folder).run())
