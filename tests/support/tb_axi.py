"""cocotb testbench: packets over AXI4-Stream and looks at the registers over AXI4-Lite, with
independent masters that pause at random on every channel.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.task import bridge, resume
from cocotb.triggers import with_timeout
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)

from ohmulator.host.framing import Frame
from ohmulator.host.host import Host
from sim.job import JOB_VARIABLE, read, save
from spec.config import ChipConfig
from spec.isa import ErrorCode, Space
from spec.packet import IDENTITY, LINK_COUNTERS, STATE, Packet, identity, packet, unpack
from spec.registers import COUNTER_BASE, FIXED_REGISTERS, address
from tests.support.memory_device import LARGE

PERIOD_NS = 10


@dataclass(frozen=True)
class AxiJob:
    """A session in which every channel pauses in a share of all cycles."""

    config: ChipConfig
    pauses: float = 0.0
    seed: int = 0


class StreamCarrier:
    """Carries packets through the simulated streams."""

    def __init__(self, source: AxiStreamSource, sink: AxiStreamSink):
        self._source, self._sink = source, sink

    @resume
    async def send(self, words: Sequence[int]) -> None:
        await self._source.send(AxiStreamFrame(np.array(words, "<u4").tobytes()))

    @resume
    async def receive(self, timeout_s: float) -> Frame | None:
        frame = await with_timeout(self._sink.recv(), round(timeout_s * 1e9), "ns")
        return Frame(np.frombuffer(bytes(frame.tdata), "<u4").tolist(), False)

    def close(self) -> None:
        pass


class Registers:
    """Looks at registers, as blocking code; [] where the answer is an error."""

    def __init__(self, master: AxiLiteMaster):
        self._master = master

    @resume
    async def read(self, at: int, words: int = 1) -> list[int]:
        answer = await self._master.read(at, 4 * words)
        if answer.resp != AxiResp.OKAY:
            assert answer.resp == AxiResp.SLVERR
            return []
        return np.frombuffer(answer.data, "<u4").tolist()

    @resume
    async def write(self, at: int, data: bytes) -> bool:
        answer = await self._master.write(at, data)
        assert answer.resp in (AxiResp.OKAY, AxiResp.SLVERR)
        return answer.resp == AxiResp.OKAY


def check(carrier: StreamCarrier, registers: Registers, config: ChipConfig) -> None:
    rng = np.random.default_rng(0)
    assert registers.read(0, len(IDENTITY)) == identity(config)
    with Host(carrier, config, timeout_s=1e-3) as chip:
        for count in (1, 7, 300):
            words = rng.integers(0, 1 << 32, count)
            chip.write(Space.VECTOR, 4, words)
            np.testing.assert_array_equal(chip.read(Space.VECTOR, 4, count), words)

        control = address("control")
        assert unpack(STATE, registers.read(control)[0]) == {"running": 0, "code": 0}
        chip.start(9)
        assert registers.read(control) == [1]
        assert registers.read(address("position")) == [9]
        # Aborts only by a whole word with the bit set.
        assert registers.write(control, bytes(4))
        assert not registers.write(control, b"\1")
        assert registers.read(control) == [1]
        assert registers.write(control, bytes([1, 0, 0, 0]))
        status = chip.status()
        assert (status.running, status.code) == (False, ErrorCode.ABORTED)
        assert unpack(STATE, registers.read(control)[0])["code"] == ErrorCode.ABORTED

        link = registers.read(address("packets"), len(LINK_COUNTERS))
        assert link == [*status.link.values()]
        counters = chip.counters()
        values = registers.read(COUNTER_BASE, 2 * len(counters))
        assert values == [half for n in counters.values() for half in (n & 0xFFFFFFFF, n >> 32)]
        assert [*counters.values()][:4] == [1, 1, 308, LARGE]

        # What is not there is an error, and changes nothing.
        end = COUNTER_BASE + 8 * len(counters)
        for at in (4 * len(FIXED_REGISTERS), COUNTER_BASE - 4, end):
            assert registers.read(at) == []
            assert not registers.write(at, bytes(4))
        assert not registers.write(address("magic"), bytes(4))
        assert registers.read(0, len(IDENTITY)) == identity(config)

    # A packet cut short, and the next one.
    carrier.send(packet(Packet.WRITE, 1, [0, 0, 1])[:-1])
    assert carrier.receive(1e-3).words == packet(0xFF, 1, code=ErrorCode.LENGTH)
    carrier.send(packet(Packet.ABORT, 2))
    assert carrier.receive(1e-3).words == packet(Packet.ABORT | 0x80, 2)


@cocotb.test()
async def talk(dut: Any) -> None:
    folder = Path(os.environ[JOB_VARIABLE])
    job = read(folder / "job")
    Clock(dut.clk, PERIOD_NS, "ns").start()
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis_"), dut.clk, dut.rst)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis_"), dut.clk, dut.rst)
    master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil_"), dut.clk, dut.rst)
    dut.rst.value = 1
    await cocotb.triggers.Timer(5 * PERIOD_NS, "ns")
    dut.rst.value = 0
    if job.pauses:
        write, look = master.write_if, master.read_if
        channels = [source, sink, write.aw_channel, write.w_channel, write.b_channel]
        for i, channel in enumerate([*channels, look.ar_channel, look.r_channel]):
            channel.set_pause_generator(pauses(np.random.default_rng([job.seed, i]), job.pauses))
    await bridge(check)(StreamCarrier(source, sink), Registers(master), job.config)
    save(folder / "outcome", "passed")


def pauses(rng: np.random.Generator, share: float) -> Iterator[bool]:
    while True:
        yield bool(rng.random() < share)
