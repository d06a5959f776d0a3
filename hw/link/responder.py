"""The host protocol in hardware: packets in, replies out, a device behind.

A command is kept until its last word is in and checked before anything of it is executed, which
is why there is a longest packet. One command at a time: while it is executed and answered, the
next one waits at `commands`.
"""

import operator
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

from amaranth.hdl import Array, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.common.counters import count
from spec.counters import COUNTER_BITS
from spec.isa import WORD_BITS, ErrorCode, Space
from spec.packet import (
    ADDRESSING,
    CHANGING,
    COMMANDS,
    ERROR,
    HEADER,
    HEADER_WORDS,
    LINE_COUNTERS,
    LINK_COUNTERS,
    MAX_PAYLOAD,
    MAX_WORDS,
    PACKET_MAGIC,
    REPLY,
    STATE,
    STATUS_WORDS,
    Packet,
)

HeaderLayout = data.StructLayout(HEADER)
StateLayout = data.StructLayout(STATE)
LineCounters = data.StructLayout(dict.fromkeys(LINE_COUNTERS, WORD_BITS))
LinkCounters = data.StructLayout(dict.fromkeys(LINK_COUNTERS, WORD_BITS))
PlaceLayout = data.StructLayout({"space": Space, "address": WORD_BITS})
WriteLayout = data.StructLayout({"space": Space, "address": WORD_BITS, "data": WORD_BITS})

BEFORE_DATA = HEADER_WORDS + COMMANDS[Packet.WRITE]
TOO_LONG = HEADER_WORDS + MAX_PAYLOAD + 1
"""Words of a packet, counted no further."""


CommandWord = data.StructLayout({"data": WORD_BITS, "last": 1, "damaged": 1})
"""A word of a packet to the chip. `damaged` counts with `last` only."""

ReplyWord = data.StructLayout({"data": WORD_BITS, "last": 1})
"""A word of a packet from the chip."""


class ControlPort(wiring.Signature):
    """What starts, stops and watches a program, seen from the host's side.

    Parameters
    ----------
    counters
        Performance counters of the device.

    Members
    -------
    run, pc : Out
        In a cycle with `run`, which comes only while `state.running` is low, the program starts
        at instruction `pc`. `state.running` is high from the next cycle on.
    abort : Out
        In this cycle the program is told to end; `state.running` falls when it has. Nothing
        happens if none runs.
    state, position : In
        State, and the program counter, of where it ended if it has.
    counters : In, `counters` x 64 bits
    """

    def __init__(self, counters: int):
        super().__init__(
            {
                "run": Out(1),
                "pc": Out(WORD_BITS),
                "abort": Out(1),
                "state": In(StateLayout),
                "position": In(WORD_BITS),
                "counters": In(data.ArrayLayout(COUNTER_BITS, counters)),
            }
        )


class MemoryPort(wiring.Signature):
    """Access to the spaces, by words, seen from the host's side.

    What `write` and `read` transfer is in range, and comes only while no program runs.

    Members
    -------
    probe : Out, `WriteLayout`
    unfit : In
        In the same cycle: the space cannot hold the word that `probe` would write. It need not
        tell if space or address are out of range.
    write : Out, stream of `WriteLayout`
    read : Out, stream of `PlaceLayout`
    data : In, stream
        The words asked for by `read`, in order, after any delay.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "probe": Out(WriteLayout),
                "unfit": In(1),
                "write": Out(stream.Signature(WriteLayout)),
                "read": Out(stream.Signature(PlaceLayout)),
                "data": In(stream.Signature(WORD_BITS)),
            }
        )


class Responder(wiring.Component):
    """Execute commands on a device and answer them, see `spec.packet.Responder`.

    Parameters
    ----------
    sizes
        Words of each space.
    identity
        Reply to IDENTIFY.
    counters
        Performance counters of the device.

    Members
    -------
    commands : In, stream of `CommandWord`
    replies : Out, stream of `ReplyWord`
    memory : Out, `MemoryPort`
    control : Out, `ControlPort`
    line : In, `LineCounters`
        Of what carries the packets.
    link : Out, `LinkCounters`
    """

    def __init__(self, sizes: Mapping[Space, int], identity: Sequence[int], counters: int):
        self.sizes, self.identity = sizes, identity
        super().__init__(
            {
                "commands": In(stream.Signature(CommandWord)),
                "replies": Out(stream.Signature(ReplyWord)),
                "memory": Out(MemoryPort()),
                "control": Out(ControlPort(counters)),
                "line": In(LineCounters),
                "link": Out(LinkCounters),
            }
        )

    def elaborate(self, platform):
        m = Module()
        memory, control = self.memory, self.control

        # What is received: header, length, payload, and the first words of the payload apart.
        header = Signal(HeaderLayout)
        length = Signal(WORD_BITS)
        arguments = [Signal(WORD_BITS, name=f"argument_{i}") for i in range(3)]
        m.submodules.payload = payload = Memory(shape=WORD_BITS, depth=MAX_WORDS, init=[])
        store, load = payload.write_port(), payload.read_port()
        received = Signal(range(TOO_LONG + 1))
        damaged = Signal()
        unfit = Signal()

        # What is found out about it before the decision.
        form = Signal(ErrorCode)
        retry = Signal()
        known_space = Signal()
        size = Signal(range(max(self.sizes.values()) + 1))
        amount = Signal(range(MAX_WORDS + 1))

        # The previous packet, if it changed the device.
        done = Signal()
        done_header = Signal(HeaderLayout)

        # The reply, and how far it or the transfer before it has come.
        reply = Signal(HeaderLayout)
        reply_length = Signal(range(max(MAX_WORDS, 2 * len(control.counters)) + 1))
        position = Signal.like(reply_length)
        asked = Signal.like(amount)
        upper = Signal(COUNTER_BITS - WORD_BITS)

        word = self.commands.payload
        taken = self.commands.valid & self.commands.ready
        m.d.comb += [
            store.addr.eq(received - BEFORE_DATA),
            store.data.eq(word.data),
            store.en.eq(taken & (received >= BEFORE_DATA) & (received < TOO_LONG)),
            load.addr.eq(position + (memory.write.valid & memory.write.ready)),
            memory.probe.space.eq(arguments[0]),
            memory.probe.address.eq(arguments[1] + store.addr),
            memory.probe.data.eq(word.data),
            memory.write.payload.space.eq(arguments[0]),
            memory.write.payload.address.eq(arguments[1] + position),
            memory.write.payload.data.eq(load.data),
            memory.read.payload.space.eq(arguments[0]),
            memory.read.payload.address.eq(arguments[1] + asked),
            control.pc.eq(arguments[0]),
        ]

        for name in LINE_COUNTERS:
            m.d.comb += self.link[name].eq(self.line[name])

        with m.FSM():
            with m.State("RECEIVE"):
                m.d.comb += self.commands.ready.eq(1)
                with m.If(taken):
                    with m.Switch(received):
                        for i, register in enumerate([header, length, *arguments]):
                            with m.Case(i):
                                m.d.sync += register.eq(word.data)
                    with m.If(store.en & memory.unfit):
                        m.d.sync += unfit.eq(1)
                    with m.If(received != TOO_LONG):
                        m.d.sync += received.eq(received + 1)
                    with m.If(word.last):
                        m.d.sync += damaged.eq(word.damaged)
                        count(m, self.link.damaged, word.damaged)
                        count(m, self.link.packets, ~word.damaged)
                        m.next = "EXAMINE"

            with m.State("EXAMINE"):
                m.d.sync += [
                    retry.eq(done & (header == done_header)),
                    amount.eq(Mux(header.type == Packet.READ, arguments[2], length - 2)),
                    known_space.eq(0),
                    # A cycle before the decision, for the first word to write to be at hand.
                    position.eq(0),
                ]
                with m.Switch(arguments[0]):
                    for space in Space:
                        with m.Case(space):
                            m.d.sync += [known_space.eq(1), size.eq(self.sizes[space])]
                with m.If(damaged):
                    m.d.sync += form.eq(ErrorCode.CRC)
                with m.Elif((header.magic != PACKET_MAGIC) | (header.code != ErrorCode.NONE)):
                    m.d.sync += form.eq(ErrorCode.HEADER)
                with m.Elif((received == TOO_LONG) | (length + HEADER_WORDS != received)):
                    m.d.sync += form.eq(ErrorCode.LENGTH)
                with m.Else():
                    m.d.sync += form.eq(ErrorCode.NONE)
                m.next = "DECIDE"

            with m.State("DECIDE"):
                code = Signal(ErrorCode)
                addressing = _among(header.type, ADDRESSING)
                m.d.comb += code.eq(
                    _first(
                        (form != ErrorCode.NONE, form),
                        (retry, ErrorCode.NONE),
                        (~_among(header.type, COMMANDS), ErrorCode.TYPE),
                        (~_right_length(header.type, length), ErrorCode.LENGTH),
                        (
                            (header.type == Packet.READ)
                            & ((arguments[2] == 0) | (arguments[2] > MAX_WORDS)),
                            ErrorCode.LENGTH,
                        ),
                        (addressing & ~known_space, ErrorCode.SPACE),
                        (
                            (addressing | (header.type == Packet.RUN)) & control.state.running,
                            ErrorCode.BUSY,
                        ),
                        (addressing & (arguments[1] + amount > size), ErrorCode.RANGE),
                        ((header.type == Packet.WRITE) & unfit, ErrorCode.VALUE),
                    )
                )
                fine = code == ErrorCode.NONE
                with m.If(form != ErrorCode.CRC):
                    m.d.sync += [
                        done.eq(fine & _among(header.type, CHANGING)),
                        done_header.eq(header),
                    ]
                m.d.sync += [
                    received.eq(0),
                    unfit.eq(0),
                    reply.magic.eq(PACKET_MAGIC),
                    reply.type.eq(Mux(fine, header.type | REPLY, ERROR)),
                    reply.sequence.eq(header.sequence),
                    reply.code.eq(code),
                    reply_length.eq(0),
                    asked.eq(0),
                ]
                m.next = "HEADER"
                with m.If(fine & ~retry):
                    with m.Switch(header.type):
                        with m.Case(Packet.WRITE):
                            m.next = "WRITE"
                        with m.Case(Packet.RUN):
                            m.d.comb += control.run.eq(1)
                        with m.Case(Packet.ABORT):
                            m.d.comb += control.abort.eq(1)
                        for kind, words in [
                            (Packet.READ, amount),
                            (Packet.IDENTIFY, len(self.identity)),
                            (Packet.STATUS, STATUS_WORDS),
                            (Packet.COUNTERS, 2 * len(control.counters)),
                        ]:
                            with m.Case(kind):
                                m.d.sync += reply_length.eq(words)

            with m.State("WRITE"):
                m.d.comb += memory.write.valid.eq(1)
                with m.If(memory.write.ready):
                    m.d.sync += position.eq(position + 1)
                    with m.If(position == amount - 1):
                        m.next = "HEADER"

            with m.State("HEADER"):
                m.d.sync += position.eq(0)
                m.d.comb += [self.replies.valid.eq(1), self.replies.payload.data.eq(reply)]
                with m.If(self.replies.ready):
                    m.next = "LENGTH"

            with m.State("LENGTH"):
                m.d.comb += [
                    self.replies.valid.eq(1),
                    self.replies.payload.data.eq(reply_length),
                    self.replies.payload.last.eq(reply_length == 0),
                ]
                with m.If(self.replies.ready):
                    m.next = "BODY"
                    with m.If(reply_length == 0):
                        m.next = "RECEIVE"

            with m.State("BODY"):
                m.d.comb += self.replies.payload.last.eq(position == reply_length - 1)
                with m.If(header.type == Packet.READ):
                    m.d.comb += [
                        memory.read.valid.eq(asked != reply_length),
                        self.replies.valid.eq(memory.data.valid),
                        self.replies.payload.data.eq(memory.data.payload),
                        memory.data.ready.eq(self.replies.ready),
                    ]
                    with m.If(memory.read.valid & memory.read.ready):
                        m.d.sync += asked.eq(asked + 1)
                with m.Else():
                    m.d.comb += self.replies.valid.eq(1)
                    with m.Switch(header.type):
                        with m.Case(Packet.IDENTIFY):
                            identity = Array(Const(word, WORD_BITS) for word in self.identity)
                            m.d.comb += self.replies.payload.data.eq(identity[position])
                        with m.Case(Packet.STATUS):
                            link = [self.link[name] for name in LINK_COUNTERS]
                            status = Array([control.state.as_value(), control.position, *link])
                            m.d.comb += self.replies.payload.data.eq(status[position])
                        with m.Case(Packet.COUNTERS):
                            counter = Array(control.counters)[position[1:]]
                            with m.If(position[0]):
                                m.d.comb += self.replies.payload.data.eq(upper)
                            with m.Else():
                                m.d.comb += self.replies.payload.data.eq(counter)
                            with m.If(self.replies.ready & ~position[0]):
                                # The halves of a counter are of the same cycle.
                                m.d.sync += upper.eq(counter[WORD_BITS:])
                with m.If(self.replies.valid & self.replies.ready):
                    m.d.sync += position.eq(position + 1)
                    with m.If(self.replies.payload.last):
                        m.next = "RECEIVE"

        return m


def _first(*rules: tuple[Value, ErrorCode | Value]) -> Value:
    """Return the code of the first rule that applies, else NONE."""
    code: Value = Const(ErrorCode.NONE, ErrorCode)
    for applies, this in reversed(rules):
        code = Mux(applies, this, code)
    return code


def _among(kind: Value, kinds: Iterable[int]) -> Value:
    return reduce(operator.or_, (kind == each for each in kinds))


def _right_length(kind: Value, length: Value) -> Value:
    """Return whether the payload is as long as the command needs it."""
    right = [
        (kind == each) & (length > words if each is Packet.WRITE else length == words)
        for each, words in COMMANDS.items()
    ]
    return reduce(operator.or_, right)
