"""One lane of the vector unit's datapath.

    value = x y, x + y, x - y, or min(max(x, y), upper)
    result = value >> amount, rounded to the nearest, halves up, and saturated to 32 bits

Every instruction takes the same path: adding is shifting by 0, and a shift to the left is a product
with a power of two.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import fits, shift_right
from hw.machine.interfaces import CODE_BITS
from spec.isa import SCALAR_BITS, WORD_BITS, WORD_RANGE, Opcode

MULTIPLYING = Opcode.VSHIFT, Opcode.VSCALE, Opcode.VDOT
"""Operations whose value is a product."""
HALF = WORD_BITS // 2
"""Bits of the second operand that one of the two multipliers takes."""
FINE = 3
"""Bits of the shift amount that the second of the two shifters takes."""
VALUE_CYCLES = 3
"""Cycles from a word to its value."""
RESULT_CYCLES = 7
"""Cycles from a word to its result."""


class VectorLane(wiring.Component):
    """Compute one word in a cycle.

    Members
    -------
    opcode : In, 8
    upper : In, signed(32)
        Upper limit of VCLAMP.
    amount : In, range(64)
        Shift to the right. These three stay until the last result is there.
    word : In, signed(32)
        Word of a source.
    used : In, 1
        It counts; else it is 0, and changes no sum, no maximum and no count.
    first, second : In, 1 each
        It becomes x, or y.
    preset : In, 1
        Make y a constant instead.
    constant : In, signed(33)
        From -2^31 to 2^31.
    x : Out, signed(32)
        The word of the cycle before.
    value : Out, signed(64)
        Comes `VALUE_CYCLES` after the word.
    result : Out, signed(32)
        Comes `RESULT_CYCLES` after the word.
    saturated : Out, 1
        The result is another number than the rounded one.
    """

    def __init__(self) -> None:
        word = signed(WORD_BITS)
        super().__init__(
            {
                "opcode": In(CODE_BITS),
                "upper": In(word),
                "amount": In(range(SCALAR_BITS)),
                "word": In(word),
                "used": In(1),
                "first": In(1),
                "second": In(1),
                "preset": In(1),
                # One bit wider, for 2^31.
                "constant": In(signed(WORD_BITS + 1)),
                "x": Out(word),
                "value": Out(signed(2 * WORD_BITS)),
                "result": Out(word),
                "saturated": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._compute(m)
        self._shift(m)
        return m

    def _compute(self, m: Module) -> None:
        """Take the operands, and compute their value in two cycles."""
        x = Signal.like(self.x, reset_less=True)
        value = Signal.like(self.value, reset_less=True)
        m.d.comb += [self.x.eq(x), self.value.eq(value)]
        y = Signal(self.constant.shape(), reset_less=True)
        word = Mux(self.used, self.word, 0)
        with m.If(self.first):
            m.d.sync += x.eq(word)
        with m.If(self.preset):
            m.d.sync += y.eq(self.constant)
        with m.Elif(self.second):
            m.d.sync += y.eq(word)

        # Half a word without sign, and the other of -2^15 to 2^15: that is as many bits each.
        low = Signal(signed(WORD_BITS + HALF), reset_less=True)
        high = Signal(signed(WORD_BITS + HALF), reset_less=True)
        simple = Signal(signed(WORD_BITS + 1), reset_less=True)
        m.d.sync += [low.eq(x * y[:HALF]), high.eq(x * y[HALF:].as_signed())]
        # One adder adds, subtracts and compares: -y is ~y and a carry, from a bit below.
        adds = self.opcode == Opcode.VADD
        total = Signal(signed(WORD_BITS + 2))
        terms = Cat(1, x).as_signed() + Cat(~adds, Mux(adds, y, ~y)).as_signed()
        m.d.comb += total.eq(terms >> 1)
        with m.Switch(self.opcode):
            with m.Case(Opcode.VADD, Opcode.VSUB):
                m.d.sync += simple.eq(total)
            with m.Default():
                m.d.sync += simple.eq(Mux(total < 0, y, x))

        with m.Switch(self.opcode):
            with m.Case(*MULTIPLYING):
                upper = high + (low >> HALF)
                m.d.sync += value.eq(Cat(low[:HALF], upper))
            with m.Case(Opcode.VCLAMP):
                m.d.sync += value.eq(Mux(simple > self.upper, self.upper, simple))
            with m.Default():
                m.d.sync += value.eq(simple)

    def _shift(self, m: Module) -> None:
        """Shift right with rounding, and saturate, in four cycles."""
        # The lowest bit is what was shifted out last, and rounds.
        coarse = Signal(signed(len(self.value) + 1), reset_less=True)
        fine = Signal(signed(len(self.value) + 1), reset_less=True)
        # A bit more than a word decides what rounding does at the ends of the range.
        near = Signal(signed(WORD_BITS + 1), reset_less=True)
        far = Signal(reset_less=True)
        negative = Signal(reset_less=True)
        m.d.sync += [
            coarse.eq(shift_right(self.value << 1, self.amount[FINE:], 1 << FINE)),
            fine.eq(coarse >> self.amount[:FINE]),
            near.eq((fine[: WORD_BITS + 2].as_signed() + 1) >> 1),
            far.eq(~fits(fine, signed(WORD_BITS + 2))),
            negative.eq(fine[-1]),
        ]
        outside = far | ~fits(near, signed(WORD_BITS))
        low, high = WORD_RANGE
        result = Signal.like(self.result, reset_less=True)
        m.d.comb += self.result.eq(result)
        m.d.sync += [
            result.eq(Mux(outside, Mux(negative, low, high), near)),
            self.saturated.eq(outside),
        ]
