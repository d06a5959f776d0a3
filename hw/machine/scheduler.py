"""The order of the blocks of a matrix; see `golden.machine.scheduler`."""

from amaranth.hdl import Module, Mux
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spec.config import ChipConfig
from spec.isa import WORD_BITS


class BlockLayout(data.StructLayout):
    """A block: its `number`, the `tile` where it runs, and its `top` row and `left` column."""

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "number": WORD_BITS,
                "tile": range(max(2, config.machine.tiles)),
                "top": range(config.machine.vector_words),
                "left": range(config.machine.vector_words),
            }
        )


class NextBlock(wiring.Component):
    """Find the block that follows; no register.

    Members
    -------
    rows, columns : In
        Shape of the matrix.
    block : In, `BlockLayout`
    bottom : Out, 1
        The block is the last of its column block.
    rightmost : Out, 1
        The block is of the last column block.
    last : Out, 1
        It is the last of all.
    next : Out, `BlockLayout`
        Arbitrary after the last.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "rows": In(range(config.machine.vector_words + 1)),
                "columns": In(range(config.machine.vector_words + 1)),
                "block": In(BlockLayout(config)),
                "bottom": Out(1),
                "rightmost": Out(1),
                "last": Out(1),
                "next": Out(BlockLayout(config)),
            }
        )

    def elaborate(self, platform):
        config, block = self.config, self.block
        m = Module()
        below = block.top + config.array.rows
        right = block.left + config.array.columns
        m.d.comb += [
            self.bottom.eq(below >= self.rows),
            self.rightmost.eq(right >= self.columns),
            self.last.eq(self.bottom & self.rightmost),
            self.next.number.eq(block.number + 1),
            self.next.tile.eq(Mux(block.tile == config.machine.tiles - 1, 0, block.tile + 1)),
            self.next.top.eq(Mux(self.bottom, 0, below)),
            self.next.left.eq(Mux(self.bottom, right, block.left)),
        ]
        return m
