"""Control of a product: check it, then place and run its blocks round by round."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.machine.interfaces import CODE_BITS
from spec.isa import ErrorCode


class ProductControl(wiring.Component):
    """Lead a product through its rounds.

    Members
    -------
    request : In, 1
        An instruction waits.
    accept : Out, 1
        It begins in this cycle if it waits.
    aborting : In, 1
        Stays until `done`.
    fetch : Out, 1
        Fetch the descriptor of the matrix.
    fetched : In, 1
        It is there.
    restart, begin, advance : Out, 1 each
        Move the `BlockWalk`.
    complete, ended : In, 1 each
        Say where it is.
    holds : In, 1
        The tile of the present block holds it.
    error : In, 8
        `ErrorCode` in which the product ends before it begins, a cycle after the last of its blocks
        has been surveyed.
    held : Out, 1
        The tiles hold all blocks that have been surveyed, and these are the whole matrix.
    program : Out, 1
        Forget what the tile of the present block holds, and program the block into it.
    programming : In, 1
        This is not done yet.
    keep : Out, 1
        The tile holds the block from now on.
    empty : In, 1
        There are no vectors.
    unsettled : In, 1
        What was to be added up is not there, since a loop did not settle.
    start : Out, 1
        Multiply by the blocks of the round.
    stop : Out, 1
        Stop multiplying.
    adding : In, 1
        Results of the round are still to come.
    quiet : In, 1
        No vector is on its way to a tile or in one.
    code : Out, 8
        `ErrorCode` in which the product has ended.
    done : Out, 1
        The product has ended, and the reply waits.
    taken : In, 1
        The reply is taken if it waits.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "request": In(1),
                "accept": Out(1),
                "aborting": In(1),
                "fetch": Out(1),
                "fetched": In(1),
                "restart": Out(1),
                "begin": Out(1),
                "advance": Out(1),
                "complete": In(1),
                "ended": In(1),
                "holds": In(1),
                "error": In(CODE_BITS),
                "held": Out(1),
                "program": Out(1),
                "programming": In(1),
                "keep": Out(1),
                "empty": In(1),
                "unsettled": In(1),
                "start": Out(1),
                "stop": Out(1),
                "adding": In(1),
                "quiet": In(1),
                "code": Out(CODE_BITS),
                "done": Out(1),
                "taken": In(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        all_held = Signal()
        m.d.comb += self.held.eq(all_held & self.ended)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.accept.eq(1)
                with m.If(self.request):
                    m.d.comb += self.fetch.eq(1)
                    m.d.sync += all_held.eq(1)
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += self.restart.eq(1)
                with m.If(self.fetched):
                    m.next = "SURVEY"
            # It is known before anything changes if the tiles hold the whole matrix: one that is
            # larger than a round is not held.
            with m.State("SURVEY"):
                m.d.comb += self.advance.eq(1)
                m.d.sync += all_held.eq(all_held & self.holds)
                with m.If(self.complete):
                    m.next = "DECIDE"
            with m.State("DECIDE"):
                m.d.comb += self.restart.eq(1)
                m.d.sync += self.code.eq(self.error)
                m.next = "PLACE"
                with m.If(self.error != ErrorCode.NONE):
                    m.next = "REPLY"
            with m.State("PLACE"):
                m.next = "HELD"
                with m.If(self.aborting):
                    m.next = "STOP"
                with m.Elif(~self.holds):
                    m.d.comb += self.program.eq(1)
                    m.next = "PROGRAM"
            with m.State("PROGRAM"):
                with m.If(~self.programming):
                    m.next = "STOP"
                    with m.If(~self.aborting):
                        m.d.comb += self.keep.eq(1)
                        m.next = "HELD"
            with m.State("HELD"):
                m.d.comb += self.advance.eq(1)
                m.next = "PLACE"
                with m.If(self.complete):
                    m.next = "START"
            with m.State("START"):
                m.d.comb += self.start.eq(~self.empty)
                m.next = "RUN"
            with m.State("RUN"):
                with m.If(~self.adding):
                    m.d.comb += self.begin.eq(1)
                    m.next = "PLACE"
                    with m.If(self.unsettled):
                        m.d.sync += self.code.eq(ErrorCode.UNSETTLED)
                    with m.If(self.ended | self.unsettled):
                        m.next = "REPLY"
                with m.Elif(self.aborting):
                    m.next = "STOP"
            with m.State("STOP"):
                m.d.comb += self.stop.eq(1)
                m.d.sync += self.code.eq(ErrorCode.ABORTED)
                with m.If(self.quiet & ~self.adding):
                    m.next = "REPLY"
            with m.State("REPLY"):
                m.d.comb += self.done.eq(1)
                with m.If(self.taken):
                    m.next = "IDLE"
        return m
