"""Weights as digits, one slice a cycle, most significant first; see `golden.tile.weights`."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spec.config import ChipConfig
from spec.tables import Mapping


class Digits(wiring.Component):
    """Cut a weight into digits, and turn them into levels as `golden.tile.mapping` does.

    What is left of the weight moves up by a digit a cycle, so that the digit at hand always has
    the place of the top one.

    Members
    -------
    load, weight : In
        Begin with this weight: its top digit is there from the next cycle on.
    next : In, 1
        Go on to the digit below.
    levels : Out, 2 x unsigned(cell_bits)
        Of the digit at hand: differential, of the positive and of the negative cell; offset, of
        its only one, twice.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "load": In(1),
                "weight": In(signed(config.weight_bits)),
                "next": In(1),
                "levels": Out(data.ArrayLayout(config.array.cell_bits, 2)),
            }
        )

    def elaborate(self, platform):
        config = self.config
        m = Module()
        place = config.array.cell_bits * (config.array.slices - 1)
        # No rest exceeds twice the place of the top digit's carry.
        rest = Signal(signed(config.array.cell_bits * config.array.slices + 2))
        top = Signal()
        digit = Signal(signed(config.array.cell_bits + 2))
        if config.array.mapping is Mapping.OFFSET:
            raised = digit + Mux(top, config.radix // 2, 0)
            m.d.comb += [digit.eq(rest >> place), *(level.eq(raised) for level in self.levels)]
        else:
            size = Signal(len(rest))
            m.d.comb += size.eq(Mux(rest < 0, -rest, rest))
            nearest = ((size << 1) + ((1 << place) - 1)) >> (place + 1)
            most = Mux(top, config.radix - 1, config.radix // 2)
            limited = Signal(config.array.cell_bits)
            m.d.comb += [
                limited.eq(Mux(nearest > most, most, nearest)),
                digit.eq(Mux(rest < 0, -limited, limited)),
                self.levels[0].eq(Mux(rest < 0, 0, limited)),
                self.levels[1].eq(Mux(rest < 0, limited, 0)),
            ]
        with m.If(self.load):
            m.d.sync += [rest.eq(self.weight), top.eq(1)]
        with m.Elif(self.next):
            m.d.sync += [rest.eq((rest - (digit << place)) << config.array.cell_bits), top.eq(0)]
        return m
