"""Independent masters for the AXI ports of a simulated top level, which may pause at random."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from cocotb.clock import Clock
from cocotb.task import resume
from cocotb.triggers import Timer, with_timeout
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
from tests.support.link_job import LinkJob

PERIOD_NS = 10


class StreamCarrier:
    """Carry packets through the simulated streams."""

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
    """Read and write registers, for blocking code."""

    def __init__(self, master: AxiLiteMaster):
        self._master = master

    @resume
    async def read(self, at: int, words: int = 1) -> list[int]:
        """Return words from an address on, or [] if the answer is an error."""
        answer = await self._master.read(at, 4 * words)
        if answer.resp != AxiResp.OKAY:
            assert answer.resp == AxiResp.SLVERR
            return []
        return np.frombuffer(answer.data, "<u4").tolist()

    @resume
    async def write(self, at: int, data: bytes) -> bool:
        """Write to an address, and tell whether that was accepted."""
        answer = await self._master.write(at, data)
        assert answer.resp in (AxiResp.OKAY, AxiResp.SLVERR)
        return answer.resp == AxiResp.OKAY


async def connect(dut: Any, job: LinkJob) -> tuple[StreamCarrier, Registers]:
    """Start the clock, reset the design, and return masters of its ports."""
    Clock(dut.clk, PERIOD_NS, "ns").start()
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis_"), dut.clk, dut.rst)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis_"), dut.clk, dut.rst)
    master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil_"), dut.clk, dut.rst)
    dut.rst.value = 1
    await Timer(5 * PERIOD_NS, "ns")
    dut.rst.value = 0
    if job.disturbed:
        writes, reads = master.write_if, master.read_if
        channels = [source, sink, writes.aw_channel, writes.w_channel, writes.b_channel]
        for i, channel in enumerate([*channels, reads.ar_channel, reads.r_channel]):
            rng = np.random.default_rng([job.seed, i])
            channel.set_pause_generator(_pauses(rng, job.disturbed))
    return StreamCarrier(source, sink), Registers(master)


def _pauses(rng: np.random.Generator, share: float) -> Iterator[bool]:
    while True:
        yield bool(rng.random() < share)
