"""The vector unit: the instructions VADD to VDOT, `lanes` words at a time.

    memory -> x, y -> partial products or sum -> value -> shift -> round -> saturate -> memory
                                                   |
                                                   +-> adder tree -> 64-bit sum

All instructions take the same way, with a step in each cycle: adding is shifting by 0, and a shift
to the left is a product with a power of two. Durations are those of `spec.isa.OPERATIONS`.
"""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.arithmetic import tree_sum
from hw.machine.interfaces import UnitPort
from hw.machine.vector_memory import ReadPort, WritePort
from spec.config import ChipConfig
from spec.isa import OPERATIONS, SCALAR_BITS, WORD_BITS, WORD_RANGE, ErrorCode, Opcode

OPCODES = tuple(opcode for opcode in Opcode if Opcode.VADD <= opcode <= Opcode.VDOT)
"""What the unit executes."""

PRODUCTS = Opcode.VSHIFT, Opcode.VSCALE, Opcode.VDOT
"""What multiplies."""
STAGES = 8
"""Cycles from the one after a read to the one in which its results are written or counted."""
HALF = WORD_BITS // 2
FINE = 3
"""Bits of the shift amount that the second of the two shifters takes."""
TREE_STAGES = 3
"""Of four terms to one each: enough for the largest number of lanes."""


class VectorUnit(wiring.Component):
    """Execute instructions on vectors.

    Members
    -------
    port : In, `UnitPort`
    read : Out, `ReadPort`
    write : Out, `WritePort`
        To the vector memory.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "port": In(UnitPort(config)),
                "read": Out(ReadPort(config)),
                "write": Out(WritePort(config)),
            }
        )

    def elaborate(self, platform):
        config = self.config
        lanes, words = config.machine.lanes, config.machine.vector_words
        m = Module()
        request, reply = self.port.request.payload, self.port.reply.payload
        read, write = self.read, self.write

        def among(*opcodes: Opcode) -> Value:
            return reduce(or_, (request.opcode == opcode for opcode in opcodes))

        pair = among(*(o for o in OPCODES if len(OPERATIONS[o].sources) == 2))
        stores = among(*(o for o in OPCODES if OPERATIONS[o].destination))

        # Faults are found in one cycle and decided upon in the next.
        operand, address, overlap = Signal(), Signal(), Signal()
        code = Signal(ErrorCode)
        with m.If(operand):
            m.d.comb += code.eq(ErrorCode.OPERAND)
        with m.Elif(address):
            m.d.comb += code.eq(ErrorCode.ADDRESS)
        with m.Elif(overlap):
            m.d.comb += code.eq(ErrorCode.OVERLAP)
        m.d.sync += [
            operand.eq(self._operand_fault(m)),
            self._find_misplaced(pair, stores, address, overlap),
        ]

        # Reading: address of each source, whose turn it is, and words still to read.
        address_a, address_b = Signal.like(read.address), Signal.like(read.address)
        second = Signal()
        unread, unwritten = Signal(range(words + 1)), Signal(range(words + 1))
        last_source = second | ~pair
        # What comes out of the memory in this cycle: a source, and which of its words count.
        from_a, from_b = Signal(), Signal()
        mask = Signal(lanes)
        # A beat passes the stages; bit i: it is at stage i.
        beat = Signal(STAGES)
        waiting = Signal(range(STAGES))
        shift = Signal(range(SCALAR_BITS))

        m.d.comb += [
            read.address.eq(Mux(second, address_b, address_a)),
            write.en.eq(beat[STAGES - 1] & stores),
            write.mask.eq(_first_lanes(unwritten, lanes)),
        ]
        m.d.sync += [
            beat.eq((beat << 1) | (read.en & last_source)),
            from_a.eq(read.en & ~second),
            from_b.eq(read.en & second),
            mask.eq(_first_lanes(unread, lanes)),
        ]

        # Datapath. Lanes beyond the end hold 0 and change no sum, no maximum and no count.
        x = [Signal(signed(WORD_BITS), name=f"x_{i}") for i in range(lanes)]
        # One bit wider, for 2^31.
        y = [Signal(signed(WORD_BITS + 1), name=f"y_{i}") for i in range(lanes)]
        values, saturated = [], []
        for i in range(lanes):
            word = read.data[i]
            with m.If(from_a):
                m.d.sync += x[i].eq(Mux(mask[i], word, 0))
            with m.If(from_b):
                m.d.sync += y[i].eq(Mux(mask[i], word, 0))
            value = self._value(m, i, x[i], y[i])
            values.append(value)
            result, beyond = self._shifted(m, i, value, shift)
            m.d.comb += write.data[i].eq(result)
            saturated.append(beyond)

        total = self._tree(m, values)
        dot = Signal(signed(SCALAR_BITS + words.bit_length() - 1))
        with m.If(beat[STAGES - 2]):
            m.d.sync += dot.eq(dot + total)
        with m.If(beat[STAGES - 1]):
            m.d.sync += [write.address.eq(write.address + lanes), unwritten.eq(unwritten - lanes)]
            with m.If(stores):
                m.d.sync += reply.saturations.eq(reply.saturations + tree_sum(saturated))

        # Together, the magnitudes have as many bits as the largest.
        magnitudes = Signal(WORD_BITS - 1)
        with m.If(beat[1]):
            m.d.sync += magnitudes.eq(reduce(or_, map(_magnitude, x), magnitudes))

        m.d.comb += reply.code.eq(code)
        with m.FSM():
            with m.State("CHECK"):
                m.d.comb += self.port.request.ready.eq(1)
                with m.If(self.port.request.valid):
                    m.next = "DECIDE"
            with m.State("DECIDE"):
                m.d.sync += [
                    address_a.eq(request.a),
                    address_b.eq(request.b),
                    write.address.eq(request.d),
                    unread.eq(request.n),
                    unwritten.eq(request.n),
                    waiting.eq(STAGES - 1),
                    reply.saturations.eq(0),
                    reply.scalar.eq(0),
                    dot.eq(0),
                    magnitudes.eq(0),
                    shift.eq(0),
                    # Where there is no second source, its place is taken by a scalar.
                    *(one.eq(0) for one in y),
                ]
                with m.Switch(request.opcode):
                    with m.Case(Opcode.VCLAMP, Opcode.VSCALE):
                        m.d.sync += (one.eq(request.b[:WORD_BITS].as_signed()) for one in y)
                        with m.If(request.opcode == Opcode.VSCALE):
                            m.d.sync += shift.eq(request.c)
                    with m.Case(Opcode.VSHIFT):
                        left = Signal(range(WORD_BITS))
                        with m.If(request.c < 0):
                            m.d.comb += left.eq(-request.c[: len(left)])
                        with m.Else():
                            m.d.sync += shift.eq(request.c)
                        m.d.sync += (one.eq(Const(1) << left) for one in y)
                with m.If(code != ErrorCode.NONE):
                    m.next = "REPLY"
                with m.Elif(request.n == 0):
                    m.next = "WAIT"
                with m.Else():
                    m.next = "READ"
            with m.State("READ"):
                m.d.comb += read.en.eq(1)
                m.d.sync += second.eq(~last_source)
                with m.If(last_source):
                    m.d.sync += [
                        address_a.eq(address_a + lanes),
                        address_b.eq(address_b + lanes),
                        unread.eq(unread - lanes),
                    ]
                    with m.If(unread <= lanes):
                        m.next = "WAIT"
            with m.State("WAIT"):
                m.d.sync += waiting.eq(waiting - 1)
                with m.If(waiting == 0):
                    with m.If(request.opcode == Opcode.VDOT):
                        outside, near = clamped(dot, SCALAR_BITS)
                        m.d.sync += [reply.scalar.eq(near), reply.saturations.eq(outside)]
                    with m.Elif(request.opcode == Opcode.VMAXMAG):
                        m.d.sync += reply.scalar.eq(_bit_length(magnitudes))
                    m.next = "REPLY"
            with m.State("REPLY"):
                m.d.comb += self.port.reply.valid.eq(1)
                with m.If(self.port.reply.ready):
                    m.next = "CHECK"
        return m

    def _operand_fault(self, m: Module) -> Value:
        """Return whether an operand is out of its limits."""
        request = self.port.request.payload
        b, c = request.b, request.c
        right = ~c[6:].any()
        fault = Signal()
        with m.Switch(request.opcode):
            with m.Case(Opcode.VSHIFT):
                left = c[5:].all() & c[:5].any()
                m.d.comb += fault.eq(~(left | right))
            with m.Case(Opcode.VSCALE):
                m.d.comb += fault.eq(~(fits(b, WORD_BITS) & right))
            with m.Case(Opcode.VCLAMP):
                ordered = b[:WORD_BITS].as_signed() <= c[:WORD_BITS].as_signed()
                m.d.comb += fault.eq(~(fits(b, WORD_BITS) & fits(c, WORD_BITS) & ordered))
        return fault

    def _find_misplaced(self, pair: Value, stores: Value, address: Signal, overlap: Signal) -> list:
        """Return the assignments that tell whether vectors lie outside or overlap."""
        words = self.config.machine.vector_words
        request = self.port.request.payload
        bits = words.bit_length()

        def small(value: Value) -> Value:
            """Return whether a scalar is neither negative nor so large that sums would wrap."""
            return ~value[bits:].any()

        n = request.n[:bits]
        d, a, b = (scalar[:bits] for scalar in (request.d, request.a, request.b))

        def outside(scalar: Value) -> Value:
            return ~small(scalar) | (scalar[:bits] + n > words)

        def overlaps(source: Value) -> Value:
            return (source != d) & (source < d + n) & (d < source + n)

        return [
            address.eq(
                ~small(request.n)
                | outside(request.a)
                | (pair & outside(request.b))
                | (stores & outside(request.d))
            ),
            overlap.eq(stores & (overlaps(a) | (pair & overlaps(b)))),
        ]

    def _value(self, m: Module, lane: int, x: Value, y: Value) -> Signal:
        """Compute, in two cycles, what is to be shifted or summed."""
        request = self.port.request.payload
        low = Signal(signed(WORD_BITS + HALF), name=f"low_{lane}")
        high = Signal(signed(WORD_BITS + HALF + 1), name=f"high_{lane}")
        simple = Signal(signed(WORD_BITS + 1), name=f"simple_{lane}")
        value = Signal(signed(2 * WORD_BITS), name=f"value_{lane}")
        m.d.sync += [low.eq(x * y[:HALF]), high.eq(x * y[HALF:].as_signed())]
        with m.Switch(request.opcode):
            with m.Case(Opcode.VADD):
                m.d.sync += simple.eq(x + y)
            with m.Case(Opcode.VSUB):
                m.d.sync += simple.eq(x - y)
            with m.Default():
                m.d.sync += simple.eq(Mux(x > y, x, y))
        upper = request.c[:WORD_BITS].as_signed()
        with m.Switch(request.opcode):
            with m.Case(*PRODUCTS):
                m.d.sync += value.eq((high << HALF) + low)
            with m.Case(Opcode.VCLAMP):
                m.d.sync += value.eq(Mux(simple > upper, upper, simple))
            with m.Default():
                m.d.sync += value.eq(simple)
        return value

    def _shifted(self, m: Module, lane: int, value: Value, amount: Value) -> tuple[Signal, Signal]:
        """Shift right with rounding and saturate, in four cycles; return word and saturation."""
        # The lowest bit is what was shifted out last, and rounds.
        width = len(value) + 1
        coarse = Signal(signed(width), name=f"coarse_{lane}")
        fine = Signal(signed(width), name=f"fine_{lane}")
        # A bit more than a word decides what rounding does at the ends of the range.
        near = Signal(signed(WORD_BITS + 2), name=f"near_{lane}")
        far, negative = Signal(name=f"far_{lane}"), Signal(name=f"negative_{lane}")
        word = Signal(signed(WORD_BITS), name=f"word_{lane}")
        saturated = Signal(name=f"saturated_{lane}")
        m.d.sync += [
            coarse.eq((value << 1) >> (amount[FINE:] << FINE)),
            fine.eq(coarse >> amount[:FINE]),
            near.eq(fine[1 : WORD_BITS + 2].as_signed() + fine[0]),
            far.eq(~fits(fine, WORD_BITS + 2)),
            negative.eq(fine[-1]),
        ]
        beyond = far | ~fits(near, WORD_BITS)
        low, high = WORD_RANGE
        m.d.sync += [
            word.eq(Mux(beyond, Mux(negative, low, high), near)),
            saturated.eq(beyond),
        ]
        return word, saturated

    def _tree(self, m: Module, terms: list[Value]) -> Value:
        """Sum all lanes, in `TREE_STAGES` cycles."""
        for stage in range(TREE_STAGES):
            sums = []
            for i in range(0, len(terms), 4):
                total = tree_sum(terms[i : i + 4])
                register = Signal(total.shape(), name=f"sum_{stage}_{i // 4}")
                m.d.sync += register.eq(total)
                sums.append(register)
            terms = sums
        return terms[0]


def fits(value: Value, bits: int) -> Value:
    """Return whether a signed value fits that many bits."""
    return value[bits - 1 :].all() | ~value[bits - 1 :].any()


def clamped(value: Value, bits: int) -> tuple[Value, Value]:
    """Return whether a signed value is out of the range of that many bits, and it clamped."""
    outside = ~fits(value, bits)
    largest = (1 << (bits - 1)) - 1
    return outside, Mux(outside, Mux(value[-1], -largest - 1, largest), value[:bits].as_signed())


def _first_lanes(count: Value, lanes: int) -> Value:
    """Return a mask of as many lanes as there are words, or all."""
    return Cat(count > lane for lane in range(lanes))


def _magnitude(value: Value) -> Value:
    return value[:-1] ^ value[-1].replicate(len(value) - 1)


def _bit_length(value: Value) -> Value:
    """Return the number of the highest bit set, counted from 1, or 0."""
    length: Value = Const(0)
    for i in range(len(value)):
        length = Mux(value[i], i + 1, length)
    return length
