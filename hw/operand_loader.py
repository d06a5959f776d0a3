"""Vectors from the vector memory to the tiles.

While a tile drives one vector, the next is loaded into a register beside it. Tiles that share a
row block get it in one pass.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.config import ChipConfig
from hw.analog import step_layout
from hw.dac import VectorLayout
from hw.scheduler import BlockLayout
from hw.shift_add import tree_sum
from hw.vector_memory import ReadPort


class OperandLoader(wiring.Component):
    """Feed `count` vectors to the tiles of a round.

    All inputs but `stop` stay while `busy`.

    Members
    -------
    start : In, 1
    stop : In, 1
        Forget what no tile has been offered yet, and end.
    busy : Out, 1
    rows, count, address : In
        Length and number of the vectors, and where the first begins.
    first, blocks : In
        First block of the round, and how many there are.
    active, tops : In, `tiles` bits and `tiles` x row
        Tiles of the round, and the top rows of their blocks.
    step : In
        ADC steps.
    read : Out, `ReadPort`
    vectors : Out, `tiles` x stream of `VectorLayout`
    clips : Out
        Inputs found beyond `input_range` in this cycle, in the column block 0 alone, so that each
        is counted once.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        row = range(config.vector_words)
        super().__init__(
            {
                "start": In(1),
                "stop": In(1),
                "busy": Out(1),
                "rows": In(range(config.vector_words + 1)),
                "count": In(range(config.vector_words + 1)),
                "address": In(range(config.vector_words)),
                "first": In(BlockLayout(config)),
                "blocks": In(range(config.tiles + 1)),
                "active": In(config.tiles),
                "tops": In(data.ArrayLayout(row, config.tiles)),
                "step": In(step_layout(config)),
                "read": Out(ReadPort(config)),
                "vectors": Out(stream.Signature(VectorLayout(config))).array(config.tiles),
                "clips": Out(range(config.lanes + 1)),
            }
        )

    def elaborate(self, platform):
        config = self.config
        m = Module()
        beats = -(-config.rows // config.lanes)
        last_beat = (beats - 1) * config.lanes

        # First stage: ask for words of the row block at `top` of the vector at `origin`.
        left = Signal(range(config.vector_words + 1))
        origin = Signal(range(config.vector_words))
        top = Signal(range(config.vector_words))
        offset = Signal(range(last_beat + 1))
        position = Signal(range(max(2, config.tiles)))
        counting = Signal()
        # A buffer is reserved from the first word on until a tile takes the vector.
        reserved = Signal(config.tiles)
        targets = Signal(config.tiles)
        m.d.comb += targets.eq(Cat(a & (self.tops[t] == top) for t, a in enumerate(self.active)))
        asking = Signal()
        m.d.comb += [
            asking.eq((left != 0) & ~self.stop & ((offset != 0) | ~(targets & reserved).any())),
            self.read.en.eq(asking),
            self.read.address.eq(origin + top + offset),
        ]

        below = top + config.rows
        wraps = below >= self.rows
        next_top = Signal.like(top)
        m.d.comb += next_top.eq(Mux(wraps, 0, below))
        finished = (position == self.blocks - 1) | (next_top == self.first.top)
        with m.If(asking):
            m.d.sync += offset.eq(offset + config.lanes)
            with m.If(offset == last_beat):
                m.d.sync += [
                    offset.eq(0),
                    position.eq(position + 1),
                    top.eq(next_top),
                    counting.eq(counting & ~wraps),
                ]
                with m.If(finished):
                    m.d.sync += [
                        left.eq(left - 1),
                        origin.eq(origin + self.rows),
                        position.eq(0),
                        top.eq(self.first.top),
                        counting.eq(self.first.left == 0),
                    ]
        with m.Elif(self.start):
            m.d.sync += [
                left.eq(self.count),
                origin.eq(self.address),
                position.eq(0),
                top.eq(self.first.top),
                counting.eq(self.first.left == 0),
            ]

        # Second stage: clamp them, and put them behind those that came before.
        filling, filling_last, clips_count = Signal(), Signal(), Signal()
        filled = Signal(config.tiles)
        mask = Signal(config.lanes)
        m.d.sync += [
            filling.eq(asking),
            filling_last.eq(offset == last_beat),
            clips_count.eq(counting),
            filled.eq(targets),
        ]
        for i in range(config.lanes):
            place = offset + i
            m.d.sync += mask[i].eq((place < config.rows) & (top + place < self.rows))
        low, high = config.input_range
        words, clips = [], []
        for word, used in zip(self.read.data, mask, strict=True):
            above, below_low = word > high, word < low
            clamped = Mux(above, high, Mux(below_low, low, word))
            words.append(Mux(used, clamped, 0)[: config.input_bits])
            clips.append(used & (above | below_low))
        with m.If(filling & clips_count):
            m.d.comb += self.clips.eq(tree_sum(clips))

        m.d.comb += self.busy.eq((left != 0) | filling)
        for t, vectors in enumerate(self.vectors):
            operand = Signal(
                data.ArrayLayout(signed(config.input_bits), beats * config.lanes),
                name=f"operand_{t}",
            )
            m.d.comb += vectors.payload.step.eq(self.step)
            for r in range(config.rows):
                m.d.comb += vectors.payload.x[r].eq(operand[r])
            with m.If(filling & filled[t]):
                kept = operand.as_value()[config.lanes * config.input_bits :]
                m.d.sync += operand.eq(Cat(kept, *words))
                m.d.sync += vectors.valid.eq(filling_last)
            with m.If(asking & targets[t]):
                m.d.sync += reserved[t].eq(1)
            with m.If(vectors.valid & vectors.ready):
                m.d.sync += [vectors.valid.eq(0), reserved[t].eq(0)]
        with m.If(self.stop):
            m.d.sync += [left.eq(0), offset.eq(0)]
            for t, vectors in enumerate(self.vectors):
                with m.If(~vectors.valid):
                    m.d.sync += [vectors.valid.eq(0), reserved[t].eq(0)]
        return m
