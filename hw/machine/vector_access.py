"""Reading and writing of the vectors of an instruction, beat by beat."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.ranges import vector_address, vector_extent
from hw.machine.vector_memory import LanesLayout, ReadPort, WritePort
from spec.config import ChipConfig


class VectorReader(wiring.Component):
    """Read one vector, or two in turns.

    Members
    -------
    begin : In, 1
        Take over the operands.
    a, b : In, `vector_address` each
        Where the vectors begin.
    pair : In, 1
        There are two; it stays until `last`.
    n : In, `vector_extent`
        Their length, not 0.
    en : In, 1
        Read in this cycle.
    last : Out, 1
        Nothing is left after that.
    read : Out, `ReadPort`
    first, second : Out, 1 each
        Words of the first vector, or of the second, come in this cycle.
    complete : Out, 1
        They complete a beat.
    mask : Out, `lanes`
        A bit for each of the words that is part of the vector.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "begin": In(1),
                "a": In(vector_address(config)),
                "b": In(vector_address(config)),
                "pair": In(1),
                "n": In(vector_extent(config)),
                "en": In(1),
                "last": Out(1),
                "read": Out(ReadPort(config)),
                "first": Out(1),
                "second": Out(1),
                "complete": Out(1),
                "mask": Out(config.machine.lanes),
            }
        )

    def elaborate(self, platform):
        config = self.config
        lanes = config.machine.lanes
        m = Module()
        address_a = Signal(vector_address(config))
        address_b = Signal(vector_address(config))
        unread = Signal(vector_extent(config))
        # It is the turn of the second vector.
        turn = Signal()
        completes = turn | ~self.pair
        m.d.comb += [
            self.read.en.eq(self.en),
            self.read.address.eq(Mux(turn, address_b, address_a)),
            self.last.eq(completes & (unread <= lanes)),
        ]
        m.d.sync += [
            self.first.eq(self.en & ~turn),
            self.second.eq(self.en & turn),
            self.complete.eq(self.en & completes),
            self.mask.eq(first_lanes(unread, lanes)),
        ]
        with m.If(self.begin):
            m.d.sync += [address_a.eq(self.a), address_b.eq(self.b), unread.eq(self.n)]
        with m.If(self.en):
            m.d.sync += turn.eq(~completes)
            with m.If(completes):
                m.d.sync += [
                    address_a.eq(address_a + lanes),
                    address_b.eq(address_b + lanes),
                    unread.eq(unread - lanes),
                ]
        return m


class VectorWriter(wiring.Component):
    """Write one vector.

    Members
    -------
    begin : In, 1
        Take over the operands.
    d : In, `vector_address`
        Where the vector begins.
    n : In, `vector_extent`
        Its length.
    en : In, 1
        Write in this cycle.
    words : In, `LanesLayout`
    write : Out, `WritePort`
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "begin": In(1),
                "d": In(vector_address(config)),
                "n": In(vector_extent(config)),
                "en": In(1),
                "words": In(LanesLayout(config)),
                "write": Out(WritePort(config)),
            }
        )

    def elaborate(self, platform):
        config = self.config
        lanes = config.machine.lanes
        m = Module()
        address = Signal(vector_address(config))
        unwritten = Signal(vector_extent(config))
        m.d.comb += [
            self.write.en.eq(self.en),
            self.write.address.eq(address),
            self.write.mask.eq(first_lanes(unwritten, lanes)),
            self.write.data.eq(self.words),
        ]
        with m.If(self.begin):
            m.d.sync += [address.eq(self.d), unwritten.eq(self.n)]
        with m.Elif(self.en):
            m.d.sync += [address.eq(address + lanes), unwritten.eq(unwritten - lanes)]
        return m


def first_lanes(count: Value, lanes: int) -> Value:
    """Return a mask of the first `count` of the lanes, or of all."""
    return Cat(count > lane for lane in range(lanes))
