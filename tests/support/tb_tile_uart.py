"""Test a tile on a serial line that drops and flips bytes."""

from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.task import bridge

from golden.machine.machine import blank_tile
from golden.tile.write_verify import targets
from ohmulator.host import Carrier, SerialCarrier, TileHost
from sim.bridge import Bridge
from sim.testbench import testbench
from tests.support.configs import random_operands
from tests.support.link_job import LinkJob
from tests.support.serial_line import connect


def session(carrier: Carrier, job: LinkJob) -> tuple[list[Any], dict[str, int]]:
    """Program a blank tile, read it and multiply by it; return what came, and what was counted."""
    config = job.config
    weights, vectors = random_operands(config, 2, job.seed)
    cells = targets(config, weights)
    with TileHost(carrier, config, timeout_s=200e-6, retries=20) as tile:
        programmed, read = tile.program(cells), tile.read_cells(cells)
        came = [programmed.codes, programmed.pulses, programmed.success, read.codes, read.success]
        came.append(tile.multiply(vectors))
        for transposed in (False, True):
            vectors = random_operands(config, 2, 7, transposed=transposed)[1]
            came.append(tile.multiply(vectors, [0] * config.steps, transposed=transposed))
        return [np.asarray(each).tolist() for each in came], tile.counters()


@testbench
async def talk(dut: Any, job: LinkJob, _: Path) -> Any:
    """Return what the session returns, and the number of faults."""
    line = await connect(dut, job)
    cocotb.start_soon(Bridge(dut, blank_tile(job.config, 0), "analog__0").run())
    return await bridge(session)(SerialCarrier(line), job), line.faults
