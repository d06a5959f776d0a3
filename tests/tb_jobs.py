"""cocotb testbench that runs several jobs of one configuration in one simulation."""

import os
from pathlib import Path
from typing import Any

import cocotb

from sim.job import JOB_VARIABLE, TileOutcome, read, save
from sim.tb_tile import TileBench

FOLDER = Path(os.environ[JOB_VARIABLE])
JOBS = read(FOLDER / "job")
OUTCOMES: list[TileOutcome] = []


@cocotb.test()
@cocotb.parametrize(index=range(len(JOBS)))
async def multiply(dut: Any, index: int) -> None:
    """Run one of the jobs; the last one leaves all outcomes."""
    OUTCOMES.append(await TileBench(dut, JOBS[index], FOLDER).run())
    if index == len(JOBS) - 1:
        save(FOLDER / "outcome", OUTCOMES)
