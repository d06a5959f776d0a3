"""Results of the tiles, summed over blocks and rounded once, to the vector memory.

    tiles -> ResultBuffer -> SumAdder -> SumRounder -> vector memory
                  ^             | ^
               SumWalk          v |
                          unfinished sums

Tiles finish a vector at about the same time, and their results are then taken beat by beat. For
each beat the row blocks in the round are added up, and, where a column block reaches over several
rounds, what a memory holds of the ones before.

The results of a transposed product are rows, and the blocks to be added up stand further apart:
each adds itself to what the memory holds of the row.
"""

from amaranth.hdl import Array, Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.machine.result_buffer import ResultBuffer
from hw.machine.scheduler import RoundPort
from hw.machine.sum_adder import SumAdder
from hw.machine.sum_rounder import SumRounder
from hw.machine.sum_walk import SumWalk
from hw.machine.vector_memory import WritePort
from hw.tile.shift_add import ResultsLayout
from spec.config import ChipConfig


class PartialSums(wiring.Component):
    """Sum up the products of a round.

    Members
    -------
    run : In, `RoundPort`
        Discards results while it is stopped.
    results : In, `tiles` x stream of `ResultsLayout`
    write : Out, `WritePort`
    saturations : Out, range(lanes + 1)
        Words that are clamped in this cycle.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "run": In(RoundPort(config)),
                "results": In(stream.Signature(ResultsLayout(config))).array(config.machine.tiles),
                "write": Out(WritePort(config)),
                "saturations": Out(range(config.machine.lanes + 1)),
            }
        )

    def elaborate(self, platform):
        config, run = self.config, self.run
        m = Module()
        m.submodules.walk = walk = SumWalk(config)
        m.submodules.adder = adder = SumAdder(config)
        m.submodules.rounder = rounder = SumRounder(config)
        connect(m, rounder.write, flipped(self.write))

        taken = adder.beats.valid & adder.beats.ready & ~run.stop
        buffers = []
        for t, results in enumerate(self.results):
            m.submodules[f"buffer_{t}"] = buffer = ResultBuffer(config)
            connect(m, flipped(results), buffer.results)
            here = taken & (walk.tile == t)
            m.d.comb += [
                buffer.transposed.eq(run.round.transposed),
                buffer.discard.eq(run.stop),
                buffer.shift.eq(here),
                buffer.free.eq(here & walk.leaves),
            ]
            buffers.append(buffer)
        full = Array(buffer.full for buffer in buffers)[walk.tile]
        m.d.comb += [
            walk.run.start.eq(run.start),
            walk.run.stop.eq(run.stop),
            walk.run.round.eq(run.round),
            walk.beats.ready.eq((full & adder.beats.ready) | run.stop),
            adder.stop.eq(run.stop),
            adder.beats.payload.eq(walk.beats.payload),
            adder.beats.valid.eq(full & walk.beats.valid),
            adder.terms.eq(Array(buffer.words.as_value() for buffer in buffers)[walk.tile]),
            rounder.valid.eq(adder.valid),
            rounder.sum.eq(adder.sum),
            rounder.sums.eq(adder.sums),
            rounder.shift.eq(run.round.shift),
            self.saturations.eq(rounder.saturations),
            run.busy.eq(walk.run.busy | adder.busy | rounder.busy),
        ]
        return m
