"""Test a tile behind a link with random packets, next to its model."""

import copy
from pathlib import Path
from typing import Any

import cocotb
import numpy as np

from sim.bridge import Bridge
from sim.testbench import testbench
from tests.support.axi_streams import PacketsJob, Streams
from tests.support.tile_frames import Seen, follow, tile_frames, tile_model


@testbench
async def fuzz(dut: Any, job: PacketsJob, _: Path) -> Seen:
    """Return what was met; the tile of the model is `analog`, and so is the one behind the RTL."""
    assert job.analog
    rng = np.random.default_rng(job.seed)
    streams = Streams(dut, job)
    await streams.reset()
    bridge = Bridge(dut, copy.deepcopy(job.analog), "analog__0")
    cocotb.start_soon(bridge.run())
    model = tile_model(job.config, job.analog)
    frames = ((words, False) for words, _ in tile_frames(job.config, rng, job.frames))
    return await follow(streams.exchange, job.config, model, frames, rng)
