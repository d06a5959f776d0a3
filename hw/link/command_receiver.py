"""Reception of commands: words are kept until the last one is in.

The memory that keeps the data of a command serves its reply too: a command that asks for words
brings none.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.common.counters import count
from hw.common.memory import TwoPortMemory
from hw.link.interfaces import CommandWord, HeaderLayout, WriteLayout
from spec.isa import WORD_BITS
from spec.packet import COMMANDS, HEADER_WORDS, MAX_PAYLOAD, MAX_WORDS, Packet

ARGUMENTS = max(COMMANDS.values())
"""Words of the payload that are kept apart."""

BEFORE_DATA = HEADER_WORDS + COMMANDS[Packet.WRITE]
"""Words of a WRITE before those that are written."""

TOO_LONG = HEADER_WORDS + MAX_PAYLOAD + 1
"""Word count at which the receiver saturates."""

CommandLayout = data.StructLayout(
    {
        "header": HeaderLayout,
        "length": WORD_BITS,
        "arguments": data.ArrayLayout(WORD_BITS, ARGUMENTS),
        "words": range(TOO_LONG + 1),
        "damaged": 1,
        "unfit": 1,
    }
)
"""A packet as it arrived: its first words, how many `words` came, whether it is `damaged`, and
whether a word of it is `unfit` for the space that it would be written to."""


class StoreLayout(data.StructLayout):
    """Word to write, with `en`, into a memory of `depth` words."""

    def __init__(self, depth: int):
        super().__init__({"en": 1, "index": range(depth), "word": WORD_BITS})


class CommandReceiver(wiring.Component):
    """Take the words of a packet, and keep them until it is answered.

    Parameters
    ----------
    longest
        Most words of the payload of a reply.

    Members
    -------
    `depth` words are kept: those of the longest packet, or of the longest reply.

    commands : In, stream of `CommandWord`
    complete : Out, 1
        A whole packet is there.
    command : Out, `CommandLayout`
        The packet, from `complete` on.
    free : In, 1
        In this cycle the packet is answered; the next one is taken from the next cycle on.
    store : In, StoreLayout(depth)
        Word of the reply to keep, while the packet is there.
    en, address : In, 1 and range(depth)
        Word to read, of the data of a WRITE or of the reply.
    data : Out, 32
        Word that was read, from the next cycle until the next `en`.
    probe : Out, `WriteLayout`
    unfit : In, 1
        As in `hw.link.interfaces.MemoryPort`.
    packets, damaged : Out, 32
        Counters of packets that arrived undamaged and damaged.
    """

    def __init__(self, longest: int):
        self.depth = max(MAX_WORDS, longest)
        super().__init__(
            {
                "commands": In(stream.Signature(CommandWord)),
                "complete": Out(1),
                "command": Out(CommandLayout),
                "free": In(1),
                "store": In(StoreLayout(self.depth)),
                "en": In(1),
                "address": In(range(self.depth)),
                "data": Out(WORD_BITS),
                "probe": Out(WriteLayout),
                "unfit": In(1),
                "packets": Out(WORD_BITS),
                "damaged": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        word, command = self.commands.payload, self.command
        taken = Signal()
        m.d.comb += [
            self.commands.ready.eq(~self.complete),
            taken.eq(self.commands.valid & self.commands.ready),
        ]
        with m.If(self.free):
            m.d.sync += [self.complete.eq(0), command.words.eq(0), command.unfit.eq(0)]
        with m.If(taken):
            m.d.sync += command.words.eq(
                Mux(command.words == TOO_LONG, TOO_LONG, command.words + 1)
            )
            with m.If(word.last):
                m.d.sync += [self.complete.eq(1), command.damaged.eq(word.damaged)]
        count(m, self.damaged, taken & word.last & word.damaged)
        count(m, self.packets, taken & word.last & ~word.damaged)
        self._keep_words(m, taken)
        return m

    def _keep_words(self, m: Module, taken: Signal) -> None:
        """Keep header, length and arguments in registers, and data in a memory."""
        word, command = self.commands.payload, self.command
        with m.If(taken):
            with m.Switch(command.words):
                registers = [command.header, command.length, *command.arguments]
                for i, register in enumerate(registers):
                    with m.Case(i):
                        m.d.sync += register.eq(word.data)

        m.submodules.memory = memory = TwoPortMemory(WORD_BITS, self.depth)
        number = command.words - BEFORE_DATA
        is_data = taken & (command.words >= BEFORE_DATA) & (command.words < TOO_LONG)
        m.d.comb += [
            memory.write_en.eq(Mux(self.complete, self.store.en, is_data)),
            memory.write_address.eq(Mux(self.complete, self.store.index, number)),
            memory.write_data.eq(Mux(self.complete, self.store.word, word.data)),
            memory.read_en.eq(self.en),
            memory.read_address.eq(self.address),
            self.data.eq(memory.read_data),
            self.probe.space.eq(command.arguments[0]),
            self.probe.address.eq(command.arguments[1] + number),
            self.probe.data.eq(word.data),
        ]
        with m.If(is_data & self.unfit):
            m.d.sync += command.unfit.eq(1)
