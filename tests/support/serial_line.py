"""A serial line between a host and a simulated chip, with faults."""

from typing import Any

import numpy as np
from cocotb.clock import Clock
from cocotb.task import resume
from cocotb.triggers import FallingEdge, Timer
from cocotbext.uart import UartSink, UartSource

from tests.support.link_job import LinkJob
from tests.support.link_tops import DIVISOR

PERIOD_NS = 50


class SimulatedLine:
    """Serial line between a host and a simulated chip, which drops, flips and stretches bytes."""

    def __init__(self, dut: Any, job: LinkJob):
        # The bus models count in whole nanoseconds, downwards.
        bit_ns = round(DIVISOR * PERIOD_NS / job.rate) + 0.5
        self._dut, self._bit_ns = dut, bit_ns
        self._source = UartSource(dut.pins__rx, baud=1e9 / bit_ns)
        self._sink = UartSink(dut.pins__tx, baud=1e9 / bit_ns)
        self._rng = np.random.default_rng(job.seed)
        self._share = job.disturbed
        self.faults = 0

    def _pass(self, data: bytes) -> bytes:
        passed = bytearray()
        for byte in data:
            if self._rng.random() >= self._share:
                passed.append(byte)
                continue
            self.faults += 1
            if self._rng.random() < 0.5:
                passed.append(byte ^ 1 << int(self._rng.integers(8)))
        return bytes(passed)

    @resume
    async def write(self, data: bytes) -> None:
        await self._source.write(self._pass(data))
        await self._source.wait()

    @resume
    async def read(self, timeout_s: float) -> bytes:
        await self._sink.wait(round(timeout_s * 1e9), "ns")
        return self._pass(bytes(self._sink.read_nowait()))

    @resume
    async def hold_low(self, bits: float) -> None:
        """Pull the line low, for a break or less."""
        self._dut.pins__rx.value = 0
        await Timer(round(bits * self._bit_ns), "ns")
        self._dut.pins__rx.value = 1
        await Timer(round(20 * self._bit_ns), "ns")

    def close(self) -> None:
        pass


async def connect(dut: Any, job: LinkJob) -> SimulatedLine:
    """Start the clock, reset the design, and return its serial line."""
    Clock(dut.clk, PERIOD_NS, "ns").start()
    line = SimulatedLine(dut, job)
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    return line
