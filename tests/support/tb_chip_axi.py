"""cocotb testbench: the whole chip on AXI, with independent masters that pause at random."""

import os
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.task import bridge
from cocotb.triggers import Timer
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiStreamBus,
    AxiStreamSink,
    AxiStreamSource,
)

from golden.machine.machine import blank_tile
from ohmulator.host.host import Host
from sim.bridge import Bridge
from sim.job import JOB_VARIABLE, read, save
from spec.assembly import assemble
from spec.isa import ErrorCode, Space
from spec.packet import IDENTITY, STATE, identity, unpack
from spec.registers import COUNTER_BASE, address
from tests.support.tb_axi import PERIOD_NS, AxiJob, Registers, StreamCarrier, pauses
from tests.support.tb_chip_uart import session


def watch(carrier: StreamCarrier, registers: Registers, job: AxiJob) -> Any:
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


@cocotb.test()
async def talk(dut: Any) -> None:
    folder = Path(os.environ[JOB_VARIABLE])
    job: AxiJob = read(folder / "job")
    Clock(dut.clk, PERIOD_NS, "ns").start()
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis_"), dut.clk, dut.rst)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis_"), dut.clk, dut.rst)
    master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil_"), dut.clk, dut.rst)
    dut.rst.value = 1
    await Timer(5 * PERIOD_NS, "ns")
    dut.rst.value = 0
    write, look = master.write_if, master.read_if
    channels = [source, sink, write.aw_channel, write.w_channel, write.b_channel]
    for i, channel in enumerate([*channels, look.ar_channel, look.r_channel]):
        channel.set_pause_generator(pauses(np.random.default_rng([job.seed, i]), job.pauses))
    for tile in range(job.config.machine.tiles):
        analog = Bridge(dut, blank_tile(job.config, tile), f"analog__{tile}")
        cocotb.start_soon(analog.run())
    save(
        folder / "outcome", await bridge(watch)(StreamCarrier(source, sink), Registers(master), job)
    )
