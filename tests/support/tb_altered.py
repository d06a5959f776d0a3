"""Test a tile with other physics behind the RTL than behind the model."""

from pathlib import Path
from typing import Any

from golden.tile.analog import Analog
from sim.job import TileJob, TileOutcome
from sim.tb_tile import TileBench
from sim.testbench import testbench


@testbench
async def multiply(dut: Any, job: tuple[TileJob, Analog], folder: Path) -> TileOutcome:
    """Run a job that comes with the physics for the RTL."""
    wanted, analog = job
    return await TileBench(dut, wanted, folder, analog).run()
