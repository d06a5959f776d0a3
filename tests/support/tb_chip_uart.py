"""cocotb testbench: the whole chip on a serial line that drops and flips bytes."""

import os
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.task import bridge
from cocotb.triggers import FallingEdge

from golden.machine.machine import blank_tile
from ohmulator.compiler import compile_matrix, load, multiply
from ohmulator.host.carrier import Carrier, ModelCarrier, SerialCarrier
from ohmulator.host.host import Host
from sim.bridge import Bridge
from sim.job import JOB_VARIABLE, read, save
from tests.support.tb_uart import PERIOD_NS, SimulatedLine, UartJob


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
    return session(ModelCarrier(machine), job)


@cocotb.test()
async def talk(dut: Any) -> None:
    folder = Path(os.environ[JOB_VARIABLE])
    job: UartJob = read(folder / "job")
    Clock(dut.clk, PERIOD_NS, "ns").start()
    line = SimulatedLine(dut, job)
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    for tile in range(job.config.machine.tiles):
        analog = Bridge(dut, blank_tile(job.config, tile), f"analog__{tile}")
        cocotb.start_soon(analog.run())
    save(folder / "outcome", (await bridge(session)(SerialCarrier(line), job), line.faults))
