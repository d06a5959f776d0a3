"""Requirements on the operands of vector instructions."""

from amaranth.hdl import Module, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import fits
from hw.common.errors import lowest_error
from hw.common.ranges import within
from hw.machine.interfaces import CODE_BITS, VECTOR_OPCODES, InstructionRequest
from spec.config import ChipConfig
from spec.isa import OPERATIONS, WORD_BITS, ErrorCode, Opcode

PAIRS = tuple(opcode for opcode in VECTOR_OPCODES if len(OPERATIONS[opcode].sources) == 2)
"""Opcodes with two sources."""
STORING = tuple(opcode for opcode in VECTOR_OPCODES if OPERATIONS[opcode].destination)
"""Opcodes that write a vector."""


class VectorCheck(wiring.Component):
    """Find the error in which an instruction ends before it begins.

    Members
    -------
    request : In, `InstructionRequest`
    code : Out, 8
        `ErrorCode`, the lowest that applies, or NONE; a cycle after the request.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__({"request": In(InstructionRequest), "code": Out(CODE_BITS)})

    def elaborate(self, platform):
        request = self.request
        words = self.config.machine.vector_words
        m = Module()
        operand = Signal()
        address = Signal()
        overlap = Signal()
        m.d.comb += self.code.eq(
            lowest_error(
                {
                    ErrorCode.OPERAND: operand,
                    ErrorCode.ADDRESS: address,
                    ErrorCode.OVERLAP: overlap,
                }
            )
        )
        m.d.sync += operand.eq(~self._operands_allowed(m))

        pair = request.opcode.matches(*PAIRS)
        stores = request.opcode.matches(*STORING)
        # Cut to their width, which suffices for what lies in the memory.
        bits = words.bit_length()
        n, d, a, b = (value[:bits] for value in (request.n, request.d, request.a, request.b))

        def placed(start: Value) -> Value:
            """Return if a vector lies in the memory."""
            return within(start, n, words)

        def apart(source: Value) -> Value:
            """Return if the destination begins with a source, or they do not overlap."""
            return (source == d) | (source >= d + n) | (d >= source + n)

        m.d.sync += [
            address.eq(
                ~(
                    fits(request.n, unsigned(bits))
                    & placed(request.a)
                    & (~pair | placed(request.b))
                    & (~stores | placed(request.d))
                )
            ),
            overlap.eq(stores & ~(apart(a) & (~pair | apart(b)))),
        ]
        return m

    def _operands_allowed(self, m: Module) -> Value:
        """Return if scalars that are no addresses are within their limits."""
        b, c = self.request.b, self.request.c
        # 0 to 63, and -31 to -1.
        right = fits(c, unsigned(6))
        left = c[5:].all() & c[:5].any()
        allowed = Signal(init=1)
        with m.Switch(self.request.opcode):
            with m.Case(Opcode.VSHIFT):
                m.d.comb += allowed.eq(left | right)
            with m.Case(Opcode.VSCALE):
                m.d.comb += allowed.eq(fits(b, signed(WORD_BITS)) & right)
            with m.Case(Opcode.VCLAMP):
                ordered = b[:WORD_BITS].as_signed() <= c[:WORD_BITS].as_signed()
                m.d.comb += allowed.eq(
                    fits(b, signed(WORD_BITS)) & fits(c, signed(WORD_BITS)) & ordered
                )
        return allowed
