"""Descriptors of the matrices."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.layouts import fields_layout
from hw.common.memory import SinglePortMemory
from hw.common.word_port import WordPort
from hw.machine.holdings import HoldingLayout
from spec.config import ChipConfig
from spec.isa import DESCRIPTOR_FIELDS, WORD_BITS

DescriptorLayout = fields_layout(DESCRIPTOR_FIELDS)
"""Descriptor of a matrix."""


class Descriptors(wiring.Component):
    """Keep a descriptor for each matrix; all are 0 after reset.

    Members
    -------
    fetch : In, 1
        Read a descriptor.
    number : In, range(matrices)
        Matrix whose descriptor it is; it stays until `fetched`.
    fetched : Out, 1
        The descriptor is there, until the next `fetch`.
    descriptor : Out, `DescriptorLayout`
    renewed : Out, 1
        The host writes to a descriptor in this cycle.
    matrix : Out, 32
        Number of its matrix plus 1, as in a holding.
    host : In, `WordPort`
        Space DESCRIPTOR.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "fetch": In(1),
                "number": In(range(config.machine.matrices)),
                "fetched": Out(1),
                "descriptor": Out(DescriptorLayout),
                "renewed": Out(1),
                "matrix": Out(HoldingLayout["matrix"].shape),
                "host": In(WordPort()),
            }
        )

    def elaborate(self, platform):
        host = self.host
        size = len(DESCRIPTOR_FIELDS)
        words = size * self.config.machine.matrices
        m = Module()
        m.submodules.memory = memory = SinglePortMemory(WORD_BITS, words)
        # A memory survives a reset: words that have not been written since count as 0.
        written = Signal(words)
        known = Signal()

        # Field that is asked for, and the one that comes.
        asked = Signal(range(size + 1), init=size)
        coming = Signal(range(size + 1), init=size)
        reading = asked != size
        place = Signal(range(words))
        m.d.comb += [
            place.eq(Mux(reading, self.number * size + asked, host.address)),
            memory.en.eq(reading | host.read | host.write),
            memory.write.eq(host.write),
            memory.address.eq(place),
            memory.write_data.eq(host.data),
            host.value.eq(Mux(known, memory.read_data, 0)),
            self.renewed.eq(host.write),
            self.matrix.eq(host.address[(size - 1).bit_length() :] + 1),
            self.fetched.eq(~reading & (coming == size)),
        ]
        m.d.sync += coming.eq(asked)
        with m.If(host.write):
            m.d.sync += written.bit_select(place, 1).eq(1)
        with m.Elif(memory.en):
            m.d.sync += known.eq(written.bit_select(place, 1))
        with m.If(self.fetch):
            m.d.sync += asked.eq(0)
        with m.Elif(reading):
            m.d.sync += asked.eq(asked + 1)
        for i, field in enumerate(DESCRIPTOR_FIELDS):
            with m.If(coming == i):
                m.d.sync += self.descriptor[field.name].eq(host.value)
        return m
