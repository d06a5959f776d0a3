"""Packets over the AXI4-Streams of a simulated design.

One loop drives both streams, since there are many packets.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from golden.tile.analog import Analog
from sim.signals import read_flag, write_flag
from spec.config import ChipConfig

PATIENCE = 2000


@dataclass(frozen=True)
class PacketsJob:
    """Random packets, to a device or to a tile that is given.

    `idle` and `stall` are cycles before each word of a command and of a reply, over and over.
    """

    config: ChipConfig
    frames: int
    seed: int
    analog: Analog | None = None
    idle: Sequence[int] = (0,)
    stall: Sequence[int] = (0,)


class Streams:
    """Both streams of a design, whose clock is started and which is reset."""

    def __init__(self, dut: Any, job: PacketsJob):
        self._dut = dut
        self._pauses, self._stalls = itertools.cycle(job.idle), itertools.cycle(job.stall)
        self._edge = FallingEdge(dut.clk)

    async def reset(self) -> None:
        dut, edge = self._dut, self._edge
        Clock(dut.clk, 10, "ns").start()
        write_flag(dut.s_axis__tvalid, 0)
        write_flag(dut.m_axis__tready, 0)
        write_flag(dut.rst, 1)
        await edge
        await edge
        write_flag(dut.rst, 0)

    async def exchange(self, words: Sequence[int], damaged: bool = False) -> list[int]:
        """Return the reply to a packet, which arrives undamaged; words are taken at once."""
        dut, edge = self._dut, self._edge
        for i, word in enumerate(words):
            for _ in range(next(self._pauses)):
                write_flag(dut.s_axis__tvalid, 0)
                await edge
            assert read_flag(dut.s_axis__tready), f"a word of {words} is not taken"
            dut.s_axis__tdata.value = word
            write_flag(dut.s_axis__tlast, i == len(words) - 1)
            write_flag(dut.s_axis__tvalid, 1)
            await edge
        write_flag(dut.s_axis__tvalid, 0)

        reply: list[int] = []
        for _ in range(PATIENCE):
            for _ in range(next(self._stalls)):
                await edge
            write_flag(dut.m_axis__tready, 1)
            valid, last = read_flag(dut.m_axis__tvalid), read_flag(dut.m_axis__tlast)
            if valid:
                reply.append(int(dut.m_axis__tdata.value))
            await edge
            write_flag(dut.m_axis__tready, 0)
            if valid and last:
                return reply
        raise AssertionError(f"no reply to {words}")
