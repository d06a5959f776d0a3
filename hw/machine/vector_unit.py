"""The vector unit: the instructions VADD to VDOT, a beat in each cycle.

    vector memory -> VectorLane (one a lane) -> vector memory
                         |
                         +-> VectorReduction -> scalar

Durations are those of `spec.isa.OPERATIONS`.
"""

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import tree_sum
from hw.machine.interfaces import InstructionPort
from hw.machine.vector_access import VectorReader, VectorWriter
from hw.machine.vector_check import PAIRS, STORING, VectorCheck
from hw.machine.vector_lane import RESULT_CYCLES, VALUE_CYCLES, VectorLane
from hw.machine.vector_memory import ReadPort, WritePort
from hw.machine.vector_reduction import SUM_CYCLES, VectorReduction
from spec.config import ChipConfig
from spec.isa import SCALAR_BITS, WORD_BITS, ErrorCode, Opcode


class VectorUnit(wiring.Component):
    """Execute instructions on vectors.

    Members
    -------
    port : In, `InstructionPort`
    read, write : Out, `ReadPort` and `WritePort`
        Vector memory.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "port": In(InstructionPort(config)),
                "read": Out(ReadPort(config)),
                "write": Out(WritePort(config)),
            }
        )

    def elaborate(self, platform):
        config, request = self.config, self.port.request.payload
        m = Module()
        m.submodules.check = check = VectorCheck(config)
        m.submodules.reader = reader = VectorReader(config)
        m.submodules.writer = writer = VectorWriter(config)
        m.submodules.reduction = reduction = VectorReduction(config)
        wiring.connect(m, reader.read, wiring.flipped(self.read))
        wiring.connect(m, writer.write, wiring.flipped(self.write))
        # The instruction begins, or ends, in this cycle.
        begin = Signal()
        end = Signal()
        # Bit i: a beat was complete i cycles ago.
        beat = Signal(RESULT_CYCLES + 1)
        m.d.comb += beat[0].eq(reader.complete)
        m.d.sync += beat[1:].eq(beat)
        writes = beat[RESULT_CYCLES] & request.opcode.matches(*STORING)

        constant, amount = self._scalar_operand(m)
        shift = Signal(range(SCALAR_BITS))
        with m.If(begin):
            m.d.sync += shift.eq(amount)
        saturated = []
        for i in range(config.machine.lanes):
            m.submodules[f"lane_{i}"] = lane = VectorLane()
            m.d.comb += [
                lane.opcode.eq(request.opcode),
                lane.upper.eq(request.c),
                lane.amount.eq(shift),
                lane.word.eq(self.read.data[i]),
                lane.used.eq(reader.mask[i]),
                lane.first.eq(reader.first),
                lane.second.eq(reader.second),
                lane.preset.eq(begin),
                lane.constant.eq(constant),
                reduction.x[i].eq(lane.x),
                reduction.values[i].eq(lane.value),
                writer.words[i].eq(lane.result),
            ]
            saturated.append(lane.saturated)
        m.d.comb += [
            check.request.eq(request),
            reader.begin.eq(begin),
            reader.a.eq(request.a),
            reader.b.eq(request.b),
            reader.pair.eq(request.opcode.matches(*PAIRS)),
            reader.n.eq(request.n),
            reduction.clear.eq(begin),
            reduction.look.eq(beat[1]),
            reduction.add.eq(beat[VALUE_CYCLES + SUM_CYCLES]),
            writer.begin.eq(begin),
            writer.d.eq(request.d),
            writer.n.eq(request.n),
            writer.en.eq(writes),
        ]
        self._control(m, begin, end, reader, check.code)
        self._count(m, begin, end, Mux(writes, tree_sum(saturated), 0), reduction)
        return m

    def _scalar_operand(self, m: Module) -> tuple[Signal, Signal]:
        """Return the constant that stands for the second source, and the shift to the right."""
        request = self.port.request.payload
        constant = Signal(signed(WORD_BITS + 1))
        amount = Signal(range(SCALAR_BITS))
        left = Signal(range(WORD_BITS))
        with m.Switch(request.opcode):
            with m.Case(Opcode.VCLAMP):
                m.d.comb += constant.eq(request.b[:WORD_BITS].as_signed())
            with m.Case(Opcode.VSCALE):
                m.d.comb += constant.eq(request.b[:WORD_BITS].as_signed())
                m.d.comb += amount.eq(request.c)
            with m.Case(Opcode.VSHIFT):
                m.d.comb += constant.eq(Const(1) << left)
                with m.If(request.c < 0):
                    m.d.comb += left.eq(-request.c)
                with m.Else():
                    m.d.comb += amount.eq(request.c)
        return constant, amount

    def _control(
        self, m: Module, begin: Signal, end: Signal, reader: VectorReader, code: Value
    ) -> None:
        """Check an instruction, read its sources, and wait for the last result."""
        waiting = Signal(range(RESULT_CYCLES + 1))
        with m.FSM():
            with m.State("CHECK"):
                m.d.comb += self.port.request.ready.eq(1)
                with m.If(self.port.request.valid):
                    m.next = "DECIDE"
            with m.State("DECIDE"):
                m.d.comb += begin.eq(1)
                m.d.sync += waiting.eq(RESULT_CYCLES)
                m.next = "READ"
                with m.If(code != ErrorCode.NONE):
                    m.next = "REPLY"
                with m.Elif(self.port.request.payload.n == 0):
                    m.next = "WAIT"
            with m.State("READ"):
                m.d.comb += reader.en.eq(1)
                with m.If(reader.last):
                    m.next = "WAIT"
            with m.State("WAIT"):
                m.d.sync += waiting.eq(waiting - 1)
                with m.If(waiting == 0):
                    m.d.comb += end.eq(1)
                    m.next = "REPLY"
            with m.State("REPLY"):
                m.d.comb += self.port.reply.valid.eq(1)
                with m.If(self.port.reply.ready):
                    m.next = "CHECK"
        m.d.comb += self.port.reply.payload.code.eq(code)

    def _count(
        self,
        m: Module,
        begin: Value,
        end: Value,
        saturations: Value,
        reduction: VectorReduction,
    ) -> None:
        """Make the reply: the scalar, and all saturations."""
        reply = self.port.reply.payload
        m.d.sync += reply.saturations.eq(reply.saturations + saturations)
        with m.If(begin):
            m.d.sync += [reply.saturations.eq(0), reply.scalar.eq(0)]
        with m.If(end):
            with m.Switch(self.port.request.payload.opcode):
                with m.Case(Opcode.VDOT):
                    m.d.sync += reply.scalar.eq(reduction.dot)
                    m.d.sync += reply.saturations.eq(reduction.saturated)
                with m.Case(Opcode.VMAXMAG):
                    m.d.sync += reply.scalar.eq(reduction.exponent)
