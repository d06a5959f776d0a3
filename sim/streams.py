"""Drive and watch the stream ports of a simulated design.

Both ends act at the falling edge, where a cycle's signals are settled, and wake up only when
something can happen. Pauses make them fall back to looking at every cycle.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from cocotb.triggers import FallingEdge, RisingEdge
from numpy.typing import NDArray

from sim.signals import read_bits, read_flag, write_bits, write_flag


class Source:
    """Send payloads into the port `name` of `dut`.

    Parameters
    ----------
    idle
        Cycles without a valid payload before each transfer, over and over.
    """

    def __init__(self, dut: Any, name: str, idle: Iterator[int]):
        self._valid = getattr(dut, f"{name}__valid")
        self._ready = getattr(dut, f"{name}__ready")
        self._payload = getattr(dut, f"{name}__payload")
        self._edge = FallingEdge(dut.clk)
        self._becomes_ready = RisingEdge(self._ready)
        self._idle = idle
        write_flag(self._valid, 0)

    async def send(self, payload: NDArray[np.bool_]) -> None:
        """Offer a payload, least significant bit first, until it is taken."""
        if pause := next(self._idle):
            write_flag(self._valid, 0)
            for _ in range(pause):
                await self._edge
        write_bits(self._payload, payload)
        write_flag(self._valid, 1)
        while not read_flag(self._ready):
            await self._becomes_ready
            await self._edge
        await self._edge

    def stop(self) -> None:
        """Offer nothing more."""
        write_flag(self._valid, 0)


class Sink:
    """Take payloads from the port `name` of `dut`, and check that they wait unchanged.

    Parameters
    ----------
    stall
        Cycles that each payload waits before it is taken, over and over. The port's valid must
        come without a ready: unless it may be taken at once, ready is low until then.

    Attributes
    ----------
    waited
        Cycles that the last payload waited.
    """

    def __init__(self, dut: Any, name: str, stall: Iterator[int]):
        self._valid = getattr(dut, f"{name}__valid")
        self._ready = getattr(dut, f"{name}__ready")
        self._payload = getattr(dut, f"{name}__payload")
        self._edge = FallingEdge(dut.clk)
        self._becomes_valid = RisingEdge(self._valid)
        self._stall = stall
        self.waited = 0
        write_flag(self._ready, 0)

    async def take(self) -> NDArray[np.uint8]:
        """Return the next payload, most significant bit first."""
        pause = self.waited = next(self._stall)
        write_flag(self._ready, not pause)
        if not read_flag(self._valid):
            await self._becomes_valid
            await self._edge
        payload = read_bits(self._payload)
        for _ in range(pause):
            await self._edge
            assert read_flag(self._valid), f"{self._valid._path} fell before the transfer"
            same = np.array_equal(payload, read_bits(self._payload))
            assert same, f"{self._payload._path} changed while it waited"
        write_flag(self._ready, 1)
        await self._edge
        return payload
