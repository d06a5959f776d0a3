"""Weights as digits, one slice a cycle, most significant first; see `golden.tile.weights`."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spec.config import ChipConfig
from spec.tables import Mapping


class Digits(wiring.Component):
    """Cut a weight into digits, and turn them into levels as `golden.tile.mapping` does.

    What is left of the weight moves up by a digit a cycle, so that the current digit always has
    the place of the top one.

    Members
    -------
    load : In, 1
        Begin with `weight`: its top digit is there from the next cycle on.
    weight : In, signed(weight_bits)
    next : In, 1
        Go on to the digit below.
    levels : Out, 2 x unsigned(cell_bits)
        Levels of the current digit: differential, of the positive and of the negative cell; offset,
        of its only one, twice.
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
        array = self.config.array
        m = Module()
        place = array.cell_bits * (array.slices - 1)
        # No rest exceeds twice the place of the top digit's carry.
        rest = Signal(signed(array.cell_bits * array.slices + 2))
        top = Signal()
        digit = Signal(signed(array.cell_bits + 2))
        if array.mapping is Mapping.OFFSET:
            raised = digit + Mux(top, self.config.radix // 2, 0)
            m.d.comb += [digit.eq(rest >> place), *(level.eq(raised) for level in self.levels)]
        else:
            size = self._nearest_size(m, rest, place, top)
            negative = rest < 0
            m.d.comb += [
                digit.eq(Mux(negative, -size, size)),
                self.levels[0].eq(Mux(negative, 0, size)),
                self.levels[1].eq(Mux(negative, size, 0)),
            ]
        with m.If(self.load):
            m.d.sync += [rest.eq(self.weight), top.eq(1)]
        with m.Elif(self.next):
            m.d.sync += [rest.eq((rest - (digit << place)) << array.cell_bits), top.eq(0)]
        return m

    def _nearest_size(self, m: Module, rest: Value, place: int, top: Value) -> Signal:
        """Return the magnitude of the digit at a place that is nearest to the rest."""
        magnitude = Signal(len(rest))
        m.d.comb += magnitude.eq(Mux(rest < 0, -rest, rest))
        # Halves go towards zero.
        nearest = ((magnitude << 1) + ((1 << place) - 1)) >> (place + 1)
        most = Mux(top, self.config.radix - 1, self.config.radix // 2)
        size = Signal(self.config.array.cell_bits)
        m.d.comb += size.eq(Mux(nearest > most, most, nearest))
        return size
