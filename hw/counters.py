"""Performance counters: what the RTL did, from which cost follows."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

COUNTER_BITS = 64
"""Wide enough never to wrap: centuries at any clock."""


class TileCounters(data.Struct):
    """Events of a tile since reset."""

    cycles: COUNTER_BITS
    """Clock cycles."""
    drives: COUNTER_BITS
    """Planes driven onto the word lines."""
    conversions: COUNTER_BITS
    """ADC conversions finished."""
    adc_cycles: COUNTER_BITS
    """Cycles in which the ADCs searched."""
    clips_high: COUNTER_BITS
    """Conversions of values above the range."""
    clips_low: COUNTER_BITS
    """Conversions of values below the range."""
    saturations: COUNTER_BITS
    """Accumulations that did not fit the accumulator."""


class Counters(wiring.Component):
    """Add, in every cycle, an amount to each of the tile's counters.

    Parameters
    ----------
    amounts
        What to add to each counter in this cycle, by name; signals of the caller.
    """

    counters: Out(TileCounters)

    def __init__(self, amounts: dict[str, Value]):
        self.amounts = amounts
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        for name, amount in self.amounts.items():
            counter = getattr(self.counters, name)
            # The sum of many flags settles into a register first, out of the way of the adder.
            added = Signal(Value.cast(amount).shape(), name=f"add_{name}")
            m.d.sync += [added.eq(amount), counter.eq(counter + added)]
        return m
