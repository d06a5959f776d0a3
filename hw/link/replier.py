"""Replies: header, length, and words from wherever the command asks for them."""

from collections.abc import Sequence

from amaranth.hdl import Array, Const, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.link.interfaces import HeaderLayout, LinkCounters, PlaceLayout, ReplyWord, StateLayout
from spec.counters import COUNTER_BITS
from spec.isa import WORD_BITS
from spec.packet import LINK_COUNTERS, MAX_WORDS, Packet


class Replier(wiring.Component):
    """Send one reply at a time.

    Parameters
    ----------
    identity
        Words of the reply to IDENTIFY.
    counters
        Number of performance counters of the device.

    Members
    -------
    start : In, 1
        In this cycle, while no reply is being sent, one begins. The inputs up to `place` stay from
        the next cycle on until `done`.
    header : In, `HeaderLayout`
        Header of the reply.
    length : In, unsigned, from 0 to the longest reply
        Words behind header and length.
    kind : In, unsigned(8)
        Type of the command, which says where they come from.
    place : In, `PlaceLayout`
        First word of a READ.
    state : In, `StateLayout`
    position : In, 32
    counters : In, `counters` x 64
        As in `hw.link.interfaces.ControlPort`.
    link : In, `LinkCounters`
    read : Out, stream of `PlaceLayout`
    data : In, stream of 32 bits
        As in `hw.link.interfaces.MemoryPort`.
    replies : Out, stream of `ReplyWord`
    done : Out, 1
        In this cycle the last word is taken.
    """

    def __init__(self, identity: Sequence[int], counters: int):
        self.identity = identity
        longest = max(MAX_WORDS, len(identity), 2 * counters)
        super().__init__(
            {
                "start": In(1),
                "header": In(HeaderLayout),
                "length": In(range(longest + 1)),
                "kind": In(HeaderLayout["type"].shape),
                "place": In(PlaceLayout),
                "state": In(StateLayout),
                "position": In(WORD_BITS),
                "counters": In(data.ArrayLayout(COUNTER_BITS, counters)),
                "link": In(LinkCounters),
                "read": Out(stream.Signature(PlaceLayout)),
                "data": In(stream.Signature(WORD_BITS)),
                "replies": Out(stream.Signature(ReplyWord)),
                "done": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        word, taken = self.replies.payload, Signal()
        # Number of the word behind header and length.
        index = Signal.like(self.length)
        value = self._find_value(m, index)
        m.d.comb += [
            taken.eq(self.replies.valid & self.replies.ready),
            self.done.eq(taken & word.last),
        ]
        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.sync += index.eq(0)
                with m.If(self.start):
                    m.next = "HEADER"
            with m.State("HEADER"):
                m.d.comb += [self.replies.valid.eq(1), word.data.eq(self.header)]
                with m.If(taken):
                    m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.comb += [
                    self.replies.valid.eq(1),
                    word.data.eq(self.length),
                    word.last.eq(self.length == 0),
                ]
                with m.If(taken):
                    m.next = "BODY"
                with m.If(self.done):
                    m.next = "IDLE"
            with m.State("BODY"):
                m.d.comb += word.last.eq(index == self.length - 1)
                with m.If(self.kind == Packet.READ):
                    m.d.comb += [
                        self.replies.valid.eq(self.data.valid),
                        word.data.eq(self.data.payload),
                        self.data.ready.eq(self.replies.ready),
                    ]
                with m.Else():
                    m.d.comb += [self.replies.valid.eq(1), word.data.eq(value)]
                with m.If(taken):
                    m.d.sync += index.eq(index + 1)
                with m.If(self.done):
                    m.next = "IDLE"
        self._ask(m, fsm.ongoing("BODY") & (self.kind == Packet.READ))
        return m

    def _ask(self, m: Module, reading: Value) -> None:
        """Ask for the words of a READ, as soon as they are taken."""
        asked = Signal(range(MAX_WORDS + 1))
        m.d.comb += [
            self.read.valid.eq(reading & (asked != self.length)),
            self.read.payload.space.eq(self.place.space),
            self.read.payload.address.eq(self.place.address + asked),
        ]
        with m.If(self.start):
            m.d.sync += asked.eq(0)
        with m.Elif(self.read.valid & self.read.ready):
            m.d.sync += asked.eq(asked + 1)

    def _find_value(self, m: Module, index: Value) -> Value:
        """Return word `index` of the replies that come from no memory."""
        identity = Array(Const(word, WORD_BITS) for word in self.identity)
        link = [self.link[name] for name in LINK_COUNTERS]
        status = Array([self.state.as_value(), self.position, *link])
        counter = Array(self.counters)[index[1:]]
        # The halves of a counter are of the same cycle.
        upper = Signal(COUNTER_BITS - WORD_BITS)
        with m.If(self.replies.ready & ~index[0]):
            m.d.sync += upper.eq(counter[WORD_BITS:])

        value = Signal(WORD_BITS)
        with m.Switch(self.kind):
            with m.Case(Packet.IDENTIFY):
                m.d.comb += value.eq(identity[index])
            with m.Case(Packet.STATUS):
                m.d.comb += value.eq(status[index])
            with m.Case(Packet.COUNTERS):
                m.d.comb += value.eq(counter)
                with m.If(index[0]):
                    m.d.comb += value.eq(upper)
        return value
