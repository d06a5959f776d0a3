"""Replies: header, length, and words from wherever the command asks for them.

The words are copied into a memory, a word a cycle, and sent from there as they are taken. So all of
them are of the cycle in which the copy begins, however late they are taken: state and position are
kept or copied in that cycle, and counters are held until they are copied.
"""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.common.arithmetic import pick
from hw.common.streams import StreamPipe
from hw.link.command_receiver import StoreLayout
from hw.link.interfaces import HeaderLayout, LinkCounters, PlaceLayout, ReplyWord, StateLayout
from spec.counters import COUNTER_BITS
from spec.isa import WORD_BITS
from spec.packet import LINK_COUNTERS, MAX_WORDS, STATUS_WORDS, Packet

HOLD_LINK_CYCLES = STATUS_WORDS + STATUS_WORDS % 2
"""Cycles in which a status is copied, in pairs of words."""


def longest_reply(identity: Sequence[int], counters: int) -> int:
    """Return the most words that a reply has behind header and length."""
    return max(MAX_WORDS, len(identity), STATUS_WORDS, 2 * counters)


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
    length : In, range(longest_reply(identity, counters) + 1)
        Words behind header and length.
    kind : In, unsigned(8)
        Type of the command, which says where they come from.
    place : In, `PlaceLayout`
        First word of a READ.
    state : In, `StateLayout`
    position : In, 32
    hold : Out, 1
    counters : In, `counters` x 64
        As in `hw.link.interfaces.ControlPort`.
    hold_link : Out, 1
        Keep `link` as it is in this cycle; it comes for at most `HOLD_LINK_CYCLES` in a row.
    link : In, `LinkCounters`
    read : Out, stream of `PlaceLayout`
    data : In, stream of 32 bits
        As in `hw.link.interfaces.MemoryPort`.
    store : Out, StoreLayout(longest_reply(identity, counters))
    load : Out, 1
    index : Out, range(longest_reply(identity, counters))
        Write a word into the memory of the reply, and read one.
    word : In, 32
        Word that was read, from the cycle after `load` until the next `load`.
    replies : Out, stream of `ReplyWord`
    done : Out, 1
        In this cycle the last word leaves the memory.
    """

    def __init__(self, identity: Sequence[int], counters: int):
        self.identity = identity
        longest = longest_reply(identity, counters)
        super().__init__(
            {
                "start": In(1),
                "header": In(HeaderLayout),
                "length": In(range(longest + 1)),
                "kind": In(HeaderLayout["type"].shape),
                "place": In(PlaceLayout),
                "state": In(StateLayout),
                "position": In(WORD_BITS),
                "hold": Out(1),
                "counters": In(data.ArrayLayout(COUNTER_BITS, counters)),
                "hold_link": Out(1),
                "link": In(LinkCounters),
                "read": Out(stream.Signature(PlaceLayout)),
                "data": In(stream.Signature(WORD_BITS)),
                "store": Out(StoreLayout(longest)),
                "load": Out(1),
                "index": Out(range(longest)),
                "word": In(WORD_BITS),
                "replies": Out(stream.Signature(ReplyWord)),
                "done": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.pipe = pipe = StreamPipe(ReplyWord)
        connect(m, pipe.o, flipped(self.replies))
        # Words that have been copied, and those that have been read of them.
        copied = Signal.like(self.length)
        loaded = Signal.like(self.length)
        copying = Signal()
        swapped = self.kind == Packet.STATUS
        self._copy(m, copying, copied, swapped)
        self._ask(m, copying & (self.kind == Packet.READ))

        out, taken = pipe.i.payload, Signal()
        # A word that was read waits at the memory.
        waiting = Signal()
        m.d.comb += [
            taken.eq(pipe.i.valid & pipe.i.ready),
            self.done.eq(taken & out.last),
            self.index.eq(loaded),
        ]
        with m.If(self.start):
            m.d.sync += [copied.eq(0), loaded.eq(0)]
        with m.FSM():
            with m.State("IDLE"):
                with m.If(self.start):
                    m.d.sync += copying.eq(1)
                    m.next = "HEADER"
            with m.State("HEADER"):
                m.d.comb += [pipe.i.valid.eq(1), out.data.eq(self.header)]
                with m.If(taken):
                    m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.comb += [
                    pipe.i.valid.eq(1),
                    out.data.eq(self.length),
                    out.last.eq(self.length == 0),
                ]
                with m.If(taken):
                    m.next = "BODY"
                with m.If(self.done):
                    m.next = "IDLE"
            with m.State("BODY"):
                there = ((loaded ^ swapped) < copied) | ~copying
                m.d.comb += [
                    pipe.i.valid.eq(waiting),
                    out.data.eq(self.word),
                    out.last.eq(loaded == self.length),
                    self.load.eq(there & (loaded != self.length) & (~waiting | pipe.i.ready)),
                ]
                with m.If(~waiting | pipe.i.ready):
                    m.d.sync += [waiting.eq(self.load), loaded.eq(loaded + self.load)]
                with m.If(self.done):
                    m.next = "IDLE"
        return m

    def _copy(self, m: Module, copying: Signal, copied: Signal, swapped: Value) -> None:
        """Copy the words of the reply into the memory.

        Those of a status come in pairs, the second one first: the position changes, and the state
        before it is kept.
        """
        state = Signal(StateLayout)
        first = copied == 0
        with m.If(first):
            m.d.sync += state.eq(self.state)
        identity = [Const(word, WORD_BITS) for word in self.identity]
        link = [self.link[name] for name in LINK_COUNTERS]
        status = [state.as_value(), self.position, *link, Const(0, WORD_BITS)]
        counter = pick(list(self.counters), copied[1:])
        place = copied ^ swapped
        empty = self.length == 0
        last = copied == ((self.length - 1) | swapped)
        m.d.comb += [
            self.data.ready.eq(1),
            self.hold.eq(copying & (self.kind == Packet.COUNTERS) & ~empty),
            self.hold_link.eq(copying & swapped & ~empty),
            self.store.en.eq(copying & ((self.kind != Packet.READ) | self.data.valid)),
            self.store.index.eq(place),
        ]
        with m.Switch(self.kind):
            with m.Case(Packet.IDENTIFY):
                m.d.comb += self.store.word.eq(pick(identity, copied))
            with m.Case(Packet.STATUS):
                m.d.comb += self.store.word.eq(pick(status, place))
            with m.Case(Packet.COUNTERS):
                m.d.comb += self.store.word.eq(
                    Mux(copied[0], counter[WORD_BITS:], counter[:WORD_BITS])
                )
            with m.Case(Packet.READ):
                m.d.comb += self.store.word.eq(self.data.payload)
        with m.If(self.store.en):
            m.d.sync += copied.eq(copied + 1)
        with m.If(copying & (empty | (self.store.en & last))):
            m.d.sync += copying.eq(0)

    def _ask(self, m: Module, reading: Value) -> None:
        """Ask for the words of a READ."""
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
