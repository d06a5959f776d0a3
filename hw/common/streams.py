"""Registers and pipes of streams."""

from amaranth.hdl import Module, Mux, ShapeLike, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class _StreamStage(wiring.Component):
    """Hold payloads of a stream on their way.

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


class StreamRegister(_StreamStage):
    """Output register of a stream: valid and payload leave from flip-flops.

    A payload takes one cycle, and one may pass in every cycle: the register is free in the cycle
    in which its payload is taken, so `i.ready` follows `o.ready` within the cycle.
    """

    def elaborate(self, platform):
        m = Module()
        kept = Signal.like(self.i.payload, reset_less=True)
        m.d.comb += [self.i.ready.eq(~self.o.valid | self.o.ready), self.o.payload.eq(kept)]
        with m.If(self.i.ready):
            m.d.sync += self.o.valid.eq(self.i.valid)
            with m.If(self.i.valid):
                m.d.sync += kept.eq(self.i.payload)
        return m


class StreamPipe(_StreamStage):
    """Two registers of a stream, between whose ends nothing passes within a cycle.

    A payload takes one cycle, and one may pass in every cycle. Valid, payload and ready all leave
    from flip-flops: where two long paths of ready signals meet, this cuts them apart.
    """

    def elaborate(self, platform):
        m = Module()
        # It came in the cycle in which the one before it was found to wait.
        spare = Signal.like(self.i.payload, reset_less=True)
        waiting = Signal()
        kept = Signal.like(self.i.payload, reset_less=True)
        m.d.comb += [self.i.ready.eq(~waiting), self.o.payload.eq(kept)]
        with m.If(~self.o.valid | self.o.ready):
            m.d.sync += [
                self.o.valid.eq(self.i.valid | waiting),
                kept.eq(Mux(waiting, spare, self.i.payload)),
                waiting.eq(0),
            ]
        with m.Elif(self.i.valid & self.i.ready):
            m.d.sync += [spare.eq(self.i.payload), waiting.eq(1)]
        return m
