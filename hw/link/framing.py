"""Packets on a line of bytes in hardware, see `spec.framing`."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from hw.link.interfaces import CommandWord, ReplyWord
from spec.framing import ESCAPE, FLAG, STUFFED, WORD_BYTES
from spec.isa import WORD_BITS

BYTE_BITS = 8


class Deframer(wiring.Component):
    """Find frames among bytes.

    A word leaves when the second one after it is complete, since the last one is the check sum.
    A line cannot wait: what comes while `words` is not taken is lost, and the frame is damaged;
    a frame that lost everything is only counted.

    Members
    -------
    bytes : In, stream, always ready
    lost : In
        In this cycle a byte was lost on the line.
    words : Out, stream of `CommandWord`
    overrun : Out
        In this cycle a frame ends that was not taken in time.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "bytes": In(stream.Signature(BYTE_BITS, always_ready=True)),
                "lost": In(1),
                "words": Out(stream.Signature(CommandWord)),
                "overrun": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = CRC32_ISO_HDLC(BYTE_BITS).create()

        # Of the frame that comes in.
        begun = Signal()
        escaped = Signal()
        damaged = Signal()
        overran = Signal()
        place = Signal(range(WORD_BYTES))
        word = Signal(WORD_BITS - BYTE_BITS)
        newest, older = Signal(WORD_BITS), Signal(WORD_BITS)
        has_newest, has_older = Signal(), Signal()
        # Of the frame before it: `older` is its last word and has not left.
        ending = Signal()
        end_damaged = Signal()

        byte = self.bytes.payload ^ Mux(escaped, STUFFED, 0)
        flag = self.bytes.valid & (self.bytes.payload == FLAG)
        escape = self.bytes.valid & (self.bytes.payload == ESCAPE)
        inside = self.bytes.valid & ~flag & ~escape
        free = ~self.words.valid | self.words.ready
        m.d.comb += [crc.data.eq(byte), crc.valid.eq(inside), crc.start.eq(flag)]

        with m.If(self.words.ready):
            m.d.sync += self.words.valid.eq(0)
        with m.If(ending & free):
            m.d.sync += [
                self.words.valid.eq(1),
                self.words.payload.data.eq(older),
                self.words.payload.last.eq(1),
                self.words.payload.damaged.eq(end_damaged),
                ending.eq(0),
            ]

        with m.If(self.lost):
            m.d.sync += damaged.eq(1)
        with m.If(escape):
            m.d.sync += escaped.eq(1)
        with m.If(inside):
            m.d.sync += [begun.eq(1), escaped.eq(0)]
            with m.If(ending):
                m.d.sync += overran.eq(1)
            with m.Else():
                m.d.sync += [place.eq(place + 1), word.eq(Cat(word, byte)[BYTE_BITS:])]
                with m.If(place == WORD_BYTES - 1):
                    m.d.sync += [
                        newest.eq(Cat(word, byte)),
                        has_newest.eq(1),
                        older.eq(newest),
                        has_older.eq(has_newest),
                    ]
                    with m.If(has_older & free):
                        m.d.sync += [
                            self.words.valid.eq(1),
                            self.words.payload.data.eq(older),
                            self.words.payload.last.eq(0),
                            self.words.payload.damaged.eq(0),
                        ]
                    with m.Elif(has_older):
                        m.d.sync += overran.eq(1)
        with m.If(flag):
            m.d.sync += [
                Cat(begun, escaped, damaged, overran, has_newest, has_older).eq(0),
                place.eq(0),
            ]
            with m.If(begun | escaped):
                m.d.comb += self.overrun.eq(overran | ending)
                with m.If(~ending):
                    m.d.sync += [
                        ending.eq(1),
                        end_damaged.eq(
                            damaged
                            | overran
                            | escaped
                            | (place != 0)
                            | ~has_older
                            | ~crc.match_detected
                        ),
                    ]
                    with m.If(~has_older):
                        m.d.sync += older.eq(0)
        return m


class Framer(wiring.Component):
    """Put packets into frames.

    Members
    -------
    words : In, stream of `ReplyWord`
    bytes : Out, stream
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "words": In(stream.Signature(ReplyWord)),
                "bytes": Out(stream.Signature(BYTE_BITS)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = CRC32_ISO_HDLC(BYTE_BITS).create()
        place = Signal(range(WORD_BYTES))
        escaped = Signal()
        checking = Signal()

        word = Mux(checking, crc.crc, self.words.payload.data)
        byte = word.word_select(place, BYTE_BITS)
        escape = ((byte == FLAG) | (byte == ESCAPE)) & ~escaped
        last_byte = place == WORD_BYTES - 1
        sent = self.bytes.valid & self.bytes.ready
        m.d.comb += crc.data.eq(byte)

        with m.FSM():
            with m.State("OPEN"):
                m.d.comb += [
                    self.bytes.valid.eq(self.words.valid),
                    self.bytes.payload.eq(FLAG),
                    crc.start.eq(1),
                ]
                with m.If(sent):
                    m.next = "BODY"

            with m.State("BODY"):
                m.d.comb += [
                    self.bytes.valid.eq(self.words.valid | checking),
                    self.bytes.payload.eq(
                        Mux(escape, ESCAPE, byte ^ Mux(escaped, STUFFED, 0)),
                    ),
                ]
                with m.If(sent):
                    m.d.sync += escaped.eq(escape)
                with m.If(sent & ~escape):
                    m.d.sync += place.eq(place + 1)
                    m.d.comb += [
                        crc.valid.eq(~checking),
                        self.words.ready.eq(last_byte & ~checking),
                    ]
                    with m.If(last_byte & checking):
                        m.d.sync += checking.eq(0)
                        m.next = "CLOSE"
                    with m.Elif(last_byte):
                        m.d.sync += checking.eq(self.words.payload.last)

            with m.State("CLOSE"):
                m.d.comb += [self.bytes.valid.eq(1), self.bytes.payload.eq(FLAG)]
                with m.If(sent):
                    m.next = "OPEN"
        return m
