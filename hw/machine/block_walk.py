"""Walk over the blocks of a matrix, round by round."""

from amaranth.hdl import Array, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.ranges import index, vector_extent
from hw.machine.scheduler import BatchLayout, BlockLayout, NextBlock
from spec.config import ChipConfig


class BlockWalk(wiring.Component):
    """Walk over the blocks of a matrix, and gather those of a round.

    Members
    -------
    rows, columns : In, `vector_extent` each
        Shape of the matrix; it stays during a walk.
    tile : In, `index(tiles)`
        Tile of block 0.
    transposed : In, 1
    restart : In, 1
        Go to block 0, and begin a round.
    begin : In, 1
        Begin a round with the present block.
    advance : In, 1
        Put the present block into the round, and go to the next.
    block : Out, `BlockLayout`
        Present block.
    complete : Out, 1
        No block behind the present one belongs to the round.
    ended : Out, 1
        The block before the present one was the last of all.
    batch : Out, `BatchLayout`
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "rows": In(vector_extent(config)),
                "columns": In(vector_extent(config)),
                "tile": In(index(config.machine.tiles)),
                "transposed": In(1),
                "restart": In(1),
                "begin": In(1),
                "advance": In(1),
                "block": Out(BlockLayout(config)),
                "complete": Out(1),
                "ended": Out(1),
                "batch": Out(BatchLayout(config)),
            }
        )

    def elaborate(self, platform):
        block, batch = self.block, self.batch
        m = Module()
        m.submodules.next_block = after = NextBlock(self.config)
        m.d.comb += [
            after.rows.eq(self.rows),
            after.columns.eq(self.columns),
            after.block.eq(block),
            self.complete.eq(after.last | (batch.blocks == self.config.machine.tiles - 1)),
        ]
        with m.If(self.advance):
            m.d.sync += [
                block.eq(after.next),
                self.ended.eq(after.last),
                batch.last.eq(block),
                batch.blocks.eq(batch.blocks + 1),
                batch.active.eq(batch.active | (1 << block.tile)),
                Array(batch.starts)[block.tile].eq(Mux(self.transposed, block.left, block.top)),
            ]
            with m.If(batch.blocks == 0):
                m.d.sync += batch.first.eq(block)
        with m.If(self.restart):
            m.d.sync += [block.eq(0), block.tile.eq(self.tile)]
        with m.If(self.restart | self.begin):
            m.d.sync += [batch.blocks.eq(0), batch.active.eq(0)]
        return m
