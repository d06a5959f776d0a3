"""Program a block of the weight memory into a tile; see `golden.machine.programmer`.

    weight memory -> Digits -> level of the cell -> tile
          ^                         ^
          +------- CellWalk --------+

Every cell of the tile is programmed, those beyond the matrix to a weight of 0.
"""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.common.memory import SinglePortMemory
from hw.common.ranges import vector_extent
from hw.common.word_port import WordPort
from hw.machine.cell_walk import CellWalk
from hw.machine.scheduler import BlockLayout
from hw.tile.weights import Digits
from hw.tile.write_verify import TargetLayout
from spec.config import ChipConfig


class Programmer(wiring.Component):
    """Hold the weights of all matrices, and turn those of a block into targets.

    Members
    -------
    start : In, 1
        The inputs that follow stay from then on while `busy`.
    rows, columns : In, `vector_extent` each
        Shape of the matrix.
    weights : In, range(weight_words)
        Address of its first weight. The matrix lies in the memory as a whole.
    block : In, `BlockLayout`
    stop : In, 1
        End with the present cell.
    busy : Out, 1
    targets : Out, stream of `TargetLayout`
    done : In, 1
        The last target taken is programmed, or given up.
    host : In, `WordPort`
        Space WEIGHT. The host keeps to weights in range.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "start": In(1),
                "rows": In(vector_extent(config)),
                "columns": In(vector_extent(config)),
                "weights": In(range(config.machine.weight_words)),
                "block": In(BlockLayout(config)),
                "stop": In(1),
                "busy": Out(1),
                "targets": Out(stream.Signature(TargetLayout(config))),
                "done": In(1),
                "host": In(WordPort()),
            }
        )

    def elaborate(self, platform):
        config, targets, host = self.config, self.targets, self.host
        m = Module()
        m.submodules.walk = walk = CellWalk(config)
        m.submodules.digits = digits = Digits(config)
        m.submodules.weights = weights = SinglePortMemory(
            signed(config.weight_bits), config.machine.weight_words
        )
        taken = targets.valid & targets.ready
        side = walk.cell.side if not config.unit_columns else 0
        m.d.comb += [
            walk.rows.eq(self.rows),
            walk.columns.eq(self.columns),
            walk.weights.eq(self.weights),
            walk.block.eq(self.block),
            walk.restart.eq(~self.busy),
            walk.advance.eq(taken),
            digits.weight.eq(Mux(walk.inside, weights.read_data, 0)),
            targets.payload.cell.eq(walk.cell),
            targets.payload.level.eq(Mux(walk.unit_column, 1, Mux(side, *reversed(digits.levels)))),
            weights.write.eq(host.write),
            weights.write_data.eq(host.data),
            host.value.eq(weights.read_data),
        ]
        self._control(m, walk, digits, weights)
        return m

    def _control(
        self, m: Module, walk: CellWalk, digits: Digits, weights: SinglePortMemory
    ) -> None:
        """Fetch the weight of each cell, cut it down to the cell's slice, and offer the target."""
        host, slices = self.host, self.config.array.slices
        taken = self.targets.valid & self.targets.ready
        # A cell is being programmed.
        pending = Signal()
        with m.If(taken):
            m.d.sync += pending.eq(1)
        with m.Elif(self.done):
            m.d.sync += pending.eq(0)
        # Digits between the one that is out and that of the cell's slice.
        above = Signal(range(slices))

        with m.FSM() as fsm:
            with m.State("IDLE"):
                with m.If(self.start):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.next = "LOAD"
            with m.State("LOAD"):
                m.d.comb += digits.load.eq(1)
                m.d.sync += above.eq(slices - 1 - walk.cell.slice)
                m.next = "CUT"
            with m.State("CUT"):
                m.d.comb += digits.next.eq(above != 0)
                m.d.sync += above.eq(above - 1)
                with m.If(above == 0):
                    m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += self.targets.valid.eq(1)
                with m.If(taken & (self.stop | walk.last)):
                    m.next = "END"
                with m.Elif(taken & walk.renews):
                    m.next = "FETCH"
            with m.State("END"):
                with m.If(~pending):
                    m.next = "IDLE"
        m.d.comb += [
            self.busy.eq(~fsm.ongoing("IDLE")),
            weights.address.eq(Mux(self.busy, walk.address, host.address)),
            weights.en.eq(fsm.ongoing("FETCH") | host.read | host.write),
        ]
