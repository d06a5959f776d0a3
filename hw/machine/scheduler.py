"""Blocks and rounds of a product, and their order; see `golden.machine.scheduler`."""

from amaranth.hdl import Module, Mux
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.common.ranges import index, vector_address, vector_extent
from hw.common.signature import ParameterSignature
from spec.config import ChipConfig
from spec.isa import RIGHT_SHIFTS, WORD_BITS


class BlockLayout(data.StructLayout):
    """A block: its `number`, the `tile` where it runs, and its `top` row and `left` column."""

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "number": WORD_BITS,
                "tile": index(config.machine.tiles),
                "top": vector_address(config),
                "left": vector_address(config),
            }
        )


class BatchLayout(data.StructLayout):
    """Blocks of a round.

    `first` and `last` of them; `blocks`, their number; `active`, a bit for each tile that has one;
    `starts`, for each of these tiles, the index in a vector of the first input of its block.
    """

    def __init__(self, config: ChipConfig):
        tiles = config.machine.tiles
        super().__init__(
            {
                "first": BlockLayout(config),
                "last": BlockLayout(config),
                "blocks": range(tiles + 1),
                "active": tiles,
                "starts": data.ArrayLayout(vector_address(config), tiles),
            }
        )


class RoundLayout(data.StructLayout):
    """A round of a product.

    `transposed`, 1 bit: the product is one with the transposed matrix; `rows` and `columns` of the
    matrix; `count`, number of vectors; `source` and `destination`, addresses of the first vector
    and of the first result; `shift`, by which sums are shifted right; `batch`, a `BatchLayout`.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {
                "transposed": 1,
                "rows": vector_extent(config),
                "columns": vector_extent(config),
                "count": vector_extent(config),
                "source": vector_address(config),
                "destination": vector_address(config),
                "shift": range(RIGHT_SHIFTS[1] + 1),
                "batch": BatchLayout(config),
            }
        )


class RoundPort(ParameterSignature):
    """Work on a round, seen from who orders it.

    Members
    -------
    start : Out, 1
        Begin.
    stop : Out, 1
        End as soon as possible.
    busy : In, 1
        The work is not done yet.
    round : Out, `RoundLayout`
        Stays while `busy`.
    """

    def __init__(self, config: ChipConfig):
        super().__init__(
            {"start": Out(1), "stop": Out(1), "busy": In(1), "round": Out(RoundLayout(config))},
            config=config,
        )


class NextBlock(wiring.Component):
    """Find the block that follows; no register.

    Members
    -------
    rows, columns : In, `vector_extent` each
        Shape of the matrix.
    block : In, `BlockLayout`
    bottom : Out, 1
        The block is the last of its column block.
    rightmost : Out, 1
        The block is of the last column block.
    last : Out, 1
        The block is the last of all.
    next : Out, `BlockLayout`
        Arbitrary after the last.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "rows": In(vector_extent(config)),
                "columns": In(vector_extent(config)),
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
