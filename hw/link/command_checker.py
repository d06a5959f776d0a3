"""Check of commands: in full, before anything of them is executed."""

import operator
from functools import reduce

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.common.errors import first_error
from hw.common.ranges import within
from hw.link.command_receiver import TOO_LONG, CommandLayout
from hw.link.interfaces import HeaderLayout, Sizes
from spec.isa import ErrorCode
from spec.packet import (
    ADDRESSING,
    CHANGING,
    COMMANDS,
    HEADER_WORDS,
    MAX_WORDS,
    PACKET_MAGIC,
    Packet,
)

CHECK_CYCLES = 3
"""From the cycle in which a command is there to the one in which its error is known."""


class CommandChecker(wiring.Component):
    """Find the error of a command, and whether it was executed before; `CHECK_CYCLES` late.

    Parameters
    ----------
    sizes
        Words of each space.

    Members
    -------
    command : In, `CommandLayout`
    running : In, 1
        A program runs.
    code : Out, `ErrorCode`
        First of the errors, in the order of `golden.link.responder`.
    retry : Out, 1
        The command repeats the last one, which changed the device: it is not executed again.
    amount : Out, unsigned(9)
        Words that a READ or WRITE moves.
    decide : In, 1
        In this cycle `code` and `retry` are made use of, and the command becomes the last one.
    """

    def __init__(self, sizes: Sizes):
        self.sizes = sizes
        super().__init__(
            {
                "command": In(CommandLayout),
                "running": In(1),
                "code": Out(ErrorCode),
                "retry": Out(1),
                "amount": Out(range(MAX_WORDS + 1)),
                "decide": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        header, arguments = self.command.header, self.command.arguments
        form = self._find_form(m)
        known_space, size = self._find_space(m)
        m.d.sync += self.amount.eq(
            Mux(header.type == Packet.READ, arguments[2], self.command.length - 2)
        )

        # The last command, if it changed the device.
        done = Signal()
        done_header = Signal(HeaderLayout)
        m.d.sync += self.retry.eq(done & (header == done_header))
        with m.If(self.decide & (form != ErrorCode.CRC)):
            m.d.sync += [
                done.eq((self.code == ErrorCode.NONE) & header.type.matches(*CHANGING)),
                done_header.eq(header),
            ]

        addressing = header.type.matches(*ADDRESSING)
        starting = header.type == Packet.RUN
        reads_amiss = (arguments[2] == 0) | (arguments[2] > MAX_WORDS)
        rules = [
            (~header.type.matches(*COMMANDS), ErrorCode.TYPE),
            (~self._right_length(), ErrorCode.LENGTH),
            ((header.type == Packet.READ) & reads_amiss, ErrorCode.LENGTH),
            (addressing & ~known_space, ErrorCode.SPACE),
            ((addressing | starting) & self.running, ErrorCode.BUSY),
            (addressing & ~within(arguments[1], self.amount, size), ErrorCode.RANGE),
            ((header.type == Packet.WRITE) & self.command.unfit, ErrorCode.VALUE),
        ]
        # Registers cut the way from the words of the command to its execution in three.
        found = [(Signal(name=f"rule_{i}"), code) for i, (_, code) in enumerate(rules)]
        m.d.sync += [flag.eq(rule) for (flag, _), (rule, _) in zip(found, rules, strict=True)]
        m.d.sync += self.code.eq(
            first_error(
                [
                    (form != ErrorCode.NONE, form),
                    (self.retry, ErrorCode.NONE),
                    *found,
                ]
            )
        )
        return m

    def _find_form(self, m: Module) -> Signal:
        """Return, a cycle late, the error of what is no packet at all."""
        command, header = self.command, self.command.header
        form = Signal(ErrorCode)
        m.d.sync += form.eq(
            first_error(
                [
                    (command.damaged, ErrorCode.CRC),
                    (
                        (header.magic != PACKET_MAGIC) | (header.code != ErrorCode.NONE),
                        ErrorCode.HEADER,
                    ),
                    (
                        (command.words == TOO_LONG)
                        | (command.length + HEADER_WORDS != command.words),
                        ErrorCode.LENGTH,
                    ),
                ]
            )
        )
        return form

    def _find_space(self, m: Module) -> tuple[Signal, Signal]:
        """Return, a cycle late, whether there is the space, and its size."""
        known_space = Signal()
        size = Signal(range(max(self.sizes.values()) + 1))
        m.d.sync += known_space.eq(0)
        with m.Switch(self.command.arguments[0]):
            for space, words in self.sizes.items():
                with m.Case(space):
                    m.d.sync += [known_space.eq(1), size.eq(words)]
        return known_space, size

    def _right_length(self) -> Value:
        """Return whether the payload is as long as the command needs it."""
        kind, length = self.command.header.type, self.command.length
        right = [
            (kind == each) & (length > words if each is Packet.WRITE else length == words)
            for each, words in COMMANDS.items()
        ]
        return reduce(operator.or_, right)
