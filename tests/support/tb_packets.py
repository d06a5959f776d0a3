"""Test the AXI4-Stream with packets as fast as it takes them, against the replies of the model."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from golden.link.responder import Responder
from sim.testbench import testbench
from spec.isa import ErrorCode
from spec.packet import HEADER, identity, unpack
from tests.support.axi_streams import PacketsJob, Streams
from tests.support.link_tops import counters
from tests.support.memory_device import GoldenDevice
from tests.support.random_frames import random_frames


@testbench
async def fuzz(dut: Any, job: PacketsJob, _: Path) -> Counter[ErrorCode]:
    """Return how often each error code was met."""
    model = Responder(GoldenDevice(counters(job.config)), identity(job.config))
    streams = Streams(dut, job)
    await streams.reset()
    codes: Counter[ErrorCode] = Counter()
    for words, _ in random_frames(np.random.default_rng(job.seed), job.frames):
        reply = await streams.exchange(words)
        expected = model.respond(words)
        assert reply == expected, f"to {[hex(word) for word in words]}"
        codes[ErrorCode(unpack(HEADER, reply[0])["code"])] += 1
    return codes
