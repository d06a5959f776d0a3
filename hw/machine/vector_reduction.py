"""Vectors to scalars: the dot product, and the block exponent.

dot = sum of the values of all lanes and beats, saturated to 64 bits
exponent = smallest e >= 0 with -2^e <= x < 2^e for all x
"""

from functools import reduce
from operator import or_

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import clamp, tree_sum
from spec.config import ChipConfig
from spec.isa import SCALAR_BITS, WORD_BITS

SUM_CYCLES = 3
"""Cycles of the sum over the lanes: each adds four terms to one, enough for 64 lanes."""


class VectorReduction(wiring.Component):
    """Reduce vectors to a scalar.

    Members
    -------
    clear : In, 1
        Begin with nothing.
    x : In, `lanes` x signed(32)
        Words of the first source.
    look : In, 1
        The words count in this cycle.
    values : In, `lanes` x signed(64)
    add : In, 1
        The values of `SUM_CYCLES` ago count in this cycle.
    dot : Out, signed(64)
    saturated : Out, 1
        The sum does not fit `dot`.
    exponent : Out, range(32)
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        lanes = config.machine.lanes
        super().__init__(
            {
                "clear": In(1),
                "x": In(data.ArrayLayout(signed(WORD_BITS), lanes)),
                "look": In(1),
                "values": In(data.ArrayLayout(signed(2 * WORD_BITS), lanes)),
                "add": In(1),
                "dot": Out(signed(SCALAR_BITS)),
                "saturated": Out(1),
                "exponent": Out(range(WORD_BITS)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        terms = list(self.values)
        for cycle in range(SUM_CYCLES):
            sums = []
            for i in range(0, len(terms), 4):
                total = tree_sum(terms[i : i + 4])
                register = Signal(total.shape(), name=f"sum_{cycle}_{i // 4}", reset_less=True)
                m.d.sync += register.eq(total)
                sums.append(register)
            terms = sums
        # Each of as many products as the memory has words may be 2^62.
        words = self.config.machine.vector_words
        exact = Signal(signed(SCALAR_BITS + words.bit_length() - 1))
        # Together, the magnitudes have as many bits as the largest.
        magnitudes = Signal(WORD_BITS - 1)
        with m.If(self.clear):
            m.d.sync += [exact.eq(0), magnitudes.eq(0)]
        with m.Else():
            with m.If(self.add):
                m.d.sync += exact.eq(exact + terms[0])
            with m.If(self.look):
                m.d.sync += magnitudes.eq(reduce(or_, map(_magnitude, self.x), magnitudes))
        near, outside = clamp(exact, signed(SCALAR_BITS))
        m.d.comb += [
            self.dot.eq(near),
            self.saturated.eq(outside),
            self.exponent.eq(_bit_length(magnitudes)),
        ]
        return m


def _magnitude(value: Value) -> Value:
    """Return x, or ~x of a negative x, without its sign; one bit less."""
    return value[:-1] ^ value[-1].replicate(len(value) - 1)


def _bit_length(value: Value) -> Value:
    """Return the number of the highest bit set, counted from 1, or 0."""
    length: Value = Const(0)
    for i in range(len(value)):
        length = Mux(value[i], i + 1, length)
    return length
