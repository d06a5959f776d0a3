"""Registers of streams."""

from amaranth.hdl import Module, ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class StreamRegister(wiring.Component):
    """Output register of a stream: valid and payload leave from flip-flops.

    A payload takes one cycle, and one may pass in every cycle: the register is free in the cycle
    in which its payload is taken, so `i.ready` follows `o.ready` within the cycle.

    Parameters
    ----------
    shape
        Payload.

    Members
    -------
    i : In, stream of `shape`
    o : Out, stream of `shape`
        Once valid, it stays and does not change until it is taken.
    """

    def __init__(self, shape: ShapeLike):
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.i.ready.eq(~self.o.valid | self.o.ready)
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
            with m.If(self.i.valid):
                m.d.sync += self.o.payload.eq(self.i.payload)
        return m
