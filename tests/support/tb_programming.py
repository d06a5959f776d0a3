"""cocotb testbench that records the waveform of programming instead of that of the products."""

import os
from pathlib import Path
from typing import Any

import cocotb

from golden.tile.write_verify import Outcome, Targets
from sim.job import JOB_VARIABLE, read, save
from sim.tb_tile import TileBench
from sim.waves import BoundaryTrace


class ProgrammingBench(TileBench):
    """A `TileBench` with a trace while cells are programmed, and through the drive after it."""

    async def _program(self, targets: Targets) -> tuple[Outcome, str]:
        path = self.folder / "boundary.vcd"
        self.bridge.trace = BoundaryTrace(path, self.dut, self.config, self.period_ns, 20000)
        return await super()._program(targets)


@cocotb.test()
async def program(dut: Any) -> None:
    """Run the job of this process and leave its outcome beside it."""
    folder = Path(os.environ[JOB_VARIABLE])
    bench = ProgrammingBench(dut, read(folder / "job"), folder)
    save(folder / "outcome", await bench.run())
