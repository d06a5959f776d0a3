"""Memory of the program."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.memory import SinglePortMemory
from hw.common.ranges import index
from hw.common.word_port import WordPort
from spec.isa import WORD_BITS


class ProgramMemory(wiring.Component):
    """Keep `depth` instructions.

    Members
    -------
    host : In, `WordPort`
        Words 2 i and 2 i + 1 are the lower and upper half of instruction i.
    en : In, 1
        Read in this cycle.
    address : In, index(depth)
    instruction : Out, 64
        Instruction that was read, from the next cycle until the next `en` or `host.read`.
    """

    def __init__(self, depth: int):
        self.depth = depth
        super().__init__(
            {
                "host": In(WordPort()),
                "en": In(1),
                "address": In(index(depth)),
                "instruction": Out(2 * WORD_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        host = self.host
        upper = Signal()
        with m.If(host.read):
            m.d.sync += upper.eq(host.address[0])
        for half, name in enumerate(["lower", "upper"]):
            m.submodules[name] = memory = SinglePortMemory(WORD_BITS, self.depth)
            written = host.write & (host.address[0] == half)
            m.d.comb += [
                memory.en.eq(self.en | host.read | written),
                memory.write.eq(written),
                memory.address.eq(Mux(host.read | host.write, host.address[1:], self.address)),
                memory.write_data.eq(host.data),
                self.instruction.word_select(half, WORD_BITS).eq(memory.read_data),
            ]
        m.d.comb += host.value.eq(self.instruction.word_select(upper, WORD_BITS))
        return m
