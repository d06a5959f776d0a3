"""Arithmetic of scalars: one adder serves sums, differences, addresses, loops and comparisons.

total = (0 or a) + or - (b, the immediate or 1)
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import clamp, fits
from hw.common.ranges import vector_address
from hw.machine.decoder import DecodedLayout
from hw.machine.interfaces import InstructionLayout
from spec.config import ChipConfig
from spec.isa import SCALAR_BITS, WORD_BITS, Opcode


class ScalarArithmetic(wiring.Component):
    """Execute an instruction on scalars.

    Members
    -------
    instruction : In, `InstructionLayout`
    decoded : In, `DecodedLayout`
    load : In, 1
        Take the operands over. All outputs follow from the next cycle on.
    first, second : In, signed(64) each
        Operands.
    a, b : Out, signed(64) each
        Operands that were taken over.
    address : Out, `vector_address`
        Address in the vector memory.
    in_memory : Out, 1
        There is such an address.
    word : Out, signed(32)
        b for the vector memory.
    taken : Out, 1
        The program goes on at the target.
    halves : Out, 2
        Halves of a scalar that the instruction changes, the lower one first.
    scalar : Out, signed(64)
        New value of these halves.
    saturated : Out, 1
        The result, scalar or word, does not fit.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        scalar = signed(SCALAR_BITS)
        super().__init__(
            {
                "instruction": In(InstructionLayout),
                "decoded": In(DecodedLayout),
                "load": In(1),
                "first": In(scalar),
                "second": In(scalar),
                "a": Out(scalar),
                "b": Out(scalar),
                "address": Out(vector_address(config)),
                "in_memory": Out(1),
                "word": Out(signed(WORD_BITS)),
                "taken": Out(1),
                "halves": Out(2),
                "scalar": Out(scalar),
                "saturated": Out(1),
            }
        )

    def elaborate(self, platform):
        immediate, decoded = self.instruction.immediate, self.decoded
        m = Module()
        total = Signal(signed(SCALAR_BITS + 1), reset_less=True)
        a = Signal.like(self.a, reset_less=True)
        b = Signal.like(self.b, reset_less=True)
        m.d.comb += [self.a.eq(a), self.b.eq(b)]
        other = Mux(decoded.by_one, Const(1, signed(2)), self.second)
        operand = Mux(decoded.by_immediate, immediate, other)
        # One adder: the lowest bits make the carry that completes a subtraction.
        augend = Cat(Const(1), Mux(decoded.from_zero, 0, self.first)).as_signed()
        addend = Cat(decoded.subtracts, Mux(decoded.subtracts, ~operand, operand)).as_signed()
        with m.If(self.load):
            m.d.sync += [
                a.eq(self.first),
                b.eq(self.second),
                total.eq((augend + addend) >> 1),
            ]

        negative = total[-1]
        zero = ~total.any()
        result, overflow = clamp(total, signed(SCALAR_BITS))
        word, word_overflow = clamp(b, signed(WORD_BITS))
        m.d.comb += [
            self.address.eq(total),
            self.in_memory.eq(fits(total, unsigned(len(self.address)))),
            self.word.eq(word),
            self.scalar.eq(result),
        ]
        with m.Switch(self.instruction.opcode):
            with m.Case(Opcode.JUMP):
                m.d.comb += self.taken.eq(1)
            with m.Case(Opcode.BEQ):
                m.d.comb += self.taken.eq(zero)
            with m.Case(Opcode.BNE):
                m.d.comb += self.taken.eq(~zero)
            with m.Case(Opcode.BLT):
                m.d.comb += self.taken.eq(negative)
            with m.Case(Opcode.BGE):
                m.d.comb += self.taken.eq(~negative)
            with m.Case(Opcode.LOOP):
                m.d.comb += [self.taken.eq(~negative & ~zero), self.halves.eq(0b11)]
                with m.If(negative):
                    m.d.comb += self.scalar.eq(0)
            with m.Case(Opcode.SET, Opcode.ADD, Opcode.SUB, Opcode.ADDI):
                m.d.comb += [self.halves.eq(0b11), self.saturated.eq(overflow)]
            with m.Case(Opcode.SETH):
                m.d.comb += [self.halves.eq(0b10), self.scalar.eq(immediate << WORD_BITS)]
            with m.Case(Opcode.STORE):
                m.d.comb += self.saturated.eq(word_overflow)
        return m
