"""Performance counters: what the RTL did, from which cost follows."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

COUNTER_BITS = 64
"""Wide enough never to wrap: centuries at any clock."""

TILE_COUNTERS = {
    "cycles": "clock cycles",
    "drives": "planes driven onto the word lines",
    "conversions": "ADC conversions finished",
    "adc_cycles": "cycles in which the ADCs searched",
    "clips_high": "conversions of values above the range",
    "clips_low": "conversions of values below the range",
    "saturations": "accumulations that did not fit the accumulator",
    "reads": "reads of single cells",
    "pulses": "write pulses",
    "failures": "cells given up by write-verify",
}
"""Counters of a tile since reset, in the order of `TileCounters`."""

TileCounters = data.StructLayout(dict.fromkeys(TILE_COUNTERS, COUNTER_BITS))


class Counters(wiring.Component):
    """Add, in every cycle, an amount to each of the tile's counters.

    Parameters
    ----------
    amounts
        What to add to each counter in this cycle, by name; signals of the caller.

    Members
    -------
    counters : Out, `TileCounters`
        Two cycles late.
    """

    def __init__(self, amounts: dict[str, Value]):
        self.amounts = amounts
        super().__init__({"counters": Out(TileCounters)})

    def elaborate(self, platform):
        m = Module()
        for name, amount in self.amounts.items():
            # The sum of many flags settles into a register first, out of the way of the adder.
            added = Signal(Value.cast(amount).shape(), name=f"add_{name}")
            counter = self.counters[name]
            m.d.sync += [added.eq(amount), counter.eq(counter + added)]
        return m
