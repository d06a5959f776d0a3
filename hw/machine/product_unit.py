"""Products of any shape on the tiles: MVM and MVM_T; see `golden.machine.scheduler`.

    vector memory -> OperandLoader -> tiles -> PartialSums -> vector memory
    weight memory -> Programmer ------^

Loading, the tiles and the sums of different vectors overlap, so that a round follows the pace of
its tiles, or of the vector memory where that is slower.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.boundary.analog import AnalogPort, step_layout
from hw.common.counters import TileCounters
from hw.common.direction import by_direction
from hw.common.word_port import WordPort
from hw.machine.interfaces import UnitPort
from hw.machine.matrices import Matrices
from hw.machine.operand_loader import OperandLoader
from hw.machine.partial_sums import PartialSums
from hw.machine.programmer import Programmer
from hw.machine.scheduler import BlockLayout, NextBlock
from hw.machine.vector_memory import ReadPort, WritePort
from hw.tile.tile import Tile
from spec.config import ChipConfig
from spec.isa import RIGHT_SHIFTS, ErrorCode, Opcode

MOST_UNDER_WAY = 7
"""Vectors in a tile: driven, converted, and in the three registers behind, and some to spare."""


class TilePort(wiring.Signature):
    """What a tile has to do with the world outside.

    Members
    -------
    analog : Out, `AnalogPort`
    counters : Out, `TileCounters`
    """

    def __init__(self, config: ChipConfig):
        super().__init__({"analog": Out(AnalogPort(config)), "counters": Out(TileCounters)})


class ProductUnit(wiring.Component):
    """The tiles, and what spreads products over them.

    An instruction that is aborted leaves results that it has written. A tile that it was
    programming holds nothing known.

    Members
    -------
    unit : In, `UnitPort`
        Takes `spec.isa.PRODUCTS` alone.
    aborting : In, 1
        Until the reply, which is to come soon and be ABORTED, unless all is done before.
    step : In
        ADC steps; they stay until the reply.
    read, write : Out, `ReadPort` and `WritePort`
        Vector memory.
    descriptors, holdings, weights : In, `WordPort`
        Spaces for the host. It writes only what they can hold.
    tiles : Out, `tiles` x `TilePort`
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "unit": In(UnitPort(config)),
                "aborting": In(1),
                "step": In(step_layout(config)),
                "read": Out(ReadPort(config)),
                "write": Out(WritePort(config)),
                "descriptors": In(WordPort()),
                "holdings": In(WordPort()),
                "weights": In(WordPort()),
                "tiles": Out(TilePort(config)).array(config.machine.tiles),
            }
        )

    def elaborate(self, platform):
        config = self.config
        m = Module()
        m.submodules.matrices = matrices = Matrices(config)
        m.submodules.loader = loader = OperandLoader(config)
        m.submodules.sums = sums = PartialSums(config)
        m.submodules.programmer = programmer = Programmer(config)
        connect(m, flipped(self.descriptors), matrices.descriptors)
        connect(m, flipped(self.holdings), matrices.holdings)
        connect(m, flipped(self.weights), programmer.memory)
        connect(m, loader.read, flipped(self.read))
        connect(m, sums.write, flipped(self.write))

        request, reply = self.unit.request.payload, self.unit.reply.payload
        descriptor = matrices.descriptor
        extent = range(config.machine.vector_words + 1)
        count = Signal(extent)
        transposed = Signal()
        # Of the matrix; of one vector and one result; of all of them, and all the weights.
        rows, columns = Signal(extent), Signal(extent)
        inputs, outputs = Signal(extent), Signal(extent)
        sizes = {
            "vectors": (count, inputs),
            "results": (count, outputs),
            "weights": (rows, columns),
        }
        totals = {name: Signal(2 * len(count), name=f"{name}_total") for name in sizes}
        m.d.comb += [
            count.eq(request.n),
            rows.eq(descriptor.rows),
            columns.eq(descriptor.columns),
            transposed.eq(config.transposable and request.opcode == Opcode.MVM_T),
            inputs.eq(Mux(transposed, columns, rows)),
            outputs.eq(Mux(transposed, rows, columns)),
            matrices.number.eq(request.immediate),
        ]
        for name, (one, other) in sizes.items():
            m.d.sync += totals[name].eq(one * other)

        # The block at hand, and the round that it belongs to.
        block = Signal(BlockLayout(config))
        m.submodules.next_block = after = NextBlock(config)
        first, last = Signal(BlockLayout(config)), Signal(BlockLayout(config))
        blocks = Signal(range(config.machine.tiles + 1))
        active = Signal(config.machine.tiles)
        starts = Signal(data.ArrayLayout(range(config.machine.vector_words), config.machine.tiles))
        held = Signal()
        all_held = Signal()
        ended = Signal()
        whole_round = blocks == config.machine.tiles - 1
        m.d.comb += [
            after.rows.eq(rows),
            after.columns.eq(columns),
            after.block.eq(block),
            matrices.tile.eq(block.tile),
            matrices.holding.block.eq(block.number),
            matrices.holding.matrix.eq(request.immediate + 1),
            held.eq(matrices.held == matrices.holding),
        ]
        m.d.comb += [
            programmer.rows.eq(rows),
            programmer.columns.eq(columns),
            programmer.weights.eq(descriptor.weights),
            programmer.block.eq(block),
            loader.transposed.eq(transposed),
            loader.length.eq(inputs),
            loader.count.eq(count),
            loader.address.eq(request.a),
            loader.first.eq(first),
            loader.last.eq(last),
            loader.blocks.eq(blocks),
            loader.active.eq(active),
            loader.starts.eq(starts),
            loader.step.eq(self.step),
            sums.transposed.eq(transposed),
            sums.rows.eq(rows),
            sums.columns.eq(columns),
            sums.count.eq(count),
            sums.address.eq(request.d),
            sums.shift.eq(request.c),
            sums.first.eq(first),
            sums.blocks.eq(blocks),
        ]
        origin = [block.eq(0), block.tile.eq(descriptor.tile)]
        new_round = [blocks.eq(0), active.eq(0)]

        code = Signal(ErrorCode)
        m.d.comb += code.eq(self._fault(totals, descriptor, all_held & ended))

        quiet = self._add_tiles(m, loader, sums, programmer, block.tile, transposed)

        m.d.sync += [
            reply.saturations.eq(reply.saturations + sums.saturations),
            reply.input_clips.eq(reply.input_clips + loader.clips),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.unit.request.ready.eq(1)
                with m.If(self.unit.request.valid):
                    m.d.comb += matrices.fetch.eq(1)
                    m.d.sync += [reply.eq(0), all_held.eq(1), *new_round]
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.sync += origin
                with m.If(matrices.fetched):
                    m.next = "SURVEY"
            # Whether the tiles hold the whole matrix is known before anything changes.
            with m.State("SURVEY"):
                m.d.sync += [
                    all_held.eq(all_held & held),
                    ended.eq(after.last),
                    block.eq(after.next),
                    blocks.eq(blocks + 1),
                ]
                with m.If(after.last | whole_round):
                    m.next = "DECIDE"
            with m.State("DECIDE"):
                m.d.sync += [reply.code.eq(code), *origin, *new_round]
                m.next = "PLACE"
                with m.If(code != ErrorCode.NONE):
                    m.next = "REPLY"
            with m.State("PLACE"):
                m.next = "HELD"
                with m.If(self.aborting):
                    m.next = "STOP"
                with m.Elif(~held):
                    m.d.comb += [matrices.forget.eq(1), programmer.start.eq(1)]
                    m.next = "PROGRAM"
            with m.State("PROGRAM"):
                with m.If(~programmer.busy):
                    m.next = "STOP"
                    with m.If(~self.aborting):
                        m.d.comb += matrices.keep.eq(1)
                        m.d.sync += reply.reprograms.eq(reply.reprograms + 1)
                        m.next = "HELD"
            with m.State("HELD"):
                m.d.sync += [
                    active.eq(active | (1 << block.tile)),
                    Array(starts)[block.tile].eq(Mux(transposed, block.left, block.top)),
                    last.eq(block),
                    block.eq(after.next),
                    blocks.eq(blocks + 1),
                    ended.eq(after.last),
                ]
                with m.If(blocks == 0):
                    m.d.sync += first.eq(block)
                m.next = "PLACE"
                with m.If(after.last | whole_round):
                    m.next = "START"
            with m.State("START"):
                with m.If(count != 0):
                    m.d.comb += [loader.start.eq(1), sums.start.eq(1)]
                m.next = "RUN"
            with m.State("RUN"):
                with m.If(~sums.busy):
                    m.d.sync += new_round
                    m.next = "PLACE"
                    with m.If(ended):
                        m.next = "REPLY"
                with m.Elif(self.aborting):
                    m.next = "STOP"
            with m.State("STOP"):
                m.d.comb += [loader.stop.eq(1), sums.stop.eq(1)]
                m.d.sync += reply.code.eq(ErrorCode.ABORTED)
                with m.If(quiet & ~sums.busy):
                    m.next = "REPLY"
            with m.State("REPLY"):
                m.d.comb += self.unit.reply.valid.eq(1)
                with m.If(self.unit.reply.ready):
                    m.next = "IDLE"
        m.d.comb += programmer.stop.eq(self.aborting)
        return m

    def _fault(self, totals: dict[str, Signal], descriptor: data.View, held: Value) -> Value:
        """Return the error code of the request, the lowest that applies."""
        config = self.config
        request = self.unit.request.payload
        words = config.machine.vector_words

        def within(address, total, size):
            return (address >= 0) & (address <= size) & (address + total <= size)

        lengths = descriptor.rows, descriptor.columns
        fits = Cat((length > 0) & (length <= words) for length in lengths).all()
        before = request.d + totals["results"] <= request.a
        after = request.a + totals["vectors"] <= request.d
        requirements = {
            ErrorCode.OPERAND: (request.c >= RIGHT_SHIFTS[0]) & (request.c <= RIGHT_SHIFTS[1]),
            ErrorCode.MATRIX: (request.immediate >= 0)
            & (request.immediate < config.machine.matrices)
            & fits
            & (descriptor.tile < config.machine.tiles),
            ErrorCode.ADDRESS: (request.n >= 0)
            & (request.n <= words)
            & within(request.a, totals["vectors"], words)
            & within(request.d, totals["results"], words),
            ErrorCode.OVERLAP: before | after,
            ErrorCode.WEIGHTS: held
            | within(descriptor.weights, totals["weights"], config.machine.weight_words),
        }
        code = Const(ErrorCode.NONE)
        for error, holds in sorted(requirements.items(), reverse=True):
            code = Mux(holds, code, error)
        return code

    def _add_tiles(
        self,
        m: Module,
        loader: OperandLoader,
        sums: PartialSums,
        programmer: Programmer,
        programmed: Value,
        transposed: Value,
    ) -> Value:
        """Add the tiles, and tell whether no vector is under way in any."""
        config = self.config
        last_group = by_direction(config, transposed, lambda direction: direction.groups) - 1
        quiet, targets_ready, outcomes_valid = [~loader.busy], [], []
        for t, port in enumerate(self.tiles):
            m.submodules[f"tile_{t}"] = tile = Tile(config)
            connect(m, loader.vectors[t], tile.vectors)
            connect(m, tile.results, sums.results[t])
            connect(m, tile.analog, flipped(port.analog))
            m.d.comb += [
                port.counters.eq(tile.counters),
                tile.targets.payload.eq(programmer.targets.payload),
                tile.targets.valid.eq(programmer.targets.valid & (programmed == t)),
                tile.outcomes.ready.eq(1),
            ]
            targets_ready.append(tile.targets.ready)
            outcomes_valid.append(tile.outcomes.valid)

            under_way = Signal(range(MOST_UNDER_WAY + 1), name=f"under_way_{t}")
            begins = tile.vectors.valid & tile.vectors.ready
            ends = tile.results.valid & tile.results.ready
            ends &= tile.results.payload.group == last_group
            m.d.sync += under_way.eq(under_way + begins - ends)
            quiet.append(~tile.vectors.valid & (under_way == 0))
        m.d.comb += [
            programmer.targets.ready.eq(Array(targets_ready)[programmed]),
            programmer.outcomes.valid.eq(Array(outcomes_valid)[programmed]),
        ]
        return Cat(quiet).all()
