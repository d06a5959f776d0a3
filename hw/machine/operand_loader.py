"""Vectors from the vector memory to the tiles.

    OperandWalk -> vector memory -> clamp -> OperandBuffer -> tile

While a tile drives one vector, the next is loaded into the register beside it.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.boundary.analog import step_layout
from hw.common.arithmetic import clamp, tree_sum
from hw.converter.dac import VectorLayout
from hw.machine.operand_buffer import OperandBuffer
from hw.machine.operand_walk import OperandLayout, OperandWalk
from hw.machine.scheduler import RoundPort
from hw.machine.vector_memory import ReadPort
from spec.config import ChipConfig


class OperandLoader(wiring.Component):
    """Feed the vectors of a round to its tiles.

    Members
    -------
    run : In, `RoundPort`
        Forgets vectors that no tile has been offered yet when it is stopped.
    step : In, `step_layout`
        ADC steps; they stay while it runs.
    read : Out, `ReadPort`
        Vector memory.
    vectors : Out, `tiles` x stream of `VectorLayout`
    clips : Out, range(lanes + 1)
        Inputs found beyond `input_range` in this cycle, each counted once.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        super().__init__(
            {
                "run": In(RoundPort(config)),
                "step": In(step_layout(config)),
                "read": Out(ReadPort(config)),
                "vectors": Out(stream.Signature(VectorLayout(config))).array(config.machine.tiles),
                "clips": Out(range(config.machine.lanes + 1)),
            }
        )

    def elaborate(self, platform):
        config, run = self.config, self.run
        m = Module()
        m.submodules.walk = walk = OperandWalk(config)
        buffers = []
        for t in range(config.machine.tiles):
            m.submodules[f"buffer_{t}"] = buffer = OperandBuffer(config)
            buffers.append(buffer)

        # First cycle: a beat is asked for, once the buffers that it goes to are free.
        asking = walk.beats.valid & walk.beats.ready & ~run.stop
        targets = walk.beats.payload.targets
        occupied = [target & b.reserved for target, b in zip(targets, buffers, strict=True)]
        m.d.comb += [
            walk.run.start.eq(run.start),
            walk.run.stop.eq(run.stop),
            walk.run.round.eq(run.round),
            walk.beats.ready.eq(~walk.begins | ~Cat(occupied).any() | run.stop),
            self.read.en.eq(asking),
            self.read.address.eq(walk.address),
        ]

        # Second cycle: its words are clamped, and put behind those that came before.
        filling = Signal()
        beat = Signal(OperandLayout(config))
        m.d.sync += [filling.eq(asking), beat.eq(walk.beats.payload)]
        words = []
        clips = []
        for word, used in zip(self.read.data, beat.mask, strict=True):
            near, outside = clamp(word, signed(config.converter.input_bits))
            words.append(Mux(used, near, 0)[: config.converter.input_bits])
            clips.append(used & outside)
        with m.If(filling & beat.counts):
            m.d.comb += self.clips.eq(tree_sum(clips))

        m.d.comb += run.busy.eq(walk.run.busy | filling)
        for t, (buffer, vectors) in enumerate(zip(buffers, self.vectors, strict=True)):
            m.d.comb += [
                buffer.reserve.eq(asking & targets[t]),
                buffer.fill.eq(filling & beat.targets[t]),
                buffer.words.eq(Cat(words)),
                buffer.last.eq(beat.last),
                buffer.stop.eq(run.stop),
                vectors.valid.eq(buffer.vector.valid),
                buffer.vector.ready.eq(vectors.ready),
                vectors.payload.x.eq(buffer.vector.payload),
                vectors.payload.step.eq(self.step),
                vectors.payload.transposed.eq(run.round.transposed),
            ]
        return m
