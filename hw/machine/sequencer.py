"""The sequencer: fetches instructions, executes those on scalars, and hands the others on.

    program -> Decoder -> ScalarArithmetic -> scalars, vector memory
                  |
                  +-> vector unit, product unit

Program and scalars live here. Fetch, decode, read operands and execute take a cycle each; the
vector unit or the product unit is asked in the fifth. Durations are those of `spec.isa.OPERATIONS`.
"""

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.boundary.analog import step_layout
from hw.common.arithmetic import fits
from hw.common.counters import ChipCounters, Counters, hold_cycles
from hw.common.item_memory import ItemMemory
from hw.common.word_port import WordPort
from hw.link.interfaces import ControlPort
from hw.machine.decoder import Decoder
from hw.machine.interfaces import CODE_BITS, InstructionLayout, InstructionPort
from hw.machine.program_memory import ProgramMemory
from hw.machine.scalar_arithmetic import ScalarArithmetic
from hw.machine.vector_memory import ReadPort, WritePort
from spec.config import ChipConfig
from spec.counters import CHIP_COUNTERS
from spec.isa import SCALAR_BITS, SCALARS, WORD_BITS, ErrorCode, Opcode

TraceLayout = data.StructLayout(
    {
        "finished": 1,
        "pc": WORD_BITS,
        "code": CODE_BITS,
        "halves": 2,
        "number": range(SCALARS),
        "scalar": signed(SCALAR_BITS),
    }
)
"""Progress of a program, for those who watch.

In a cycle with `finished` the instruction at `pc` ends, with `code`, or the program ends before
it. Where bits of `halves` are set, which comes with `finished` only, the lower or upper 32 bits of
scalar `number` become those of `scalar`.
"""


class Sequencer(wiring.Component):
    """Run programs.

    Members
    -------
    control : In, `ControlPort` with `CHIP_COUNTERS`
        The counters are two cycles late.
    program, scalars : In, `WordPort` each
        The spaces PROGRAM and SCALAR. What was read is lost when a program runs.
    vector, product : Out, `InstructionPort` each
        The vector unit, which executes VADD to VDOT, and the product unit. What a reply counts is
        added whatever its code; any code but NONE ends the program.
    read, write : Out, `ReadPort` and `WritePort`
        Vector memory.
    steps : Out, `step_layout`
        ADC steps.
    aborting : Out, 1
        The program is to end as soon as it can. Instructions end as usual, unless the reply is
        ABORTED.
    trace : Out, `TraceLayout`
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "control": In(ControlPort(len(CHIP_COUNTERS))),
                "program": In(WordPort()),
                "scalars": In(WordPort()),
                "vector": Out(InstructionPort(config)),
                "product": Out(InstructionPort(config)),
                "read": Out(ReadPort(config)),
                "write": Out(WritePort(config)),
                "steps": Out(step_layout(config)),
                "aborting": Out(1),
                "trace": Out(TraceLayout),
            }
        )

    def elaborate(self, platform):
        config, trace = self.config, self.trace
        m = Module()
        m.submodules.program = program = ProgramMemory(config.machine.program_words)
        m.submodules.scalars = scalars = ItemMemory(SCALARS, 2)
        m.submodules.decoder = decoder = Decoder(config)
        m.submodules.arithmetic = arithmetic = ScalarArithmetic(config)
        connect(m, flipped(self.program), program.host)
        connect(m, flipped(self.scalars), scalars.host)
        # Once decoded it stands in a register: no path leads from the program memory to others.
        instruction = Signal(InstructionLayout)
        with m.If(decoder.en):
            m.d.sync += instruction.eq(decoder.instruction)
        m.d.comb += [
            program.address.eq(self.control.position),
            decoder.instruction.eq(program.instruction),
            arithmetic.instruction.eq(instruction),
            arithmetic.decoded.eq(decoder.decoded),
            arithmetic.first.eq(scalars.items[0]),
            arithmetic.second.eq(scalars.items[1]),
            scalars.halves.eq(trace.halves),
            scalars.address.eq(trace.number),
            scalars.item.eq(trace.scalar),
            trace.pc.eq(self.control.position),
            trace.number.eq(instruction.d),
            self.read.address.eq(arithmetic.address),
            self.write.address.eq(arithmetic.address),
            self.write.mask.eq(1),
            self.write.data[0].eq(arithmetic.word),
        ]
        port = self._join_ports(m, decoder.decoded.product)
        request = port.request.payload
        m.d.comb += [
            request.opcode.eq(instruction.opcode),
            request.immediate.eq(instruction.immediate),
            request.a.eq(arithmetic.a),
            request.b.eq(arithmetic.b),
            request.c.eq(scalars.items[0]),
        ]
        self._control(m, program, scalars, decoder, arithmetic, port)
        self._count(m, arithmetic, port)
        return m

    def _join_ports(self, m: Module, to_product: Value) -> wiring.PureInterface:
        """Return a port that is the product unit's or the vector unit's."""
        port = InstructionPort(self.config).create(path=["port"])
        for target, chosen in ((self.product, to_product), (self.vector, ~to_product)):
            m.d.comb += [
                target.request.payload.eq(port.request.payload),
                target.request.valid.eq(port.request.valid & chosen),
                target.reply.ready.eq(port.reply.ready & chosen),
            ]
            with m.If(chosen):
                m.d.comb += [
                    port.request.ready.eq(target.request.ready),
                    port.reply.payload.eq(target.reply.payload),
                    port.reply.valid.eq(target.reply.valid),
                ]
        return port

    def _control(
        self,
        m: Module,
        program: ProgramMemory,
        scalars: ItemMemory,
        decoder: Decoder,
        arithmetic: ScalarArithmetic,
        port: wiring.PureInterface,
    ) -> None:
        """Take one instruction after the other through its states."""
        config, trace, state, pc = (
            self.config,
            self.trace,
            self.control.state,
            self.control.position,
        )
        instruction, request = arithmetic.instruction, port.request.payload
        m.d.comb += trace.scalar.eq(arithmetic.scalar)
        m.d.sync += self.aborting.eq((self.aborting | self.control.abort) & state.running)
        with m.FSM():
            with m.State("STOPPED"):
                with m.If(self.control.run):
                    m.d.sync += [
                        state.running.eq(1),
                        state.code.eq(ErrorCode.NONE),
                        pc.eq(self.control.pc),
                        *(step.eq(config.forward.covering_step) for step in self.steps),
                    ]
                    m.next = "FETCH"
            with m.State("FETCH"):
                with m.If(self.aborting):
                    self._stop(m, ErrorCode.ABORTED)
                with m.Elif(pc >= config.machine.program_words):
                    self._stop(m, ErrorCode.PROGRAM_COUNTER)
                with m.Else():
                    m.d.comb += program.en.eq(1)
                    m.next = "DECODE"
            with m.State("DECODE"):
                fetched = decoder.instruction
                loops = fetched.opcode == Opcode.LOOP
                m.d.comb += [
                    decoder.en.eq(1),
                    scalars.en.eq(1),
                    scalars.addresses[0].eq(Mux(loops, fetched.d, fetched.a)),
                    scalars.addresses[1].eq(fetched.b),
                ]
                m.next = "OPERANDS"
            with m.State("OPERANDS"):
                m.d.comb += [
                    arithmetic.load.eq(1),
                    scalars.en.eq(1),
                    scalars.addresses[0].eq(instruction.d),
                    scalars.addresses[1].eq(instruction.n),
                ]
                m.next = "EXECUTE"
            with m.State("EXECUTE"):
                m.d.comb += [scalars.en.eq(1), scalars.addresses[0].eq(instruction.c)]
                m.d.sync += [request.d.eq(scalars.items[0]), request.n.eq(scalars.items[1])]
                self._execute(m, decoder, arithmetic)
            with m.State("LOADED"):
                m.d.comb += [trace.halves.eq(0b11), trace.scalar.eq(self.read.data[0])]
                self._go_on(m, pc + 1)
            with m.State("ASK"):
                m.d.comb += port.request.valid.eq(1)
                with m.If(port.request.ready):
                    m.next = "REPLY"
            with m.State("REPLY"):
                reply = port.reply.payload
                m.d.comb += [port.reply.ready.eq(1), trace.scalar.eq(reply.scalar)]
                with m.If(port.reply.valid & (reply.code != ErrorCode.NONE)):
                    self._stop(m, reply.code)
                with m.Elif(port.reply.valid):
                    m.d.comb += trace.halves.eq(decoder.decoded.reduces.replicate(2))
                    self._go_on(m, pc + 1)

    def _execute(self, m: Module, decoder: Decoder, arithmetic: ScalarArithmetic) -> None:
        """Execute an instruction, or find out that this is for others or cannot be."""
        config, trace, pc = self.config, self.trace, self.control.position
        instruction, decoded = arithmetic.instruction, decoder.decoded
        opcode, step = instruction.opcode, instruction.immediate.as_unsigned()
        step_allowed = (step < config.steps) & fits(arithmetic.a, unsigned(config.step_bits))
        with m.If(decoded.illegal):
            self._stop(m, ErrorCode.ILLEGAL)
        with m.Elif(decoded.vector | decoded.product):
            m.next = "ASK"
        with m.Elif(decoded.accesses & ~arithmetic.in_memory):
            self._stop(m, ErrorCode.ADDRESS)
        with m.Elif(opcode == Opcode.LOAD):
            m.d.comb += self.read.en.eq(1)
            m.next = "LOADED"
        with m.Elif((opcode == Opcode.STEP) & ~step_allowed):
            self._stop(m, ErrorCode.OPERAND)
        with m.Elif(opcode == Opcode.HALT):
            self._stop(m, ErrorCode.NONE)
        with m.Else():
            m.d.comb += [
                trace.halves.eq(arithmetic.halves),
                self.write.en.eq(opcode == Opcode.STORE),
            ]
            with m.If(opcode == Opcode.STEP):
                m.d.sync += Array(self.steps)[step].eq(arithmetic.a)
            target = instruction.immediate.as_unsigned()
            self._go_on(m, Mux(arithmetic.taken, target, pc + 1))

    def _stop(self, m: Module, code: Value | ErrorCode) -> None:
        """End the program."""
        m.d.comb += [self.trace.finished.eq(1), self.trace.code.eq(code)]
        m.d.sync += [self.control.state.running.eq(0), self.control.state.code.eq(code)]
        m.next = "STOPPED"

    def _go_on(self, m: Module, pc: Value) -> None:
        """End the instruction, and fetch the one at `pc`."""
        m.d.comb += self.trace.finished.eq(1)
        m.d.sync += self.control.position.eq(pc)
        m.next = "FETCH"

    def _count(self, m: Module, arithmetic: ScalarArithmetic, port: wiring.PureInterface) -> None:
        """Count what instructions do."""
        trace, reply = self.trace, port.reply.payload
        completed = trace.finished & (trace.code == ErrorCode.NONE)
        replied = port.reply.valid & port.reply.ready
        m.submodules.counters = counters = Counters(
            ChipCounters,
            {
                "cycles": Const(1),
                "busy_cycles": self.control.state.running,
                "instructions": completed,
                "saturations": Mux(replied, reply.saturations, completed & arithmetic.saturated),
                "input_clips": Mux(replied, reply.input_clips, 0),
                "reprograms": Mux(replied, reply.reprograms, 0),
            },
            hold_cycles(self.config.machine.counters),
        )
        m.d.comb += counters.hold.eq(self.control.hold)
        for value, name in zip(self.control.counters, ChipCounters.members, strict=True):
            m.d.comb += value.eq(counters.counters[name])
