"""cocotb testbench: a host at the other end of the chip's serial line, over faulty wires."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.task import bridge, resume
from cocotb.triggers import FallingEdge, Timer
from cocotbext.uart import UartSink, UartSource

from ohmulator.host.carrier import SerialCarrier
from ohmulator.host.host import Host
from sim.job import JOB_VARIABLE, read, save
from spec.config import ChipConfig
from spec.isa import Space
from tests.support.link_tops import DIVISOR

PERIOD_NS = 50


@dataclass(frozen=True)
class UartJob:
    """A session at a rate of the host (1: the chip's) with faults in a share of all bytes."""

    config: ChipConfig
    rate: float = 1.0
    faults: float = 0.0
    seed: int = 0


@dataclass
class UartOutcome:
    """What the host saw: what was wrong with the data, the chip's counters, and the link's."""

    wrong: int
    counted: list[int]
    link: dict[str, int]
    faults: int


class SimulatedLine:
    """The wires between a host and the simulated chip; they drop, flip and stretch bytes."""

    def __init__(self, dut: Any, job: UartJob):
        # The bus models count in whole nanoseconds, downwards.
        bit_ns = round(DIVISOR * PERIOD_NS / job.rate) + 0.5
        self._dut, self._bit_ns = dut, bit_ns
        self._source = UartSource(dut.pins__rx, baud=1e9 / bit_ns)
        self._sink = UartSink(dut.pins__tx, baud=1e9 / bit_ns)
        self._rng = np.random.default_rng(job.seed)
        self._share = job.faults
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


def session(line: SimulatedLine, job: UartJob) -> UartOutcome:
    """Move words, run and abort; then disturb the line in other ways and move some more."""
    rng = np.random.default_rng(job.seed + 1)
    wrong = 0
    with Host(SerialCarrier(line), job.config, timeout_s=100e-6, retries=20) as chip:
        for count in (1, 12, 24, 12, 24):
            words = rng.integers(-(1 << 31), 1 << 31, count)
            # Bytes that the framing escapes, back to back.
            words[0] = 0x7E7D7E7D
            chip.write(Space.VECTOR, 3, words)
            wrong += int((chip.read(Space.VECTOR, 3, count) != words % (1 << 32)).sum())
        for _ in range(3):
            chip.start(5)
            wrong += not chip.status().running
            chip.abort()
        if job.faults:
            line.hold_low(30)
            line.write(bytes([0x00, 0x55]))
            line.hold_low(4)
            chip.write(Space.VECTOR, 0, [1, 2, 3])
            wrong += int((chip.read(Space.VECTOR, 0, 3) != [1, 2, 3]).sum())
        return UartOutcome(
            wrong, list(chip.counters().values())[:3], chip.status().link, line.faults
        )


@cocotb.test()
async def talk(dut: Any) -> None:
    folder = Path(os.environ[JOB_VARIABLE])
    job = read(folder / "job")
    Clock(dut.clk, PERIOD_NS, "ns").start()
    line = SimulatedLine(dut, job)
    dut.rst.value = 1
    await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    dut.rst.value = 0
    save(folder / "outcome", await bridge(session)(line, job))
