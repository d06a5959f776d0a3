"""Performance counters: events of the RTL, from which cost follows."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from spec.counters import CHIP_COUNTERS, COUNTER_BITS, TILE_COUNTERS

TileCounters = data.StructLayout({counter.name: COUNTER_BITS for counter in TILE_COUNTERS})
"""Counters of a tile since reset."""

ChipCounters = data.StructLayout({counter.name: COUNTER_BITS for counter in CHIP_COUNTERS})
"""Counters of the chip around the tiles, since reset."""


def count(m: Module, counter: Value, event: Value) -> None:
    """Add 1 to a register if `event` (1 bit), unless it is at its largest."""
    with m.If(event & ~counter.all()):
        m.d.sync += counter.eq(counter + 1)


class Counters(wiring.Component):
    """Add, in every cycle, an amount to each of some counters.

    Parameters
    ----------
    layout
        The counters.
    amounts
        Unsigned amount to add to each counter in this cycle, by name; signals of the caller.

    Members
    -------
    counters : Out, `layout`
        Events up to two cycles ago.
    """

    def __init__(self, layout: data.StructLayout, amounts: dict[str, Value]):
        self.amounts = amounts
        super().__init__({"counters": Out(layout)})

    def elaborate(self, platform):
        m = Module()
        for name, amount in self.amounts.items():
            # A register takes the sum of many flags, which would lengthen the path of the adder.
            added = Signal(Value.cast(amount).shape(), name=f"add_{name}")
            counter = self.counters[name]
            m.d.sync += [added.eq(amount), counter.eq(counter + added)]
        return m
