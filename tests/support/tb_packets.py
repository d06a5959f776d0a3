"""Test the AXI4-Stream with packets as fast as it takes them, against the replies of the model.

One loop drives both streams, since there are many packets.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from golden.link.responder import Responder
from sim.signals import read_flag, write_flag
from sim.testbench import testbench
from spec.config import ChipConfig
from spec.isa import ErrorCode
from spec.packet import HEADER, identity, unpack
from tests.support.link_tops import counters
from tests.support.memory_device import GoldenDevice
from tests.support.random_frames import random_frames

PATIENCE = 2000


@dataclass(frozen=True)
class PacketsJob:
    config: ChipConfig
    frames: int
    seed: int


@testbench
async def fuzz(dut: Any, job: PacketsJob, _: Path) -> Counter[ErrorCode]:
    """Return how often each error code was met."""
    model = Responder(GoldenDevice(counters(job.config)), identity(job.config))
    Clock(dut.clk, 10, "ns").start()
    edge = FallingEdge(dut.clk)
    write_flag(dut.s_axis__tvalid, 0)
    write_flag(dut.m_axis__tready, 1)
    write_flag(dut.rst, 1)
    await edge
    await edge
    write_flag(dut.rst, 0)

    codes: Counter[ErrorCode] = Counter()
    for words, _ in random_frames(np.random.default_rng(job.seed), job.frames):
        for i, word in enumerate(words):
            assert read_flag(dut.s_axis__tready), f"a word of {words} is not taken"
            dut.s_axis__tdata.value = word
            write_flag(dut.s_axis__tlast, i == len(words) - 1)
            write_flag(dut.s_axis__tvalid, 1)
            await edge
        write_flag(dut.s_axis__tvalid, 0)

        reply, last = [], False
        for _ in range(PATIENCE):
            if read_flag(dut.m_axis__tvalid):
                reply.append(int(dut.m_axis__tdata.value))
                last = bool(read_flag(dut.m_axis__tlast))
            await edge
            if last:
                break
        expected = model.respond(words)
        assert reply == expected, f"to {[hex(word) for word in words]}"
        codes[ErrorCode(unpack(HEADER, reply[0])["code"])] += 1
    return codes
