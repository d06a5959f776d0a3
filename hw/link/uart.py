"""Packets on a serial line."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.common.counters import count
from hw.common.signature import ParameterSignature
from hw.link.framing import Deframer, Framer
from hw.link.interfaces import CommandWord, LineCounters, ReplyWord
from hw.link.serial_line import Receiver, Transmitter, divisor


class Pins(ParameterSignature):
    """The two lines, seen from the chip.

    Members
    -------
    rx : In, 1
    tx : Out, 1
    """

    def __init__(self) -> None:
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})


class UartCarrier(wiring.Component):
    """Carry packets over a serial line, in the frames of `spec.framing`.

    Parameters
    ----------
    clock_hz, baud
        Clock, and bits per second of the line.

    Raises
    ------
    UserError
        If that rate cannot be had, see `hw.link.serial_line.divisor`.

    Members
    -------
    pins : Out, `Pins`
    commands : Out, stream of `CommandWord`
    replies : In, stream of `ReplyWord`
    hold : In, 1
        Keep the counters as they are in this cycle; for fewer cycles in a row than a byte takes.
    counters : Out, `LineCounters`
    """

    def __init__(self, clock_hz: float, baud: float):
        self.divisor = divisor(clock_hz, baud)
        super().__init__(
            {
                "pins": Out(Pins()),
                "commands": Out(stream.Signature(CommandWord)),
                "replies": In(stream.Signature(ReplyWord)),
                "hold": In(1),
                "counters": Out(LineCounters),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = Receiver(self.divisor)
        m.submodules.deframer = deframer = Deframer()
        m.submodules.framer = framer = Framer()
        m.submodules.transmitter = transmitter = Transmitter(self.divisor)
        m.d.comb += [
            receiver.line.eq(self.pins.rx),
            deframer.lost.eq(receiver.framing | receiver.broken),
            self.pins.tx.eq(transmitter.line),
        ]
        connect(m, receiver.bytes, deframer.bytes)
        connect(m, deframer.words, flipped(self.commands))
        connect(m, flipped(self.replies), framer.words)
        connect(m, framer.bytes, transmitter.bytes)
        for name, event in {
            "framing": receiver.framing,
            "breaks": receiver.broken,
            "overruns": deframer.overrun,
        }.items():
            # One such event in a byte at most.
            kept = Signal(name=f"kept_{name}")
            m.d.sync += kept.eq(self.hold & (event | kept))
            count(m, self.counters[name], ~self.hold & (event | kept))
        return m
