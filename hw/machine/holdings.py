"""Blocks that the tiles hold."""

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.layouts import fields_layout
from hw.common.ranges import index
from hw.common.word_port import WordPort
from spec.config import ChipConfig
from spec.isa import HOLDING_FIELDS

HoldingLayout = fields_layout(HOLDING_FIELDS)
"""Block of a matrix that a tile holds."""


class Holdings(wiring.Component):
    """Keep the holding of each tile; nothing is known after reset.

    Members
    -------
    tile : In, `index(tiles)`
        Tile that `holds`, `forget` and `keep` refer to.
    holding : In, `HoldingLayout`
    holds : Out, 1
        The tile has this holding.
    keep : In, 1
        The tile has it from now on.
    forget : In, 1
        Nothing is known of the tile from now on.
    renewed : In, 1
        All tiles forget the blocks of a matrix, whose weights may have changed.
    matrix : In, 32
        Number of this matrix plus 1.
    host : In, `WordPort`
        Space HOLDING.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "tile": In(index(config.machine.tiles)),
                "holding": In(HoldingLayout),
                "holds": Out(1),
                "keep": In(1),
                "forget": In(1),
                "renewed": In(1),
                "matrix": In(HoldingLayout["matrix"].shape),
                "host": In(WordPort()),
            }
        )

    def elaborate(self, platform):
        config, host = self.config, self.host
        layout = data.StructLayout(
            {
                "block": HoldingLayout["block"].shape,
                "matrix": range(config.machine.matrices + 1),
            }
        )
        m = Module()
        holdings = [Signal(layout, name=f"holding_{t}") for t in range(config.machine.tiles)]
        words = [word for holding in holdings for word in (holding.block, holding.matrix)]
        with m.If(host.read):
            m.d.sync += host.value.eq(Array(words)[host.address[: (len(words) - 1).bit_length()]])
        for i, word in enumerate(words):
            with m.If(host.write & (host.address == i)):
                m.d.sync += word.eq(host.data)

        held = Signal(layout)
        m.d.comb += [
            held.eq(Array(holding.as_value() for holding in holdings)[self.tile]),
            self.holds.eq(
                (held.block == self.holding.block) & (held.matrix == self.holding.matrix)
            ),
        ]
        for t, holding in enumerate(holdings):
            with m.If(self.renewed & (holding.matrix == self.matrix)):
                m.d.sync += holding.matrix.eq(0)
            with m.If((self.forget | self.keep) & (self.tile == t)):
                m.d.sync += holding.matrix.eq(Mux(self.keep, self.holding.matrix, 0))
                with m.If(self.keep):
                    m.d.sync += holding.block.eq(self.holding.block)
        return m
