"""A tile: vectors in, matrix-vector products out, an analogue array in between.

    vectors -> DacSequencer -> (array) -> SarBank -> ShiftAdd -> results
                                  |          |
    targets ----------------> WriteVerify <--+ ----------------> outcomes

Sample-and-hold lets the next digit be driven while the last is converted, so the slower of the
two sets the pace: `plane_cycles` of the `spec.config.Direction` a plane, `latency_cycles` for the
first product.
"""

from amaranth.hdl import Const, Module, Mux
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.boundary.analog import AnalogPort, Mode
from hw.boundary.drive import DriveRegisters
from hw.boundary.synchronizer import Settling
from hw.common.arithmetic import tree_sum
from hw.common.counters import Counters, TileCounters, hold_cycles
from hw.converter.adc import SarBank
from hw.converter.dac import DacSequencer, VectorLayout
from hw.inverse.answer import LOOP_MEMBERS, LoopControl
from hw.inverse.interfaces import AnswerLayout, EquationLayout
from hw.tile.shift_add import ResultsLayout, ShiftAdd
from hw.tile.write_verify import OutcomeLayout, TargetLayout, WriteVerify
from spec.config import ChipConfig


class Tile(wiring.Component):
    """The periphery of the arrays of a tile, one a slice.

    Members
    -------
    vectors : In, stream of `VectorLayout`
        Operands and the ADC steps of their products.
    results : Out, stream of `ResultsLayout`
        As many transfers a product as its direction has groups, in order.
    targets : In, stream of `hw.tile.write_verify.TargetLayout`
        Cells to program. One is taken only while no product is under way, and a vector only while
        no cell is being programmed; a vector that waits goes first.
    outcomes : Out, stream of `hw.tile.write_verify.OutcomeLayout`
        One for each target, in order.
    equations : In, stream of `EquationLayout`
    answers : Out, stream of `AnswerLayout`
        If the tile is `invertible`, of its `hw.inverse.answer.LoopControl`. A system is taken up
        only while there is neither a product nor a cell to program.
    analog : Out, `AnalogPort`
    hold : In, 1
        Keep the counters as they are in this cycle, see `hw.common.counters.Counters`.
    counters : Out, `TileCounters`
        Two cycles late.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        loop = {
            "equations": In(stream.Signature(EquationLayout(config))),
            "answers": Out(stream.Signature(AnswerLayout(config))),
        }
        super().__init__(
            {
                **(loop if config.machine.invertible else {}),
                "vectors": In(stream.Signature(VectorLayout(config))),
                "results": Out(stream.Signature(ResultsLayout(config))),
                "targets": In(stream.Signature(TargetLayout(config))),
                "outcomes": Out(stream.Signature(OutcomeLayout(config))),
                "analog": Out(AnalogPort(config)),
                "hold": In(1),
                "counters": Out(TileCounters(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.dac = dac = DacSequencer(self.config)
        m.submodules.adc = adc = SarBank(self.config)
        m.submodules.shift_add = shift_add = ShiftAdd(self.config)
        m.submodules.write_verify = write_verify = WriteVerify(self.config)
        loop = None
        if self.config.machine.invertible:
            m.submodules.loop = loop = LoopControl(self.config)
            connect(m, loop.answers, flipped(self.answers))
        connect(m, write_verify.outcomes, flipped(self.outcomes))
        connect(m, shift_add.results, flipped(self.results))
        self._take_turns(m, dac, adc, write_verify, loop)
        self._share_converters(m, dac, adc, shift_add, write_verify)
        self._connect_analog(m, dac, adc, write_verify, loop)
        self._count(m, dac, adc, shift_add, write_verify, loop)
        return m

    def _take_turns(
        self,
        m: Module,
        dac: DacSequencer,
        adc: SarBank,
        write_verify: WriteVerify,
        loop: LoopControl | None,
    ) -> None:
        """Let vectors, targets or systems in: the array serves one of them at a time."""
        under_way = dac.driving | adc.busy | adc.codes.valid
        if loop is not None:
            free = ~under_way & ~self.vectors.valid & ~self.targets.valid & ~write_verify.busy
            m.d.comb += [
                loop.equations.payload.eq(self.equations.payload),
                loop.equations.valid.eq(self.equations.valid & (free | loop.busy)),
                self.equations.ready.eq(loop.equations.ready),
            ]
            under_way |= loop.busy
        idle = ~under_way & ~self.vectors.valid
        occupied = write_verify.busy if loop is None else write_verify.busy | loop.busy
        m.d.comb += [
            dac.vectors.payload.eq(self.vectors.payload),
            dac.vectors.valid.eq(self.vectors.valid & ~occupied),
            self.vectors.ready.eq(dac.vectors.ready & ~occupied),
            write_verify.targets.payload.eq(self.targets.payload),
            # One that had to wait would be withdrawn when a vector comes.
            write_verify.targets.valid.eq(self.targets.valid & idle & ~write_verify.busy),
            self.targets.ready.eq(write_verify.targets.ready & idle),
        ]

    def _share_converters(
        self,
        m: Module,
        dac: DacSequencer,
        adc: SarBank,
        shift_add: ShiftAdd,
        write_verify: WriteVerify,
    ) -> None:
        """Connect the ADCs with whom the array serves."""
        m.d.comb += [
            shift_add.codes.payload.eq(adc.codes.payload),
            write_verify.codes.payload.eq(adc.codes.payload),
        ]
        with m.If(write_verify.busy):
            m.d.comb += [
                adc.planes.payload.eq(write_verify.planes.payload),
                adc.planes.valid.eq(write_verify.planes.valid),
                write_verify.planes.ready.eq(adc.planes.ready),
                write_verify.codes.valid.eq(adc.codes.valid),
                adc.codes.ready.eq(write_verify.codes.ready),
            ]
        with m.Else():
            m.d.comb += [
                adc.planes.payload.eq(dac.planes.payload),
                adc.planes.valid.eq(dac.planes.valid),
                dac.planes.ready.eq(adc.planes.ready),
                shift_add.codes.valid.eq(adc.codes.valid),
                adc.codes.ready.eq(shift_add.codes.ready),
            ]

    def _connect_analog(
        self,
        m: Module,
        dac: DacSequencer,
        adc: SarBank,
        write_verify: WriteVerify,
        loop: LoopControl | None,
    ) -> None:
        """Connect the boundary with its users."""
        analog = self.analog
        users = [dac.drive, write_verify.drive, *([] if loop is None else [loop.drive])]
        m.submodules.drive = drive = DriveRegisters(self.config, len(users))
        m.submodules.settling = settling = Settling(self.config)
        for user, port in zip(users, drive.users, strict=True):
            connect(m, user, port)
        if loop is not None:
            m.d.comb += loop.settled.eq(settling.done)
            for name in LOOP_MEMBERS:
                inner, outer = getattr(loop, name), getattr(analog, name)
                into = loop.signature.members[name].flow is In
                m.d.comb += inner.eq(outer) if into else outer.eq(inner)
        m.d.comb += [
            analog.mode.eq(drive.mode),
            analog.step.eq(drive.step),
            analog.strobe.eq(drive.strobe),
            analog.code.eq(dac.code),
            analog.cell.eq(write_verify.cell),
            analog.amplitude.eq(write_verify.amplitude),
            settling.strobe.eq(drive.strobe),
            settling.settled.eq(analog.settled),
            dac.settled.eq(settling.done),
            write_verify.settled.eq(settling.done),
            analog.sample.eq(adc.sample),
            analog.select.eq(adc.select),
            adc.step.eq(drive.step),
            adc.beyond.eq(analog.beyond),
        ]
        if self.config.converter.searching:
            m.d.comb += [analog.trial.eq(adc.trial), adc.above.eq(analog.above)]
        else:
            m.d.comb += [analog.convert.eq(adc.convert), adc.found.eq(analog.found)]

    def _count(
        self,
        m: Module,
        dac: DacSequencer,
        adc: SarBank,
        shift_add: ShiftAdd,
        write_verify: WriteVerify,
        loop: LoopControl | None,
    ) -> None:
        """Count what happens in the tile."""
        codes = shift_add.codes.payload
        taken = shift_add.codes.valid & shift_add.codes.ready
        outcomes = write_verify.outcomes
        given_up = outcomes.valid & outcomes.ready & ~outcomes.payload.success
        strobe, mode = self.analog.strobe, self.analog.mode
        clips_high, clips_low = [], []
        for code, beyond in zip(codes.code, codes.beyond, strict=True):
            clips_high.append(taken & beyond & ~code[-1])
            clips_low.append(taken & beyond & code[-1])
        product = (mode == Mode.MVM) | (mode == Mode.MVM_T)
        amounts = {
            "cycles": Const(1),
            "drives": strobe & product,
            "conversions": Mux(taken, self.config.converters, 0),
            "adc_cycles": adc.busy,
            "clips_high": tree_sum(clips_high),
            "clips_low": tree_sum(clips_low),
            "saturations": tree_sum(list(shift_add.saturated)),
            "reads": strobe & (mode == Mode.READ),
            "pulses": strobe & ((mode == Mode.SET) | (mode == Mode.RESET)),
            "failures": given_up & ~write_verify.reads,
        }
        if loop is not None:
            for name in ("conversions", "clips_high", "clips_low"):
                amounts[name] = amounts[name] + loop.events[name]
            amounts["adc_cycles"] = adc.busy | loop.converting
            amounts["settles"] = loop.events.settles
            amounts["loop_cycles"] = self.analog.amplify
            amounts["sense_cycles"] = product | (mode == Mode.READ)
        m.submodules.performance = performance = Counters(
            TileCounters(self.config),
            amounts,
            hold_cycles(self.config.machine.counters),
        )
        m.d.comb += [
            performance.hold.eq(self.hold),
            self.counters.eq(performance.counters),
        ]
