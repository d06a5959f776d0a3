"""Test the whole chip on AXI, with independent masters that pause at random."""

from pathlib import Path
from typing import Any

import numpy as np
from cocotb.task import bridge

from ohmulator.host.host import Host
from sim.testbench import testbench
from spec.assembly import assemble
from spec.isa import ErrorCode, Space
from spec.packet import IDENTITY, STATE, identity, unpack
from spec.registers import COUNTER_BASE, address
from tests.support.axi_masters import Registers, StreamCarrier, connect
from tests.support.blank_tiles import answer_tiles
from tests.support.link_job import LinkJob
from tests.support.tb_chip_uart import session


def watch(carrier: StreamCarrier, registers: Registers, job: LinkJob) -> Any:
    """Multiply, then look at the registers, and stop an endless program by one."""
    outcome = session(carrier, job)
    assert registers.read(0, len(IDENTITY)) == identity(job.config)
    with Host(carrier, job.config, timeout_s=1e-3) as chip:
        counters = chip.counters()
        words = registers.read(COUNTER_BASE, 2 * len(counters))
        for (name, count), low, high in zip(counters.items(), words[::2], words[1::2], strict=True):
            if not name.endswith("cycles"):
                assert low | high << 32 == count
        chip.write(Space.PROGRAM, 4, np.array(assemble("here: JUMP 2"), "<u8").view("<u4"))
        chip.start(2)
        control = address("control")
        assert unpack(STATE, registers.read(control)[0])["running"]
        assert registers.write(control, bytes([1, 0, 0, 0]))
        status = chip.status()
        assert (status.running, status.code, status.pc) == (False, ErrorCode.ABORTED, 2)
        assert registers.read(address("position")) == [2]
    return outcome


@testbench
async def talk(dut: Any, job: LinkJob, _: Path) -> Any:
    """Multiply, and look at the registers."""
    carrier, registers = await connect(dut, job)
    answer_tiles(dut, job.config)
    return await bridge(watch)(carrier, registers, job)
