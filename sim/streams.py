"""Drive and watch the stream ports of a simulated design.

Both ends act at the falling edge, where a cycle's signals are settled, and wake up only when
something can happen. Pauses make them fall back to looking at every cycle.
"""

from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly, RisingEdge
from numpy.typing import NDArray

from sim.signals import read_bits, read_flag, read_text, write_bits, write_flag


class _End:
    """Hold the signals of the stream port `name` of `dut`."""

    def __init__(self, dut: Any, name: str):
        self._valid = getattr(dut, f"{name}__valid")
        self._ready = getattr(dut, f"{name}__ready")
        self._payload = getattr(dut, f"{name}__payload")
        self._edge = FallingEdge(dut.clk)


class Source(_End):
    """Send payloads into the port `name` of `dut`.

    Parameters
    ----------
    idle
        Cycles without a valid payload before each transfer, over and over.
    """

    def __init__(self, dut: Any, name: str, idle: Iterator[int]):
        super().__init__(dut, name)
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


class Sink(_End):
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
        super().__init__(dut, name)
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


CHANNELS = {
    "s_axis__t": ("data", "last"),
    "m_axis__t": ("data", "last"),
    "s_axil__aw": ("addr", "prot"),
    "s_axil__w": ("data", "strb"),
    "s_axil__b": ("resp",),
    "s_axil__ar": ("addr", "prot"),
    "s_axil__r": ("data", "resp"),
}
"""Payload of the AXI ports of top levels, by what their names begin with."""


def watch_channels(dut: Any) -> None:
    """Fail the test if what waits at an AXI port of a design changes, or is withdrawn.

    Ports of other streams are taken by a `Sink` alone, which sees to it.
    """
    for prefix, parts in CHANNELS.items():
        if hasattr(dut, f"{prefix}valid"):
            cocotb.start_soon(_watch(dut, prefix, parts))


async def _watch(dut: Any, prefix: str, parts: tuple[str, ...]) -> None:
    """Watch one channel, waking up only while something is offered.

    Ports may be driven at either edge: what the next rising edge finds is there once all that
    happens at the falling one has happened.
    """
    valid, ready = getattr(dut, f"{prefix}valid"), getattr(dut, f"{prefix}ready")
    payload = [getattr(dut, f"{prefix}{part}") for part in parts]
    edge, settled, becomes_valid = FallingEdge(dut.clk), ReadOnly(), RisingEdge(valid)
    waiting: list[str] = []
    while True:
        await edge
        await settled
        if read_text(dut.rst) != "0":
            waiting = []
            continue
        if read_text(valid) != "1":
            assert not waiting, f"{valid._path} fell before the transfer"
            await becomes_valid
            continue
        offered = [read_text(part) for part in payload]
        assert not waiting or offered == waiting, f"{prefix}* changed while it waited"
        waiting = [] if read_text(ready) == "1" else offered
