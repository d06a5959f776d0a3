"""Put physics behind the tiles of a simulated chip."""

from typing import Any

import cocotb

from golden.machine.machine import blank_tile
from sim.bridge import Bridge
from spec.config import ChipConfig


def answer_tiles(dut: Any, config: ChipConfig) -> None:
    """Let blank tiles answer every analogue boundary of a chip."""
    for tile in range(config.machine.tiles):
        bridge = Bridge(dut, blank_tile(config, tile), f"analog__{tile}")
        cocotb.start_soon(bridge.run())
