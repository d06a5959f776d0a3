"""Serial line, 8 data bits, no parity, 1 stop bit: bytes to and from the wire.

The receiver samples the middle of each bit, counted from the edge of the start bit. It tolerates
a difference in rates of (1/2 - 1/divisor) bits in 9.5: 4.6 % at 16 cycles a bit, its own error
included, which `divisor` keeps below 2 %.
"""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from spec.errors import digits, require

MAX_ERROR = 0.02
MIN_DIVISOR = 8
DATA_BITS = 8


def divisor(clock_hz: float, baud: float) -> int:
    """Return the clock cycles of a bit.

    Raises
    ------
    UserError
        If that is less than 8, or rounding to whole cycles makes the rate more than 2 % wrong.
    """
    require(baud > 0, f"baud must be positive, not {digits(baud)}")
    cycles = round(clock_hz / baud)
    require(
        cycles >= MIN_DIVISOR,
        f"baud must be at most {digits(clock_hz / MIN_DIVISOR)} with a clock of {digits(clock_hz)} "
        f"Hz ({MIN_DIVISOR} cycles a bit), not {digits(baud)}",
    )
    error = clock_hz / cycles / baud - 1
    near = ", ".join(f"{clock_hz / near:.6g}" for near in (cycles + 1, cycles, cycles - 1))
    require(
        abs(error) <= MAX_ERROR,
        f"baud of {digits(baud)} is {100 * error:+.6g} % off with a clock of "
        f"{digits(clock_hz)} Hz, more than {100 * MAX_ERROR:g} %: take one of {near}",
    )
    return cycles


class Receiver(wiring.Component):
    """Read bytes from a serial line.

    Parameters
    ----------
    divisor
        Clock cycles of a bit.

    Members
    -------
    line : In, 1
        Idles high; asynchronous.
    bytes : Out, stream of 8 bits, always ready
        Bytes with a stop bit.
    framing : Out, 1
        In this cycle a byte without a stop bit was seen. The receiver goes on when the line is
        high again.
    broken : Out, 1
        In this cycle a break was seen: low for a whole byte. The receiver goes on likewise.
    """

    def __init__(self, divisor: int):
        self.divisor = divisor
        super().__init__(
            {
                "line": In(1, init=1),
                "bytes": Out(stream.Signature(DATA_BITS, always_ready=True)),
                "framing": Out(1),
                "broken": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        line = Signal(init=1)
        # With reset, so that what it held before is not taken for a start bit.
        m.submodules += FFSynchronizer(self.line, line, init=1, reset_less=False)

        wait = Signal(range(self.divisor))
        bit = Signal(range(DATA_BITS))
        shift = Signal(DATA_BITS)
        m.d.comb += self.bytes.payload.eq(shift)
        m.d.sync += wait.eq(wait - 1)

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [wait.eq(self.divisor // 2 - 1), bit.eq(0)]
                with m.If(~line):
                    m.next = "START"

            with m.State("START"):
                with m.If(wait == 0):
                    m.d.sync += wait.eq(self.divisor - 1)
                    m.next = "DATA"
                    with m.If(line):
                        m.next = "IDLE"

            with m.State("DATA"):
                with m.If(wait == 0):
                    m.d.sync += [
                        wait.eq(self.divisor - 1),
                        bit.eq(bit + 1),
                        shift.eq(Cat(shift[1:], line)),
                    ]
                    with m.If(bit == DATA_BITS - 1):
                        m.next = "STOP"

            with m.State("STOP"):
                # Half a stop bit early, so that a faster sender's next start bit is not missed.
                with m.If(wait == 0):
                    m.d.comb += [
                        self.bytes.valid.eq(line),
                        self.framing.eq(~line & shift.any()),
                        self.broken.eq(~line & ~shift.any()),
                    ]
                    m.next = "IDLE"
                    with m.If(~line):
                        m.next = "RECOVER"

            with m.State("RECOVER"):
                with m.If(line):
                    m.next = "IDLE"
        return m


class Transmitter(wiring.Component):
    """Write bytes to a serial line, a bit in `divisor` clock cycles.

    Members
    -------
    bytes : In, stream of 8 bits
        Takes one in 10 `divisor` + 1 cycles.
    line : Out, 1
    """

    def __init__(self, divisor: int):
        self.divisor = divisor
        super().__init__(
            {"bytes": In(stream.Signature(DATA_BITS)), "line": Out(1, init=1)},
        )

    def elaborate(self, platform):
        m = Module()
        bits = Signal(DATA_BITS + 2, init=-1)
        left = Signal(range(DATA_BITS + 3))
        wait = Signal(range(self.divisor))
        m.d.comb += [self.line.eq(bits[0]), self.bytes.ready.eq(left == 0)]

        m.d.sync += wait.eq(wait - 1)
        with m.If(self.bytes.valid & self.bytes.ready):
            m.d.sync += [
                bits.eq(Cat(Const(0, 1), self.bytes.payload, Const(1, 1))),
                left.eq(len(bits)),
                wait.eq(self.divisor - 1),
            ]
        with m.Elif((left != 0) & (wait == 0)):
            m.d.sync += [
                bits.eq(Cat(bits[1:], Const(1, 1))),
                left.eq(left - 1),
                wait.eq(self.divisor - 1),
            ]
        return m
