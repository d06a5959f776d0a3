"""Test the whole chip on a serial line that drops and flips bytes."""

from pathlib import Path
from typing import Any

import numpy as np
from cocotb.task import bridge

from ohmulator.compiler import compile_matrix, load, multiply
from ohmulator.host.carrier import Carrier, ModelCarrier, SerialCarrier
from ohmulator.host.host import Host
from sim.testbench import testbench
from tests.support.blank_tiles import answer_tiles
from tests.support.link_job import LinkJob
from tests.support.serial_line import connect


def session(carrier: Carrier, job: Any) -> tuple[list[list[int]], dict[str, int]]:
    """Program a matrix and multiply by it; return the results and what was counted.

    `job` has `config` and `seed`.
    """
    rng = np.random.default_rng(job.seed)
    program = compile_matrix(job.config, rng.integers(-60, 61, (4, 3)), shift=2)
    with Host(carrier, job.config, timeout_s=200e-6, retries=20) as chip:
        load(chip, program)
        results = multiply(chip, program, rng.integers(-30, 31, (2, 4)))
        return results.tolist(), chip.counters()


def on_model(job: Any, machine: Any) -> tuple[list[list[int]], dict[str, int]]:
    """Do the same with the model."""
    return session(ModelCarrier(machine), job)


@testbench
async def talk(dut: Any, job: LinkJob, _: Path) -> Any:
    """Return what the session returns, and the number of faults."""
    line = await connect(dut, job)
    answer_tiles(dut, job.config)
    return await bridge(session)(SerialCarrier(line), job), line.faults
