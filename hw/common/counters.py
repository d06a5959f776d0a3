"""Performance counters: events of the RTL, from which cost follows.

All counters of a reply are of the same cycle: they are held while they are copied.
"""

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spec.config import ChipConfig
from spec.counters import CHIP_COUNTERS, COUNTER_BITS
from spec.isa import WORD_BITS


class TileCounters(data.StructLayout):
    """Counters of a tile since reset."""

    def __init__(self, config: ChipConfig):
        counters = config.machine.tile_counters
        super().__init__({counter.name: COUNTER_BITS for counter in counters})


ChipCounters = data.StructLayout({counter.name: COUNTER_BITS for counter in CHIP_COUNTERS})
"""Counters of the chip around the tiles, since reset."""


def count(m: Module, counter: Value, event: Value) -> None:
    """Add 1 to a register if `event` (1 bit), unless it is at its largest."""
    with m.If(event & ~counter.all()):
        m.d.sync += counter.eq(counter + 1)


def hold_cycles(counters: int) -> int:
    """Return the most cycles in which a number of counters are held, so that all can be copied."""
    return counters * COUNTER_BITS // WORD_BITS


class Counters(wiring.Component):
    """Add, in every cycle, an amount to each of some counters.

    Parameters
    ----------
    layout
        The counters.
    amounts
        Unsigned amount to add to each counter in this cycle, by name; signals of the caller.
    longest
        Most cycles in a row in which they are held.

    Members
    -------
    hold : In, 1
        Keep all counters as they are in this cycle; what happens meanwhile is added afterwards.
    counters : Out, `layout`
        Events up to two cycles ago, while they are not held.
    """

    def __init__(self, layout: data.StructLayout, amounts: dict[str, Value], longest: int):
        self.amounts, self.longest = amounts, longest
        super().__init__({"hold": In(1), "counters": Out(layout)})

    def elaborate(self, platform):
        m = Module()
        for name, amount in self.amounts.items():
            # A register takes the sum of many flags, which would lengthen the path of the adder,
            # and what comes while the counter is held: far cheaper than a copy of the counter.
            most = (1 << len(Value.cast(amount))) - 1
            added = Signal(range((self.longest + 1) * most + 1), name=f"add_{name}")
            counter = self.counters[name]
            m.d.sync += added.eq(amount + Mux(self.hold, added, 0))
            # To add 0 is cheaper than to enable every bit.
            m.d.sync += counter.eq(counter + Mux(self.hold, 0, added))
        return m
