"""What the chip knows of its matrices: their descriptors, and which blocks the tiles hold."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.common.word_port import WordPort
from spec.config import ChipConfig
from spec.isa import DESCRIPTOR_FIELDS, HOLDING_FIELDS, WORD_BITS

DescriptorLayout = data.StructLayout({field.name: field.width for field in DESCRIPTOR_FIELDS})
HoldingLayout = data.StructLayout({field.name: field.width for field in HOLDING_FIELDS})


class Matrices(wiring.Component):
    """Keep descriptors and holdings.

    Members
    -------
    fetch, number : In
        Read the descriptor of a matrix.
    fetched, descriptor : Out, 1 and `DescriptorLayout`
        It is there, until the next `fetch`.
    tile : In
        Whose holding is meant.
    held : Out, `HoldingLayout`
        In the same cycle.
    forget, keep, holding : In, 1, 1 and `HoldingLayout`
        The tile holds nothing known; it holds this.
    descriptors, holdings : In, `WordPort`
        For the host.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "fetch": In(1),
                "number": In(range(config.machine.matrices)),
                "fetched": Out(1),
                "descriptor": Out(DescriptorLayout),
                "tile": In(range(max(2, config.machine.tiles))),
                "held": Out(HoldingLayout),
                "forget": In(1),
                "keep": In(1),
                "holding": In(HoldingLayout),
                "descriptors": In(WordPort()),
                "holdings": In(WordPort()),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._keep_descriptors(m)
        self._keep_holdings(m)
        return m

    def _keep_descriptors(self, m: Module) -> None:
        host = self.descriptors
        size = len(DESCRIPTOR_FIELDS)
        words = size * self.config.machine.matrices
        m.submodules.memory = memory = Memory(shape=WORD_BITS, depth=words, init=[])
        load, store = memory.read_port(), memory.write_port()
        # A memory survives a reset. What has not been written since counts as 0.
        written = Signal(words)
        known = Signal()

        # Word that is asked for, and the one that comes.
        asked, coming = Signal(range(size + 1), init=size), Signal(range(size + 1), init=size)
        reading = asked != size
        place = Signal(range(words))
        m.d.comb += [
            place.eq(Mux(reading, self.number * size + asked, host.address)),
            load.addr.eq(place),
            load.en.eq(reading | host.read),
            host.value.eq(Mux(known, load.data, 0)),
            store.addr.eq(host.address),
            store.data.eq(host.data),
            store.en.eq(host.write),
            self.fetched.eq(~reading & (coming == size)),
        ]
        m.d.sync += coming.eq(asked)
        with m.If(load.en):
            m.d.sync += known.eq(written.bit_select(place, 1))
        with m.If(host.write):
            m.d.sync += written.bit_select(host.address[: len(place)], 1).eq(1)
        with m.If(self.fetch):
            m.d.sync += asked.eq(0)
        with m.Elif(reading):
            m.d.sync += asked.eq(asked + 1)
        for i, field in enumerate(DESCRIPTOR_FIELDS):
            with m.If(coming == i):
                m.d.sync += self.descriptor[field.name].eq(host.value)

    def _keep_holdings(self, m: Module) -> None:
        config, host = self.config, self.holdings
        holdings = [
            Signal(
                data.StructLayout(
                    {
                        "block": HoldingLayout["block"].shape,
                        "matrix": range(config.machine.matrices + 1),
                    }
                ),
                name=f"holding_{t}",
            )
            for t in range(config.machine.tiles)
        ]
        m.d.comb += [
            self.held.block.eq(Array(h.block for h in holdings)[self.tile]),
            self.held.matrix.eq(Array(h.matrix for h in holdings)[self.tile]),
        ]
        words = [word for h in holdings for word in (h.block, h.matrix)]
        with m.If(host.read):
            m.d.sync += host.value.eq(Array(words)[host.address[: (len(words) - 1).bit_length()]])
        for i, word in enumerate(words):
            with m.If(host.write & (host.address == i)):
                m.d.sync += word.eq(host.data)
        # New weights: nothing that is held of the matrix is true any longer.
        size = len(DESCRIPTOR_FIELDS)
        renewed = self.descriptors.address[(size - 1).bit_length() :] + 1
        for t, h in enumerate(holdings):
            with m.If(self.descriptors.write & (h.matrix == renewed)):
                m.d.sync += h.matrix.eq(0)
            with m.If((self.forget | self.keep) & (self.tile == t)):
                m.d.sync += h.matrix.eq(Mux(self.keep, self.holding.matrix, 0))
                with m.If(self.keep):
                    m.d.sync += h.block.eq(self.holding.block)
