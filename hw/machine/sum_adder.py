"""Sums of results over the blocks of a matrix.

    sum = (0, or the sum in the memory if blocks of earlier segments have left one) + results

Results of a segment follow each other and are added up in a register; the sum that a segment leaves
unfinished goes to the memory.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.machine.sum_walk import BeatLayout, SumLayout
from hw.machine.vector_memory import VectorMemory
from spec.config import ChipConfig


class SumAdder(wiring.Component):
    """Add up results; two cycles.

    Members
    -------
    stop : In, 1
        Take beats, and drop them.
    beats : In, stream of `BeatLayout`
        A beat waits while the sum that it resumes is on its way into the memory.
    terms : In, `lanes` x signed(result_bits)
        Results of the beat.
    busy : Out, 1
    valid : Out, 1
        A finished sum is there in this cycle.
    sum : Out, `SumLayout`
    sums : Out, `lanes` x signed(partial_bits)
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        lanes = config.machine.lanes
        super().__init__(
            {
                "stop": In(1),
                "beats": In(stream.Signature(BeatLayout(config))),
                "terms": In(data.ArrayLayout(signed(config.result_bits), lanes)),
                "busy": Out(1),
                "valid": Out(1),
                "sum": Out(SumLayout(config)),
                "sums": Out(data.ArrayLayout(signed(config.partial_bits), lanes)),
            }
        )

    def elaborate(self, platform):
        config, beat = self.config, self.beats.payload
        m = Module()
        m.submodules.memory = memory = VectorMemory(config, config.partial_bits)

        # First cycle: results, and sums to be resumed.
        accepted = self.beats.valid & self.beats.ready & ~self.stop
        adding = Signal()
        added = Signal(BeatLayout(config), reset_less=True)
        terms = Signal(self.terms.shape(), reset_less=True)
        m.d.comb += [
            memory.read.en.eq(accepted & beat.resumed),
            memory.read.address.eq(beat.sum.store),
        ]
        m.d.sync += [
            adding.eq(accepted),
            added.eq(beat),
            terms.eq(self.terms),
        ]

        # Second cycle.
        summed = Signal()
        m.d.sync += [summed.eq(adding & added.last), self.sum.eq(added.sum)]
        with m.If(adding):
            for total, term, before in zip(self.sums, terms, memory.read.data, strict=True):
                base = Mux(added.resumed, before, Const(0, signed(1)))
                m.d.sync += total.eq(Mux(added.first, base, total) + term)

        unfinished = summed & ~self.sum.finished
        m.d.comb += [
            memory.write.en.eq(unfinished),
            memory.write.address.eq(self.sum.store),
            memory.write.mask.eq(self.sum.mask),
            memory.write.data.eq(self.sums),
            self.valid.eq(summed & self.sum.finished),
            self.busy.eq(adding | summed),
        ]
        early = Cat(
            adding & added.last & ~added.sum.finished & (added.sum.store == beat.sum.store),
            unfinished & (self.sum.store == beat.sum.store),
        ).any()
        m.d.comb += self.beats.ready.eq(self.stop | ~(beat.resumed & early))
        return m
