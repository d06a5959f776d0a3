"""The sequencer: fetches instructions, executes those on scalars, hands the others to the units.

Program and scalars live here. Fetch, decode, read operands and execute take a cycle each; a unit
is asked in the fifth. Durations are those of `spec.isa.OPERATIONS`.
"""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.boundary.analog import step_layout
from hw.common.counters import ChipCounters, Counters
from hw.common.item_memory import ItemMemory
from hw.common.word_port import WordPort
from hw.link.responder import ControlPort
from hw.machine import vector_unit
from hw.machine.interfaces import (
    CODE_BITS,
    InstructionLayout,
    UnitPort,
    UnitReply,
    UnitRequest,
)
from hw.machine.vector_memory import ReadPort, WritePort
from hw.machine.vector_unit import clamped
from spec.config import ChipConfig
from spec.counters import CHIP_COUNTERS
from spec.isa import (
    INSTRUCTION_FIELDS,
    OPERATIONS,
    PRODUCTS,
    SCALAR_BITS,
    SCALARS,
    WORD_BITS,
    ErrorCode,
    Immediate,
    Opcode,
)

UNIT_OPCODES = (*vector_unit.OPCODES, *PRODUCTS)
BRANCHES = Opcode.BEQ, Opcode.BNE, Opcode.BLT, Opcode.BGE

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
"""What the program does, for those who watch.

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
    program, scalars : In, `WordPort`
        The spaces PROGRAM and SCALAR. What was read is lost when a program runs.
    vector, product : Out, `UnitPort`
        The units that execute VADD to VDOT, and products. What a reply counts is added whatever its
        code; any code but NONE ends the program.
    read : Out, `ReadPort`
    write : Out, `WritePort`
        To the vector memory.
    steps : Out, `step_layout`
        ADC steps.
    aborting : Out, 1
        The program is to end as soon as it can. Instructions end as usual, unless their unit
        replies ABORTED.
    trace : Out, `TraceLayout`
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "control": In(ControlPort(len(CHIP_COUNTERS))),
                "program": In(WordPort()),
                "scalars": In(WordPort()),
                "vector": Out(UnitPort(config)),
                "product": Out(UnitPort(config)),
                "read": Out(ReadPort(config)),
                "write": Out(WritePort(config)),
                "steps": Out(step_layout(config)),
                "aborting": Out(1),
                "trace": Out(TraceLayout),
            }
        )

    def elaborate(self, platform):
        config, trace = self.config, self.trace
        state, pc = self.control.state, self.control.position
        m = Module()
        m.submodules.program = program = ItemMemory(config.machine.program_words, 1)
        m.submodules.scalars = scalars = ItemMemory(SCALARS, 2)
        wiring.connect(m, program.host, wiring.flipped(self.program))
        wiring.connect(m, scalars.host, wiring.flipped(self.scalars))

        # Of the instruction memory's output, which stays until the next fetch.
        instruction = Signal(InstructionLayout)
        first, second = (item.as_signed() for item in scalars.items)
        # Operands as they are read.
        request = Signal(UnitRequest)
        # What the instruction needs, known from its third cycle on.
        illegal, to_unit, to_product = Signal(), Signal(), Signal()
        subtracts, from_zero, by_immediate, by_one = Signal(), Signal(), Signal(), Signal()
        # Sum, difference or address of the scalars; branches compare by it.
        total = Signal(signed(SCALAR_BITS + 1))
        overflow, result = clamped(total, SCALAR_BITS)
        negative, zero = total[-1], ~total.any()
        taken = Signal()
        in_memory = ~total[len(self.read.address) :].any()
        store_overflow, stored = clamped(request.b, WORD_BITS)
        step = instruction.immediate.as_unsigned()
        step_allowed = (step < config.steps) & ~request.a[config.step_bits :].any()
        saturations = Signal(range(config.machine.vector_words + 1))
        asking, replied, counting = Signal(), Signal(), Signal()
        reply = Signal(UnitReply(config))
        makes_scalar = _among(
            instruction, (o for o in vector_unit.OPCODES if not OPERATIONS[o].destination)
        )
        accesses = _among(instruction, (Opcode.LOAD, Opcode.STORE))

        operand = Mux(by_immediate, instruction.immediate, Mux(by_one, Const(1, signed(2)), second))
        m.d.comb += [
            instruction.eq(program.items[0]),
            program.addresses[0].eq(pc),
            scalars.halves.eq(trace.halves),
            scalars.address.eq(trace.number),
            scalars.item.eq(trace.scalar),
            trace.pc.eq(pc),
            trace.number.eq(instruction.d),
            trace.scalar.eq(result),
            self.read.address.eq(total),
            self.write.address.eq(total),
            self.write.mask.eq(1),
            self.write.data[0].eq(stored),
            request.opcode.eq(instruction.opcode),
            request.immediate.eq(instruction.immediate),
            request.c.eq(first),
            self.vector.request.payload.eq(request),
            self.product.request.payload.eq(request),
            self.vector.request.valid.eq(asking & ~to_product),
            self.product.request.valid.eq(asking & to_product),
            reply.eq(Mux(to_product, self.product.reply.payload, self.vector.reply.payload)),
            replied.eq(Mux(to_product, self.product.reply.valid, self.vector.reply.valid)),
        ]
        m.d.sync += self.aborting.eq((self.aborting | self.control.abort) & state.running)

        def stop(code: Value | ErrorCode) -> None:
            m.d.comb += [trace.finished.eq(1), trace.code.eq(code)]
            m.d.sync += [state.running.eq(0), state.code.eq(code)]
            m.next = "STOPPED"

        def go_on(next_pc: Value) -> None:
            m.d.comb += trace.finished.eq(1)
            m.d.sync += pc.eq(next_pc)
            m.next = "FETCH"

        with m.FSM():
            with m.State("STOPPED"):
                with m.If(self.control.run):
                    m.d.sync += [
                        state.running.eq(1),
                        state.code.eq(ErrorCode.NONE),
                        pc.eq(self.control.pc),
                        *(each.eq(config.forward.covering_step) for each in self.steps),
                    ]
                    m.next = "FETCH"

            with m.State("FETCH"):
                with m.If(self.aborting):
                    stop(ErrorCode.ABORTED)
                with m.Elif(pc >= config.machine.program_words):
                    stop(ErrorCode.PROGRAM_COUNTER)
                with m.Else():
                    m.d.comb += program.en.eq(1)
                    m.next = "DECODE"

            with m.State("DECODE"):
                loops = instruction.opcode == Opcode.LOOP
                m.d.comb += [
                    scalars.en.eq(1),
                    scalars.addresses[0].eq(Mux(loops, instruction.d, instruction.a)),
                    scalars.addresses[1].eq(instruction.b),
                ]
                m.d.sync += [
                    illegal.eq(self._illegal(m, instruction)),
                    to_unit.eq(_among(instruction, UNIT_OPCODES)),
                    to_product.eq(_among(instruction, PRODUCTS)),
                    subtracts.eq(_among(instruction, (Opcode.SUB, Opcode.LOOP, *BRANCHES))),
                    from_zero.eq(instruction.opcode == Opcode.SET),
                    by_immediate.eq(
                        _among(instruction, (Opcode.SET, Opcode.ADDI, Opcode.LOAD, Opcode.STORE))
                    ),
                    by_one.eq(loops),
                ]
                m.next = "OPERANDS"

            with m.State("OPERANDS"):
                m.d.comb += [
                    scalars.en.eq(1),
                    scalars.addresses[0].eq(instruction.d),
                    scalars.addresses[1].eq(instruction.n),
                ]
                # One adder: the lowest bits make the carry that completes a subtraction.
                augend = Cat(Const(1), Mux(from_zero, 0, first)).as_signed()
                addend = Cat(subtracts, Mux(subtracts, ~operand, operand)).as_signed()
                m.d.sync += [
                    request.a.eq(first),
                    request.b.eq(second),
                    total.eq((augend + addend) >> 1),
                ]
                m.next = "EXECUTE"

            with m.State("EXECUTE"):
                m.d.comb += [scalars.en.eq(1), scalars.addresses[0].eq(instruction.c)]
                m.d.sync += [request.d.eq(first), request.n.eq(second)]
                with m.If(illegal):
                    stop(ErrorCode.ILLEGAL)
                with m.Elif(to_unit):
                    m.next = "ASK"
                with m.Elif(accesses & ~in_memory):
                    stop(ErrorCode.ADDRESS)
                with m.Elif(instruction.opcode == Opcode.LOAD):
                    m.d.comb += self.read.en.eq(1)
                    m.next = "LOADED"
                with m.Elif((instruction.opcode == Opcode.STEP) & ~step_allowed):
                    stop(ErrorCode.OPERAND)
                with m.Elif(instruction.opcode == Opcode.HALT):
                    stop(ErrorCode.NONE)
                with m.Else():
                    go_on(Mux(taken, instruction.immediate.as_unsigned(), pc + 1))
                    with m.Switch(instruction.opcode):
                        with m.Case(Opcode.JUMP):
                            m.d.comb += taken.eq(1)
                        with m.Case(Opcode.BEQ):
                            m.d.comb += taken.eq(zero)
                        with m.Case(Opcode.BNE):
                            m.d.comb += taken.eq(~zero)
                        with m.Case(Opcode.BLT):
                            m.d.comb += taken.eq(negative)
                        with m.Case(Opcode.BGE):
                            m.d.comb += taken.eq(~negative)
                        with m.Case(Opcode.LOOP):
                            m.d.comb += [taken.eq(~negative & ~zero), trace.halves.eq(0b11)]
                            with m.If(negative):
                                m.d.comb += trace.scalar.eq(0)
                        with m.Case(Opcode.SETH):
                            m.d.comb += [
                                trace.halves.eq(0b10),
                                trace.scalar.eq(instruction.immediate << WORD_BITS),
                            ]
                        with m.Case(Opcode.SET, Opcode.ADD, Opcode.SUB, Opcode.ADDI):
                            m.d.comb += [trace.halves.eq(0b11), saturations.eq(overflow)]
                        with m.Case(Opcode.STORE):
                            m.d.comb += [self.write.en.eq(1), saturations.eq(store_overflow)]
                        with m.Case(Opcode.STEP):
                            m.d.sync += Array(self.steps)[step].eq(request.a)

            with m.State("LOADED"):
                m.d.comb += [trace.halves.eq(0b11), trace.scalar.eq(self.read.data[0])]
                go_on(pc + 1)

            with m.State("ASK"):
                m.d.comb += asking.eq(1)
                with m.If(Mux(to_product, self.product.request.ready, self.vector.request.ready)):
                    m.next = "REPLY"

            with m.State("REPLY"):
                m.d.comb += [self.vector.reply.ready.eq(1), self.product.reply.ready.eq(1)]
                with m.If(replied):
                    m.d.comb += counting.eq(1)
                    m.d.comb += [saturations.eq(reply.saturations), trace.scalar.eq(reply.scalar)]
                    with m.If(reply.code != ErrorCode.NONE):
                        stop(reply.code)
                    with m.Else():
                        m.d.comb += trace.halves.eq(Mux(makes_scalar, 0b11, 0))
                        go_on(pc + 1)

        m.submodules.counters = counters = Counters(
            ChipCounters,
            {
                "cycles": Const(1),
                "busy_cycles": state.running,
                "instructions": trace.finished & (trace.code == ErrorCode.NONE),
                "saturations": saturations,
                "input_clips": Mux(counting, reply.input_clips, 0),
                "reprograms": Mux(counting, reply.reprograms, 0),
            },
        )
        for value, name in zip(self.control.counters, ChipCounters.members, strict=True):
            m.d.comb += value.eq(counters.counters[name])
        return m

    def _illegal(self, m: Module, instruction: data.View) -> Value:
        """Return whether the opcode is unknown or a field that it does not use is not 0."""
        illegal = Signal()
        with m.Switch(instruction.opcode):
            for opcode, operation in OPERATIONS.items():
                if opcode is Opcode.MVM_T and not self.config.transposable:
                    continue
                used = {"opcode", *operation.scalars}
                if operation.immediate is not Immediate.NONE:
                    used.add("immediate")
                unused = [
                    instruction[field.name]
                    for field in INSTRUCTION_FIELDS
                    if field.name not in used
                ]
                with m.Case(opcode):
                    m.d.comb += illegal.eq(Cat(unused).any())
            with m.Default():
                m.d.comb += illegal.eq(1)
        return illegal


def _among(instruction: data.View, opcodes: Iterable[Opcode]) -> Value:
    return reduce(or_, (instruction.opcode == opcode for opcode in opcodes))
