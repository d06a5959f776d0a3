"""Program a block of the weight memory into a tile; see `golden.machine.programmer`.

Every cell of the tile is programmed, those beyond the matrix to a weight of 0.
"""

from amaranth.hdl import Const, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.boundary.analog import CellLayout
from hw.common.word_port import WordPort
from hw.machine.scheduler import BlockLayout
from hw.tile.weights import Digits, weight_bits
from hw.tile.write_verify import OutcomeLayout, TargetLayout
from spec.config import ChipConfig
from spec.tables import Mapping


class Programmer(wiring.Component):
    """Hold the weights of all matrices, and turn those of a block into targets.

    Members
    -------
    start : In, 1
        The inputs that follow stay from then on while `busy`.
    rows, columns : In
        Shape of the matrix.
    weights : In
        Address of its first weight. The matrix lies in the memory as a whole.
    block : In, `BlockLayout`
    stop : In, 1
        End with the present cell.
    busy : Out, 1
    targets : Out, stream of `TargetLayout`
    outcomes : In, stream of `OutcomeLayout`
    memory : In, `WordPort`
        For the host, which keeps to weights in range.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        extent = range(config.machine.vector_words + 1)
        super().__init__(
            {
                "start": In(1),
                "rows": In(extent),
                "columns": In(extent),
                "weights": In(range(config.machine.weight_words)),
                "block": In(BlockLayout(config)),
                "stop": In(1),
                "busy": Out(1),
                "targets": Out(stream.Signature(TargetLayout(config))),
                "outcomes": In(stream.Signature(OutcomeLayout(config))),
                "memory": In(WordPort()),
            }
        )

    def elaborate(self, platform):
        config, block = self.config, self.block
        m = Module()
        m.submodules.weights = weights = Memory(
            shape=signed(weight_bits(config)), depth=config.machine.weight_words, init=[]
        )
        load, store = weights.read_port(), weights.write_port()
        m.submodules.digits = digits = Digits(config)

        # Cells in the order of `golden.tile.write_verify.targets`; a row of weights begins at
        # `line`.
        cell = Signal(CellLayout(config))
        column = Signal(range(config.array.columns))
        origin = Signal(range(config.machine.weight_words))
        line = Signal(range(config.machine.weight_words))
        inside = (block.top + cell.row < self.rows) & (block.left + column < self.columns)
        # Digits between the one that is out and that of the cell's slice.
        above = Signal(range(config.array.slices))
        # A cell is being programmed.
        pending = Signal()

        target, taken = self.targets.payload, self.targets.valid & self.targets.ready
        m.d.comb += [
            target.cell.eq(cell),
            target.level.eq(digits.levels[0]),
            digits.weight.eq(Mux(inside, load.data, 0)),
            self.outcomes.ready.eq(1),
        ]
        if config.array.mapping is Mapping.DIFFERENTIAL:
            m.d.comb += target.level.eq(Mux(cell.side, digits.levels[1], digits.levels[0]))
        with m.If(taken):
            m.d.sync += pending.eq(1)
        with m.Elif(self.outcomes.valid):
            m.d.sync += pending.eq(0)

        def next_row(m):
            m.d.sync += [cell.side.eq(0), column.eq(0), cell.adc.eq(0), cell.group.eq(0)]
            m.next = "FETCH"
            with m.If(cell.row != config.array.rows - 1):
                m.d.sync += [cell.row.eq(cell.row + 1), line.eq(line + self.columns)]
            with m.Elif(cell.slice != config.array.slices - 1):
                m.d.sync += [cell.row.eq(0), cell.slice.eq(cell.slice + 1), line.eq(origin)]
            with m.Else():
                m.next = "END"
            with m.If(self.stop):
                m.next = "END"

        with m.FSM() as fsm:
            with m.State("IDLE"):
                start = self.weights + block.top * self.columns + block.left
                m.d.sync += [origin.eq(start), line.eq(start), cell.eq(0), column.eq(0)]
                with m.If(self.start):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += digits.load.eq(1)
                m.d.sync += above.eq(config.array.slices - 1 - cell.slice)
                m.next = "CUT"
            with m.State("CUT"):
                m.d.comb += digits.next.eq(above != 0)
                m.d.sync += above.eq(above - 1)
                with m.If(above == 0):
                    m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += self.targets.valid.eq(1)
                with m.If(taken & self.stop):
                    m.next = "END"
                with m.Elif(taken):
                    if config.array.mapping is Mapping.DIFFERENTIAL:
                        m.d.sync += cell.side.eq(~cell.side)
                        done = cell.side
                    else:
                        done = Const(1)
                    with m.If(done):
                        m.d.sync += [column.eq(column + 1), cell.group.eq(cell.group + 1)]
                        with m.If(cell.group == config.forward.groups - 1):
                            m.d.sync += [cell.group.eq(0), cell.adc.eq(cell.adc + 1)]
                        m.next = "FETCH"
                        with m.If(column == config.array.columns - 1):
                            if config.unit_columns:
                                with m.If(cell.slice == config.array.slices - 1):
                                    m.d.sync += [
                                        cell.side.eq(1),
                                        cell.adc.eq(0),
                                        cell.group.eq(0),
                                    ]
                                    m.next = "UNIT"
                                with m.Else():
                                    next_row(m)
                            else:
                                next_row(m)
            if config.unit_columns:
                with m.State("UNIT"):
                    m.d.comb += [self.targets.valid.eq(1), target.level.eq(1)]
                    with m.If(taken):
                        next_row(m)
            with m.State("END"):
                with m.If(~pending):
                    m.next = "IDLE"
        m.d.comb += [
            self.busy.eq(~fsm.ongoing("IDLE")),
            load.addr.eq(Mux(self.busy, line + column, self.memory.address)),
            load.en.eq(fsm.ongoing("FETCH") | self.memory.read),
            self.memory.value.eq(load.data),
            store.addr.eq(self.memory.address),
            store.data.eq(self.memory.data),
            store.en.eq(self.memory.write),
        ]
        return m
