"""Memory of 64-bit items that the host accesses by words of 32 bits."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.memory import TwoPortMemory
from hw.common.word_port import WordPort
from spec.isa import WORD_BITS


class ItemMemory(wiring.Component):
    """Keep `depth` items, of which `reads` can be read at once.

    Members
    -------
    host : In, `WordPort`
        Words 2 i and 2 i + 1 are the lower and upper half of item i.
    en : In, 1
        Read in this cycle, and not with `host.read`.
    addresses : In, `reads` x range(depth)
        Items to read, up to `depth` - 1.
    items : Out, `reads` x 64
        Items that were read, from the next cycle until the next read, the host's included.
    halves : In, 2
        Write the lower half of an item where bit 0 is set, the upper one where bit 1 is; not with
        `host.write`.
    address : In, range(depth)
        Item to write, up to `depth` - 1.
    item : In, 64
        Its new value.
    """

    def __init__(self, depth: int, reads: int):
        self.depth = depth
        item = 2 * WORD_BITS
        super().__init__(
            {
                "host": In(WordPort()),
                "en": In(1),
                "addresses": In(data.ArrayLayout(range(depth), reads)),
                "items": Out(data.ArrayLayout(item, reads)),
                "halves": In(2),
                "address": In(range(depth)),
                "item": In(item),
            }
        )

    def elaborate(self, platform):
        m = Module()
        host = self.host
        upper = Signal()
        with m.If(host.read):
            m.d.sync += upper.eq(host.address[0])
        for half, name in enumerate(["lower", "upper"]):
            this = slice(half * WORD_BITS, (half + 1) * WORD_BITS)
            # Each item that is read at once comes from a memory of its own.
            for i, address in enumerate(self.addresses):
                memory = TwoPortMemory(WORD_BITS, self.depth)
                m.submodules[f"{name}_{i}"] = memory
                m.d.comb += [
                    memory.write_en.eq(
                        self.halves[half] | (host.write & (host.address[0] == half))
                    ),
                    memory.write_address.eq(Mux(host.write, host.address[1:], self.address)),
                    memory.write_data.eq(Mux(host.write, host.data, self.item[this])),
                    memory.read_en.eq(self.en | host.read),
                    memory.read_address.eq(Mux(host.read, host.address[1:], address)),
                    self.items[i][this].eq(memory.read_data),
                ]
        first = self.items[0]
        m.d.comb += host.value.eq(Mux(upper, first[WORD_BITS:], first[:WORD_BITS]))
        return m
