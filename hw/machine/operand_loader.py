"""Vectors from the vector memory to the tiles.

While a tile drives one vector, the next is loaded into a register beside it. Tiles that share a
part of the vector, a row block or, transposed, a column block, get it in one pass.
"""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.boundary.analog import step_layout
from hw.common.arithmetic import tree_sum
from hw.common.direction import by_direction
from hw.converter.dac import VectorLayout
from hw.machine.scheduler import BlockLayout
from hw.machine.vector_memory import ReadPort
from spec.config import ChipConfig


class OperandLoader(wiring.Component):
    """Feed `count` vectors to the tiles of a round.

    All inputs but `stop` stay while `busy`.

    Members
    -------
    start : In, 1
    stop : In, 1
        Forget what no tile has been offered yet, and end.
    busy : Out, 1
    transposed : In, 1
        Whether the product is one with the transposed matrix.
    length, count, address : In
        Length and number of the vectors, and where the first begins.
    first, last, blocks : In
        First and last block of the round, and how many there are.
    active, starts : In, `tiles` bits and `tiles` x place
        Tiles of the round, and where their parts of the vectors start.
    step : In
        ADC steps.
    read : Out, `ReadPort`
    vectors : Out, `tiles` x stream of `VectorLayout`
    clips : Out
        Inputs found beyond `input_range` in this cycle, for the column block 0 alone or,
        transposed, the row block 0, so that each is counted once.
    """

    def __init__(self, config: ChipConfig):
        self.config = config
        place = range(config.machine.vector_words)
        super().__init__(
            {
                "start": In(1),
                "stop": In(1),
                "busy": Out(1),
                "transposed": In(1),
                "length": In(range(config.machine.vector_words + 1)),
                "count": In(range(config.machine.vector_words + 1)),
                "address": In(range(config.machine.vector_words)),
                "first": In(BlockLayout(config)),
                "last": In(BlockLayout(config)),
                "blocks": In(range(config.machine.tiles + 1)),
                "active": In(config.machine.tiles),
                "starts": In(data.ArrayLayout(place, config.machine.tiles)),
                "step": In(step_layout(config)),
                "read": Out(ReadPort(config)),
                "vectors": Out(stream.Signature(VectorLayout(config))).array(config.machine.tiles),
                "clips": Out(range(config.machine.lanes + 1)),
            }
        )

    def elaborate(self, platform):
        config = self.config
        m = Module()
        beats = -(-config.drive_lines // config.machine.lanes)
        last_beat = (beats - 1) * config.machine.lanes
        transposed = self.transposed
        lines = by_direction(config, transposed, lambda direction: direction.inputs)

        # First stage: ask for words of the part that starts at `start` of the vector at `origin`.
        left = Signal(range(config.machine.vector_words + 1))
        origin = Signal(range(config.machine.vector_words))
        start, first_start = (
            Signal(range(config.machine.vector_words), name=n) for n in ("start", "first_start")
        )
        offset = Signal(range(last_beat + 1))
        position = Signal(range(max(2, config.machine.tiles)))
        counting = Signal()
        # A buffer is reserved from the first word on until a tile takes the vector.
        reserved = Signal(config.machine.tiles)
        targets = Signal(config.machine.tiles)
        m.d.comb += targets.eq(
            Cat(a & (self.starts[t] == start) for t, a in enumerate(self.active))
        )
        asking = Signal()
        m.d.comb += [
            asking.eq((left != 0) & ~self.stop & ((offset != 0) | ~(targets & reserved).any())),
            self.read.en.eq(asking),
            self.read.address.eq(origin + start + offset),
            first_start.eq(Mux(transposed, self.first.left, self.first.top)),
        ]

        # Row blocks come over and over, and the round may begin with any; column blocks in order.
        beyond = start + lines
        wraps = beyond >= self.length
        following = Signal.like(start)
        m.d.comb += following.eq(Mux(wraps, 0, beyond))
        finished = Mux(
            transposed,
            start == self.last.left,
            (position == self.blocks - 1) | (following == first_start),
        )
        first_counts = Mux(transposed, self.first.top, self.first.left) == 0
        with m.If(asking):
            m.d.sync += offset.eq(offset + config.machine.lanes)
            with m.If(offset == last_beat):
                m.d.sync += [
                    offset.eq(0),
                    position.eq(position + 1),
                    start.eq(following),
                    counting.eq(transposed | (counting & ~wraps)),
                ]
                with m.If(finished):
                    m.d.sync += [
                        left.eq(left - 1),
                        origin.eq(origin + self.length),
                        position.eq(0),
                        start.eq(first_start),
                        counting.eq(first_counts),
                    ]
        with m.Elif(self.start):
            m.d.sync += [
                left.eq(self.count),
                origin.eq(self.address),
                position.eq(0),
                start.eq(first_start),
                counting.eq(first_counts),
            ]

        # Second stage: clamp them, and put them behind those that came before.
        filling, filling_last, clips_count = Signal(), Signal(), Signal()
        filled = Signal(config.machine.tiles)
        mask = Signal(config.machine.lanes)
        m.d.sync += [
            filling.eq(asking),
            filling_last.eq(offset == last_beat),
            clips_count.eq(counting),
            filled.eq(targets),
        ]
        for i in range(config.machine.lanes):
            place = offset + i
            m.d.sync += mask[i].eq((place < lines) & (start + place < self.length))
        low, high = config.input_range
        words, clips = [], []
        for word, used in zip(self.read.data, mask, strict=True):
            above, below_low = word > high, word < low
            clamped = Mux(above, high, Mux(below_low, low, word))
            words.append(Mux(used, clamped, 0)[: config.converter.input_bits])
            clips.append(used & (above | below_low))
        with m.If(filling & clips_count):
            m.d.comb += self.clips.eq(tree_sum(clips))

        m.d.comb += self.busy.eq((left != 0) | filling)
        for t, vectors in enumerate(self.vectors):
            operand = Signal(
                data.ArrayLayout(signed(config.converter.input_bits), beats * config.machine.lanes),
                name=f"operand_{t}",
            )
            m.d.comb += [
                vectors.payload.step.eq(self.step),
                vectors.payload.transposed.eq(transposed),
            ]
            for r in range(config.drive_lines):
                m.d.comb += vectors.payload.x[r].eq(operand[r])
            with m.If(filling & filled[t]):
                kept = operand.as_value()[config.machine.lanes * config.converter.input_bits :]
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
