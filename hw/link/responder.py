"""The host protocol in hardware: packets in, replies out, a device behind.

    commands -> CommandReceiver -> CommandChecker -> Responder -> device
                                                         |
    replies <------------------------------------------- Replier <- device

A command is kept until its last word is in and checked before anything of it is executed, which
is why there is a longest packet. One command at a time: while it is executed and answered, the
next one waits at `commands`.
"""

from collections.abc import Sequence

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.link.command_checker import CHECK_CYCLES, CommandChecker
from hw.link.command_receiver import CommandReceiver
from hw.link.interfaces import (
    CommandWord,
    ControlPort,
    HeaderLayout,
    LineCounters,
    LinkCounters,
    MemoryPort,
    ReplyWord,
    Sizes,
)
from hw.link.replier import Replier, longest_reply
from spec.isa import ErrorCode
from spec.packet import (
    ERROR,
    LINE_COUNTERS,
    MAX_WORDS,
    PACKET_MAGIC,
    REPLY,
    STATUS_WORDS,
    Packet,
)


class Responder(wiring.Component):
    """Execute commands on a device and answer them, see `golden.link.responder.Responder`.

    Parameters
    ----------
    sizes
        Words of each space.
    identity
        Reply to IDENTIFY.
    counters
        Number of performance counters of the device.

    Members
    -------
    commands : In, stream of `CommandWord`
    replies : Out, stream of `ReplyWord`
    memory : Out, `MemoryPort`
    control : Out, `ControlPort`
    hold_line : Out, 1
        Keep `line` as it is in this cycle; it comes for at most `HOLD_LINK_CYCLES` in a row.
    line : In, `LineCounters`
        Counters of the carrier.
    link : Out, `LinkCounters`
    """

    def __init__(self, sizes: Sizes, identity: Sequence[int], counters: int):
        self.sizes, self.identity = sizes, identity
        super().__init__(
            {
                "commands": In(stream.Signature(CommandWord)),
                "replies": Out(stream.Signature(ReplyWord)),
                "memory": Out(MemoryPort()),
                "control": Out(ControlPort(counters)),
                "hold_line": Out(1),
                "line": In(LineCounters),
                "link": Out(LinkCounters),
            }
        )

    def elaborate(self, platform):
        m = Module()
        counters = len(self.control.counters)
        longest = longest_reply(self.identity, counters)
        m.submodules.receiver = receiver = CommandReceiver(longest)
        m.submodules.checker = checker = CommandChecker(self.sizes)
        m.submodules.replier = replier = Replier(self.identity, counters)
        self._connect(m, receiver, checker, replier)
        self._prepare_reply(m, receiver, checker, replier)

        # A command passes one state after the other, and most skip WRITE.
        arguments = receiver.command.arguments
        write = self.memory.write
        written = Signal(range(MAX_WORDS))
        m.d.comb += [
            receiver.en.eq(1),
            receiver.address.eq(written + (write.valid & write.ready)),
            write.payload.space.eq(arguments[0]),
            write.payload.address.eq(arguments[1] + written),
            write.payload.data.eq(receiver.data),
        ]
        checked = Signal(range(CHECK_CYCLES))
        with m.FSM():
            with m.State("RECEIVE"):
                m.d.sync += [written.eq(0), checked.eq(0)]
                with m.If(receiver.complete):
                    m.next = "CHECK"
            with m.State("CHECK"):
                m.d.sync += checked.eq(checked + 1)
                with m.If(checked == CHECK_CYCLES - 2):
                    m.next = "DECIDE"
            with m.State("DECIDE"):
                m.d.comb += checker.decide.eq(1)
                execute = (checker.code == ErrorCode.NONE) & ~checker.retry
                kind = receiver.command.header.type
                m.d.comb += [
                    self.control.run.eq(execute & (kind == Packet.RUN)),
                    self.control.abort.eq(execute & (kind == Packet.ABORT)),
                ]
                with m.If(execute & (kind == Packet.WRITE)):
                    m.next = "WRITE"
                with m.Else():
                    m.d.comb += replier.start.eq(1)
                    m.next = "REPLY"
            with m.State("WRITE"):
                m.d.comb += write.valid.eq(1)
                with m.If(write.ready):
                    m.d.sync += written.eq(written + 1)
                    with m.If(written == checker.amount - 1):
                        m.d.comb += replier.start.eq(1)
                        m.next = "REPLY"
            with m.State("REPLY"):
                m.d.comb += [receiver.en.eq(replier.load), receiver.address.eq(replier.index)]
                with m.If(replier.done):
                    m.next = "RECEIVE"
        return m

    def _connect(
        self, m: Module, receiver: CommandReceiver, checker: CommandChecker, replier: Replier
    ) -> None:
        """Connect the parts with each other and with the ports."""
        memory, control = self.memory, self.control
        arguments = receiver.command.arguments
        connect(m, flipped(self.commands), receiver.commands)
        connect(m, replier.replies, flipped(self.replies))
        connect(m, replier.read, flipped(memory.read))
        connect(m, flipped(memory.data), replier.data)
        m.d.comb += [
            memory.probe.eq(receiver.probe),
            receiver.unfit.eq(memory.unfit),
            receiver.store.eq(replier.store),
            receiver.free.eq(replier.done),
            replier.word.eq(receiver.data),
            checker.command.eq(receiver.command),
            checker.running.eq(control.state.running),
            control.pc.eq(arguments[0]),
            replier.kind.eq(receiver.command.header.type),
            replier.place.space.eq(arguments[0]),
            replier.place.address.eq(arguments[1]),
            replier.state.eq(control.state),
            replier.position.eq(control.position),
            control.hold.eq(replier.hold),
            replier.counters.eq(control.counters),
            self.hold_line.eq(replier.hold_link),
            replier.link.eq(self.link),
            self.link.packets.eq(receiver.packets),
            self.link.damaged.eq(receiver.damaged),
            *(self.link[name].eq(self.line[name]) for name in LINE_COUNTERS),
        ]

    def _prepare_reply(
        self, m: Module, receiver: CommandReceiver, checker: CommandChecker, replier: Replier
    ) -> None:
        """Keep header and length of the reply from the decision on."""
        header = receiver.command.header
        reply, length = Signal(HeaderLayout), Signal.like(replier.length)
        fine = checker.code == ErrorCode.NONE
        m.d.comb += [replier.header.eq(reply), replier.length.eq(length)]
        with m.If(checker.decide):
            m.d.sync += [
                reply.magic.eq(PACKET_MAGIC),
                reply.type.eq(Mux(fine, header.type | REPLY, ERROR)),
                reply.sequence.eq(header.sequence),
                reply.code.eq(checker.code),
                length.eq(0),
            ]
            with m.If(fine & ~checker.retry):
                with m.Switch(header.type):
                    for kind, words in [
                        (Packet.READ, checker.amount),
                        (Packet.IDENTIFY, len(self.identity)),
                        (Packet.STATUS, STATUS_WORDS),
                        (Packet.COUNTERS, 2 * len(self.control.counters)),
                    ]:
                        with m.Case(kind):
                            m.d.sync += length.eq(words)
