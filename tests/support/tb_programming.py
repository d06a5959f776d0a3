"""Test a tile, and record the waveform of programming instead of that of the products."""

from pathlib import Path
from typing import Any

from golden.tile.write_verify import Outcome, Targets
from sim.job import TileJob, TileOutcome
from sim.tb_tile import TileBench
from sim.testbench import testbench

CYCLES = 20_000


class ProgrammingBench(TileBench):
    """A `TileBench` with a trace while cells are programmed, and through the drive after it."""

    async def program(self, targets: Targets) -> Outcome:
        self.trace(CYCLES)
        return await super().program(targets)


@testbench
async def program(dut: Any, job: TileJob, folder: Path) -> TileOutcome:
    """Run a job."""
    return await ProgrammingBench(dut, job, folder).run()
