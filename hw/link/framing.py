"""Frames of packets on a serial line, see `spec.framing`."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.common.streams import StreamRegister
from hw.link.interfaces import CommandWord, ReplyWord
from spec.framing import ESCAPE, FLAG, STUFFED, WORD_BYTES
from spec.isa import WORD_BITS

BYTE_BITS = 8


class Unstuffer(wiring.Component):
    """Tell the bytes of frames from flags and escapes, within the cycle.

    Members
    -------
    bytes : In, stream of 8 bits, always ready
    flag : Out, 1
        In this cycle a flag comes.
    inside : Out, 1
        In this cycle a byte of a frame comes.
    byte : Out, 8
        That byte as it was before it was stuffed.
    escaped : Out, 1
        The last byte was an escape.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "bytes": In(stream.Signature(BYTE_BITS, always_ready=True)),
                "flag": Out(1),
                "inside": Out(1),
                "byte": Out(BYTE_BITS),
                "escaped": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        escape = self.bytes.valid & (self.bytes.payload == ESCAPE)
        m.d.comb += [
            self.byte.eq(self.bytes.payload ^ Mux(self.escaped, STUFFED, 0)),
            self.flag.eq(self.bytes.valid & (self.bytes.payload == FLAG)),
            self.inside.eq(self.bytes.valid & ~self.flag & ~escape),
        ]
        with m.If(self.bytes.valid):
            m.d.sync += self.escaped.eq(escape)
        return m


class Deframer(wiring.Component):
    """Find frames among bytes.

    A word leaves when the second one after it is complete, since the last one is the check sum.
    A line cannot wait: what comes while `words` is not taken is lost, and the frame is damaged;
    a frame that lost everything is only counted.

    Members
    -------
    bytes : In, stream of 8 bits, always ready
    lost : In, 1
        In this cycle a byte was lost on the line.
    words : Out, stream of `CommandWord`
    overrun : Out, 1
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
        m.submodules.unstuffer = unstuffer = Unstuffer()
        m.submodules.crc = crc = CRC32_ISO_HDLC(BYTE_BITS).create()
        m.submodules.register = register = StreamRegister(CommandWord)
        connect(m, flipped(self.bytes), unstuffer.bytes)
        connect(m, register.o, flipped(self.words))
        m.d.comb += [
            crc.data.eq(unstuffer.byte),
            crc.valid.eq(unstuffer.inside),
            crc.start.eq(unstuffer.flag),
        ]

        # The frame that comes in: its bytes since the last whole word, its last two words, and
        # what went wrong with it.
        begun = Signal()
        place = Signal(range(WORD_BYTES))
        part = Signal(WORD_BITS - BYTE_BITS)
        newest = Signal(WORD_BITS)
        has_newest = Signal()
        older = Signal(WORD_BITS)
        has_older = Signal()
        damaged = Signal()
        overran = Signal()
        # `older` is the last word of the previous frame, still to be sent.
        ending = Signal()
        end_damaged = Signal()

        word_ends = unstuffer.inside & ~ending & (place == WORD_BYTES - 1)
        passes_on = word_ends & has_older
        m.d.comb += [
            # The end of a frame may wait, a word may not: if it is not taken it is lost.
            register.i.valid.eq(ending | (passes_on & register.i.ready)),
            register.i.payload.data.eq(older),
            register.i.payload.last.eq(ending),
            register.i.payload.damaged.eq(ending & end_damaged),
        ]
        with m.If(ending & register.i.ready):
            m.d.sync += ending.eq(0)
        with m.If(self.lost):
            m.d.sync += damaged.eq(1)
        with m.If(unstuffer.inside & (ending | (passes_on & ~register.i.ready))):
            m.d.sync += overran.eq(1)
        with m.If(unstuffer.inside):
            m.d.sync += begun.eq(1)
        with m.If(unstuffer.inside & ~ending):
            m.d.sync += [place.eq(place + 1), part.eq(Cat(part, unstuffer.byte)[BYTE_BITS:])]
        with m.If(word_ends):
            m.d.sync += [
                newest.eq(Cat(part, unstuffer.byte)),
                has_newest.eq(1),
                older.eq(newest),
                has_older.eq(has_newest),
            ]

        with m.If(unstuffer.flag):
            m.d.sync += [
                Cat(begun, damaged, overran, has_newest, has_older).eq(0),
                place.eq(0),
            ]
        whole = (place == 0) & has_older & ~unstuffer.escaped & crc.match_detected
        with m.If(unstuffer.flag & (begun | unstuffer.escaped)):
            m.d.comb += self.overrun.eq(overran | ending)
            with m.If(~ending):
                m.d.sync += [ending.eq(1), end_damaged.eq(damaged | overran | ~whole)]
                with m.If(~has_older):
                    m.d.sync += older.eq(0)
        return m


class Framer(wiring.Component):
    """Put packets into frames.

    Members
    -------
    words : In, stream of `ReplyWord`
    bytes : Out, stream of 8 bits
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
