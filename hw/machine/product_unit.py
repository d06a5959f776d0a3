"""Products of any shape on the tiles: MVM and MVM_T; see `golden.machine.scheduler`.

    vector memory -> OperandLoader -> TileBank -> PartialSums -> vector memory
    weight memory -> Programmer --------^

Loading, the tiles and the sums of different vectors overlap, so that a round follows the pace of
its tiles, or of the vector memory where that is slower.
"""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.boundary.analog import step_layout
from hw.common.word_port import WordPort
from hw.machine.block_walk import BlockWalk
from hw.machine.descriptors import Descriptors
from hw.machine.holdings import Holdings
from hw.machine.interfaces import InstructionPort
from hw.machine.inversion_unit import InversionUnit
from hw.machine.operand_loader import OperandLoader
from hw.machine.partial_sums import PartialSums
from hw.machine.product_check import ProductCheck
from hw.machine.product_control import ProductControl
from hw.machine.programmer import Programmer
from hw.machine.scheduler import RoundLayout
from hw.machine.tile_bank import TileBank, TilePort
from hw.machine.vector_memory import ReadPort, WritePort
from spec.config import ChipConfig
from spec.isa import Opcode


class ProductUnit(wiring.Component):
    """Spread products over the tiles.

    An instruction that is aborted leaves results that it has written. A tile that it was
    programming holds nothing known.

    Members
    -------
    port : In, `InstructionPort`
        Takes `spec.isa.TILE_OPCODES` alone, INV if tiles are `invertible`.
    aborting : In, 1
        Stays until the reply, which is to come soon and be ABORTED, unless all is done before.
    step : In, `step_layout`
        ADC steps; they stay until the reply.
    read, write : Out, `ReadPort` and `WritePort`
        Vector memory.
    descriptors, holdings, weights : In, `WordPort` each
        Spaces for the host. It writes only what they can hold.
    tiles : Out, `tiles` x `TilePort`
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "port": In(InstructionPort(config)),
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
        m.submodules.control = control = ProductControl()
        m.submodules.walk = walk = BlockWalk(config)
        m.submodules.descriptors = descriptors = Descriptors(config)
        m.submodules.holdings = holdings = Holdings(config)
        m.submodules.check = check = ProductCheck(config)
        m.submodules.programmer = programmer = Programmer(config)
        m.submodules.loader = loader = OperandLoader(config)
        m.submodules.bank = bank = TileBank(config)
        m.submodules.sums = sums = PartialSums(config)
        connect(m, flipped(self.descriptors), descriptors.host)
        connect(m, flipped(self.holdings), holdings.host)
        connect(m, flipped(self.weights), programmer.host)
        connect(m, programmer.targets, bank.targets)
        connect(m, loader.read, flipped(self.read))
        connect(m, sums.write, flipped(self.write))
        for t, tile in enumerate(self.tiles):
            connect(m, loader.vectors[t], bank.vectors[t])
            connect(m, bank.results[t], sums.results[t])
            connect(m, bank.tiles[t], flipped(tile))

        request, matrix = self.port.request.payload, descriptors.descriptor
        round_ = self._describe_round(m, matrix, walk.batch)
        transposed = round_.transposed
        # The matrix, and the check of the product with it.
        m.d.comb += [
            descriptors.number.eq(request.immediate),
            descriptors.fetch.eq(control.fetch),
            control.fetched.eq(descriptors.fetched),
            check.request.eq(request),
            check.descriptor.eq(matrix),
            check.count.eq(round_.count),
            check.inputs.eq(Mux(transposed, round_.columns, round_.rows)),
            check.outputs.eq(Mux(transposed, round_.rows, round_.columns)),
            check.held.eq(control.held),
            control.error.eq(check.code),
        ]
        # Its blocks.
        m.d.comb += [
            walk.rows.eq(round_.rows),
            walk.columns.eq(round_.columns),
            walk.tile.eq(matrix.tile),
            walk.transposed.eq(transposed),
            walk.restart.eq(control.restart),
            walk.begin.eq(control.begin),
            walk.advance.eq(control.advance),
            control.complete.eq(walk.complete),
            control.ended.eq(walk.ended),
        ]
        # The tile of the present block.
        m.d.comb += [
            holdings.tile.eq(walk.block.tile),
            holdings.holding.block.eq(walk.block.number),
            holdings.holding.matrix.eq(request.immediate + 1),
            holdings.forget.eq(control.program),
            holdings.keep.eq(control.keep),
            holdings.renewed.eq(descriptors.renewed),
            holdings.matrix.eq(descriptors.matrix),
            control.holds.eq(holdings.holds),
            programmer.start.eq(control.program),
            programmer.stop.eq(self.aborting),
            programmer.rows.eq(round_.rows),
            programmer.columns.eq(round_.columns),
            programmer.weights.eq(matrix.weights),
            programmer.block.eq(walk.block),
            programmer.done.eq(bank.done),
            bank.programmed.eq(walk.block.tile),
            control.programming.eq(programmer.busy),
        ]
        # The round.
        m.d.comb += [
            control.empty.eq(round_.count == 0),
            loader.step.eq(self.step),
            bank.transposed.eq(transposed),
            control.quiet.eq(bank.quiet & ~loader.run.busy),
        ]
        solves = Const(0)
        adding, clips = sums.run.busy, loader.clips
        if config.machine.invertible:
            solves = request.opcode == Opcode.INV
            inversion = self._add_inversion(m, bank, control, round_, solves)
            adding, clips = adding | inversion.run.busy, clips + inversion.clips
        for worker in (loader, sums):
            m.d.comb += [
                worker.run.start.eq(control.start & ~solves),
                worker.run.stop.eq(control.stop),
                worker.run.round.eq(round_),
            ]
        m.d.comb += [control.adding.eq(adding), check.solves.eq(solves)]
        self._reply(m, control, clips, sums.saturations)
        return m

    def _add_inversion(
        self,
        m: Module,
        bank: TileBank,
        control: ProductControl,
        round_: data.View,
        solves: Value,
    ) -> InversionUnit:
        """Add the unit that solves systems, on the tile of the first block of the round."""
        request = self.port.request.payload
        m.submodules.inversion = inversion = InversionUnit(self.config)
        connect(m, inversion.equations, bank.equations)
        connect(m, bank.answers, inversion.answers)
        m.d.comb += [
            inversion.run.start.eq(control.start & solves),
            inversion.run.stop.eq(control.stop),
            inversion.run.round.eq(round_),
            inversion.feedback.eq(request.b),
            inversion.step.eq(request.c),
            bank.inverting.eq(round_.batch.first.tile),
            control.unsettled.eq(solves & inversion.unsettled & ~control.empty),
            inversion.read.data.eq(self.read.data),
        ]
        with m.If(inversion.read.en):
            m.d.comb += [self.read.en.eq(1), self.read.address.eq(inversion.read.address)]
        with m.If(inversion.write.en):
            m.d.comb += [
                self.write.en.eq(1),
                self.write.address.eq(inversion.write.address),
                self.write.mask.eq(inversion.write.mask),
                self.write.data.eq(inversion.write.data),
            ]
        return inversion

    def _describe_round(self, m: Module, matrix: data.View, batch: data.View) -> data.View:
        """Return the round of the product that runs, a `RoundLayout`."""
        request = self.port.request.payload
        round_ = Signal(RoundLayout(self.config))
        m.d.comb += [
            round_.transposed.eq(self.config.transposable and request.opcode == Opcode.MVM_T),
            round_.rows.eq(matrix.rows),
            round_.columns.eq(matrix.columns),
            round_.count.eq(request.n),
            round_.source.eq(request.a),
            round_.destination.eq(request.d),
            round_.shift.eq(request.c),
            round_.batch.eq(batch),
        ]
        return round_

    def _reply(self, m: Module, control: ProductControl, clips: Value, saturations: Value) -> None:
        """Count for the reply, and lead the port."""
        request, reply = self.port.request, self.port.reply
        counts = reply.payload
        m.d.comb += [
            control.request.eq(request.valid),
            request.ready.eq(control.accept),
            control.aborting.eq(self.aborting),
            counts.code.eq(control.code),
            reply.valid.eq(control.done),
            control.taken.eq(reply.ready),
        ]
        m.d.sync += [
            counts.saturations.eq(counts.saturations + saturations),
            counts.input_clips.eq(counts.input_clips + clips),
            counts.reprograms.eq(counts.reprograms + control.keep),
        ]
        with m.If(control.fetch):
            m.d.sync += [
                counts.saturations.eq(0),
                counts.input_clips.eq(0),
                counts.reprograms.eq(0),
            ]
