"""Order in which the cells of a tile are programmed; see `golden.tile.write_verify.targets`.

    each slice - each row - each column - each side

In the offset mapping a cell of the unit column follows each row of the top slice.
"""

from amaranth.hdl import Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.boundary.analog import CellLayout
from hw.common.ranges import vector_extent
from hw.machine.scheduler import BlockLayout
from spec.config import ChipConfig
from spec.tables import Mapping


class CellWalk(wiring.Component):
    """Walk over the cells of a tile, and find the weight of each.

    Members
    -------
    rows, columns : In, `vector_extent` each
        Shape of the matrix.
    weights : In, range(weight_words)
        Address of its first weight.
    block : In, `BlockLayout`
        Block that the tile is to hold.
    restart : In, 1
        Go to the first cell. The other inputs stay from then on.
    advance : In, 1
        Go to the next cell.
    cell : Out, `CellLayout`
        Present cell.
    address : Out, range(weight_words)
        Address of its weight.
    inside : Out, 1
        The matrix has such a weight.
    unit_column : Out, 1
        The cell is one of the unit column.
    renews : Out, 1
        The next cell has another weight.
    last : Out, 1
        There is no next cell.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        address = range(config.machine.weight_words)
        super().__init__(
            {
                "rows": In(vector_extent(config)),
                "columns": In(vector_extent(config)),
                "weights": In(address),
                "block": In(BlockLayout(config)),
                "restart": In(1),
                "advance": In(1),
                "cell": Out(CellLayout(config)),
                "address": Out(address),
                "inside": Out(1),
                "unit_column": Out(1),
                "renews": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform):
        config, block, cell = self.config, self.block, self.cell
        m = Module()
        column = Signal(range(config.array.columns))
        # Addresses of the first weight of the block, and of the first one of the row.
        origin = Signal(range(config.machine.weight_words))
        row_origin = Signal(range(config.machine.weight_words))

        last_row = cell.row == config.array.rows - 1
        last_slice = cell.slice == config.array.slices - 1
        # The next cell is on the other side, in the next column, or in the unit column; else it
        # begins a row.
        differential = config.array.mapping is Mapping.DIFFERENTIAL
        to_side = ~cell.side if differential else Const(0)
        to_column = ~self.unit_column & (column != config.array.columns - 1)
        to_unit = ~self.unit_column & last_slice if config.unit_columns else Const(0)
        m.d.comb += [
            self.address.eq(row_origin + column),
            self.inside.eq(
                (block.top + cell.row < self.rows) & (block.left + column < self.columns)
            ),
            self.renews.eq(~to_side & (to_column | ~to_unit)),
            self.last.eq(~to_side & ~to_column & ~to_unit & last_row & last_slice),
        ]
        with m.If(self.restart):
            first = self.weights + block.top * self.columns + block.left
            m.d.sync += [
                cell.eq(0),
                column.eq(0),
                self.unit_column.eq(0),
                origin.eq(first),
                row_origin.eq(first),
            ]
        with m.Elif(self.advance & to_side):
            m.d.sync += cell.side.eq(1)
        with m.Elif(self.advance & to_column):
            m.d.sync += [cell.side.eq(0), column.eq(column + 1), cell.group.eq(cell.group + 1)]
            with m.If(cell.group == config.forward.groups - 1):
                m.d.sync += [cell.group.eq(0), cell.adc.eq(cell.adc + 1)]
        with m.Elif(self.advance & to_unit):
            m.d.sync += [cell.side.eq(1), cell.adc.eq(0), cell.group.eq(0), self.unit_column.eq(1)]
        with m.Elif(self.advance):
            m.d.sync += [cell.side.eq(0), cell.adc.eq(0), cell.group.eq(0), self.unit_column.eq(0)]
            m.d.sync += [column.eq(0), cell.row.eq(cell.row + 1)]
            m.d.sync += row_origin.eq(row_origin + self.columns)
            with m.If(last_row):
                m.d.sync += [cell.row.eq(0), cell.slice.eq(cell.slice + 1), row_origin.eq(origin)]
        return m
